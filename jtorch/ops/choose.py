"""Ops that choose between values element by element: where, masks, bounds, the larger and the smaller."""

from jax import numpy as jnp

from jtorch import dtypes, shapes
from jtorch.ops.op import Array, Operand, op


def _is_number(operand):
    return operand[1] is None


# Masks.


def _where_dtype(operands, attrs):
    condition = operands[0][0]
    if condition not in (dtypes.bool_, dtypes.uint8):
        raise RuntimeError(
            f"where expected condition to be a boolean tensor, but got a tensor with dtype {condition.label}"
        )
    return dtypes.result_type(operands[1:])


@op("where_kernel", rule=_where_dtype, door=None, grad_name="WhereBackward0")
def where_kernel(condition: Array, input: Operand, other: Operand):
    """input where condition holds, else other. Shape: broadcast. Raises RuntimeError where condition is not bool."""
    return jnp.where(condition != 0, input, other)


def _masked_fill_name(operands, attrs):
    return "MaskedFillBackward0" if _is_number(operands[2]) else "MaskedFillBackward1"


@op("masked_fill", method=True, inplace=True, grad_name=_masked_fill_name)
def masked_fill(input: Array, mask: Array, value: Operand):
    """input with value where mask holds. Shape: broadcast. Raises RuntimeError for a mask that is not bool."""
    if mask.dtype != bool:
        kind = dtypes.cpp_name(dtypes.from_numpy(mask.dtype))
        raise RuntimeError(f"masked_fill_ only supports boolean masks, but got mask with dtype {kind}")
    if isinstance(value, (int, float, complex)):
        dtypes.check_number(value, dtypes.from_numpy(input.dtype))
    if jnp.ndim(value):
        raise RuntimeError(
            f"masked_fill_ only supports a 0-dimensional value tensor, but got tensor with {value.ndim} dimension(s)."
        )
    shapes.broadcast_shapes(mask.shape, input.shape)
    return jnp.where(mask, jnp.asarray(value).astype(input.dtype), input)


@masked_fill.gradient
def _(grad, result, input, mask, value):
    return jnp.where(mask, 0, grad), None, jnp.where(mask, grad, 0)


# Bounds.


def _refuse_complex_bounds(input):
    if jnp.iscomplexobj(input):
        raise NotImplementedError("clamp is not supported for complex types")


def _clamp_name(operands, attrs):
    bounds = [o for o in operands[1:] if o is not None]
    return "ClampBackward1" if all(map(_is_number, bounds)) else "ClampBackward0"


@op("clamp", "clip", rule="promote", method=True, inplace=True, out=True, grad_name=_clamp_name)
def clamp(input: Array, min: Operand | None = None, max: Operand | None = None):
    """input, not below min and not above max; max where min is above max. Shape: broadcast."""
    if min is None and max is None:
        raise RuntimeError("torch.clamp: At least one of 'min' or 'max' must not be None")
    _refuse_complex_bounds(input)
    result = input if min is None else jnp.maximum(input, min)
    return result if max is None else jnp.minimum(result, max)


@clamp.gradient
def _(grad, result, input, min=None, max=None):
    # torch: a value on a bound passes its gradient on; outside, the bound that holds gets it, of equal ones only max.
    below = jnp.zeros((), bool) if min is None else input < min
    above = jnp.zeros((), bool) if max is None else input > max
    inside = jnp.ones((), bool) if min is None else input >= min
    inside = inside if max is None else inside & (input <= max)
    lower, crossed = (True, False) if min is None or max is None else (min < max, max < min)
    return (
        jnp.where(inside, grad, 0),
        None if min is None else jnp.where(below & lower, grad, 0),
        None if max is None else jnp.where(above | crossed, grad, 0),
    )


def _bound_name(which):
    return lambda operands, attrs: f"Clamp{which}Backward{0 if _is_number(operands[1]) else 1}"


@op("clamp_min", rule="promote", method=True, inplace=True, out=True, grad_name=_bound_name("Min"))
def clamp_min(input: Array, min: Operand):
    """input, not below min. Shape: broadcast."""
    _refuse_complex_bounds(input)
    return jnp.maximum(input, min)


@clamp_min.gradient
def _(grad, result, input, min):
    return jnp.where(input >= min, grad, 0), jnp.where(input < min, grad, 0)


@op("clamp_max", rule="promote", method=True, inplace=True, out=True, grad_name=_bound_name("Max"))
def clamp_max(input: Array, max: Operand):
    """input, not above max. Shape: broadcast."""
    _refuse_complex_bounds(input)
    return jnp.minimum(input, max)


@clamp_max.gradient
def _(grad, result, input, max):
    return jnp.where(input <= max, grad, 0), jnp.where(input > max, grad, 0)


# The larger, the smaller.


def _refuse_complex(name, input):
    if jnp.iscomplexobj(input):
        raise RuntimeError(f"{name} not implemented for complex tensors.")


@op("maximum", rule="promote", method=True, out=True)
def maximum(input: Array, other: Array):
    """The larger of two elements, nan where either is. Shape: broadcast."""
    _refuse_complex("maximum", input)
    return jnp.maximum(input, other)


@maximum.gradient
def _(grad, result, input, other):
    # torch: beside nan, both sides get the gradient.
    half = jnp.where(input == other, grad / 2, grad)
    return jnp.where(input < other, 0, half), jnp.where(input > other, 0, half)


@op("minimum", rule="promote", method=True, out=True)
def minimum(input: Array, other: Array):
    """The smaller of two elements, nan where either is. Shape: broadcast."""
    _refuse_complex("minimum", input)
    return jnp.minimum(input, other)


@minimum.gradient
def _(grad, result, input, other):
    half = jnp.where(input == other, grad / 2, grad)
    return jnp.where(input > other, 0, half), jnp.where(input < other, 0, half)


@op("fmax", rule="promote", method=True, out=True)
def fmax(input: Array, other: Array):
    """The larger of two elements, the other one where one is nan. Shape: broadcast."""
    _refuse_complex("fmax", input)
    return jnp.fmax(input, other)


@fmax.gradient
def _(grad, result, input, other):
    first = (input >= other) | jnp.isnan(other)
    return jnp.where(first, grad, 0), jnp.where(first, 0, grad)


@op("fmin", rule="promote", method=True, out=True)
def fmin(input: Array, other: Array):
    """The smaller of two elements, the other one where one is nan. Shape: broadcast."""
    _refuse_complex("fmin", input)
    return jnp.fmin(input, other)


@fmin.gradient
def _(grad, result, input, other):
    first = (input <= other) | jnp.isnan(other)
    return jnp.where(first, grad, 0), jnp.where(first, 0, grad)


def _one_dtype(operands, attrs):
    if any(dtype.is_complex for dtype, _ in operands):
        raise RuntimeError("heaviside is not yet implemented for complex tensors.")
    if operands[0][0] is not operands[1][0]:
        raise RuntimeError("heaviside is not yet implemented for tensors with different dtypes.")
    return operands[0][0]


@op("heaviside", rule=_one_dtype, method=True, inplace=True, out=True, grad_name="NotImplemented", saves=("result",))
def heaviside(input: Array, values: Array):
    """0 below 0, 1 above, values at 0. Shape: broadcast. Has no gradient. Raises RuntimeError where dtypes differ."""
    return jnp.where(input == 0, values, (input > 0).astype(values.dtype))


@heaviside.gradient
def _(grad, result, input, values):
    raise RuntimeError("derivative for aten::heaviside is not implemented")
