"""Ops that write where a mask is true, without knowing how often it is."""

import numpy as np
from jax import lax
from jax import numpy as jnp

from jtorch.dtypes import from_numpy
from jtorch.ops.op import FIRST, Array, Operand, op
from jtorch.shapes import broadcast_shapes


def _rank(mask, count):
    """For each element of a mask, how many are true before it, at most count - 1. Shape: the mask's."""
    before = jnp.cumsum(mask.reshape(-1), dtype=np.int32) - 1
    return jnp.clip(before, 0, max(count - 1, 0)).reshape(mask.shape)


@op("masked_scatter", method=True, inplace=True)
def masked_scatter(input: Array, mask: Array, source: Array):
    """The elements of source, in order, at the places where mask is true; mask and input broadcast.

    Raises RuntimeError for dtypes that do not fit. Where torch raises for too short a source, its last element repeats.
    """
    if mask.dtype != np.bool_:
        label = from_numpy(mask.dtype).label
        raise RuntimeError(f"masked_scatter_ only supports boolean masks, but got mask with dtype {label}")
    if source.dtype != input.dtype:
        labels = [from_numpy(x.dtype).label for x in (input, source)]
        raise RuntimeError(
            f"masked_scatter: expected self and source to have same dtypes but got{' and '.join(labels)}"
        )
    shape = broadcast_shapes(mask.shape, input.shape)
    input, mask = jnp.broadcast_to(input, shape), jnp.broadcast_to(mask, shape)
    if not source.size:
        return input
    picked = source.reshape(-1).at[_rank(mask, source.size)].get(mode="promise_in_bounds")
    return jnp.where(mask, picked, input)


@op("mask_put", door=None, grad_name=("IndexPutBackward0", 0, 2), follows=FIRST)
def mask_put(input: Array, mask: Array, value: Operand, dim):
    """The tensor with value written where a mask, that covers dims `dim` and on, is true.

    value is a number or broadcasts to what the mask reads, (*before, count, *after); count is 1 or as many as are true.
    """
    value = jnp.asarray(value).astype(input.dtype)
    if not value.size:
        return input
    after = input.ndim - dim - mask.ndim
    where = mask.reshape(mask.shape + (1,) * after)
    axis = value.ndim - 1 - after
    if axis >= 0:
        shape = value.shape
        if shape[axis] != 1:
            value = value.at[(slice(None),) * axis + (_rank(mask, shape[axis]),)].get(mode="promise_in_bounds")
        else:
            value = lax.expand_dims(value, range(axis, axis + mask.ndim - 1))
    return jnp.where(where, value, input)
