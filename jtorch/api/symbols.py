"""torch.SymInt and its kin: classes to ask for with isinstance, and functions that here see plain numbers only."""

import math

from jtorch.api.put import FUNCTIONS, function


class SymInt:
    """The class of symbolic ints. Sizes are plain ints here, so there are none."""


class SymFloat:
    """The class of symbolic floats, of which there are none."""


class SymBool:
    """The class of symbolic bools, of which there are none."""


for _kind in (SymInt, SymFloat, SymBool):
    _kind.__module__ = "torch"
    FUNCTIONS[_kind.__name__] = _kind


@function
def sym_int(a):
    """A number as an int, towards zero."""
    return math.trunc(a)


@function
def sym_float(a):
    """A number as a float."""
    return float(a)


@function
def sym_max(a, b):
    """The larger number; a float if one of them is."""
    found = max(a, b)
    return float(found) if isinstance(a, float) or isinstance(b, float) else found


@function
def sym_min(a, b):
    """The smaller number; a float if one of them is."""
    found = min(a, b)
    return float(found) if isinstance(a, float) or isinstance(b, float) else found


@function
def sym_not(a):
    """The opposite of a bool."""
    return not a


@function
def sym_ite(b, t, f):
    """t where b is true, else f. Raises AssertionError when they are of two types."""
    assert isinstance(b, bool) and type(t) is type(f)
    return t if b else f


@function
def sym_sqrt(a):
    """The square root of a number."""
    return math.sqrt(a)


@function
def sym_sum(args):
    """The sum of numbers."""
    return sum(args)
