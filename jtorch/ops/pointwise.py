"""Ops that act on each element of one tensor alone: exponentials and logarithms, roots, rounding, signs, nan tests."""

import math

import numpy as np
from jax import lax
from jax import numpy as jnp

from jtorch import dtypes
from jtorch.lowering import direction
from jtorch.ops.op import FOUND, Array, Scalar, op, widened

LN2 = math.log(2)
LN10 = math.log(10)


def _integral(x):
    return jnp.issubdtype(x.dtype, jnp.integer) or x.dtype == bool


def _is_complex(x):
    return jnp.issubdtype(x.dtype, jnp.complexfloating)


# Exponentials, logarithms, roots.


@op("exp", rule="float", method=True, inplace=True, out=True, saves=("result",))
def exp(input: Array):
    """e to the power of each element. Shape: any -> the same."""
    return jnp.exp(input)


@exp.gradient
def _(grad, result, input):
    return (grad * jnp.conj(result),)


@op("exp2", rule="float", method=True, inplace=True, out=True, saves=("result",))
@widened
def exp2(input: Array):
    """2 to the power of each element, exact for whole numbers. Shape: any -> the same."""
    if _is_complex(input):
        return jnp.exp(input * LN2)
    whole = jnp.round(input)
    rest = jnp.where(jnp.isinf(input), 0, input - whole)
    return jnp.ldexp(jnp.exp(rest * LN2), jnp.clip(whole, -2000, 2000).astype(jnp.int32))


@exp2.gradient
@widened
def _(grad, result, input):
    return (grad * jnp.conj(result) * LN2,)


@op("expm1", rule="float", method=True, inplace=True, out=True, saves=("result",))
@widened
def expm1(input: Array):
    """e to the power of each element, less one, exact near 0. Shape: any -> the same."""
    return jnp.expm1(input)


@expm1.gradient
@widened
def _(grad, result, input):
    return (grad * (jnp.conj(result) + 1),)


@op("log", rule="float", method=True, inplace=True, out=True)
def log(input: Array):
    """The natural logarithm of each element. Shape: any -> the same."""
    return jnp.log(input)


def _whole(logarithm):
    """The logarithm, whole where it is a rounding away from it: log2(8) is 3."""
    if _is_complex(logarithm):
        return logarithm
    whole = jnp.round(logarithm)
    near = jnp.abs(logarithm - whole) <= 2 * jnp.finfo(logarithm.dtype).eps * jnp.abs(whole)
    return jnp.where(near, whole, logarithm)


@op("log2", rule="float", method=True, inplace=True, out=True)
@widened
def log2(input: Array):
    """The logarithm to base 2, exact for powers of 2. Shape: any -> the same."""
    return _whole(jnp.log(input) / LN2)


@log2.gradient
@widened
def _(grad, result, input):
    return (grad / jnp.conj(input) / LN2,)


@op("log10", rule="float", method=True, inplace=True, out=True)
@widened
def log10(input: Array):
    """The logarithm to base 10, exact for powers of 10. Shape: any -> the same."""
    return _whole(jnp.log(input) / LN10)


@log10.gradient
@widened
def _(grad, result, input):
    return (grad / jnp.conj(input) / LN10,)


@op("log1p", rule="float", method=True, inplace=True, out=True, grad_name="Log1PBackward0")
@widened
def log1p(input: Array):
    """The natural logarithm of one plus each element, exact near 0. Shape: any -> the same."""
    return jnp.log1p(input)


@op("sqrt", rule="float", method=True, inplace=True, out=True, saves=("result",))
def sqrt(input: Array):
    """The square root of each element. Shape: any -> the same."""
    return jnp.sqrt(input)


@sqrt.gradient
@widened
def _(grad, result, input):
    return (grad / (2 * jnp.conj(result)),)


@op("rsqrt", rule="float", method=True, inplace=True, out=True, saves=("result",))
@widened
def rsqrt(input: Array):
    """One over the square root of each element. Shape: any -> the same."""
    # Kept apart: XLA makes one instruction of both, which is 4 times slower on a CPU, and not torch's to the last bit.
    return 1 / lax.optimization_barrier(jnp.sqrt(input))


