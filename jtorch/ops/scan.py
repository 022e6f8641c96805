"""Ops that run along a dim and keep every step: cumulative sums, products, extremes."""

import numpy as np
from jax import lax
from jax import numpy as jnp

from jtorch.dtypes import from_numpy
from jtorch.lowering import running_sum
from jtorch.ops.op import Array, DType, op, widened
from jtorch.series import log_add
from jtorch.shapes import normalize_dim


def _summable(input, dtype):
    if dtype is None:
        whole = input.dtype == bool or jnp.issubdtype(input.dtype, jnp.integer)
        return input.astype(np.int64) if whole else input
    return input.astype(dtype)


@widened
def _scanned(scan, input, dim, **options):
    dim = normalize_dim(dim, input.ndim)
    return scan(input, dim, **options) if input.ndim else input


@op("cumsum", method=True, inplace=True, out=True)
def cumsum(input: Array, dim, *, dtype: DType = None):
    """The sum of all elements up to each one along a dim. Shape: any -> the same."""
    return _scanned(running_sum, _summable(input, dtype), dim)


@cumsum.gradient
def _(grad, result, input, dim, dtype):
    return (_scanned(running_sum, grad, dim, reverse=True),)


@op("cumprod", method=True, inplace=True, out=True)
def cumprod(input: Array, dim, *, dtype: DType = None):
    """The product of all elements up to each one along a dim. Shape: any -> the same."""
    return _scanned(lax.cumprod, _summable(input, dtype), dim)


_FOUND = "expected scalar_type {Want} but found {Have}"  # torch's words to an out= of another dtype


@op("logcumsumexp", method=True, out=_FOUND, linear=False)
def logcumsumexp(input: Array, dim):
    """log(sum(exp(·))) of all elements up to each one along a dim. Shape: any -> the same."""
    if not jnp.issubdtype(input.dtype, jnp.inexact):
        label = from_numpy(input.dtype).label
        raise NotImplementedError(f"\"logcumsumexp_out_cpu\" not implemented for '{label}'")
    return _scanned(_cumlogsumexp, input, dim)


def _cumlogsumexp(x, dim, reverse=False):
    if not jnp.iscomplexobj(x):
        return lax.cumlogsumexp(x, dim, reverse=reverse)
    return lax.associative_scan(lambda before, x: log_add(x, before), x, axis=dim, reverse=reverse)


@logcumsumexp.gradient
@widened
def _(grad, result, input, dim):
    # Σ grad · exp(input - result) from each place on, as a recurrence whose factors exp(result - the next) are below 1.
    if not input.ndim:
        return (grad,)
    dim = normalize_dim(dim, input.ndim)
    input, result = jnp.conj(input), jnp.conj(result)
    last = lax.slice_in_dim(result, result.shape[dim] - 1, None, axis=dim)
    after = jnp.concatenate([lax.slice_in_dim(result, 1, None, axis=dim), last], dim)

    def onward(later, here):
        return later[0] * here[0], here[1] + here[0] * later[1]

    _, total = lax.associative_scan(onward, (_ratio(result, after), grad), reverse=True, axis=dim)
    return (total * _ratio(input, result),)


def _ratio(x, y):
    """exp(x - y), 1 where both are the same infinity."""
    same = x == y
    return jnp.where(same, 1, jnp.exp(jnp.where(same, 0, x - y)))


# Running extremes.


def _running(scan, better, input, dim):
    """(running extremes along a dim, the place of each), the last of equal ones; once a nan came it stays."""
    dim = normalize_dim(dim, input.ndim)
    if input.ndim == 0:
        return input, jnp.zeros((), np.int64)
    if input.dtype == bool:
        values = scan(input.astype(np.int8), dim).astype(bool)
    else:
        values = scan(input, dim)
    broken = jnp.zeros((), bool)
    if jnp.issubdtype(input.dtype, jnp.floating):
        broken = lax.cummax(jnp.isnan(input).astype(np.int8), dim) > 0
        values = jnp.where(broken, jnp.nan, values)
    reached = jnp.where(broken, jnp.isnan(input), better(input, values))
    places = jnp.where(reached, lax.broadcasted_iota(np.int64, input.shape, dim), 0)
    return values, lax.cummax(places, dim)


@widened
def _running_gradient(grad, places, dim):
    """Each step's gradient goes to the place whose value stands there."""
    if grad.ndim == 0:
        return grad
    dim = normalize_dim(dim, grad.ndim)
    moved, at = jnp.moveaxis(grad, dim, -1), jnp.moveaxis(places, dim, -1)
    rows, width = moved.size // max(moved.shape[-1], 1), moved.shape[-1]
    flat = at.reshape(rows, width) + width * jnp.arange(rows, dtype=at.dtype)[:, None]
    total = jnp.zeros(moved.size, grad.dtype).at[flat.reshape(-1)].add(moved.reshape(-1))
    return jnp.moveaxis(total.reshape(moved.shape), -1, dim)


@op("cummax", method=True, out=_FOUND, returns=("values", "indices"))
def cummax(input: Array, dim):
    """(largest element up to each one along a dim, its place). Shape: any -> twice the same."""
    return _running(lax.cummax, lambda x, top: x >= top, input, dim)


@cummax.gradient
def _(grad, result, input, dim):
    return (_running_gradient(grad[0], result[1], dim),)


@op("cummin", method=True, out=_FOUND, returns=("values", "indices"))
def cummin(input: Array, dim):
    """(smallest element up to each one along a dim, its place). Shape: any -> twice the same."""
    return _running(lax.cummin, lambda x, low: x <= low, input, dim)


@cummin.gradient
def _(grad, result, input, dim):
    return (_running_gradient(grad[0], result[1], dim),)
