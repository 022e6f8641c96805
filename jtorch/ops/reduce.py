"""Ops that add up, multiply or test all elements along dims: sum, mean, prod, var, logsumexp, all, any."""

import math

import numpy as np
from jax import lax
from jax import numpy as jnp

from jtorch import dtypes
from jtorch.errors import type_name
from jtorch.ops.op import Array, DType, op, widened
from jtorch.shapes import normalize_dims


def _dims(name, input, dim, keepdim):
    """The dims to reduce, counted from the front. Raises torch's errors for dims and for a keepdim that is no bool."""
    if type(keepdim) is not bool:
        raise TypeError(f"{name}(): argument 'keepdim' (position 2) must be bool, not {type_name(keepdim)}")
    return normalize_dims(dim, input.ndim)


def _count(input, dims):
    return math.prod(input.shape[d] for d in dims)


def _restored(x, input, dims, keepdim):
    """A reduced array with its dims back, of size 1, so that it broadcasts against the input."""
    return x if keepdim else jnp.expand_dims(x, dims)


def _summable(input, dtype):
    """The input in the dtype that its sum has: as asked, int64 for bool and integers, its own for the rest."""
    if dtype is None:
        whole = input.dtype == bool or jnp.issubdtype(input.dtype, jnp.integer)
        return input.astype(np.int64) if whole else input
    return input.astype(dtype)


def _along(name):
    """grad_name of an op that torch has twice: over all elements, and along dims."""
    return lambda operands, attrs: f"{name}Backward{0 if attrs[0] is None else 1}"


@op("sum", method=True, out=True, grad_name=_along("Sum"))
def sum(input: Array, dim=None, keepdim=False, *, dtype: DType = None):
    """The sum along dims, of all elements where none is given. Shape: the input's without these dims.

    Raises IndexError for a dim that is not there, RuntimeError for one that stands twice.
    """
    dims = _dims("sum", input, dim, keepdim)
    input = _summable(input, dtype)
    return input.any(dims, keepdims=keepdim) if input.dtype == bool else jnp.sum(input, dims, keepdims=keepdim)


@op("nansum", method=True, out=True)
def nansum(input: Array, dim=None, keepdim=False, *, dtype: DType = None):
    """The sum along dims with nan counted as 0. Shape: the input's without these dims."""
    if jnp.iscomplexobj(input):
        raise RuntimeError("nansum on CPU does not support complex inputs")
    return sum.fn(jnp.where(jnp.isnan(input), 0, input), dim, keepdim, dtype=dtype)


def _mean_dtype(input, dtype):
    for said, kind in (("Optional", dtype), ("Input", input.dtype if dtype is None else None)):
        if kind is not None and not jnp.issubdtype(kind, jnp.inexact):
            raise RuntimeError(
                f"mean(): could not infer output dtype. {said} dtype must be either a floating point or complex dtype. "
                f"Got: {dtypes.from_numpy(np.dtype(kind)).label}"
            )


@op("mean", method=True, out=True, grad_name=_along("Mean"))
def mean(input: Array, dim=None, keepdim=False, *, dtype: DType = None):
    """The mean along dims, of all elements where none is given. Shape: the input's without these dims.

    Raises RuntimeError for integers, unless dtype says how to add them up.
    """
    _mean_dtype(input, dtype)
    return _mean(_summable(input, dtype), _dims("mean", input, dim, keepdim), keepdim)


@widened
def _mean(x, dims, keepdim):
    return jnp.sum(x, dims, keepdims=keepdim) / np.asarray(_count(x, dims), x.dtype)


@op("nanmean", method=True, out=True, grad_name="DivBackward0")
def nanmean(input: Array, dim=None, keepdim=False, *, dtype: DType = None):
    """The mean along dims of the elements that are not nan. Shape: the input's without these dims."""
    if not jnp.issubdtype(input.dtype, jnp.inexact):
        label = dtypes.from_numpy(input.dtype).label
        raise RuntimeError(f"nanmean(): expected input to have floating point or complex dtype but got {label}")
    total = nansum.fn(input, dim, keepdim, dtype=dtype)
    return total / jnp.sum(~jnp.isnan(input), normalize_dims(dim, input.ndim), keepdims=keepdim).astype(total.dtype)


# Products.


