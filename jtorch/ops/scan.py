"""Ops that run along a dim and keep every step: cumulative sums, products, extremes."""

import numpy as np
from jax import lax
from jax import numpy as jnp

from jtorch.dtypes import from_numpy
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
    return _scanned(lax.cumsum, _summable(input, dtype), dim)


@cumsum.gradient
def _(grad, result, input, dim, dtype):
    return (_scanned(lax.cumsum, grad, dim, reverse=True),)


@op("cumprod", method=True, inplace=True, out=True)
def cumprod(input: Array, dim, *, dtype: DType = None):
    """The product of all elements up to each one along a dim. Shape: any -> the same."""
    return _scanned(lax.cumprod, _summable(input, dtype), dim)


@op("logcumsumexp", method=True, out=True, linear=False)
def logcumsumexp(input: Array, dim):
    """log(sum(exp(·))) of all elements up to each one along a dim. Shape: any -> the same."""
    if not jnp.issubdtype(input.dtype, jnp.inexact):
        label = from_numpy(input.dtype).label
        raise NotImplementedError(f"\"logcumsumexp_out_cpu\" not implemented for '{label}'")
    if jnp.iscomplexobj(input) and input.ndim:
        return lax.associative_scan(lambda before, x: log_add(x, before), input, axis=normalize_dim(dim, input.ndim))
    return _scanned(lax.cumlogsumexp, input, dim)


@logcumsumexp.gradient
@widened
def _(grad, result, input, dim):
    # Σ grad · exp(input - result) from each place on, split by sign to stay in logarithms.
    if jnp.iscomplexobj(grad):
        logs = jnp.where(grad == 0, -jnp.inf, jnp.log(jnp.where(grad == 0, 1, grad))) - jnp.conj(result)
        return (jnp.exp(_scanned(lax.cumlogsumexp, logs, dim, reverse=True) + jnp.conj(input)),)
    logs = jnp.log(jnp.abs(grad))
    total = 0
    for sign in (1, -1):
        kept = jnp.where(grad * sign > 0, logs - result, -jnp.inf)
        total += sign * jnp.exp(_scanned(lax.cumlogsumexp, kept, dim, reverse=True) + input)
    return (total,)


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


@op("cummax", method=True, out=True, returns=("values", "indices"))
def cummax(input: Array, dim):
    """(largest element up to each one along a dim, its place). Shape: any -> twice the same."""
    return _running(lax.cummax, lambda x, top: x >= top, input, dim)


@cummax.gradient
def _(grad, result, input, dim):
    return (_running_gradient(grad[0], result[1], dim),)


@op("cummin", method=True, out=True, returns=("values", "indices"))
def cummin(input: Array, dim):
    """(smallest element up to each one along a dim, its place). Shape: any -> twice the same."""
    return _running(lax.cummin, lambda x, low: x <= low, input, dim)


@cummin.gradient
def _(grad, result, input, dim):
    return (_running_gradient(grad[0], result[1], dim),)
