"""Distances between vectors."""

import jax.numpy as jnp

from jtorch.ops.op import Array, op


@op("pairwise_distance", door=None, grad_name="NormBackward1")
def pairwise_distance(x1: Array, x2: Array, p, eps, keepdim):
    """The p-norm of x1 - x2 + eps along the last dim. Shape: broadcast, without the last dim unless keepdim."""
    apart = jnp.abs(x1 - x2 + eps)
    if p == 1:
        return apart.sum(-1, keepdims=keepdim)
    if p == float("inf"):
        return apart.max(-1, keepdims=keepdim)
    total = (apart * apart if p == 2 else apart**p).sum(-1, keepdims=keepdim)
    # torch: the slope is 0 where the distance is 0.
    positive = total > 0
    safe = jnp.where(positive, total, 1)
    return jnp.where(positive, jnp.sqrt(safe) if p == 2 else safe ** (1 / p), 0)
