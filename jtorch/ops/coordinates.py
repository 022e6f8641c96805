"""Sparse tensors' numbers put where they belong."""

import jax.numpy as jnp

from jtorch.ops.op import Array, op


@op("sparse_to_dense", door=None, grad_name="ToDenseBackward0")
def sparse_to_dense(places: Array, values: Array, shape):
    """Values added up at their places; those whose place lies outside count for nothing.

    Shape: (sparse dims, m), (m, *dense dims) -> shape.
    """
    spots = jnp.zeros(shape, values.dtype).at[tuple(places)]
    if not len(places):
        return values.sum(0, dtype=values.dtype)
    return spots.max(values, mode="drop") if values.dtype == bool else spots.add(values, mode="drop")
