"""Ops on neighbours along a dim: differences and the trapezoidal rule."""

from jax import lax
from jax import numpy as jnp

from jtorch.ops.op import Array, op
from jtorch.shapes import normalize_dim


def _inner(x, dim, start, stop):
    return lax.slice_in_dim(x, start, x.shape[dim] + stop, axis=dim)


@op("diff", method=True, out=True, grad_name="SubBackward0", follows=True)
def diff(input: Array, n=1, dim=-1, prepend: Array | None = None, append: Array | None = None):
    """Differences of neighbours along a dim, n times over; exclusive or for bool. Shape: shorter by n along dim.

    prepend, append: put at the ends before. Raises RuntimeError for 0-d tensors and for n below 0.
    """
    if input.ndim == 0:
        raise RuntimeError("diff expects input to be at least one-dimensional")
    dim = normalize_dim(dim, input.ndim)
    if n < 0:
        raise RuntimeError(f"order must be non-negative but got {n}")
    ends = [prepend, input, append]
    if any(x is not None and x.ndim != input.ndim for x in ends):
        raise RuntimeError("diff expects prepend or append to be the same dimension as input")
    x = jnp.concatenate([x for x in ends if x is not None], dim)
    for _ in range(min(n, x.shape[dim])):
        after, before = _inner(x, dim, 1, 0), _inner(x, dim, 0, -1)
        x = after ^ before if x.dtype == bool else after - before
    return x


def _widths(name, y, x, dx, dim):
    """The sums of neighbours of y, and the widths between them, halved: what each trapezoid is made of."""
    for which, array in (("y", y), ("x", x)):
        if array is not None and array.dtype == bool:
            raise RuntimeError(f"{name}: received a bool input for `{which}`, but bool is not supported")
    pairs = _inner(y, dim, 1, 0) + _inner(y, dim, 0, -1)
    if not jnp.issubdtype(pairs.dtype, jnp.inexact):
        pairs = pairs.astype(jnp.float32)
    if x is None:
        return pairs, (1 if dx is None else dx) / 2
    if x.ndim == 1:
        if x.shape[0] != y.shape[dim]:
            raise RuntimeError(f"{name}: There must be one `x` value for each sample point")
        x = x.reshape([-1 if d == dim else 1 for d in range(y.ndim)])
    widths = _inner(x, dim, 1, 0) - _inner(x, dim, 0, -1)
    return pairs, (widths if jnp.issubdtype(x.dtype, jnp.inexact) else widths.astype(pairs.dtype)) / 2


@op("trapezoid", "trapz", grad_name="MulBackward1")
def trapezoid(y: Array, x: Array | None = None, *, dx=None, dim=-1):
    """The integral of y along a dim by the trapezoidal rule, over points x or steps dx. Shape: y's without the dim."""
    dim = normalize_dim(dim, y.ndim)
    if y.shape[dim] == 0:
        return jnp.sum(y, dim)
    pairs, widths = _widths("trapezoid", y, x, dx, dim)
    return jnp.sum(pairs * widths, dim)


@op("cumulative_trapezoid", grad_name="CumsumBackward0")
def cumulative_trapezoid(y: Array, x: Array | None = None, *, dx=None, dim=-1):
    """The integral of y up to each point along a dim by the trapezoidal rule. Shape: shorter by 1 along dim."""
    dim = normalize_dim(dim, y.ndim)
    pairs, widths = _widths("cumulative_trapezoid", y, x, dx, dim)
    return lax.cumsum(pairs * widths, dim)
