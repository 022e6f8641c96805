"""Functions that return several views of a tensor: split, chunk, unbind, tensor_split and their kin."""

import operator

from jtorch import _tensor, dtypes, shapes
from jtorch._tensor import Tensor, View, aval
from jtorch.api.put import both, function
from jtorch.autograd.apply import apply, lay
from jtorch.autograd.apply import view as view_of
from jtorch.errors import bad_argument
from jtorch.ops.op import TABLE

_SELECT, _SLICE, _UNBIND = TABLE["select"], TABLE["slice"], TABLE["unbind"]


def _views(outs, input, dim, steps, strides):
    """Results of one call as views of its input. steps: (start along dim, the view op that shows the same elements)."""
    offset = 0 if input._view is None else input._view.offset
    apart = _tensor.strides(input)[dim]
    outs = outs if isinstance(outs, tuple) else (outs,)
    for out, (start, step) in zip(outs, steps, strict=True):
        lay(out, input, step, strides, offset + start * apart, View.MULTI)
    return outs


def _pieces(op, input, sections, dim):
    outs = apply(TABLE[op], (input,), (sections, dim))
    starts = [sum(sections[:i]) for i in range(len(sections))]
    steps = [(start, (_SLICE, (start,), (dim, n, 1))) for start, n in zip(starts, sections, strict=True)]
    return _views(outs, input, dim, steps, _tensor.strides(input))


def _dim_of(name, input, dim):
    shape = aval(input).shape
    if not shape:
        raise RuntimeError(f"{name} expects at least a 1-dimensional tensor")
    return shapes.normalize_dim(dim, len(shape))


def of_one_size(input, size, dim):
    """(sizes of the pieces, dim): `size` each, but for the last."""
    dim = _dim_of("split", input, dim)
    n = aval(input).shape[dim]
    if size < 0:
        raise RuntimeError(f"split expects split_size be non-negative, but got split_size={size}")
    if not size and n:
        raise RuntimeError(f"split_size can only be 0 if dimension size is 0, but got dimension size of {n}")
    return _evenly(n, size), dim


