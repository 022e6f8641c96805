"""Ops of circles and hyperbolas on each element: sines, tangents, their inverses, degrees and radians."""

import math

import jax
import numpy as np
from jax import lax
from jax import numpy as jnp

from jtorch.ops.op import Array, op, widened


def _is_complex(x):
    return jnp.issubdtype(x.dtype, jnp.complexfloating)


_FAR = 2.0**20  # beyond, k · π/2 is no longer exact in the float64s below
_HALF_PI = (1.57079632673412561417, 6.07710050650619224932e-11)  # in two parts, the first of 33 bits


def _quick(x, turned):
    """sin(x), or cos(x) if turned is 1, of float32: on a CPU XLA's own take one element at a time, 8 times as long.

    Below _FAR by the remainder from k · π/2 in float64 and polynomials on [-π/4, π/4] (those of Cephes).
    """
    wide = x.astype(np.float64)
    k = jnp.round(wide * (2 / math.pi))
    r = (wide - k * _HALF_PI[0]) - k * _HALF_PI[1]
    short = r.astype(np.float32)
    z = short * short
    low = short * z * (-1.6666654611e-1 + z * (8.3321608736e-3 - z * 1.9515295891e-4))
    sine = r + low.astype(np.float64)
    high = (z * z * (4.166664568298827e-2 + z * (-1.388731625493765e-3 + z * 2.443315711809948e-5))).astype(np.float64)
    cosine = 1 - 0.5 * r * r + high
    quarter = k.astype(np.int32) + np.int32(turned)
    value = jnp.where(quarter & 1, cosine, sine)
    value = jnp.where(quarter & 2, -value, value).astype(np.float32)
    return value if turned else jnp.where(x == 0, x, value)


def _circular(exact, turned):
    def on_cpu(x):
        # The greatest, not any(): of bools XLA reduces one after the other.
        greatest = jnp.max(jnp.where(jnp.isfinite(x), jnp.abs(x), 0), initial=0)
        return lax.cond(greatest >= _FAR, exact, lambda x: _quick(x, turned), x)

    @jax.custom_jvp
    def run(x):
        return lax.platform_dependent(x, cpu=on_cpu, default=exact)

    return run


_sin, _cos = _circular(jnp.sin, 0), _circular(jnp.cos, 1)
_sin.defjvps(lambda t, result, x: t * _cos(x))
_cos.defjvps(lambda t, result, x: -t * _sin(x))


@op("sin", rule="float", method=True, inplace=True, out=True)
@widened
def sin(input: Array):
    """The sine of each element, in radians. Shape: any -> the same."""
    return _sin(input) if input.dtype == np.float32 else jnp.sin(input)


@op("cos", rule="float", method=True, inplace=True, out=True)
@widened
def cos(input: Array):
    """The cosine of each element, in radians. Shape: any -> the same."""
    return _cos(input) if input.dtype == np.float32 else jnp.cos(input)


@op("tan", rule="float", method=True, inplace=True, out=True, saves=("result",))
def tan(input: Array):
    """The tangent of each element, in radians. Shape: any -> the same."""
    return jnp.tan(input)


@tan.gradient
@widened
def _(grad, result, input):
    result = jnp.conj(result)
    return (grad * (1 + result * result),)


@op("asin", "arcsin", rule="float", method=True, inplace=True, out=True)
def asin(input: Array):
    """The arc sine of each element, in radians. Shape: any -> the same."""
    return jnp.arcsin(input)


def _square(x):
    """x², rounded to float32 before it is taken from 1, as torch does: XLA fuses both and keeps the rest."""
    return jnp.square(x.astype(np.float64)).astype(x.dtype) if x.dtype == np.float32 else x * x


@op("acos", "arccos", rule="float", method=True, inplace=True, out=True)
def acos(input: Array):
    """The arc cosine of each element, in radians. Shape: any -> the same."""
    return jnp.arccos(input)


@op("atan", "arctan", rule="float", method=True, inplace=True, out=True)
def atan(input: Array):
    """The arc tangent of each element, in radians. Shape: any -> the same."""
    return jnp.arctan(input)


def _half_exps(x):
    """exp(x) / 2 and exp(-x) / 2, without the overflow of exp(x)."""
    root = jnp.exp(x / 2)
    return root * (root / 2), 0.5 / root / root


@op("sinh", rule="float", method=True, inplace=True, out=True)
@widened
def sinh(input: Array):
    """The hyperbolic sine of each element. Shape: any -> the same."""
    if _is_complex(input):
        return jnp.sinh(input)
    up, down = _half_exps(input)
    small = jnp.expm1(jnp.clip(input, -1, 1))
    return jnp.where(jnp.abs(input) < 1, (small + small / (small + 1)) / 2, up - down)


@sinh.gradient
def _(grad, result, input):
    return (grad * cosh.fn(jnp.conj(input)),)


@op("cosh", rule="float", method=True, inplace=True, out=True)
@widened
def cosh(input: Array):
    """The hyperbolic cosine of each element. Shape: any -> the same."""
    if _is_complex(input):
        return jnp.cosh(input)
    up, down = _half_exps(input)
    return up + down


@cosh.gradient
def _(grad, result, input):
    return (grad * sinh.fn(jnp.conj(input)),)


@op("tanh", rule="float", method=True, inplace=True, out=True, saves=("result",))
def tanh(input: Array):
    """The hyperbolic tangent of each element. Shape: any -> the same."""
    return jnp.tanh(input)


@tanh.gradient
@widened
def _(grad, result, input):
    result = jnp.conj(result)
    return (grad * (1 - result * result),)


@op("asinh", "arcsinh", rule="float", method=True, inplace=True, out=True)
@widened
def asinh(input: Array):
    """The inverse hyperbolic sine of each element. Shape: any -> the same."""
    return jnp.arcsinh(input)


@op("acosh", "arccosh", rule="float", method=True, inplace=True, out=True)
def acosh(input: Array):
    """The inverse hyperbolic cosine of each element. Shape: any -> the same."""
    return jnp.arccosh(input)


@acosh.gradient
@widened
def _(grad, result, input):
    x = jnp.conj(input)
    root = jnp.sqrt(x - 1) * jnp.sqrt(x + 1) if _is_complex(x) else jnp.sqrt(x * x - 1)
    return (grad / root,)


@op("atanh", "arctanh", rule="float", method=True, inplace=True, out=True)
@widened
def atanh(input: Array):
    """The inverse hyperbolic tangent of each element. Shape: any -> the same."""
    return jnp.arctanh(input)


@atanh.gradient
@widened
def _(grad, result, input):
    return (grad / jnp.conj(1 - _square(input)),)


@op("deg2rad", rule="float", method=True, inplace=True, out=True, grad_name="Deg2RadBackward0")
@widened
def deg2rad(input: Array):
    """Degrees to radians. Shape: any -> the same. Raises RuntimeError for complex tensors."""
    if _is_complex(input):
        raise RuntimeError("deg2rad is not supported for complex tensors.")
    return input * (math.pi / 180)


@op("rad2deg", rule="float", method=True, inplace=True, out=True, grad_name="Rad2DegBackward0")
@widened
def rad2deg(input: Array):
    """Radians to degrees. Shape: any -> the same. Raises RuntimeError for complex tensors."""
    if _is_complex(input):
        raise RuntimeError("rad2deg is not supported for complex tensors.")
    return input * (180 / math.pi)
