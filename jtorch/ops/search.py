"""Ops that look for elements: where they are, which are distinct, how many fall between bounds.

Most have a result whose size depends on values: they run at once, on NumPy arrays.
"""

import math

import numpy as np
from jax import numpy as jnp
from jax import vmap

from jtorch.dtypes import from_numpy, no_kernel
from jtorch.ops.op import EXACT, Array, Operand, op
from jtorch.shapes import listed, normalize_dim


@op("nonzero_kernel", door=None, host=True)
def nonzero_kernel(input: Array):
    """The places of the elements that are not zero, a row each. Shape: (..., ) -> (count, dims)."""
    if not input.ndim:
        return np.zeros((int(bool(input)), 0), np.int64)
    return np.stack(np.nonzero(input), 1)


@op("nonzero_columns", door=None, host=True)
def nonzero_columns(input: Array):
    """As `nonzero_kernel`, a vector per dim; a 0-d tensor counts as a vector of one."""
    return np.nonzero(input if input.ndim else input.reshape(1))


@op("nonzero_static", method=True, differentiable=False)
def nonzero_static(input: Array, *, size, fill_value=-1):
    """The first `size` places of elements that are not zero, a row each; fill_value where there are no more."""
    if size < 0:
        raise RuntimeError("nonzero_static: 'size' must be an non-negative integer")
    if not input.ndim:
        return jnp.zeros((size, 0), np.int64)
    if not input.size:
        return jnp.full((size, input.ndim), fill_value, np.int64)
    return jnp.stack(jnp.nonzero(input, size=size, fill_value=fill_value), 1).astype(np.int64)


@op("repeat_places", door=None, host=True)
def repeat_places(repeats: Array):
    """Each place of a vector as often as its element says. Raises RuntimeError for negative ones."""
    if repeats.ndim != 1:
        raise RuntimeError("repeat_interleave only accept 1D vector as repeat")
    if repeats.dtype not in (np.int32, np.int64):
        label = from_numpy(repeats.dtype).label
        raise NotImplementedError(f"\"repeat_interleave_cpu\" not implemented for '{label}'")
    if (repeats < 0).any():
        raise RuntimeError("repeats can not be negative")
    return np.repeat(np.arange(len(repeats)), repeats).astype(repeats.dtype)


@op("unique_kernel", door=None, host=True)
def unique_kernel(input: Array, dim=None):
    """(distinct elements or slices in order, which of them each is, how often each occurs); nan differs from nan."""
    if dim is not None:
        dim = _unique_dim(input, dim)
        if not input.shape[dim]:
            return input, np.zeros((0,), np.int64), np.zeros((0,), np.int64)
    axis = None if input.ndim == 1 else dim
    values, inverse, counts = np.unique(input, return_inverse=True, return_counts=True, axis=axis, equal_nan=False)
    inverse = inverse.reshape(input.shape if dim is None else (input.shape[dim],))
    return values, inverse.astype(np.int64), counts.astype(np.int64)


def _unique_dim(input, dim):
    if not input.ndim:
        raise IndexError(f"Dimension specified as {dim} but tensor has no dimensions")
    dim = normalize_dim(dim, input.ndim)
    if any(not n for d, n in enumerate(input.shape) if d != dim) and input.shape[dim]:
        raise RuntimeError("There are 0 sized dimensions, and they aren't selected, so unique cannot be applied")
    return dim


@op("unique_consecutive_kernel", door=None, host=True)
def unique_consecutive_kernel(input: Array, dim=None):
    """As `unique_kernel`, where only equal neighbours count as one."""
    rows = input.reshape(-1) if dim is None else np.moveaxis(input, _unique_dim(input, dim), 0)
    flat = rows.reshape(len(rows), math.prod(rows.shape[1:]))
    new = np.ones(len(rows), bool)
    new[1:] = (flat[1:] != flat[:-1]).any(1)
    values = rows[new] if dim is None else np.moveaxis(rows[new], 0, dim)
    inverse = np.cumsum(new) - 1
    counts = np.diff(np.append(np.flatnonzero(new), len(rows)))
    shape = input.shape if dim is None else inverse.shape
    return values, inverse.reshape(shape).astype(np.int64), counts.astype(np.int64)


@op("bincount", method=True, host=True)
def bincount(input: Array, weights: Array | None = None, minlength=0):
    """How often each number from 0 on occurs, or the sum of its weights. Raises RuntimeError for negative numbers."""
    if input.dtype.kind not in "iu":
        label = from_numpy(input.dtype).label
        raise NotImplementedError(f"\"bincount_cpu\" not implemented for '{label}'")
    if minlength < 0:
        raise RuntimeError("minlength should be >= 0")
    if input.ndim != 1 or (input.size and input.min() < 0):
        raise RuntimeError("bincount only supports 1-d non-negative integral inputs.")
    if weights is None or not input.size:
        return np.bincount(input, minlength=minlength).astype(np.int64)
    if weights.shape != input.shape:
        raise RuntimeError("weights should be 1-d and have the same length as input")
    kind = np.float32 if weights.dtype == np.float32 else np.float64
    return np.bincount(input, weights, minlength).astype(kind)


