"""Ops of two tensors, element by element, beside arithmetic: divisors, lengths, angles, logarithms of sums, signs."""

import math

from jax import lax
from jax import numpy as jnp

from jtorch import dtypes
from jtorch.ops.op import Array, Operand, op, widened
from jtorch.series import log_add


def _is_number(operand):
    return operand[1] is None


# Whole numbers.


@op("gcd", rule=dtypes.within("gcd_cpu", dtypes.INT, dtypes.INT), method=True, inplace=True, out=True)
def gcd(input: Array, other: Array):
    """The greatest common divisor of integers. Shape: broadcast."""
    return jnp.gcd(input, other)


@op("lcm", rule=dtypes.within("lcm_cpu", dtypes.INT, dtypes.INT), method=True, inplace=True, out=True)
def lcm(input: Array, other: Array):
    """The least common multiple of integers. Shape: broadcast."""
    return jnp.lcm(input, other)


# Lengths, angles, logarithms of sums, floating-point parts.


@op("hypot", rule=dtypes.within("hypot_cpu", dtypes.FLOAT, dtypes.FLOAT), method=True, inplace=True, out=True)
@widened
def hypot(input: Array, other: Array):
    """The length of the vector (input, other). Shape: broadcast."""
    return jnp.hypot(input, other)


@hypot.gradient
@widened
def _(grad, result, input, other):
    return grad * (input / result), grad * (other / result)


@op("atan2", "arctan2", rule="float", method=True, inplace=True, out=True)
def atan2(input: Array, other: Array):
    """The angle of the vector (other, input), in radians. Shape: broadcast."""
    return jnp.arctan2(input, other)


@atan2.gradient
@widened
def _(grad, result, input, other):
    # torch: the slope is 0 where both are.
    square = input * input + other * other
    scale = jnp.where(square == 0, 0, grad / jnp.where(square == 0, 1, square))
    return other * scale, -input * scale


def _inexact(kernel):
    return dtypes.within(f"{kernel}_cpu", dtypes.FLOAT, dtypes.COMPLEX)


@op("logaddexp", rule=_inexact("logaddexp"), method=True, out=True)
@widened
def logaddexp(input: Array, other: Array):
    """log(exp(input) + exp(other)). Shape: broadcast."""
    return log_add(input, other) if jnp.iscomplexobj(input) else jnp.logaddexp(input, other)


@logaddexp.gradient
@widened
def _(grad, result, input, other):
    gap = jnp.conj(other - input)
    return grad / (1 + jnp.exp(gap)), grad / (1 + jnp.exp(-gap))


@op(
    "logaddexp2",
    rule=_inexact("logaddexp2"),
    method=True,
    out=True,
    grad_name="Logaddexp2Backward0",
)
@widened
def logaddexp2(input: Array, other: Array):
    """log2(2^input + 2^other). Shape: broadcast."""
    return jnp.logaddexp2(input, other)


@logaddexp2.gradient
@widened
def _(grad, result, input, other):
    gap = (other - input) * math.log(2)
    return grad / (1 + jnp.exp(gap)), grad / (1 + jnp.exp(-gap))


def _copysign_name(operands, attrs):
    return "CopysignBackward1" if _is_number(operands[1]) else "CopysignBackward0"


@op("copysign", rule="float", method=True, inplace=True, out=True, grad_name=_copysign_name)
def copysign(input: Array, other: Operand):
    """The size of input with the sign of other. Shape: broadcast."""
    return jnp.copysign(input, other)


@copysign.gradient
def _(grad, result, input, other):
    return jnp.where(input == 0, 0, grad * (result / input)), jnp.zeros_like(grad)


@op("ldexp", rule="float", method=True, inplace=True, out=True)
def ldexp(input: Array, other: Array):
    """input · 2^other. Shape: broadcast."""
    return input * _two_to(other)


@ldexp.gradient
@widened
def _(grad, result, input, other):
    power = _two_to(other)
    return grad * jnp.conj(power), grad * jnp.conj(input * power) * math.log(2)


@widened
def _two_to(x):
    if jnp.iscomplexobj(x):
        return jnp.exp(x * math.log(2))
    whole = jnp.round(x)
    exact = jnp.ldexp(jnp.ones_like(x), jnp.clip(whole, -2000, 2000).astype(jnp.int32))
    return jnp.where(x == whole, exact, jnp.exp2(x))


@op("nextafter", rule=dtypes.within("nextafter_cpu", dtypes.FLOAT, dtypes.FLOAT), method=True, inplace=True, out=True)
def nextafter(input: Array, other: Array):
    """The next number from input towards other. Shape: broadcast."""
    return jnp.nextafter(lax.stop_gradient(input), lax.stop_gradient(other))


@nextafter.gradient
def _(grad, result, input, other):
    return jnp.where(input == other, 0, grad), jnp.where(input == other, grad, 0)
