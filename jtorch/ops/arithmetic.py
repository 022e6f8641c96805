"""Arithmetic of two or three tensors, element by element: sums, products, quotients, remainders, interpolation."""

from jax import lax
from jax import numpy as jnp

from jtorch import dtypes
from jtorch.ops.op import Array, Operand, Scalar, op, widened

MASK_HINT = "If you are trying to invert a mask, use the `~` or `logical_not()` operator instead."


def _is_number(operand):
    return operand[1] is None


def _fits(x, kind):
    return jnp.issubdtype(x.dtype, kind)


def _real(kernel):
    return dtypes.within(f"{kernel}_cpu", dtypes.INT, dtypes.FLOAT)


def _sum(kind):
    return dtypes.need_within(kind, "add_stub", dtypes.BOOL, dtypes.COMPLEX)


# Sums and differences.


def _scaled(other, alpha):
    """alpha · other, in the dtype of other. Raises RuntimeError where torch does not take such an alpha."""
    if type(alpha) is int and alpha == 1:
        return other if not _fits(other, jnp.complexfloating) else _once(other)
    if isinstance(alpha, bool) and other.dtype != bool:
        raise RuntimeError("Boolean alpha only supported for Boolean results.")
    if isinstance(alpha, (float, complex)) and not _fits(other, jnp.inexact):
        raise RuntimeError("For integral input tensors, argument alpha must not be a floating point number.")
    if isinstance(alpha, complex) and not _fits(other, jnp.complexfloating):
        raise RuntimeError("For non-complex input tensors, argument alpha must not be a complex number.")
    return other * jnp.asarray(alpha).astype(other.dtype)


def _once(x):
    # torch: multiplies by 1 + 0i all the same, so that the other part of an infinite number comes out as nan.
    return lax.complex(x.real - x.imag * 0, x.imag + x.real * 0)


@op(
    "add",
    rule=lambda operands, attrs: _sum(dtypes.result_type(operands)),
    method=True,
    inplace=True,
    out=True,
    operator="add",
)
@widened
def add(input: Operand, other: Operand, *, alpha: Scalar = 1):
    """input + alpha · other. Shape: broadcast."""
    return input + _scaled(other, alpha)


def _difference(operands, attrs):
    bools = [o[0] in (dtypes.bool_, bool) for o in operands]
    if all(bools):
        raise RuntimeError(
            "Subtraction, the `-` operator, with two bool tensors is not supported. "
            "Use the `^` or `logical_xor()` operator instead."
        )
    if any(bools):
        raise RuntimeError(f"Subtraction, the `-` operator, with a bool tensor is not supported. {MASK_HINT}")
    return _sum(dtypes.result_type(operands))


@op("sub", "subtract", rule=_difference, method=True, inplace=True, out=True, operator="sub")
@widened
def sub(input: Operand, other: Operand, *, alpha: Scalar = 1):
    """input - alpha · other. Shape: broadcast. Raises RuntimeError for bool tensors."""
    return input - _scaled(other, alpha)


def _rsub_name(operands, attrs):
    return "RsubBackward1" if _is_number(operands[1]) else "RsubBackward0"


@op("rsub", rule=_difference, operator="rsub", grad_name=_rsub_name)
@widened
def rsub(input: Array, other: Operand, *, alpha: Scalar = 1):
    """other - alpha · input. Shape: broadcast. Raises RuntimeError for bool tensors."""
    return other - _scaled(input, alpha)


# Products and quotients.


@op("mul", "multiply", rule="promote", method=True, inplace=True, out=True, operator="mul", wide="other")
@widened
def mul(input: Operand, other: Operand):
    """input · other. Shape: broadcast."""
    return input * _seen(other)


@mul.gradient
def _(grad, result, input, other):
    return grad * jnp.conj(_seen(other)), grad * jnp.conj(input)


def _seen(number):
    # XLA would work a product with a complex constant out otherwise: 1 · x is x, infinities and all.
    scalar = number.ndim == 0 and _fits(number, jnp.complexfloating)
    return lax.optimization_barrier(number) if scalar else number


