"""Counts per bin, places of flat indices, reductions over runs: histogram, unravel_index, segment_reduce."""

import numpy as np

from jtorch import _tensor, dtypes, shapes
from jtorch._tensor import Tensor, aval, host
from jtorch.api.put import both, function
from jtorch.api.returns import named
from jtorch.autograd.apply import call

_HISTOGRAM = named("histogram", ("hist", "bin_edges"))


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
    amounts = np.ones_like(values) if weight is None else host(weight).reshape(-1)
    at = np.searchsorted(edges, values, side="right") - 1
    at[values == edges[-1]] = len(edges) - 2
    inside = (at >= 0) & (at < len(edges) - 1)
    counts = np.bincount(at[inside], amounts[inside], len(edges) - 1)
    if density:
        counts = counts / (counts.sum() * np.diff(edges))
    made = [_tensor.from_host(np.array(x, kind.numpy), device=aval(input).device) for x in (counts, edges)]
    if out is not None:
        made = [place.resize_(aval(x).shape).copy_(x) for place, x in zip(out, made, strict=True)]
    return _HISTOGRAM(tuple(made))


def _edges(values, bins, range):
    if bins <= 0:
        raise RuntimeError(f"torch.histogram(): bins must be > 0, but got {bins} for dimension 0")
    low, high = range or ((values.min(), values.max()) if values.size else (0.0, 1.0))
    if low > high:
        ends = f"min {low:g} max {high:g}"
        raise RuntimeError(f"torch.histogramdd: min should not exceed max, but got {ends} for dimension 0")
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