@op("prod", method=True, out=True, grad_name=_along("Prod"))
def prod(input: Array, dim=None, keepdim=False, *, dtype: DType = None):
    """The product along one dim, of all elements where none is given. Shape: the input's without this dim."""
    if isinstance(dim, tuple):
        raise TypeError("prod() received an invalid combination of arguments - got (Tensor, tuple)")
    input, dims = _summable(input, dtype), _dims("prod", input, dim, keepdim)
    return input.all(dims, keepdims=keepdim) if input.dtype == bool else jnp.prod(input, dims, keepdims=keepdim)


@prod.gradient
@widened
def _(grad, result, input, dim, keepdim, dtype):
    # Beside a 0, each element's slope is the product of the others; a division would not give it.
    x = _summable(input, dtype)
    dims = normalize_dims(dim, x.ndim)
    if dim is None or x.ndim == 0:
        x, axis = x.reshape(-1), 0
    else:
        axis, grad = dims[0], _restored(grad, x, dims, keepdim)
    before = lax.cumprod(_shifted(x, axis, 1), axis)
    after = lax.cumprod(_shifted(x, axis, -1), axis, reverse=True)
    zero = x == 0
    quotient = jnp.prod(x, axis, keepdims=True) / jnp.where(zero, 1, x)
    slope = jnp.where(jnp.any(zero, axis, keepdims=True), before * after, quotient)
    return ((grad * jnp.conj(slope)).reshape(input.shape),)


def _shifted(x, axis, by):
    """x moved by one place along an axis, with a 1 in the place left free."""
    ones = jnp.ones_like(lax.slice_in_dim(x, 0, min(1, x.shape[axis]), axis=axis))
    if by > 0:
        return jnp.concatenate([ones, lax.slice_in_dim(x, 0, max(x.shape[axis] - 1, 0), axis=axis)], axis)
    return jnp.concatenate([lax.slice_in_dim(x, min(1, x.shape[axis]), x.shape[axis], axis=axis), ones], axis)


# Spread.


def _floating_only(name, input):
    if not jnp.issubdtype(input.dtype, jnp.inexact):
        raise RuntimeError(f"{name} only support floating point and complex dtypes")


def _spread(input, dim, correction, keepdim):
    """(variance, mean) along dims; the sum of squares is divided by their number less the correction."""
    dims = normalize_dims(dim, input.ndim)
    center = _mean(input, dims, True)
    gap = input - center
    squares = (gap * jnp.conj(gap)).real
    left = max(_count(input, dims) - correction, 0)
    variance = jnp.sum(squares, dims, keepdims=keepdim) / np.asarray(left, squares.dtype)
    return variance, center if keepdim else center.reshape(variance.shape)


def _variance_gradient(grad, input, dim, correction, keepdim):
    dims = normalize_dims(dim, input.ndim)
    left = _count(input, dims) - correction
    gap = input - _mean(input, dims, True)
    return _restored(grad, input, dims, keepdim) * (2 / left if left else math.inf) * gap


def _deviation_gradient(grad, deviation, input, dim, correction, keepdim):
    # torch: the slope is 0 where all values are equal.
    still = deviation == 0
    grad = jnp.where(still, 0, grad / jnp.where(still, 1, 2 * deviation))
    return _variance_gradient(grad, input, dim, correction, keepdim)


def _mean_gradient(grad, input, dim, keepdim):
    dims = normalize_dims(dim, input.ndim)
    return jnp.broadcast_to(_restored(grad, input, dims, keepdim) / _count(input, dims), input.shape)


@op("var_kernel", door=None, grad_name="VarBackward0")
@widened
def var_kernel(input: Array, dim=None, correction=1, keepdim=False):
    """The variance along dims. Shape: the input's without these dims. Raises RuntimeError for integers."""
    _floating_only("std and var", input)
    return _spread(input, dim, correction, keepdim)[0]


@var_kernel.gradient
@widened
def _(grad, result, input, dim, correction, keepdim):
    return (_variance_gradient(grad, input, dim, correction, keepdim),)


@op("std_kernel", door=None, grad_name="StdBackward0")
@widened
def std_kernel(input: Array, dim=None, correction=1, keepdim=False):
    """The standard deviation along dims. Shape: the input's without these dims. Raises RuntimeError for integers."""
    _floating_only("std and var", input)
    return jnp.sqrt(_spread(input, dim, correction, keepdim)[0])


