"""Ops that look at elements in order: median, mode, quantile."""

import numpy as np
from jax import lax
from jax import numpy as jnp

from jtorch.lowering import to_places
from jtorch.ops.op import Array, Operand, op
from jtorch.shapes import normalize_dim


def _is_nan(x):
    return jnp.isnan(x) if jnp.issubdtype(x.dtype, jnp.inexact) else jnp.zeros(x.shape, bool)


def _nonempty(name, input, dim):
    dim = normalize_dim(dim, input.ndim)
    if input.ndim and input.shape[dim] == 0:
        raise IndexError(f"{name}(): Expected reduction dim {dim} to have non-zero size.")
    return dim


def _ordered(input, dim):
    """(elements in order along a dim, nan last, their places). Equal ones keep their order."""
    places = lax.broadcasted_iota(np.int64, input.shape, dim)
    return lax.sort((input, places), dimension=dim, is_stable=True, num_keys=1)


def _taken(ordered, places, at, dim, keepdim):
    found = (jnp.take_along_axis(x, at, dim) for x in (ordered, places))
    return tuple(x if keepdim else jnp.squeeze(x, dim) for x in found)


def _evenly(grad, result, input):
    reached = (input == result) | (_is_nan(input) & _is_nan(result))
    return jnp.where(reached, grad / jnp.sum(reached).astype(grad.dtype), 0)


# Medians: the lower of the two middle elements.


