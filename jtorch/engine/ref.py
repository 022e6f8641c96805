"""Ref: a handle on a value that is an array or a place (slot) in a trace; Aval: what is known of it beforehand."""

import copy

from jtorch import dtypes
from jtorch.shapes import is_symbolic


class Aval:
    """Shape, dtype and device of a value. There is one object for each, so that they compare by identity."""

    __slots__ = ("shape", "dtype", "device", "ndim")

    def __init__(self, shape, dtype, device):
        self.shape = shape
        self.dtype = dtype
        self.device = device
        self.ndim = len(shape)

    def __repr__(self):
        return f"{self.dtype.name}{list(self.shape)}" + ("" if self.device.type == "cpu" else f"@{self.device}")


_avals: dict = {}


def aval(shape, dtype, device):
    """The Aval of a shape (tuple of ints), a jtorch dtype and a placed device."""
    key = (shape, dtype, device)
    found = _avals.get(key)
    if found is None:
        sizes = tuple(n if is_symbolic(n) else int(n) for n in shape)
        found = _avals.setdefault(key, Aval(sizes, dtype, device))
    return found


class Box:
    """The value of a Ref inside a transform of jtorch.func: what stands for it one level below.

    level: the transform, whose `number` is higher the further in it is. inner: a Tensor of the level below.
    """

    __slots__ = ("level", "inner")

    def __init__(self, level, inner):
        self.level = level
        self.inner = inner

    def array(self):
        """The array behind it. Raises RuntimeError where it is one of a batch."""
        raise NotImplementedError


class Ref:
    """A handle on one immutable value. `value` is an array of JAX or NumPy, a tracer or a Box; None while pending in
    `trace`.
    """

    # Set on a leaf's new value by an in-place update: reading it with grad mode on is a step boundary.
    stepped = False
    # Why the call that should have made the value could not.
    lost = None

    def __init__(self, aval, value=None, trace=None, slot=-1):
        self.aval = aval
        self.value = value
        self.trace = trace
        self.slot = slot

    def __repr__(self):
        return f"Ref({self.aval!r}, {'pending' if self.value is None else 'ready'})"


def again(error):
    """A copy of an error to raise: the frames that it goes through are not kept for as long as the error is."""
    try:
        return copy.copy(error).with_traceback(None)
    except Exception:  # of a class of the user's that takes other arguments
        return error


def of_array(array, device):
    """A Ref of a concrete array or tracer."""
    return Ref(aval(tuple(array.shape), dtypes.from_numpy(array.dtype), device), array)
