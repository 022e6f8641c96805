"""rearrange: transpose, split, merge and stack the dims of a tensor as a pattern of their names says."""

import keyword
import warnings

from jtorch._tensor import Tensor, aval
from jtorch.autograd.apply import call
from jtorch.shapes import numel

_ELLIPSIS = "…"


def rearrange(tensor, pattern, **axes_lengths):
    """The elements of a tensor, or of several of one shape along a new first dim, in the order that a pattern names.

    pattern: the dims on both sides of `->`, such as "b (h p) c -> b h c p": dims in brackets are one dim of the tensor,
    `...` is any dims, 1 a dim of size 1. axes_lengths: sizes that the tensor does not tell.
    Raises ValueError for a pattern that is none, or not of as many dims, DimensionBindError for sizes that do not fit.
    """
    if not isinstance(tensor, Tensor):
        tensor = call("stack", tensor)
    sides = pattern.split("->")
    if len(sides) != 2:
        raise ValueError("Pattern must contain a single '->' separator")
    left, right = (_Side(side) for side in sides)
    sizes = aval(tensor).shape
    _check(pattern, left, right, axes_lengths, len(sizes))
    groups = left.spread(len(sizes))
    known = {name: length for name, length in axes_lengths.items() if name in left.names}
    lengths: dict = {}
    for group, size in zip(groups, sizes, strict=True):
        lengths.update(_lengths(group, size, known, len(lengths)))
    order = [name for group in groups for name in group]
    wanted = right.spread(len(sizes), [name for name in order if isinstance(name, int)])
    places = [order.index(name) for group in wanted for name in group]
    flat = tensor.reshape([lengths[name] for name in order])
    return flat.permute(places).reshape([numel(tuple(lengths[name] for name in group)) for group in wanted])


class DimensionBindError(Exception):
    """The dims of a tensor are not those of a pattern."""


class _Side:
    """One side of a pattern. groups: per dim of the tensor the names in it, `…` for the ellipsis.

    Raises ValueError for text that is no such side.
    """

    def __init__(self, text):
        self.groups: list = []
        self.names: set = set()
        self.several = self.dots_in_brackets = False
        self.open = None
        if "." in text:
            if "..." not in text:
                raise ValueError("Expression may contain dots only inside ellipsis (...)")
            if text.count("...") != 1 or text.count(".") != 3:
                raise ValueError(
                    "Expression may contain dots only inside ellipsis (...); only one ellipsis for tensor "
                )
            text = text.replace("...", _ELLIPSIS)
        name = ""
        for sign in f"{text} ":
            if sign.isalnum() or sign in ("_", _ELLIPSIS):
                name += sign
            elif sign in " ()":
                self._add(name)
                name = ""
                self._bracket(sign)
            else:
                raise ValueError(f"Unknown character '{sign}'")
        if self.open is not None:
            raise ValueError(f"Imbalanced parentheses in expression: '{text}'")

    def _bracket(self, sign):
        if sign == "(":
            if self.open is not None:
                raise ValueError("Axis composition is one-level (brackets inside brackets not allowed)")
            self.open = []
        elif sign == ")":
            if self.open is None:
                raise ValueError("Brackets are not balanced")
            self.groups.append(self.open)
            self.open = None

    def _add(self, name):
        if not name:
            return
        if name in self.names:
            raise ValueError(f"Indexing expression contains duplicate dimension '{name}'")
        if name == _ELLIPSIS:
            self.dots_in_brackets = self.open is not None
            self.names.add(name)
        elif name.isdecimal():
            if int(name) == 0:
                raise ValueError("Anonymous axis should have positive length, not 0")
            self.several = self.several or int(name) > 1
            if self.open is None:
                self.groups.append([])
            return
        else:
            _check_name(name)
            self.names.add(name)
        if self.open is None:
            self.groups.append([name])
        else:
            self.open.append(name)

    def spread(self, ndim, dims=None):
        """The groups, with numbers for the dims of the ellipsis: these, or as many as a tensor has more."""
        dims = list(range(ndim - len(self.groups) + 1)) if dims is None else dims
        found = []
        for group in self.groups:
            if group == [_ELLIPSIS] and not self.dots_in_brackets:
                found.extend([n] for n in dims)
            else:
                found.append([x for name in group for x in (dims if name == _ELLIPSIS else [name])])
        return found


def _check_name(name):
    if not name.isidentifier():
        raise ValueError(f"Invalid axis identifier: {name}\nnot a valid python identifier")
    if name[0] == "_" or name[-1] == "_":
        raise ValueError(f"Invalid axis identifier: {name}\naxis name should should not start or end with underscore")
    if keyword.iskeyword(name):
        warnings.warn(f"It is discouraged to use axes names that are keywords: {name}", RuntimeWarning, stacklevel=5)


def _check(pattern, left, right, lengths, ndim):
    if _ELLIPSIS not in left.names and _ELLIPSIS in right.names:
        raise ValueError(f"Ellipsis found in right side, but not left side of a pattern {pattern}")
    if left.dots_in_brackets:
        raise ValueError(f"Ellipsis is parenthesis in the left side is not allowed: {pattern}")
    if left.several or right.several:
        raise ValueError("rearrange only supports unnamed axes of size 1")
    if apart := left.names ^ right.names:
        raise ValueError(f"Identifiers only on one side of rearrange expression (should be on both): {apart}")
    if strange := lengths.keys() - left.names:
        raise ValueError(f"Identifiers not found in rearrange expression: {strange}")
    for length in lengths.values():
        if not isinstance(length, int):
            raise TypeError(f"rearrange axis lengths must be integers, got: {type(length)}")
    count = len(left.groups)
    if _ELLIPSIS in left.names:
        if count - 1 > ndim:
            raise ValueError(
                f"Number of dimensions in pattern ({count - 1}) must be less than or equal to the number of dimensions "
                f"in the tensor ({ndim})"
            )
    elif count != ndim:
        raise ValueError(
            f"Number of dimensions in pattern ({count}) must be equal to the number of dimensions in the tensor "
            f"({ndim})"
        )


def _lengths(group, size, known, first):
    """The length of each name that makes a dim of this size. first: how many names stand before these.

    Raises DimensionBindError where they do not make it.
    """
    numbers = {name: f"d{first + i}" for i, name in enumerate(group)}
    unknown = [name for name in group if name not in known]
    product = numel(tuple(known[name] for name in group if name in known))
    if len(unknown) > 1:
        one, other = (numbers[name] for name in unknown[:2])
        raise DimensionBindError(f"cannot infer the sizes of two dimensions at once {one} and {other}")
    if not unknown and product != size:
        pack = ", ".join(numbers.values()) + "," * (len(group) == 1)
        raise DimensionBindError(
            f"Dimension sizes to do not match ({size} != {product}) when matching dimension pack ({pack})"
        )
    if size % product:
        given = tuple(known.get(name, "?") for name in group)
        raise DimensionBindError(f"inferred dimension does not evenly fit into larger dimension: {size} vs {given}")
    return {name: known.get(name, size // product) for name in group}
