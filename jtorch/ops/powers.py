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
    if not _is_number(kinds[0]) and not _is_number(kinds[1]):
        shapes.broadcast_shapes(input.shape, exponent.shape)
    dtype = dtypes.result_type(kinds)
    if _is_number(kinds[1]):
        return dtypes.convert(input, dtype.numpy), _number_above(exponent, dtype)
    if _is_number(kinds[0]):
        dtypes.need_within(dtype, "pow", dtypes.INT, dtypes.COMPLEX, bare=_is_one(input))
        input = jnp.asarray(dtypes.array_of(input, dtype.numpy))
    else:
        dtypes.need_within(dtype, "pow", dtypes.INT, dtypes.COMPLEX)
        input = dtypes.convert(input, dtype.numpy)
    return input, dtypes.convert(exponent, dtype.numpy)


def _is_one(base):
    return not isinstance(base, bool) and base == 1


def _number_above(exponent, dtype):
    """A number as an exponent over a dtype: itself, or an array where the number must not be looked at."""
    if exponent in (0, 1):
        return exponent
    dtypes.need_within(dtype, "pow", dtypes.BOOL, dtypes.COMPLEX)
    if dtype.category < dtypes.FLOAT and exponent < 0:
        raise RuntimeError("Integers to negative integer powers are not allowed.")
    half = dtype.name in ("float16", "bfloat16")
    if half or dtype.category == dtypes.INT:
        dtypes.check_number(exponent, dtypes.int64 if type(exponent) is int and exponent >= 2**63 else dtype)
    if not half:
        return exponent
    # torch: rounds it to the half type, and takes no root of float16.
    rounded = dtypes.array_of(exponent, dtype.numpy)
    return jnp.asarray(rounded) if abs(exponent) == 0.5 and dtype is dtypes.float16 else float(rounded)


@widened
def _power(x, n):
    """x to the power of a number or an array. Small whole numbers multiply, so that x ** 2 is x · x exactly."""
    if not isinstance(n, (bool, int, float, complex)):
        return _int_power(x, n) if _fits(x, jnp.integer) else _float_power(x, n)
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
    return _float_power(x, lax.optimization_barrier(jnp.asarray(dtypes.array_of(n, x.dtype))))


def _float_power(x, n):
    if not _fits(x, jnp.complexfloating):
        return jnp.power(x, n)
    # torch: goes by way of the logarithm, so that 0 to the 0 is nan; C's exp knows the infinities, XLA's does not.
    exponent = n * jnp.log(x)
    size, angle = exponent.real, exponent.imag
    power = jnp.where(size == -jnp.inf, 0, jnp.exp(exponent))
    return jnp.where((size == jnp.inf) & ~jnp.isfinite(angle), complex(np.inf, np.nan), power)


def _int_power(x, n):
    # torch: an int to a negative power is 0, except for 1 and -1.
    flipped = jnp.where(x == 1, 1, jnp.where(x == -1, jnp.where(n % 2 == 0, 1, -1), 0)).astype(x.dtype)
    return jnp.where(n < 0, flipped, _squaring(x, jnp.maximum(n, 0)))


def _squaring(x, n):
    """x to the power of n >= 0 by repeated squaring, wrapping as integers do. Shape: broadcast."""
    x, n = jnp.broadcast_arrays(x, n)

    def step(state):
        result, square, rest = state
        return jnp.where(rest & 1 != 0, result * square, result), square * square, rest >> 1

    return lax.while_loop(lambda state: jnp.any(state[2] > 0), step, (jnp.ones_like(x), x, n))[0]


def _pow_name(operands, attrs):
    return f"PowBackward{2 if _is_number(operands[0]) else 0 if _is_number(operands[1]) else 1}"


@op("pow", method=True, inplace=True, out=True, operator="pow", lift=False, grad_name=_pow_name, follows=True)
def pow(input: Operand, exponent: Operand):
    """input to the power of exponent. Shape: broadcast. Raises RuntimeError for integers to a negative whole number."""
    if isinstance(input, (int, float, complex)) and _is_one(input):
        return jnp.ones_like(_power_operands(input, exponent)[1])  # torch: whatever the exponent, nan included
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


@op("float_power", method=True, inplace=True, out=True, lift=False, grad_name=_pow_name, follows=True)
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
