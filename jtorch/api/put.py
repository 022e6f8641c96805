"""How a hand-written function becomes a function of torch, a Tensor method, or an attribute."""

from jtorch._tensor import Tensor
from jtorch.api import variants
from jtorch.api.guard import guarded, planned
from jtorch.autograd.casting import whole

variants.put_methods()  # first of all: what is written by hand takes the place of what the table gives

# Functions that torch writes in Python, and what in them looks at arguments first, see `planned`.
PLANS = {
    "norm": "input.layout",
    "split": "tensor.split",
    "unique": "native._unique2(input)",
    "unique_consecutive": "native.unique_consecutive(input)",
    "tensordot": "b.dim; a.dim",
}

FUNCTIONS: dict = {}  # name -> function of the torch namespace
DOORS: dict = {"linalg": {}, "fft": {}, "special": {}, "signal.windows": {}}  # door -> name -> function


def method(fn, *names):
    """Put a function on Tensor under its own name and these."""
    for name in (fn.__name__, *names):
        setattr(Tensor, name, guarded("Tensor", whole(name, fn), name, method=True))
    return fn


def function(fn, *names):
    """Make a function one of torch's, under its own name and these."""
    for name in (fn.__name__, *names):
        made = whole(name, fn)
        FUNCTIONS[name] = planned(made, PLANS[name]) if name in PLANS else guarded("torch", made, name)
    return fn


def behind(door):
    """Decorator: make a function one of a door's ("linalg", "fft", ...), without the door's prefix in its name."""

    def put(fn):
        name = fn.__name__.removeprefix(f"{door}_")
        DOORS[door][name] = made = guarded(door, whole(f"{door}_{name}", fn), name)
        return made

    return put


def both(fn, *names):
    """Make a function one of torch's and a Tensor method."""
    return method(function(fn, *names), *names)


def attribute(fn):
    """Put a function on Tensor as a read-only property."""

    def refuse(self, value=None):
        raise AttributeError(f"attribute '{fn.__name__}' of 'torch._C.TensorBase' objects is not writable")

    setattr(Tensor, fn.__name__, property(fn, refuse, refuse))
    return fn
