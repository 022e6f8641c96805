"""Counts per bin, places of flat indices, reductions over runs: histogram, unravel_index, segment_reduce."""

import math

import numpy as np

from jtorch import _tensor, dtypes, shapes
from jtorch._tensor import Tensor, aval, host
from jtorch.api.put import both, function
from jtorch.api.returns import named
from jtorch.autograd.apply import call

_FIELDS = ("hist", "bin_edges")
_HISTOGRAM, _HISTOGRAM_OUT, _HISTOGRAMDD = (named(n, _FIELDS) for n in ("histogram", "histogram_out", "histogramdd"))


@both
def histogram(input, bins, *, range=None, weight=None, density=False, out=None):
    """(how many elements, or how much weight, lie in each bin; the bins' edges). bins: how many, or their edges.

    Shape: any, any or (n + 1,) -> (n,), (n + 1,). The last bin holds its upper edge, too.
    """
    kind = aval(input).dtype
    if kind.category != dtypes.FLOAT:
        raise NotImplementedError(f"\"histogramdd\" not implemented for '{kind.label}'")
    values = host(input).reshape(-1)
    edges = host(bins) if isinstance(bins, Tensor) else _edges(values, bins, range)
    counts = _counted(values[:, None], [edges], weight, density)
    made = [_tensor.from_host(np.array(x, kind.numpy), device=aval(input).device) for x in (counts, edges)]
    if out is not None:
        made = [place.resize_(aval(x).shape).copy_(x) for place, x in zip(out, made, strict=True)]
        return _HISTOGRAM_OUT(out)
    return _HISTOGRAM(tuple(made))


def _counted(points, edges, weight, density):
    """How much weight lies in each box between the edges of several dims. Shape: (n, d), d of (m + 1,) -> (m, ...)."""
    amounts = np.ones(len(points), points.dtype) if weight is None else host(weight).reshape(-1)
    sizes = [len(e) - 1 for e in edges]
    flat, inside = np.zeros(len(points), np.int64), np.ones(len(points), bool)
    for values, ends, size in zip(points.T, edges, sizes, strict=True):
        at = np.searchsorted(ends, values, side="right") - 1
        at[values == ends[-1]] = size - 1
        inside &= (at >= 0) & (at < size)
        flat = flat * size + at
    counts = np.bincount(flat[inside], amounts[inside], math.prod(sizes)).reshape(sizes)
    if density:
        counts = counts / counts.sum()
        for d, ends in enumerate(edges):
            counts = counts / np.diff(ends).reshape([-1 if d == i else 1 for i, _ in enumerate(edges)])
    return counts


@function
def histogramdd(input, bins, range=None, weight=None, density=False):
    """How many points, or how much weight, lie in each box of a grid; bins: how many per dim, or their edges.

    Shape: (*, d), d times n or (n + 1,) -> (n, ...), d times (n + 1,). Raises RuntimeError where they do not fit.
    """
    kind = aval(input)
    if kind.ndim < 2:
        raise RuntimeError(f"torch.histogramdd: input tensor should have at least 2 dimensions, but got {kind.ndim}")
    count = kind.shape[-1]
    bins = (bins,) * count if isinstance(bins, int) else bins
    by_edges = isinstance(bins[0], Tensor) if bins else False
    _check_grid(kind, bins, by_edges, range, weight)
    points = host(input).reshape(-1, count)
    if by_edges:
        edges = [host(b) for b in bins]
    else:
        ranges = [range and range[2 * d : 2 * d + 2] for d, _ in enumerate(bins)]
        edges = [_edges(p, b, r, d) for d, (p, b, r) in enumerate(zip(points.T, bins, ranges, strict=True))]
    counts = _counted(points, edges, weight, density)
    made = [_tensor.from_host(np.array(x, kind.dtype.numpy), device=kind.device) for x in (counts, *edges)]
    return _HISTOGRAMDD((made[0], tuple(made[1:])))


def _check_grid(kind, bins, by_edges, range, weight):
    if kind.dtype.category != dtypes.FLOAT:
        raise dtypes.no_kernel("histogramdd", kind.dtype)
    count = kind.shape[-1]
    if len(bins) != count:
        if by_edges:
            words = f"expected {count} sequences of bin edges for a {count}-dimensional histogram but got {len(bins)}"
            raise RuntimeError(f"torch.histogramdd: {words}")
        raise RuntimeError("histogramdd: The size of bins must be equal to the innermost dimension of the input.")
    if range is not None and len(range) != 2 * count:
        raise RuntimeError(
            f"torch.histogramdd: for a {count}-dimensional histogram range should have {2 * count} elements, but got "
            f"{len(range)}"
        )
    if weight is not None and aval(weight).shape != kind.shape[:-1]:
        raise RuntimeError(
            "torch.histogramdd: if weight tensor is provided it should have the same shape as the input tensor "
            f"excluding its innermost dimension, but got input with shape {list(kind.shape)} and weight with shape "
            f"{list(aval(weight).shape)}"
        )


def _edges(values, bins, range, dim=0):
    if bins <= 0:
        raise RuntimeError(f"torch.histogram(): bins must be > 0, but got {bins} for dimension {dim}")
    low, high = range or ((values.min(), values.max()) if values.size else (0.0, 1.0))
    if low > high:
        ends = f"min {low:g} max {high:g}"
        raise RuntimeError(f"torch.histogramdd: min should not exceed max, but got {ends} for dimension {dim}")
    if low == high:
        low, high = low - 0.5, high + 0.5
    return np.linspace(low, high, bins + 1, dtype=values.dtype)


@function
def unravel_index(indices, shape):
    """The place along each dim of a tensor of this shape, of flat indices. Raises TypeError for other dtypes."""
    if aval(indices).dtype.category >= dtypes.FLOAT or aval(indices).dtype is dtypes.bool_:
        raise TypeError(f"expected 'indices' to be integer dtype, but got {aval(indices).dtype!r}")
    sizes = (shape,) if isinstance(shape, int) else tuple(shape)
    if any(n < 0 for n in sizes):
        raise ValueError(f"'shape' cannot have negative values, but got {tuple(shape)}")
    found, flat = [], indices.to(dtypes.int64)
    for at, size in enumerate(sizes):
        step = shapes.numel(sizes[at + 1 :])
        found.append((flat // step) % size)
    return tuple(found)


@function
def segment_reduce(data, reduce, *, lengths=None, indices=None, offsets=None, axis=0, unsafe=False, initial=None):
    """Runs of rows reduced to one each by "sum", "mean", "max", "min" or "prod"; lengths or offsets say where they are.

    Shape: (n, *), (k,) -> (k, *). Raises RuntimeError for runs that are not as long as the data in all.
    """
    if lengths is None and offsets is None:
        raise RuntimeError("segment_reduce(): Either lengths or offsets must be defined.")
    if axis != aval(offsets if lengths is None else lengths).ndim - 1:
        raise RuntimeError("segment_reduce(): Expected axis to be the last dimension of lengths/offsets.")
    if lengths is None:
        lengths = offsets.diff()
    if not unsafe:
        _check_lengths(host(lengths), aval(data).shape[axis])
    return call("segment_reduce_kernel", data, lengths, reduce, initial)


def _check_lengths(lengths, rows):
    if (lengths < 0).any():
        raise RuntimeError("lengths contains negative value!")
    if (lengths.sum(-1) != rows).any():
        raise RuntimeError("segment_reduce(): Expected all rows of lengths along axis to sum to data.size(axis).")
