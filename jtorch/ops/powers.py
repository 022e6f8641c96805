"""Powers of each element: pow and float_power, with exponents that are numbers kept exact."""

import numpy as np
from jax import lax
from jax import numpy as jnp

from jtorch import dtypes, shapes
from jtorch.ops.op import Operand, op, widened


def _is_number(operand):
    return operand[1] is None


def _fits(x, kind):
    return jnp.issubdtype(x.dtype, kind)


def _power_operands(input, exponent):
    """Both in their common dtype; an exponent that is a number stays one."""
    kinds = [(type(x), None) if isinstance(x, (bool, int, float, complex)) else (dtypes.from_numpy(x.dtype), x.ndim)
             for x in (input, exponent)]  # fmt: skip
    dtype = dtypes.result_type(kinds).numpy
    if not _is_number(kinds[0]) and not _is_number(kinds[1]):
        shapes.broadcast_shapes(input.shape, exponent.shape)
    if _is_number(kinds[1]):
        if not jnp.issubdtype(dtype, jnp.inexact) and exponent < 0:
            raise RuntimeError("Integers to negative integer powers are not allowed.")
        return input.astype(dtype), exponent
    if dtype.kind == "b":
        raise NotImplementedError("\"pow\" not implemented for 'Bool'")
    base = jnp.asarray(np.asarray(input, dtype)) if _is_number(kinds[0]) else input.astype(dtype)
    return base, exponent.astype(dtype)


def _power(x, n):
    """x to the power of a number or an array. Small whole numbers multiply, so that x ** 2 is x · x exactly."""
    if not isinstance(n, (bool, int, float, complex)):
        return _int_power(x, n) if _fits(x, jnp.integer) else jnp.power(x, n)
    if n == 0:
        return jnp.ones_like(x)
    if x.dtype == bool:
        return x
    if n in (0.5, -0.5):
        root = jnp.sqrt(x)
        return root if n > 0 else 1 / root
    if _fits(x, jnp.integer):
        return lax.integer_pow(x, int(n))
    if n in (1, 2, 3, 4):
        return lax.integer_pow(x, int(n.real))
    if n in (-1, -2):
        return 1 / (x if n == -1 else x * x)
    return jnp.power(x, jnp.asarray(np.asarray(n, x.dtype)))


def _int_power(x, n):
    # torch: an int to a negative power is 0, except for 1 and -1.
    flipped = jnp.where(x == 1, 1, jnp.where(x == -1, jnp.where(n % 2 == 0, 1, -1), 0)).astype(x.dtype)
    return jnp.where(n < 0, flipped, jnp.power(x, jnp.maximum(n, 0)))


def _pow_name(operands, attrs):
    return f"PowBackward{2 if _is_number(operands[0]) else 0 if _is_number(operands[1]) else 1}"


@op("pow", method=True, inplace=True, out=True, operator="pow", lift=False, grad_name=_pow_name)
@widened
def pow(input: Operand, exponent: Operand):
    """input to the power of exponent. Shape: broadcast. Raises RuntimeError for integers to a negative whole number."""
    return _power(*_power_operands(input, exponent))


@widened
def _pow_gradient(grad, result, input, exponent):
    x, n = _power_operands(input, exponent)
    if isinstance(n, (bool, int, float, complex)):
        return (jnp.zeros_like(grad) if n == 0 else grad * jnp.conj(n * _power(x, n - 1))), None
    # torch: where the exponent is 0 the base has no slope, and a base of 0 gives none to an exponent above 0.
    along_x = jnp.where(n == 0, 0, grad * jnp.conj(n * _power(x, n - 1)))
    still = (x == 0) & (n.real >= 0)
    along_n = jnp.where(still, 0, grad * jnp.conj(_power(x, n) * jnp.log(jnp.where(still, 1, x))))
    return along_x, along_n


pow.gradient(_pow_gradient)


@op("float_power", method=True, inplace=True, out=True, lift=False, grad_name=_pow_name)
def float_power(input: Operand, exponent: Operand):
    """input to the power of exponent, in double precision. Shape: broadcast."""
    return _power(*_power_operands(_double(input), _double(exponent)))


@float_power.gradient
def _(grad, result, input, exponent):
    return _pow_gradient(grad, result, _double(input), _double(exponent))


def _double(x):
    if isinstance(x, (bool, int, float, complex)):
        return x
    return x.astype(np.complex128 if _fits(x, jnp.complexfloating) else np.float64)
