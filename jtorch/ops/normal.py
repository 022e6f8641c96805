"""The normal distribution's functions, the entropy, zeta, and Bessel functions that have a gradient."""

import math

import jax
from jax import numpy as jnp
from jax.scipy import special

from jtorch import dtypes
from jtorch.ops.op import Array, Operand, op, widened
from jtorch.series import chebyshev, hurwitz, in_double

# erfcx(x) (1 + 2x) for x from 0 on, in (x - 3.75) / (x + 3.75).
_ERFCX = (
    1.1775789345674017, -0.004590054580646478, -0.08424913336651792, 0.05920993999819189, -0.026658668435305753,
    0.009074997670705265, -0.002413163540417608, 0.0004907758365258086, -6.916973302501206e-05, 4.139027986073013e-06,
    7.740383066198512e-07, -2.1886401049234217e-07, 1.0764999465672356e-08, 4.521959811219384e-09,
    -7.754400208823961e-10, -6.318088340849315e-11, 2.8687950109311478e-11, 1.945586850936246e-13,
    -9.654696755728877e-13, 3.2525480393598805e-14, 3.347811804713363e-14, -1.8645646501534796e-15,
    -1.25079713974285e-15, 7.417996906184966e-17, 5.067883167835429e-17,
)  # fmt: skip
_MIDDLE = 3.75
_ROOT2 = math.sqrt(2)


@in_double
def _erfcx(x):
    size = jnp.abs(x)
    t = jnp.where(jnp.isinf(size), 1, (size - _MIDDLE) / (size + _MIDDLE))
    found = chebyshev(t, _ERFCX) / (1 + 2 * size)
    return jnp.where(x < 0, 2 * jnp.exp(x * x) - found, found)


@op("special_erfcx", door="special", rule=dtypes.real("erfcx_cpu"), out=True, saves=("input", "result"))
def erfcx(input: Array):
    """exp(input²) erfc(input), which does not underflow. Shape: any -> the same."""
    return _erfcx(input)


@erfcx.gradient
def _(grad, result, input):
    return (grad * (2 * input * result - 2 / math.sqrt(math.pi)),)


@op("special_log_ndtr", door="special", rule=dtypes.real("log_ndtr_cpu"), out=True)
def log_ndtr(input: Array):
    """The logarithm of the area under the normal density up to input. Shape: any -> the same."""
    below = jnp.minimum(input, -1)
    tail = jnp.log(_erfcx(-below / _ROOT2) / 2) - below * below / 2
    return jnp.where(input < -1, tail, jnp.log1p(-jax.lax.erfc(input / _ROOT2) / 2))


@log_ndtr.gradient
def _(grad, result, input):
    return (grad / _smooth_erfcx(-input / _ROOT2) * math.sqrt(2 / math.pi),)


@jax.custom_jvp
def _smooth_erfcx(x):
    return _erfcx(x)


@_smooth_erfcx.defjvp
def _(primals, tangents):
    (x,), (dx,) = primals, tangents
    found = _smooth_erfcx(x)
    return found, dx * (2 * x * found - 2 / math.sqrt(math.pi))


@op("special_ndtr", door="special", rule="float", out=True, grad_name="MulBackward1")
@widened
def ndtr(input: Array):
    """The area under the normal density up to input. Shape: any -> the same."""
    return (1 + jax.lax.erf(input * (1 / _ROOT2))) * 0.5


@op("special_ndtri", door="special", rule=dtypes.real("ndtri_cpu"), out=True, saves=("result",))
def ndtri(input: Array):
    """The inverse of ndtr on [0, 1]. Shape: any -> the same."""
    inside = special.ndtri(jnp.clip(input, 0, 1))
    return jnp.where((input >= 0) & (input <= 1), inside, jnp.nan)


@ndtri.gradient
def _(grad, result, input):
    return (grad * math.sqrt(2 * math.pi) * jnp.exp(result * result / 2),)


