"""Small helpers for arguments that layers take once or once per dimension."""

from collections.abc import Iterable


def _ntuple(n):
    """A function that makes a tuple of its argument: the argument's items, or the argument n times."""

    def parse(x):
        return tuple(x) if isinstance(x, Iterable) else (x,) * n

    return parse


_single = _ntuple(1)
_pair = _ntuple(2)
_triple = _ntuple(3)
_quadruple = _ntuple(4)


def _reverse_repeat_tuple(t, n):
    """The items from last to first, each n times: padding per dim as `F.pad` wants it."""
    return tuple(x for x in reversed(t) for _ in range(n))