@std_kernel.gradient
@widened
def _(grad, result, input, dim, correction, keepdim):
    return (_deviation_gradient(grad, result, input, dim, correction, keepdim),)


@op("var_mean_kernel", door=None, grad_name="VarMeanBackward0")
@widened
def var_mean_kernel(input: Array, dim=None, correction=1, keepdim=False):
    """(variance, mean) along dims. Shape: twice the input's without these dims. Raises RuntimeError for integers."""
    _floating_only("var_mean", input)
    return _spread(input, dim, correction, keepdim)


@var_mean_kernel.gradient
@widened
def _(grad, result, input, dim, correction, keepdim):
    spread = _variance_gradient(grad[0], input, dim, correction, keepdim)
    return (spread + _mean_gradient(grad[1], input, dim, keepdim),)


@op("std_mean_kernel", door=None, grad_name="StdMeanBackward0")
@widened
def std_mean_kernel(input: Array, dim=None, correction=1, keepdim=False):
    """(standard deviation, mean) along dims. Shape: twice the input's without these dims. Raises for integers."""
    _floating_only("std_mean", input)
    variance, center = _spread(input, dim, correction, keepdim)
    return jnp.sqrt(variance), center


@std_mean_kernel.gradient
@widened
def _(grad, result, input, dim, correction, keepdim):
    spread = _deviation_gradient(grad[0], result[0], input, dim, correction, keepdim)
    return (spread + _mean_gradient(grad[1], input, dim, keepdim),)


# Logarithms of sums.


@op("logsumexp", rule="float", method=True, out=True)
@widened
def logsumexp(input: Array, dim, keepdim=False):
    """log(sum(exp(input))) along dims, without overflow. Shape: the input's without these dims."""
    dims = normalize_dims(dim, input.ndim)
    if not input.size:
        return jnp.log(jnp.sum(jnp.exp(input), dims, keepdims=keepdim))
    top = jnp.max(input.real, dims, keepdims=True)
    top = jnp.where(jnp.isinf(top), 0, top)
    total = jnp.log(jnp.sum(jnp.exp(input - top), dims, keepdims=keepdim))
    return total + (top if keepdim else top.reshape(total.shape)).astype(total.dtype)


@logsumexp.gradient
@widened
def _(grad, result, input, dim, keepdim):
    dims = normalize_dims(dim, input.ndim)
    grad, result = (_restored(x, input, dims, keepdim) for x in (grad, result))
    return (grad * jnp.conj(jnp.exp(input - result)),)


# Tests and counts.


def _truth(name, input, dim, keepdim):
    """(elements as bool, dims to reduce); no dims at all for an empty tuple."""
    dims = () if isinstance(dim, tuple) and not dim else _dims(name, input, dim, keepdim)
    return dtypes.truth(input), dims


@op("all", method=True, out=True)
def all(input: Array, dim=None, keepdim=False):
    """Whether no element along dims is 0. Shape: the input's without these dims; bool, but uint8 for uint8."""
    truth, dims = _truth("all", input, dim, keepdim)
    return jnp.all(truth, dims, keepdims=keepdim).astype(np.uint8 if input.dtype == np.uint8 else bool)


@op("any", method=True, out=True)
def any(input: Array, dim=None, keepdim=False):
    """Whether an element along dims is not 0. Shape: the input's without these dims; bool, but uint8 for uint8."""
    truth, dims = _truth("any", input, dim, keepdim)
    return jnp.any(truth, dims, keepdims=keepdim).astype(np.uint8 if input.dtype == np.uint8 else bool)


@op("count_nonzero", method=True)
def count_nonzero(input: Array, dim=None):
    """How many elements along dims are not 0. Shape: the input's without these dims, int64."""
    return jnp.sum(dtypes.truth(input), normalize_dims(dim, input.ndim), dtype=np.int64)


@op("trace", method=True)
def trace(input: Array):
    """The sum of the diagonal. Shape: (n, m) -> (). Raises RuntimeError where the tensor is no matrix."""
    if input.ndim != 2:
        raise RuntimeError(f"trace: expected a matrix, but got tensor with dim {input.ndim}")
    return jnp.trace(_summable(input, None))