@op("special_entr", door="special", rule=dtypes.real("entr_cpu", halves=True), out=True)
@widened
def entr(input: Array):
    """-input · log(input), 0 at 0 and -inf below. Shape: any -> the same."""
    positive = input > 0
    found = -input * jnp.log(jnp.where(positive, input, 1))
    return jnp.where(positive | jnp.isnan(input), found, jnp.where(input == 0, 0, -jnp.inf))


@entr.gradient
@widened
def _(grad, result, input):
    return (grad * jnp.where(jnp.isnan(input), input, -jnp.log(input) - 1),)


def _numbered(name):
    """torch's name of the grad_fn of a call in which one of two operands may be a number."""

    def node(operands, attrs):
        numbers = [ndim is None for _, ndim in operands]
        return f"{name}Backward{1 if numbers[0] else 2 if numbers[1] else 0}"

    return node


@op("special_xlog1py", door="special", rule=dtypes.real("xlog1py_cpu", halves=True), out=True,
    grad_name=_numbered("SpecialXlog1Py"))  # fmt: skip
@widened
def xlog1py(input: Operand, other: Operand):
    """input · log(1 + other), 0 where input is 0 and nan where other is. Shape: broadcast."""
    product = input * jnp.log1p(jnp.where(input == 0, 0, other))
    return jnp.where(jnp.isnan(other), other, product)


@xlog1py.gradient
@widened
def _(grad, result, input, other):
    dead = (input == 0) & (other <= -1)
    return jnp.where(dead, 0, grad * jnp.log1p(jnp.where(dead, 0, other))), grad * input / (other + 1)


@jax.custom_jvp
def _without_gradient(x):
    return x


@_without_gradient.defjvp
def _(primals, tangents):
    raise NotImplementedError("the derivative for 'zeta' is not implemented.")


@op("special_zeta", door="special", rule=dtypes.real("zeta_cpu"), out=True, grad_name=_numbered("SpecialZeta"),
    saves=("input", "other"))  # fmt: skip
def zeta(input: Operand, other: Operand):
    """Hurwitz's zeta function Σ (k + other)^-input, k from 0 on. Shape: broadcast. No gradient along input."""
    x, q = jnp.broadcast_arrays(_without_gradient(input), other)
    return hurwitz(x, q)


@op("special_i0e", door="special", rule=dtypes.real("i0e_cpu", halves=True), out=True, saves=("input", "result"),
    grad_name="SpecialI0EBackward0")  # fmt: skip
@widened
def i0e(input: Array):
    """exp(-|input|) · i0(input). Shape: any -> the same."""
    return special.i0e(input)


@i0e.gradient
@widened
def _(grad, result, input):
    return (grad * (special.i1e(input) - jnp.sign(input) * result),)


@op("special_i1", door="special", rule=dtypes.real("i1_cpu", halves=True), out=True, saves=("input", "result"))
@widened
def i1(input: Array):
    """The modified Bessel function of the first kind of order 1. Shape: any -> the same."""
    return special.i1(input)


@i1.gradient
@widened
def _(grad, result, input):
    return (grad * _slope(input, special.i0(input), result, 1 / _safe(input)),)


@op("special_i1e", door="special", rule=dtypes.real("i1e_cpu", halves=True), out=True, saves=("input", "result"),
    grad_name="SpecialI1EBackward0")  # fmt: skip
@widened
def i1e(input: Array):
    """exp(-|input|) · i1(input). Shape: any -> the same."""
    return special.i1e(input)


@i1e.gradient
@widened
def _(grad, result, input):
    return (grad * _slope(input, special.i0e(input), result, jnp.sign(input) + 1 / _safe(input)),)


def _safe(x):
    return jnp.where(jnp.abs(x) > jnp.finfo(x.dtype).eps, x, jnp.finfo(x.dtype).eps)


def _slope(x, zeroth, first, factor):
    return jnp.where(jnp.abs(x) > jnp.finfo(x.dtype).eps, zeroth - first * factor, 0.5)
