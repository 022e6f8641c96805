"""Ops that make tensors from nothing but numbers; the device is the recorder's business."""

import numpy as np
from jax import lax
from jax import numpy as jnp

from jtorch.ops.op import Array, DType, Scalar, op


@op("full_kernel", door=None, differentiable=False)
def full_kernel(fill_value: Scalar, *, size, dtype: DType):
    """Every element is fill_value. Shape: size."""
    if isinstance(fill_value, (bool, int, float, complex)):
        fill_value = np.asarray(fill_value).astype(dtype)
    return jnp.broadcast_to(jnp.asarray(fill_value).astype(dtype), size)


@op("fill_kernel", door=None, grad_name="FillBackward0")
def fill_kernel(input: Array, value: Scalar):
    """The operand's shape and dtype with value everywhere."""
    return full_kernel.fn(value, size=input.shape, dtype=input.dtype)


@op("arange_kernel", door=None, differentiable=False)
def arange_kernel(*, start, step, length, dtype: DType):
    """start + i · step, worked out in float64 (int64 for integers). Shape: (length,)."""
    whole = isinstance(start, int) and isinstance(step, int)
    index = lax.iota(np.int64 if whole else np.float64, length)
    return (index * step + start).astype(dtype)


def _whole_ends(start, end, dtype):
    # torch: the ends of a sequence of integers are integers.
    return (int(start), int(end)) if np.dtype(dtype).kind in "iu" else (start, end)


@op("linspace_kernel", door=None, differentiable=False)
def linspace_kernel(*, start, end, steps, dtype: DType):
    """steps numbers from start to end, counted from the nearer end as torch does. Shape: (steps,)."""
    start, end = _whole_ends(start, end, dtype)
    if steps == 1:
        return jnp.full((1,), start, dtype)
    work = dtype if np.dtype(dtype).kind in "fc" or dtype.kind == "V" else np.dtype(np.float32)
    index = lax.iota(np.int32, steps)
    # torch: product and sum are rounded once, together; in float64 float32's product is exact.
    fused = np.dtype(np.float64) if work == np.float32 else work
    first, last = (jnp.asarray(at, work) for at in (start, end))
    step = ((last - first) / jnp.asarray(steps - 1, work)).astype(fused)
    up = first.astype(fused) + step * index.astype(fused)
    down = last.astype(fused) - step * (steps - 1 - index).astype(fused)
    return jnp.where(index < steps // 2, up, down).astype(work).astype(dtype)


@op("logspace_kernel", door=None, differentiable=False)
def logspace_kernel(*, start, end, steps, base, dtype: DType):
    """base to the power of each number of a linspace. Shape: (steps,)."""
    start, end = _whole_ends(start, end, dtype)
    exponents = linspace_kernel.fn(start=float(start), end=float(end), steps=steps, dtype=np.dtype(np.float64))
    return jnp.power(jnp.asarray(base, np.float64), exponents).astype(dtype)


@op("eye_kernel", door=None, differentiable=False)
def eye_kernel(*, rows, columns, dtype: DType):
    """Ones on the diagonal. Shape: (rows, columns)."""
    return jnp.eye(rows, columns, dtype=dtype)