@op("histc", method=True, host=True, out=True)
def histc(input: Array, bins=100, min=0, max=0):
    """How many elements fall into each of `bins` equal parts of [min, max], by default from least to greatest."""
    if bins <= 0:
        raise RuntimeError(f"torch.histogram(): bins must be > 0, but got {bins} for dimension 0")
    if min > max:
        raise RuntimeError("torch.histc: max must be larger than min")
    kind = input.dtype
    if not jnp.issubdtype(kind, jnp.floating):
        raise no_kernel("histogram_cpu", from_numpy(kind))
    low, high = float(min), float(max)
    if low == high and input.size:
        low, high = float(input.min()), float(input.max())
    if not (math.isfinite(low) and math.isfinite(high)):
        shown = ", ".join("-nan" if math.isnan(x) else f"{x:g}" for x in (low, high))
        raise RuntimeError(f"torch.histc: range of [{shown}] is not finite")
    if low == high:
        low, high = low - 1, high + 1
    input = input.astype(np.float32) if kind.itemsize == 2 else input
    inside = input[(input >= low) & (input <= high)].astype(input.dtype)
    places = ((inside - input.dtype.type(low)) * bins / input.dtype.type(high - low)).astype(np.int64)
    return np.bincount(np.minimum(places, bins - 1), minlength=bins).astype(kind)


def _check_sequence(sequence, input):
    if not sequence.ndim:
        raise RuntimeError(
            "torch.searchsorted(): boundaries tensor should have positive dimension, but got 0 dimension"
        )
    if not jnp.ndim(input) and sequence.ndim != 1:
        raise RuntimeError(
            "torch.searchsorted(): input value can be a scalar only when boundaries tensor dimension is 1, but we got "
            f"boundaries tensor dim({sequence.ndim}) and input value's dim(0) numel(1)"
        )
    if sequence.ndim != 1 and sequence.shape[:-1] != input.shape[:-1]:
        raise RuntimeError(
            "torch.searchsorted(): boundaries tensor should be 1 dimension or the first N-1 dimensions of boundaries "
            f"tensor and input value tensor must match, but we got boundaries tensor {listed(sequence.shape)} and "
            f"input value tensor {listed(input.shape)}"
        )


@op("searchsorted", differentiable=False, out=True)
def searchsorted(
    sorted_sequence: Array,
    input: Operand,
    *,
    out_int32=False,
    right=False,
    side=None,
    sorter: Array | None = None,
):
    """Where in a sorted sequence, the last dim, each element would be put in: before its equals, or after them.

    Raises RuntimeError where shapes do not fit.
    """
    if side not in (None, "left", "right"):
        raise RuntimeError(f"torch.searchsorted(): side can only be 'left' or 'right' but got {side}")
    _check_sequence(sorted_sequence, input)
    if sorter is not None:
        sorted_sequence = jnp.take_along_axis(sorted_sequence, sorter, -1)
    if not jnp.size(input):
        return jnp.zeros(jnp.shape(input), np.int32 if out_int32 else np.int64)
    side = side or ("right" if right else "left")
    find = _find(side)
    if sorted_sequence.ndim == 1:
        found = find(sorted_sequence, input)
    else:
        rows = sorted_sequence.reshape(-1, sorted_sequence.shape[-1])
        found = vmap(find)(rows, input.reshape(len(rows), -1)).reshape(input.shape)
    return found.astype(np.int32 if out_int32 else np.int64)


def _find(side):
    return lambda sequence, values: jnp.searchsorted(sequence, values, side=side)


@op("bucketize", differentiable=False, out=True)
def bucketize(input: Operand, boundaries: Array, *, out_int32=False, right=False):
    """The number of the bucket, between sorted boundaries, that each element falls into."""
    if boundaries.ndim != 1:
        raise RuntimeError(f"boundaries tensor must be 1 dimension, but got dim({boundaries.ndim})")
    return searchsorted.fn(boundaries, input, out_int32=out_int32, right=right)


@op("isin", differentiable=False, out=EXACT)
def isin(elements: Operand, test_elements: Operand, *, assume_unique=False, invert=False):
    """Whether each element is among the test elements. Shape: elements'."""
    for x in (elements, test_elements):
        if jnp.asarray(x).dtype == np.bool_:
            raise RuntimeError("Unsupported input type encountered for isin(): Bool")
    return jnp.isin(elements, test_elements, invert=invert)
