"""Functions whose result size depends on values, which they read at once: nonzero, masked_select, unique."""

from jtorch import dtypes, shapes
from jtorch._tensor import Tensor, aval
from jtorch.api.put import both
from jtorch.autograd.apply import apply, call
from jtorch.autograd.apply import view as view_of
from jtorch.autograd.inplace import write_out
from jtorch.autograd.layout import lay_out
from jtorch.errors import type_name
from jtorch.ops.op import TABLE

_COLUMNS = TABLE["nonzero_columns"]


def _columns(input):
    """A vector of places per dim."""
    found = apply(_COLUMNS, (input,), ())
    return found if isinstance(found, tuple) else (found,)


def _by_column(found):
    # torch: the places lie in memory dim by dim.
    return lay_out(found, (1, max(aval(found).shape[0], 1)))


@both
def argwhere(input):
    """The places of the elements that are not zero, a row each."""
    return _by_column(call("nonzero_kernel", input))


@both
def nonzero(input, *, out=None, as_tuple=False):
    """The places of the elements that are not zero: a row each, or a vector per dim."""
    if as_tuple:
        if out is not None:
            if not isinstance(out, Tensor):
                raise TypeError(f"nonzero(): argument 'out' must be Tensor, not {type_name(out)}")
            raise RuntimeError("nonzero does not support the out kwarg when as_tuple is True")
        return _columns(input)
    found = _by_column(call("nonzero_kernel", input))
    words = "nonzero: Expected out tensor to have scalar type {Want} but got scalar type{Have}"
    return found if out is None else write_out(out, found, words=words)


@both
def masked_select(input, mask, *, out=None):
    """The elements where a mask, broadcast with the tensor, is true, as a vector. Raises RuntimeError for others."""
    if aval(mask).dtype is not dtypes.bool_:
        raise RuntimeError("masked_select: expected BoolTensor for mask")
    size = shapes.broadcast_shapes(aval(mask).shape, aval(input).shape)
    seen, mask = (x if aval(x).shape == size else view_of(TABLE["expand"], x, (size,)) for x in (input, mask))
    seen = seen if size else seen.reshape(1)
    columns = _columns(mask)
    found = apply(TABLE["masked_select"], (seen, *columns), (len(columns), tuple(range(len(columns)))))
    words = "masked_select(): self and result must have the same scalar type"
    return found if out is None else write_out(out, found, words=words)


def _chosen(found, *wanted):
    """The first of several results, and those of the others that are wanted."""
    kept = (found[0], *(x for x, want in zip(found[1:], wanted, strict=True) if want))
    return kept if len(kept) > 1 else kept[0]


@both
def unique(input, sorted=True, return_inverse=False, return_counts=False, dim=None):
    """The distinct elements, or slices along a dim, in order; if wanted, which each is and how often each occurs."""
    return _chosen(call("unique_kernel", input, dim), return_inverse, return_counts)


@both
def unique_consecutive(input, return_inverse=False, return_counts=False, dim=None):
    """The elements, or slices along a dim, that differ from the one before; if wanted, which each is and how often."""
    return _chosen(call("unique_consecutive_kernel", input, dim), return_inverse, return_counts)


@both
def repeat_interleave(input, repeats=None, dim=None, *, output_size=None):
    """Each element, or slice along a dim, several times in a row: as often as one number or a vector says.

    With a vector alone, each place as often as its element says. Raises RuntimeError for negative or unfit repeats.
    """
    if repeats is None:
        return _sized(call("repeat_places", input), output_size)
    if isinstance(repeats, Tensor):
        return _repeat_by(input, repeats, dim, output_size)
    if not isinstance(repeats, int):
        raise TypeError(
            f"repeat_interleave() received an invalid combination of arguments - got ({type_name(repeats)}), but "
            "expected one of:\n * (Tensor repeats, int dim = None, *, int output_size = None)\n"
            " * (int repeats, int dim = None, *, int output_size = None)\n"
        )
    result = call("repeat_interleave_int", input, repeats, dim)
    count = aval(result).shape[0 if dim is None else dim]
    if output_size not in (None, count):
        raise RuntimeError(f"repeat_interleave: Invalid output_size, expected {count} but got {output_size}")
    return result


def _sized(places, output_size):
    if output_size not in (None, aval(places).shape[0]):
        raise RuntimeError("allocated size does not match required size")
    return places


def _repeat_by(input, repeats, dim, output_size):
    if dim is None:
        input, dim = input.flatten(), 0
    if not aval(input).ndim:
        raise IndexError(f"Dimension specified as {dim} but tensor has no dimensions")
    n = aval(input).shape[shapes.normalize_dim(dim, aval(input).ndim)]
    if aval(repeats).ndim > 1:
        raise RuntimeError("repeats must be 0-dim or 1-dim tensor")
    if shapes.numel(aval(repeats).shape) == 1:
        repeats = repeats.reshape(1).expand(n)
    elif aval(repeats).shape != (n,):
        raise RuntimeError(
            "repeats must have the same size as input along dim, but got repeats.size(0) = "
            f"{aval(repeats).shape[0]} and input.size({dim}) = {n}"
        )
    return call("index_select", input, dim, _sized(call("repeat_places", repeats), output_size))