@rsqrt.gradient
@widened
def _(grad, result, input):
    result = jnp.conj(result)
    return (-0.5 * grad * (result * result * result),)


def _reciprocal_dtype(operands, attrs):
    return dtypes.need_within(dtypes.floating(operands[0][0]), "reciprocal_cpu", dtypes.FLOAT, dtypes.COMPLEX)


@op("reciprocal", rule=_reciprocal_dtype, method=True, inplace=True, out=True, saves=("result",))
def reciprocal(input: Array):
    """One over each element. Shape: any -> the same."""
    return 1 / input


@reciprocal.gradient
@widened
def _(grad, result, input):
    result = jnp.conj(result)
    return (-grad * (result * result),)


def _squared_dtype(operands, attrs):
    # torch: the square of a bool is an int64.
    return dtypes.int64 if operands[0][0] is dtypes.bool_ else operands[0][0]


@op("square", rule=_squared_dtype, method=True, inplace=True, out=True, grad_name="PowBackward0")
def square(input: Array):
    """Each element times itself. Shape: any -> the same."""
    return input * input


# Rounding.


def _refuse_complex(name, input):
    if _is_complex(input):
        raise NotImplementedError(f"{name} is not supported for complex inputs")


@op("floor", rule="promote", method=True, inplace=True, out=FOUND)
def floor(input: Array):
    """The largest whole number not above each element. Shape: any -> the same."""
    _refuse_complex("floor", input)
    return input if _integral(input) else jnp.floor(input)


@op("ceil", rule="promote", method=True, inplace=True, out=FOUND)
def ceil(input: Array):
    """The smallest whole number not below each element. Shape: any -> the same."""
    _refuse_complex("ceil", input)
    return input if _integral(input) else jnp.ceil(input)


@op("trunc", "fix", rule="promote", method=True, inplace=True, out=FOUND)
def trunc(input: Array):
    """Each element without its fraction. Shape: any -> the same."""
    _refuse_complex("trunc", input)
    return input if _integral(input) else jnp.trunc(input)


def _round_name(operands, attrs):
    return "RoundBackward1" if attrs[0] else "RoundBackward0"


@op("round", rule="promote", method=True, inplace=True, out=FOUND, grad_name=_round_name)
@widened
def round(input: Array, *, decimals=0):
    """Each element rounded to `decimals` places, halves to even. Shape: any -> the same."""
    if _integral(input):
        return input
    if decimals == 0:
        return jnp.round(input)
    # torch: scale, round, scale back, in the dtype at hand.
    scale = np.asarray(10.0 ** np.abs(decimals), input.dtype)
    return jnp.round(input * scale) / scale if decimals > 0 else jnp.round(input / scale) * scale


@op("frac", rule="promote", method=True, inplace=True, out=FOUND)
def frac(input: Array):
    """The fraction of each element, with its sign. Shape: any -> the same."""
    return input - trunc.fn(input)


# Signs.


@op("abs", "absolute", method=True, inplace=True, out=True, follows=True)
def abs(input: Array):
    """|input|, element by element; the length of a complex number. Shape: any -> the same."""
    return input if input.dtype == bool else jnp.abs(input)


@abs.gradient
def _(grad, result, input):
    # torch: the slope is 0 at 0 and at nan; a gradient of inf or nan times that is nan.
    return (grad * direction(input),)


@op("neg", "negative", method=True, inplace=True, out=FOUND, operator="neg", follows=True)
def neg(input: Array):
    """-input. Shape: any -> the same. Raises RuntimeError for a bool tensor."""
    if input.dtype == bool:
        raise RuntimeError(
            "Negation, the `-` operator, on a bool tensor is not supported. If you are trying to invert a mask, "
            "use the `~` or `logical_not()` operator instead."
        )
    return -input


