"""How a hand-written function becomes a function of torch, a Tensor method, or an attribute."""

from jtorch._tensor import Tensor
from jtorch.api import variants
from jtorch.api.guard import guarded

variants.put_methods()  # first of all: what is written by hand takes the place of what the table gives

FUNCTIONS: dict = {}  # name -> function of the torch namespace


def method(fn, *names):
    """Put a function on Tensor under its own name and these."""
    for name in (fn.__name__, *names):
        setattr(Tensor, name, guarded("Tensor", fn, name, method=True))
    return fn


def function(fn, *names):
    """Make a function one of torch's, under its own name and these."""
    for name in (fn.__name__, *names):
        FUNCTIONS[name] = guarded("torch", fn, name)
    return fn


def both(fn, *names):
    """Make a function one of torch's and a Tensor method."""
    return method(function(fn, *names), *names)


def attribute(fn):
    """Put a function on Tensor as a read-only property."""
    setattr(Tensor, fn.__name__, property(fn))
    return fn