def _exact_quotient(a, b):
    """a / b rounded once, so that x / x is 1."""
    if not _fits(a, jnp.floating):
        return a / _seen(b)
    # XLA multiplies by 1 / b where b is a plain broadcast; a select in its place costs nothing and stops that.
    return a / jnp.where(jnp.isnan(a), a, b)


def _quotient(operands, attrs):
    result = dtypes.result_type(operands)
    if attrs in ((), (None,)):
        return dtypes.need_within(dtypes.floating(result), "div_cpu", dtypes.FLOAT, dtypes.COMPLEX)
    low, high = (dtypes.INT if attrs[0] == "floor" else dtypes.BOOL), dtypes.FLOAT
    return dtypes.need_within(result, f"div_{attrs[0]}_cpu", low, high)


def _no_zero(operands, attrs):
    """Raise RuntimeError in torch's words where integers are divided by a number that is 0."""
    input, other = operands
    if hasattr(other, "shape") or attrs == (None,) or 0 in getattr(input, "shape", ()):
        return
    kinds = [(x.dtype, x.ndim) if hasattr(x, "shape") else (type(x), None) for x in operands]
    result = dtypes.result_type(kinds)
    if result.category == dtypes.INT and not dtypes.array_of(other, result.numpy):
        raise dtypes.refusing(RuntimeError("ZeroDivisionError"), result)


def _div_name(operands, attrs):
    return "DivBackward0" if attrs[0] is None else "DivBackward2"


@op("div", "divide", rule=_quotient, method=True, inplace=True, out=True, operator="truediv", grad_name=_div_name,
    wide="other", refuse=_no_zero)  # fmt: skip
@widened
def div(input: Operand, other: Operand, *, rounding_mode=None):
    """input / other, rounded towards zero ("trunc") or down ("floor") where asked. Shape: broadcast."""
    if rounding_mode is None:
        return _exact_quotient(input, other)
    if rounding_mode == "floor":
        return _floor_quotient(input, other)
    if rounding_mode == "trunc":
        if _fits(input, jnp.inexact):
            return jnp.trunc(_exact_quotient(input, other))
        return lax.div(*jnp.broadcast_arrays(input, other))
    raise RuntimeError(f"div expected rounding_mode to be one of None, 'trunc', or 'floor' but found '{rounding_mode}'")


@widened
def _div_gradient(grad, result, input, other, rounding_mode=None):
    if rounding_mode is not None:
        return jnp.zeros_like(grad), jnp.zeros_like(grad)
    other = jnp.conj(other)
    return grad / other, -grad * ((jnp.conj(input) / other) / other)


div.gradient(_div_gradient)


@op("true_divide", rule=_quotient, method=True, inplace=True, out=True, grad_name="DivBackward0", wide="other")
@widened
def true_divide(input: Operand, other: Operand):
    """input / other. Shape: broadcast."""
    return _exact_quotient(input, other)


true_divide.gradient(_div_gradient)


def _floor_quotient(a, b):
    if not _fits(a, jnp.inexact):
        return jnp.floor_divide(a, b)
    # torch: from the exact remainder, so that 6 // 0.1 is 59; a quotient of 0 keeps its sign.
    a, b = jnp.broadcast_arrays(a, b)
    rest = lax.rem(a, b)
    quotient = (a - rest) / b
    quotient = jnp.where((rest != 0) & ((b < 0) != (rest < 0)), quotient - 1, quotient)
    floor = jnp.floor(quotient)
    floor = jnp.where(quotient - floor > 0.5, floor + 1, floor)
    floor = jnp.where(quotient == 0, jnp.copysign(0, a / b).astype(a.dtype), floor)
    return jnp.where(b == 0, a / b, floor)


@op("floor_divide", rule=_real("div_floor"), method=True, inplace=True, out=True, operator="floordiv",
    grad_name="NotImplemented", saves=("result",), wide="other", refuse=_no_zero)  # fmt: skip
@widened
def floor_divide(input: Operand, other: Operand):
    """input / other, rounded down. Shape: broadcast. Has no gradient."""
    return _floor_quotient(input, other)


@floor_divide.gradient
def _(grad, result, input, other):
    raise RuntimeError("derivative for aten::floor_divide is not implemented")


