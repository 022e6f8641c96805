"""torch.Size: the tuple of a tensor's sizes."""

import operator
from typing import SupportsIndex, overload

from jtorch.errors import type_name
from jtorch.shapes import numel as count


def _index(place, item):
    try:
        return operator.index(item)
    except TypeError:
        wrong = f"torch.Size() takes an iterable of 'int' (item {place} is '{type_name(item)}')"
        raise TypeError(wrong) from None


class Size(tuple[int, ...]):
    """A tuple of ints that prints as torch.Size([...]) and stays one under slicing and addition."""

    __slots__ = ()

    def __new__(cls, sizes=()):
        if type(sizes) is not tuple:
            sizes = tuple(_index(i, n) for i, n in enumerate(sizes))
        return tuple.__new__(cls, sizes)

    def __repr__(self):
        return f"torch.Size({list(self)})"

    __str__ = __repr__

    def numel(self):
        """How many elements a tensor of this size has."""
        return count(self)

    @overload
    def __getitem__(self, at: SupportsIndex) -> int: ...
    @overload
    def __getitem__(self, at: slice) -> "Size": ...
    def __getitem__(self, at):
        found = tuple.__getitem__(self, at)
        return Size(found) if isinstance(at, slice) else found

    def __add__(self, other):
        if not isinstance(other, tuple):
            raise TypeError(f"can only concatenate tuple (not {type_name(other)}) to torch.Size")
        return Size(tuple.__add__(self, tuple(other)))

    def __radd__(self, other):
        return Size(tuple.__add__(tuple(other), self)) if isinstance(other, tuple) else NotImplemented

    def __mul__(self, times):
        return Size(tuple.__mul__(self, times))

    __rmul__ = __mul__

    def __reduce__(self):
        return (of, (tuple(self),))  # a function: the class itself goes by torch's name


Size.__module__ = "torch"


def of(sizes):
    """The Size of a tuple."""
    return Size(sizes)
