"""Ops that compare and connect: equal, less, close, and, or, not. Their results are bool."""

from jax import numpy as jnp

from jtorch import dtypes
from jtorch.ops.op import Array, Operand, op
from jtorch.shapes import broadcast_shapes


@op("eq", rule="bool", method=True, inplace=True, out=True, linked=False, operator="eq")
def eq(input: Array, other: Operand):
    """Where input equals other. Shape: broadcast, bool."""
    return input == other


@op("ne", "not_equal", rule="bool", method=True, inplace=True, out=True, linked=False, operator="ne")
def ne(input: Array, other: Operand):
    """Where input differs from other. Shape: broadcast, bool."""
    return input != other


def _ordered(kernel):
    return dtypes.within(kernel, dtypes.BOOL, dtypes.FLOAT)


@op("lt", "less", rule=_ordered("lt_cpu"), method=True, inplace=True, out=True, linked=False, operator="lt")
def lt(input: Array, other: Operand):
    """Where input is less than other. Shape: broadcast, bool."""
    return input < other


@op("le", "less_equal", rule=_ordered("le_cpu"), method=True, inplace=True, out=True, linked=False, operator="le")
def le(input: Array, other: Operand):
    """Where input is at most other. Shape: broadcast, bool."""
    return input <= other


@op("gt", "greater", rule=_ordered("gt_cpu"), method=True, inplace=True, out=True, linked=False, operator="gt")
def gt(input: Array, other: Operand):
    """Where input is greater than other. Shape: broadcast, bool."""
    return input > other


@op("ge", "greater_equal", rule=_ordered("ge_cpu"), method=True, inplace=True, out=True, linked=False, operator="ge")
def ge(input: Array, other: Operand):
    """Where input is at least other. Shape: broadcast, bool."""
    return input >= other


@op("logical_and", method=True, inplace=True, out=True, linked=False, follows=True)
def logical_and(input: Array, other: Array):
    """Where neither element is 0. Shape: broadcast, bool."""
    broadcast_shapes(input.shape, other.shape)
    return jnp.logical_and(dtypes.truth(input), dtypes.truth(other))


@op("logical_or", method=True, inplace=True, out=True, linked=False, follows=True)
def logical_or(input: Array, other: Array):
    """Where an element is not 0. Shape: broadcast, bool."""
    broadcast_shapes(input.shape, other.shape)
    return jnp.logical_or(dtypes.truth(input), dtypes.truth(other))


@op("logical_xor", method=True, inplace=True, out=True, linked=False, follows=True)
def logical_xor(input: Array, other: Array):
    """Where exactly one element is not 0. Shape: broadcast, bool."""
    broadcast_shapes(input.shape, other.shape)
    return jnp.logical_xor(dtypes.truth(input), dtypes.truth(other))


@op("logical_not", method=True, inplace=True, out=True, linked=False, follows=True)
def logical_not(input: Array):
    """Where elements are 0. Shape: any -> the same, bool."""
    return input == 0


def _one_dtype(operands, attrs):
    (first, _), (second, _) = operands
    if first is not second:
        raise RuntimeError(f"{first.label} did not match {second.label}")
    return first


@op("isclose", rule=_one_dtype, method=True)
def isclose(input: Array, other: Array, rtol=1e-05, atol=1e-08, equal_nan=False):
    """Where |input - other| <= atol + rtol · |other|, or both are the same. Shape: broadcast, bool.

    Raises RuntimeError where the dtypes differ or a tolerance is below 0.
    """
    for name, value in (("rtol", rtol), ("atol", atol)):
        if value < 0:
            raise RuntimeError(f"{name} must be greater than or equal to zero, but got {value:g}")
    close = input == other
    if not jnp.issubdtype(input.dtype, jnp.inexact):
        if rtol == 0 and atol == 0:
            return close
        input, other = input.astype(jnp.float64), other.astype(jnp.float64)
    elif equal_nan:
        close |= jnp.isnan(input) & jnp.isnan(other)
    gap = jnp.abs(input - other)
    return close | (jnp.isfinite(gap) & (gap <= atol + jnp.abs(rtol * other)))


@op("all_close", rule=_one_dtype, door=None)
def all_close(input: Array, other: Array, rtol=1e-05, atol=1e-08, equal_nan=False):
    """Whether isclose holds for every element. Shape: broadcast -> (), bool."""
    return jnp.all(isclose.fn(input, other, rtol, atol, equal_nan))
