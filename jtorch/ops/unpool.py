"""Max pooling undone: elements put back where the pooling found them."""

import math

import jax.numpy as jnp

from jtorch import dtypes, shapes
from jtorch.ops.op import Array, op


def _unpool_name(operands, attrs):
    return {1: "SqueezeBackward1"}.get(len(attrs[0]), f"MaxUnpool{len(attrs[0])}DBackward0")


# Where two elements go to one place, the gradient is not what the last one alone would have.
@op("max_unpool", door=None, grad_name=_unpool_name, linear=False)
def max_unpool(input: Array, indices: Array, output_size):
    """Zeros with each element of input put where its index says. Shape: (*, *spatial) twice -> (*, *output_size)."""
    if input.shape != indices.shape:
        raise RuntimeError(
            f"Expected shape of indices to be: {shapes.listed(input.shape)} but got: {shapes.listed(indices.shape)}"
        )
    if indices.dtype != jnp.int64:
        label = dtypes.from_numpy(indices.dtype).label
        raise RuntimeError(f"elements in indices should be type int64 but got: {label}")
    kept = input.shape[: input.ndim - len(output_size)]
    rows = math.prod(kept)
    flat = jnp.zeros((rows, math.prod(output_size)), input.dtype)
    at = jnp.arange(rows)[:, None], indices.reshape(rows, -1)
    return flat.at[at].set(input.reshape(rows, -1)).reshape(*kept, *output_size)


@max_unpool.gradient
def _(grad, result, input, indices, output_size):
    rows = math.prod(input.shape[: input.ndim - len(output_size)])
    flat = grad.reshape(rows, -1)
    return jnp.take_along_axis(flat, indices.reshape(rows, -1), 1).reshape(input.shape), None