@op("sign", method=True, inplace=True, out=FOUND, follows=True)
def sign(input: Array):
    """-1, 0 or 1, the sign of each element; 0 for nan. Shape: any -> the same. Raises where complex."""
    if _is_complex(input):
        raise NotImplementedError(
            "Unlike NumPy, torch.sign is not intended to support complex numbers. Please use torch.sgn instead."
        )
    if input.dtype == bool:
        return input
    return (input > 0).astype(input.dtype) - (input < 0).astype(input.dtype)


@op("sgn", method=True, inplace=True, out=FOUND, follows=True)
def sgn(input: Array):
    """The sign of each element; of a complex number its direction, z / |z|. Shape: any -> the same."""
    return direction(input) if _is_complex(input) else sign.fn(input)


@op("signbit", method=True, out="signbit does not support non-boolean outputs.", follows=True)
def signbit(input: Array):
    """Whether each element's sign bit is set, as it is for -0. Shape: any -> the same, bool."""
    if _is_complex(input):
        raise NotImplementedError("signbit is not implemented for complex tensors.")
    if _integral(input):
        return jnp.zeros(input.shape, bool) if input.dtype == bool else input < 0
    return jnp.signbit(input)


# Nan and infinities.


@op(
    "nan_to_num",
    method=True,
    inplace=True,
    out="nan_to_num: dtype of out: {Have} should be same as input: {Want}",
    follows=True,
)
def nan_to_num(input: Array, nan: Scalar = 0.0, posinf: Scalar | None = None, neginf: Scalar | None = None):
    """nan and infinities replaced, by 0 and the dtype's bounds unless given. Shape: any -> the same."""
    if _integral(input):
        return input
    if _is_complex(input):
        parts = (nan_to_num.fn(part, nan, posinf, neginf) for part in (input.real, input.imag))
        return lax.complex(*parts)
    bounds = jnp.finfo(input.dtype)
    nan = 0.0 if nan is None else nan
    high = bounds.max if posinf is None else posinf
    low = bounds.min if neginf is None else neginf
    result = jnp.where(jnp.isnan(input), nan, input)
    result = jnp.where(input == np.inf, high, result)
    return jnp.where(input == -np.inf, low, result).astype(input.dtype)


@op("isnan", method=True, follows=True)
def isnan(input: Array):
    """Which elements are nan. Shape: any -> the same, bool."""
    return jnp.isnan(input)


@op("isinf", method=True, follows=True)
def isinf(input: Array):
    """Which elements are infinite. Shape: any -> the same, bool."""
    return jnp.isinf(input)


@op("isfinite", method=True, follows=True)
def isfinite(input: Array):
    """Which elements are neither nan nor infinite. Shape: any -> the same, bool."""
    return jnp.isfinite(input)


@op("isposinf", method=True, out="isposinf does not support non-boolean outputs.", follows=True)
def isposinf(input: Array):
    """Which elements are +inf. Shape: any -> the same, bool. Raises RuntimeError for complex tensors."""
    if _is_complex(input):
        raise RuntimeError("isposinf does not support complex inputs.")
    return jnp.zeros(input.shape, bool) if _integral(input) else input == np.inf


@op("isneginf", method=True, out="isneginf does not support non-boolean outputs.", follows=True)
def isneginf(input: Array):
    """Which elements are -inf. Shape: any -> the same, bool. Raises RuntimeError for complex tensors."""
    if _is_complex(input):
        raise RuntimeError("isneginf does not support complex inputs.")
    return jnp.zeros(input.shape, bool) if _integral(input) else input == -np.inf


# Parts of a floating-point number.


@op("frexp", method=True, out=True, returns=("mantissa", "exponent"))
def frexp(input: Array):
    """(mantissa in ±[0.5, 1), exponent) with input = mantissa · 2^exponent. Shape: any -> twice the same."""
    if not jnp.issubdtype(input.dtype, jnp.floating):
        raise RuntimeError("torch.frexp() only supports floating-point dtypes")
    mantissa, exponent = jnp.frexp(input)
    return mantissa, jnp.where(jnp.isfinite(input), exponent, 0).astype(np.int32)


@frexp.gradient
def _(grad, result, input):
    return (grad[0] * jnp.ldexp(jnp.ones_like(grad[0]), -result[1]),)
