"""Distances between vectors."""

import jax.numpy as jnp
import numpy as np

from jtorch.lowering import largest
from jtorch.ops.op import Array, op


@op("pairwise_distance", rule="float", door=None, grad_name="NormBackward1")
def pairwise_distance(x1: Array, x2: Array, p, eps, keepdim):
    """The p-norm of x1 - x2 + eps along the last dim. Shape: broadcast, without the last dim unless keepdim."""
    apart = jnp.abs(x1 - x2 + eps)
    if p == 1:
        return apart.sum(-1, keepdims=keepdim)
    if p == float("inf"):
        return largest(apart, -1, keepdim)
    total = (apart * apart if p == 2 else apart**p).sum(-1, keepdims=keepdim)
    # torch: the slope is 0 where the distance is 0.
    positive = total > 0
    safe = jnp.where(positive, total, 1)
    return jnp.where(positive, jnp.sqrt(safe) if p == 2 else safe ** (1 / p), 0)


@op("pdist", door=None)
def pdist(input: Array, p=2.0):
    """The p-norm distances between the rows, each pair once. Shape: (n, d) -> (n (n - 1) / 2,)."""
    if input.ndim != 2:
        raise RuntimeError(f"pdist only supports 2D tensors, got: {input.ndim}D")
    if p < 0:
        raise RuntimeError("pdist only supports non-negative p values")
    one, other = np.triu_indices(input.shape[0], 1)
    apart = jnp.abs(input[one] - input[other])
    if p == 0:
        return jnp.minimum(jnp.ceil(apart), 1).sum(-1)  # how many differ; nan where one is
    if p == 1:
        return apart.sum(-1)
    if p == float("inf"):
        return largest(apart, -1) if apart.shape[-1] else apart.sum(-1)
    total = (apart * apart if p == 2 else apart**p).sum(-1)
    # torch: the slope is 0 where the distance is 0.
    positive = total > 0
    safe = jnp.where(positive, total, 1)
    return jnp.where(positive, jnp.sqrt(safe) if p == 2 else safe ** (1 / p), 0)
