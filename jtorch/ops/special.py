"""Special functions of each element: the error function, the gamma function, the logistic function and their kin."""

import math

import jax
from jax import lax
from jax import numpy as jnp
from jax.scipy import special

from jtorch import dtypes
from jtorch.ops.op import Array, Operand, op, widened
from jtorch.series import hurwitz, in_double


@op("sigmoid", rule="float", method=True, inplace=True, out=True, saves=("result",))
@widened
def sigmoid(input: Array):
    """1 / (1 + exp(-input)). Shape: any -> the same."""
    return lax.logistic(input)


@sigmoid.gradient
@widened
def _(grad, result, input):
    result = jnp.conj(result)
    return (grad * (1 - result) * result,)


@op("logit", rule="float", method=True, inplace=True, out=True)
@widened
def logit(input: Array, eps=None):
    """log(p / (1 - p)), with p first clamped to [eps, 1 - eps] where eps is given. Shape: any -> the same."""
    if eps is not None:
        input = jnp.clip(input, eps, 1 - eps)
    return jnp.log(input / (1 - input))


@logit.gradient
@widened
def _(grad, result, input, eps):
    # torch: nan outside of [0, 1]; with eps, 0 outside of [eps, 1 - eps].
    low, outside = (0.0, jnp.nan) if eps is None else (eps, 0.0)
    inside = (input >= low) & (input <= 1 - low)
    return (jnp.where(inside, grad / (input * (1 - input)), outside),)


@op("erf", rule="float", method=True, inplace=True, out=True)
def erf(input: Array):
    """The error function, 2 / √π · ∫₀ˣ exp(-t²) dt. Shape: any -> the same."""
    return lax.erf(input)


@op("erfc", rule="float", method=True, inplace=True, out=True)
def erfc(input: Array):
    """1 - erf(input), exact where erf is near 1. Shape: any -> the same."""
    return lax.erfc(input)


@op("erfinv", rule="float", method=True, inplace=True, out=True)
@in_double
def erfinv(input: Array):
    """The inverse of the error function on (-1, 1). Shape: any -> the same."""
    return lax.erf_inv(input)


@erfinv.gradient
@widened
def _(grad, result, input):
    inverse = in_double(lax.erf_inv)(input)
    return (grad * (math.sqrt(math.pi) / 2) * jnp.exp(inverse * inverse),)


@op("lgamma", rule="float", method=True, inplace=True, out=True)
@in_double
def lgamma(input: Array):
    """The logarithm of |Γ(input)|. Shape: any -> the same."""
    # XLA's is not quite 0 at its zeros; in float32 it is off by 4.8e-7 there.
    return jnp.where((input == 1) | (input == 2), 0, lax.lgamma(input))


@lgamma.gradient
@widened
def _(grad, result, input):
    return (grad * digamma.fn(input),)


@op("digamma", rule="float", method=True, inplace=True, out=True)
@widened
def digamma(input: Array):
    """The derivative of lgamma; ∓inf at ±0, nan at negative whole numbers. Shape: any -> the same."""
    return jnp.where(input == 0, -1 / input, _psi(input))


@jax.custom_jvp
def _psi(x):
    return lax.digamma(x)


# JAX's own slope is off where x is negative.
_psi.defjvps(lambda tangent, result, x: tangent * _trigamma(x))


@digamma.gradient
@widened
def _(grad, result, input):
    return (grad * _trigamma(input),)


def _trigamma(x):
    # Γ's reflection: ψ₁(x) + ψ₁(1 - x) = π² / sin²(πx).
    mirror = x < 0.5
    series = jnp.where(x == jnp.inf, 0, special.polygamma(1, jnp.where(mirror, 1 - x, x)))
    sine = jnp.sin(math.pi * x)
    return jnp.where(mirror, (math.pi * math.pi) / (sine * sine) - series, series)


@op("polygamma", rule="float", out=True)
@widened
def polygamma(n, input: Array):
    """The n-th derivative of digamma. Shape: any -> the same. Raises RuntimeError for negative n."""
    if n < 0:
        raise RuntimeError("polygamma(n, x) does not support negative n.")
    if n == 0:
        return digamma.fn(input)
    if n == 1:
        return _trigamma(input)
    sign = 1 if n % 2 else -1
    return sign * math.factorial(n) * hurwitz(jnp.full_like(input, n + 1), input)


@polygamma.gradient
@widened
def _(grad, result, n, input):
    return (grad * polygamma.fn(n + 1, input),)


@op("mvlgamma", rule="float", method=True, inplace=True, out=True)
@widened
def mvlgamma(input: Array, p):
    """The logarithm of the multivariate gamma function of dimension p. Shape: any -> the same."""
    if p < 1:
        raise RuntimeError("p has to be greater than or equal to 1")
    shifts = [lax.lgamma(input - i / 2) for i in range(p)]
    return sum(shifts[1:], shifts[0]) + p * (p - 1) / 4 * math.log(math.pi)


@op("igamma", rule=dtypes.within("igamma_cpu", dtypes.FLOAT, dtypes.FLOAT), method=True, inplace=True, out=True)
def igamma(input: Array, other: Array):
    """The regularized lower incomplete gamma function P(input, other). Shape: broadcast."""
    return lax.igamma(*jnp.broadcast_arrays(input, other))


@op("igammac", rule=dtypes.within("igammac_cpu", dtypes.FLOAT, dtypes.FLOAT), method=True, inplace=True, out=True)
def igammac(input: Array, other: Array):
    """The regularized upper incomplete gamma function, 1 - P(input, other). Shape: broadcast."""
    return lax.igammac(*jnp.broadcast_arrays(input, other))


@op("i0", rule="float", method=True, inplace=True, out=True)
@widened
def i0(input: Array):
    """The modified Bessel function of the first kind of order 0. Shape: any -> the same."""
    return special.i0(input)


@i0.gradient
@widened
def _(grad, result, input):
    return (grad * special.i1(input),)


@op("sinc", rule="float", method=True, inplace=True, out=True)
@widened
def sinc(input: Array):
    """sin(πx) / (πx), 1 at 0. Shape: any -> the same."""
    return jnp.sinc(input)


@sinc.gradient
@widened
def _(grad, result, input):
    x = math.pi * jnp.conj(input)
    flat = x * x == 0
    slope = (x * jnp.cos(x) - jnp.sin(x)) / jnp.where(flat, 1, x * x / math.pi)
    return (jnp.where(flat, 0, grad * slope),)


def _xlogy_name(operands, attrs):
    numbers = [ndim is None for _, ndim in operands]
    return f"XlogyBackward{1 if numbers[0] else 2 if numbers[1] else 0}"


@op("xlogy", rule=dtypes.real("xlogy_cpu", halves=True), method=True, inplace=True, out=True, grad_name=_xlogy_name)
@widened
def xlogy(input: Operand, other: Operand):
    """input · log(other), 0 where input is 0 and nan where other is. Shape: broadcast."""
    product = input * jnp.log(jnp.where(input == 0, 1, other))
    return jnp.where(jnp.isnan(other), other, product)


@xlogy.gradient
@widened
def _(grad, result, input, other):
    # torch: the slope along input is 0 where input is 0 and other is not above 0.
    dead = (input == 0) & (other <= 0)
    return jnp.where(dead, 0, grad * jnp.log(jnp.where(dead, 1, other))), grad * input / other