def _median(input, dim, keepdim, skip_nan):
    dim = _nonempty("median", input, dim)
    if input.ndim == 0:
        return input, jnp.zeros((), np.int64)
    ordered, places = _ordered(input, dim)
    size = input.shape[dim]
    good = size - jnp.sum(_is_nan(input), dim, keepdims=True)
    middle = jnp.maximum(good - 1, 0) // 2
    # nan stands last in order: the first one is the median where there is one, unless they are skipped.
    at = middle if skip_nan else jnp.where(good == size, (size - 1) // 2, good)
    return _taken(ordered, places, at, dim, keepdim)


def _median_of_all(input, skip_nan):
    if not input.size:
        return jnp.full((), jnp.nan, input.dtype)
    return _median(input.reshape(-1), 0, False, skip_nan)[0]


@op("median_all", door=None, grad_name="MedianBackward0")
def median_all(input: Array):
    """The middle of all elements in order, the lower of two; nan where there is one. Shape: any -> ()."""
    return _median_of_all(input, skip_nan=False)


@median_all.gradient
def _(grad, result, input):
    return (_evenly(grad, result, input),)


@op("nanmedian_all", door=None, grad_name="NanmedianBackward0")
def nanmedian_all(input: Array):
    """The middle of all elements that are not nan. Shape: any -> ()."""
    return _median_of_all(input, skip_nan=True)


@nanmedian_all.gradient
def _(grad, result, input):
    return (_evenly(grad, result, input),)


@op("median_dim", door=None, returns=("values", "indices"), grad_name="MedianBackward1")
def median_dim(input: Array, dim, keepdim=False):
    """(middle elements along a dim, their places). Shape: twice the input's without the dim."""
    return _median(input, dim, keepdim, skip_nan=False)


@median_dim.gradient
def _(grad, result, input, dim, keepdim):
    return (to_places(grad[0], result[1], input, dim, keepdim),)


@op("nanmedian_dim", door=None, returns=("values", "indices"), grad_name="NanmedianBackward1")
def nanmedian_dim(input: Array, dim, keepdim=False):
    """(middle elements along a dim that are not nan, their places). Shape: twice the input's without the dim."""
    return _median(input, dim, keepdim, skip_nan=True)


@nanmedian_dim.gradient
def _(grad, result, input, dim, keepdim):
    return (to_places(grad[0], result[1], input, dim, keepdim),)


@op("mode", method=True, out=True, returns=("values", "indices"))
def mode(input: Array, dim=-1, keepdim=False):
    """(most frequent elements along a dim, the smallest of equally frequent ones; their last places).

    Shape: twice the input's without the dim.
    """
    dim = _nonempty("mode", input, dim)
    if input.ndim == 0:
        return input, jnp.zeros((), np.int64)
    ordered, places = _ordered(input, dim)
    steps = lax.broadcasted_iota(np.int64, input.shape, dim)
    before = jnp.roll(ordered, 1, dim)
    starts = lax.cummax(jnp.where((steps == 0) | (ordered != before), steps, 0), dim)
    at = jnp.argmax(steps - starts, dim, keepdims=True)
    return _taken(ordered, places, at, dim, keepdim)


@mode.gradient
def _(grad, result, input, dim, keepdim):
    return (to_places(grad[0], result[1], input, dim, keepdim),)


# Quantiles.


def _check_quantile(input, q, interpolation):
    if isinstance(q, (int, float)) and not 0 <= q <= 1:
        raise RuntimeError(f"quantile() q must be in the range [0, 1] but got {q:g}")
    if not input.size:
        raise RuntimeError("quantile() input tensor must be non-empty")
    if input.dtype not in (np.float32, np.float64):
        raise RuntimeError("quantile() input tensor must be either float or double dtype")
    if not isinstance(q, (int, float)):
        if q.ndim > 1:
            raise RuntimeError("quantile() q must be a scalar or 1D tensor")
        if q.dtype != input.dtype:
            raise RuntimeError("quantile() q tensor must be same dtype as the input tensor")
    if interpolation not in ("linear", "lower", "higher", "midpoint", "nearest"):
        raise RuntimeError(
            "quantile() interpolation must be one of linear, lower, higher, midpoint or nearest, "
            f"but got {interpolation}"
        )


def _ranks(rows, q, skip_nan):
    """The fractional place of each q among the ordered elements of each row; nan counts unless it is skipped."""
    last = rows.shape[-1] - 1
    nans = jnp.sum(jnp.isnan(rows), -1, keepdims=True)
    if skip_nan:
        return q.reshape(-1) * jnp.maximum(last - nans, 0).astype(q.dtype)
    return jnp.where(nans > 0, last, q.reshape(-1) * last).astype(q.dtype)


def _quantile(input, q, dim, keepdim, interpolation, skip_nan):
    _check_quantile(input, q, interpolation)
    q = jnp.asarray(q, input.dtype)
    flat = dim is None or input.ndim == 0
    axis = normalize_dim(0 if dim is None else dim, input.ndim)
    rows = input.reshape(1, -1) if flat else jnp.moveaxis(input, axis, -1)
    values = _interpolated(jnp.sort(rows, -1), _ranks(rows, q, skip_nan), interpolation)
    values = jnp.moveaxis(values, -1, 0)
    if flat:
        return values.reshape((*q.shape, *((1,) * input.ndim if keepdim else ())))
    if keepdim:
        values = jnp.expand_dims(values, axis + 1)
    return values if q.ndim else values[0]


def _interpolated(ordered, ranks, interpolation):
    """Elements at fractional places along the last dim. Shape: (*, n), (*, k) -> (*, k)."""
    ranks = jnp.broadcast_to(ranks, (*ordered.shape[:-1], ranks.shape[-1]))
    if interpolation in ("lower", "higher", "nearest"):
        turn = {"lower": jnp.floor, "higher": jnp.ceil, "nearest": jnp.round}[interpolation]
        return jnp.take_along_axis(ordered, turn(ranks).astype(np.int64), -1)
    below = jnp.floor(ranks)
    low = jnp.take_along_axis(ordered, below.astype(np.int64), -1)
    high = jnp.take_along_axis(ordered, jnp.ceil(ranks).astype(np.int64), -1)
    weight = jnp.full_like(ranks, 0.5) if interpolation == "midpoint" else ranks - below
    return jnp.where(weight < 0.5, low + weight * (high - low), high - (high - low) * (1 - weight))


_SAME = "quantile() out tensor must be same dtype as the input tensor"


def _share_apart(attrs):
    # torch: q shows in the result as a weight between neighbours, or not at all.
    return () if attrs[2] == "linear" else (1,)


@op("quantile", method=True, out=_SAME, lift=False, grad_name="SqueezeBackward4", unlinked=_share_apart)
def quantile(input: Array, q: Operand, dim=None, keepdim=False, *, interpolation="linear"):
    """The elements below which a share q of a dim lies. Shape: () or (k,) for q, before the input's without the dim.

    Raises RuntimeError for a q outside of [0, 1], and for an empty or integer input.
    """
    return _quantile(input, q, dim, keepdim, interpolation, skip_nan=False)


@op("nanquantile", method=True, out=_SAME, lift=False, grad_name="SqueezeBackward4", unlinked=_share_apart)
def nanquantile(input: Array, q: Operand, dim=None, keepdim=False, *, interpolation="linear"):
    """quantile of the elements that are not nan. Shape: () or (k,) for q, before the input's without the dim."""
    return _quantile(input, q, dim, keepdim, interpolation, skip_nan=True)
