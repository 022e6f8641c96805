"""Ops that build complex numbers and take them apart: parts, conjugates, angles."""

import math

import numpy as np
from jax import lax
from jax import numpy as jnp

from jtorch import dtypes
from jtorch.ops.op import FOUND, Array, op


@op("conj", door=None, grad_name="ConjBackward0", follows=True)
def conj(input: Array):
    """Each element with its imaginary part negated. Shape: any -> the same."""
    return jnp.conj(input)


@op("conj_physical", method=True, inplace=True, out=FOUND, follows=True)
def conj_physical(input: Array):
    """Each element with its imaginary part negated. Shape: any -> the same."""
    return jnp.conj(input)


@op("angle", rule="float", follows=False, method=True, out=True)
def angle(input: Array):
    """The angle of each number in the complex plane, in radians: 0 or π for real ones. Shape: any -> the same."""
    if jnp.iscomplexobj(input):
        return jnp.arctan2(input.imag, input.real)
    return jnp.where(jnp.isnan(input), input, jnp.where(input < 0, np.asarray(math.pi, input.dtype), 0))


@angle.gradient
def _(grad, result, input):
    # torch: the slope is 0 at 0 and for real numbers.
    if not jnp.iscomplexobj(input):
        return (jnp.zeros_like(grad),)
    square = input.real * input.real + input.imag * input.imag
    scale = jnp.where(square == 0, 0, grad / jnp.where(square == 0, 1, square))
    return (lax.complex(-input.imag * scale, input.real * scale),)


@op("isreal", method=True, follows=True)
def isreal(input: Array):
    """Which elements have no imaginary part. Shape: any -> the same, bool."""
    return input.imag == 0 if jnp.iscomplexobj(input) else jnp.ones(input.shape, bool)


def _parts_dtype(operands, attrs):
    first, second = (dtype for dtype, _ in operands)
    if not {first, second} <= {dtypes.float16, dtypes.float32, dtypes.float64}:
        raise RuntimeError(
            f"Expected both inputs to be Half, Float or Double tensors but got {first.label} and {second.label}"
        )
    if first is not second:
        raise RuntimeError(
            f"Expected object of scalar type {first.label} but got scalar type {second.label} for second argument"
        )
    return first


_ARGUMENT = "Expected object of scalar type {Want} but got scalar type {Have} for argument 'out'"


@op("complex", rule=_parts_dtype, out=_ARGUMENT)
def complex(real: Array, imag: Array):
    """real + i · imag. Shape: broadcast. Raises RuntimeError where the dtypes are not one and the same float."""
    return lax.complex(*jnp.broadcast_arrays(real, imag))


@op("polar", rule=_parts_dtype, out=_ARGUMENT)
def polar(abs: Array, angle: Array):
    """The complex number of this length and angle. Shape: broadcast."""
    abs, angle = jnp.broadcast_arrays(abs, angle)
    return lax.complex(abs * jnp.cos(angle), abs * jnp.sin(angle))


@polar.gradient
def _(grad, result, abs, angle):
    length = jnp.abs(result)
    direction = jnp.where(length == 0, 0, result / jnp.where(length == 0, 1, length))
    return (jnp.conj(grad) * direction).real, (jnp.conj(grad) * result * 1j).real
