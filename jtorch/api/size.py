"""torch.Size: the tuple of a tensor's sizes."""

import operator

from jtorch.shapes import numel as count


class Size(tuple):
    """A tuple of ints that prints as torch.Size([...]) and stays one under slicing and addition."""

    __slots__ = ()

    def __new__(cls, sizes=()):
        if type(sizes) is not tuple:
            sizes = tuple(operator.index(n) for n in sizes)
        return tuple.__new__(cls, sizes)

    def __repr__(self):
        return f"torch.Size({list(self)})"

    __str__ = __repr__

    def numel(self):
        """How many elements a tensor of this size has."""
        return count(self)

    def __getitem__(self, at):
        found = tuple.__getitem__(self, at)
        return Size(found) if isinstance(at, slice) else found

    def __add__(self, other):
        return Size(tuple.__add__(self, tuple(other))) if isinstance(other, tuple) else NotImplemented

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