def _evenly(n, size):
    count = max(-(-n // size), 1) if size else 1
    return (*([size] * (count - 1)), n - size * (count - 1))


def of_sizes(input, split_sizes, dim):
    """(sizes of the pieces, dim), checked."""
    if not isinstance(split_sizes, (tuple, list)):
        raise bad_argument("split_with_sizes", 2, "split_sizes", "tuple of ints", split_sizes)
    dim = _dim_of("split", input, dim)
    sections = tuple(map(operator.index, split_sizes))
    n = aval(input).shape[dim]
    if any(size < 0 for size in sections):
        raise RuntimeError(
            "split_with_sizes expects split_sizes have only non-negative entries, "
            f"but got split_sizes={shapes.listed(sections)}"
        )
    if sum(sections) != n:
        raise RuntimeError(
            f"split_with_sizes expects split_sizes to sum exactly to {n} (input tensor's size at dimension {dim}), "
            f"but got split_sizes={shapes.listed(sections)}"
        )
    return sections, dim


def _of_count(input, chunks, dim):
    """(sizes of the pieces, dim): at most `chunks` of one size, but for the last."""
    if not isinstance(chunks, int):
        raise bad_argument("chunk", 2, "chunks", "int", chunks)
    dim = _dim_of("chunk", input, dim)
    if chunks <= 0:
        raise RuntimeError(f"chunk expects `chunks` to be greater than 0, got: {chunks}")
    n = aval(input).shape[dim]
    return (_evenly(n, -(-n // chunks)) if n else (0,) * chunks), dim


def _split(self, split_size, dim=0):
    """Views of a tensor along a dim: of one size, the last may be smaller, or of the sizes in a list."""
    if isinstance(split_size, Tensor):
        split_size = int(split_size)
    if isinstance(split_size, int):
        return _pieces("split", self, *of_one_size(self, split_size, dim))
    return split_with_sizes(self, split_size, dim)


_split.__name__ = "split"
Tensor.split = _split


@function
def split(tensor, split_size_or_sections, dim=0):
    """Views of a tensor along a dim: of one size, the last may be smaller, or of the sizes in a list."""
    return _split(tensor, split_size_or_sections, dim)


@both
def split_with_sizes(input, split_sizes, dim=0):
    """Views of a tensor along a dim, of the sizes given. Raises RuntimeError unless they add up to the dim."""
    return _pieces("split_with_sizes", input, *of_sizes(input, split_sizes, dim))


@both
def chunk(input, chunks, dim=0):
    """At most `chunks` views of a tensor along a dim, of one size but for the last."""
    sections, dim = _of_count(input, chunks, dim)
    return _pieces("split" if any(sections) else "split_with_sizes", input, sections, dim)


@both
def unsafe_split(tensor, split_size, dim=0):
    """The pieces of `split`, which the caller promises not to write to."""
    return _pieces("unsafe_split", tensor, *of_one_size(tensor, split_size, dim))


@both
def unsafe_split_with_sizes(input, split_sizes, dim=0):
    """The pieces of `split_with_sizes`, which the caller promises not to write to."""
    return _pieces("unsafe_split_with_sizes", input, *of_sizes(input, split_sizes, dim))


@both
def unsafe_chunk(input, chunks, dim=0):
    """The pieces of `chunk`, which the caller promises not to write to."""
    sections, dim = _of_count(input, chunks, dim)
    return _pieces("unsafe_split" if any(sections) else "unsafe_split_with_sizes", input, sections, dim)


@both
def unbind(input, dim=0):
    """Views of every slice along a dim. Raises IndexError for a 0-d tensor."""
    shape = aval(input).shape
    if not shape:
        raise IndexError(f"Dimension specified as {shapes.normalize_dim(dim, 0)} but tensor has no dimensions")
    dim = shapes.normalize_dim(dim, len(shape))
    if not shape[dim]:
        return ()
    outs = apply(_UNBIND, (input,), (dim,))
    steps = [(i, (_SELECT, (i,), (dim,))) for i in range(shape[dim])]
    strides = _tensor.strides(input)
    return _views(outs, input, dim, steps, strides[:dim] + strides[dim + 1 :])


@both
def tensor_split(input, indices_or_sections, dim=0):
    """Views of a tensor along a dim: a number of nearly equal ones, or cut before the indices of a list."""
    shape = aval(input).shape
    if not shape:
        raise RuntimeError("tensor_split expected at least a 1-dimensional tensor, but got a tensor with 0 dims")
    cuts = _listed(indices_or_sections)
    dim = shapes.normalize_dim(dim, len(shape))
    n = shape[dim]
    if isinstance(cuts, int):
        if cuts <= 0:
            raise RuntimeError(f"number of sections must be larger than 0, got {cuts}")
        small, larger = divmod(n, cuts)
        cuts = [i * small + min(i, larger) for i in range(1, cuts)]
    pieces = []
    for low, high in zip((None, *cuts), (*cuts, None), strict=True):
        start, stop, _ = slice(low, high).indices(n)
        pieces.append(view_of(_SLICE, input, (dim, max(stop - start, 0), 1), (start,)))
    return tuple(pieces)


def _listed(indices_or_sections):
    if not isinstance(indices_or_sections, Tensor):
        return indices_or_sections
    kind = aval(indices_or_sections)
    if kind.ndim > 1:
        raise RuntimeError(
            "tensor_split expected tensor_indices_or_sections to be a zero-dimensional or one-dimensional tensor, "
            f"but got a tensor with {kind.ndim} dims"
        )
    if kind.dtype is not dtypes.int64:
        raise RuntimeError(
            f"tensor_split expected tensor_indices_or_sections to have dtype of long, but got {kind.dtype.label}"
        )
    return indices_or_sections.tolist()


def _along(name, least, dim_of):
    def make(input, indices_or_sections):
        ndim = aval(input).ndim
        if ndim < least:
            raise RuntimeError(
                f"torch.{name} requires a tensor with at least {least} dimension, "
                f"but got a tensor with {ndim} dimensions!"
            )
        dim = dim_of(ndim)
        size = aval(input).shape[dim]
        if isinstance(indices_or_sections, int) and (not indices_or_sections or size % indices_or_sections):
            raise RuntimeError(
                f"torch.{name} attempted to split along dimension {dim}, but the size of the dimension {size} is not "
                f"divisible by the split_size {indices_or_sections}!"
            )
        return tensor_split(input, indices_or_sections, dim)

    make.__name__ = make.__qualname__ = name
    make.__doc__ = f"Views of a tensor along one dim, of one size or cut before indices; see torch.{name}."
    both(make)


_along("hsplit", 1, lambda ndim: 0 if ndim == 1 else 1)
_along("vsplit", 2, lambda ndim: 0)
_along("dsplit", 3, lambda ndim: 2)