def _fmod_name(operands, attrs):
    return "FmodBackward0" if _is_number(operands[1]) else "FmodBackward1"


@op(
    "fmod",
    rule=_real("fmod"),
    method=True,
    inplace=True,
    out=True,
    grad_name=_fmod_name,
    refuse=_no_zero,
)
def fmod(input: Array, other: Operand):
    """The remainder of input / other, with the sign of input. Shape: broadcast."""
    return lax.rem(*jnp.broadcast_arrays(input, other))


@fmod.gradient
def _(grad, result, input, other):
    return grad, -grad * jnp.trunc(input / other)


def _remainder_name(operands, attrs):
    if _is_number(operands[0]):
        return "NotImplemented"
    return "RemainderBackward0" if _is_number(operands[1]) else "RemainderBackward1"


@op(
    "remainder",
    rule=_real("remainder"),
    method=True,
    inplace=True,
    out=True,
    operator="mod",
    grad_name=_remainder_name,
    refuse=_no_zero,
)
def remainder(input: Operand, other: Operand):
    """The remainder of input / other, with the sign of other. Shape: broadcast."""
    input, other = jnp.broadcast_arrays(input, other)
    rest = lax.rem(input, other)
    return jnp.where((rest != 0) & ((rest < 0) != (other < 0)), rest + other, rest)


@remainder.gradient
def _(grad, result, input, other):
    return grad, -grad * _floor_quotient(input, other)


@op("addcmul", rule="promote", method=True, inplace=True, out=True)
@widened
def addcmul(input: Array, tensor1: Array, tensor2: Array, *, value: Scalar = 1):
    """input + value · tensor1 · tensor2. Shape: broadcast."""
    return input + jnp.asarray(value).astype(input.dtype) * tensor1 * tensor2


def _addcdiv_dtype(operands, attrs):
    if operands[1][0].category < dtypes.FLOAT and operands[2][0].category < dtypes.FLOAT:
        raise RuntimeError(
            "Integer division with addcdiv is no longer supported, and in a future  release addcdiv will perform a "
            "true division of tensor1 and tensor2. The historic addcdiv behavior can be implemented as (input + value "
            "* torch.trunc(tensor1 / tensor2)).to(input.dtype) for integer inputs and as (input + value * tensor1 / "
            "tensor2) for float inputs. The future addcdiv behavior is just the latter implementation: (input + value "
            "* tensor1 / tensor2), for all dtypes."
        )
    return dtypes.result_type(operands)


@op("addcdiv", rule=_addcdiv_dtype, method=True, inplace=True, out=True)
@widened
def addcdiv(input: Array, tensor1: Array, tensor2: Array, *, value: Scalar = 1):
    """input + value · tensor1 / tensor2. Shape: broadcast. Raises RuntimeError where both are integers."""
    return input + jnp.asarray(value).astype(input.dtype) * (tensor1 / tensor2)


def _lerp_dtype(operands, attrs):
    input, end, weight = operands
    others = [("end", end)] if _is_number(weight) else [("end", end), ("weight", weight)]
    for name, (dtype, ndim) in others:
        if dtype is not input[0] and (name == "end" or ndim):
            raise RuntimeError(
                f"expected dtype {dtypes.cpp_name(input[0])} for `{name}` but got dtype {dtypes.cpp_name(dtype)}"
            )
    return input[0]


def _lerp_name(operands, attrs):
    return "LerpBackward0" if _is_number(operands[2]) else "LerpBackward1"


@op("lerp", rule=_lerp_dtype, method=True, inplace=True, out=True, grad_name=_lerp_name, wide="weight")
@widened
def lerp(input: Array, end: Array, weight: Operand):
    """input + weight · (end - input). Shape: broadcast. Raises RuntimeError where dtypes differ."""
    # torch: from the nearer end, so that weight 1 gives end itself.
    gap = end - input
    return jnp.where(jnp.abs(weight) < 0.5, input + weight * gap, end - gap * (1 - weight))


@lerp.gradient
@widened
def _(grad, result, input, end, weight):
    weight = jnp.conj(weight)
    return grad * (1 - weight), grad * weight, grad * jnp.conj(end - input)
