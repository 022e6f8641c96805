"""Ops that measure lengths and distances of vectors: p-norms, dist, renorm."""

import math

from jax import numpy as jnp

from jtorch import dtypes
from jtorch.lowering import direction, largest, smallest
from jtorch.ops.op import EXACT, Array, DType, op, widened
from jtorch.shapes import normalize_dim, normalize_dims


def _length(size, ord, dims, keepdim):
    """The p-norm along dims of sizes that are not below 0."""
    if ord == 2:
        return jnp.sqrt(jnp.sum(size * size, dims, keepdims=keepdim))
    if ord == 1:
        return jnp.sum(size, dims, keepdims=keepdim)
    if ord == 0:
        return jnp.sum(size != 0, dims, keepdims=keepdim).astype(size.dtype)
    if ord == math.inf:
        return largest(size, dims, keepdim)
    if ord == -math.inf:
        return smallest(size, dims, keepdim)
    return jnp.sum(size**ord, dims, keepdims=keepdim) ** (1 / ord)


def _length_gradient(grad, length, x, ord, dims):
    """torch's sub-gradients of a p-norm: 0 where the norm is 0; equal extremes share theirs."""
    size = jnp.abs(x)
    zero = length == 0
    safe = jnp.where(zero, 1, length)
    if ord == 0:
        return jnp.zeros_like(x)  # for tangents
    if ord == 1:
        return grad * direction(x)
    if ord == 2:
        return grad * jnp.where(zero, 0, x / length)  # torch: nan where this is differentiated at 0
    if abs(ord) == math.inf:
        reached = (size == length) | (jnp.isnan(size) & jnp.isnan(length))
        return direction(x) * jnp.where(reached, grad / jnp.sum(reached, dims, keepdims=True).astype(size.dtype), 0)
    if ord < 1:
        slope = jnp.where(size == 0, 0, jnp.where(size == 0, 1, size) ** (ord - 1))
    else:
        slope = size ** (ord - 1)
    return direction(x) * jnp.where(zero, 0, slope * grad / safe ** (ord - 1))


def _of_order_0(operands, attrs):
    # torch: the norm of order 0 counts elements, and its gradient is undefined.
    return tuple(range(len(operands))) if attrs[0] == 0 else ()


def _check_norm(input, ord, dim, dims, dtype):
    label = dtypes.from_numpy(input.dtype).label
    if not jnp.issubdtype(input.dtype, jnp.inexact):
        raise RuntimeError(f"linalg.vector_norm: Expected a floating point or complex tensor as input. Got {label}")
    if dtype is not None and jnp.promote_types(input.dtype, dtype) != dtype:
        raise RuntimeError(
            f"linalg.vector_norm: the dtype of the input ({label}) should be convertible without narrowing to the "
            f"specified dtype ({dtypes.from_numpy(dtype).label})"
        )
    if (ord < 0 or ord == math.inf) and not input.size:
        empty = [d for d in dims if input.shape[d] == 0]
        if dim is None:
            raise RuntimeError(
                f"linalg.vector_norm cannot compute the {ord:g} norm on an empty tensor because the operation does not "
                "have an identity"
            )
        if empty:
            raise RuntimeError(
                f"linalg.vector_norm cannot compute the {ord:g} norm on the dimension {empty[0]}because this dimension "
                "is empty and the operation does not have an identity"
            )


@op("linalg_vector_norm", door="linalg", out=EXACT, lift=False, undefined=_of_order_0)
def vector_norm(x: Array, ord=2, dim=None, keepdim=False, *, dtype: DType = None):
    """The p-norm along dims, of all elements where none is given. Shape: the input's without these dims.

    Raises RuntimeError for integers.
    """
    dims = normalize_dims(dim, x.ndim)
    _check_norm(x, ord, dim, dims, dtype)
    return _vector_norm(x if dtype is None else x.astype(dtype), ord, dims, keepdim)


@widened
def _vector_norm(x, ord, dims, keepdim):
    return _length(jnp.abs(x), ord, dims, keepdim)


@vector_norm.gradient
@widened
def _(grad, result, x, ord, dim, keepdim, dtype):
    dims = normalize_dims(dim, x.ndim)
    if not keepdim:
        grad, result = jnp.expand_dims(grad, dims), jnp.expand_dims(result, dims)
    return (_length_gradient(grad, result, x if dtype is None else x.astype(dtype), ord, dims),)


@op("dist", rule="promote", method=True, undefined=_of_order_0)
@widened
def dist(input: Array, other: Array, p=2):
    """The p-norm of input - other. Shape: broadcast -> (). Raises RuntimeError for integers."""
    if not jnp.issubdtype(input.dtype, jnp.inexact):
        label = dtypes.from_numpy(input.dtype).label
        raise RuntimeError(f"norm(): input dtype should be either floating point or complex. Got {label} instead.")
    gap = input - other
    return _length(jnp.abs(gap), p, tuple(range(gap.ndim)), False)


@dist.gradient
@widened
def _(grad, result, input, other, p):
    gap = input - other
    along = _length_gradient(grad, result, gap, p, tuple(range(gap.ndim)))
    return along, -along


@op("renorm", method=True, inplace=True, out=EXACT)
@widened
def renorm(input: Array, p, dim, maxnorm):
    """Slices along a dim, scaled down to a p-norm of maxnorm where theirs is above. Shape: any -> the same."""
    if isinstance(p, complex) or isinstance(maxnorm, complex):
        raise RuntimeError(f"renorm: {'p' if isinstance(p, complex) else 'maxnorm'} must be real-valued")
    if p <= 0:
        raise RuntimeError("renorm: non-positive-norm not supported")
    if maxnorm < 0:
        raise RuntimeError(f"renorm: expected maxnorm to be >= 0 but got {maxnorm:g}")
    if input.ndim < 2:
        raise RuntimeError(f"renorm: input needs at least 2 dimensions, got {input.ndim} dimensions")
    rest = _other_dims(dim, input.ndim)
    length = _length(jnp.abs(input), p, rest, True)
    long = length > maxnorm
    return input * jnp.where(long, maxnorm / (jnp.where(long, length, 1) + 1e-7), 1).astype(input.dtype)


def _other_dims(dim, ndim):
    dim = normalize_dim(dim, ndim)
    return tuple(d for d in range(ndim) if d != dim)


@renorm.gradient
@widened
def _(grad, result, input, p, dim, maxnorm):
    rest = _other_dims(dim, input.ndim)
    length = _length(jnp.abs(input), p, rest, True)
    along = (jnp.conj(input) * grad).real.sum(rest, keepdims=True)
    shrink = 1 / (length + 1e-7)
    scaled = maxnorm * shrink * (grad - shrink * _length_gradient(along, length, input, p, rest))
    return (jnp.where(length > maxnorm, scaled, grad),)
