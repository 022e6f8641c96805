"""Ops on all gradients of a model at once: their norms, and clipping by norm and by value."""

import jax.numpy as jnp

from jtorch.lowering import largest, smallest
from jtorch.ops.op import Array, Arrays, Input, op

_HALVES = (jnp.float16, jnp.bfloat16)


def _norm(x, ord):
    """The vector norm of all elements, halves added up in float32."""
    size = jnp.abs(x).astype(jnp.float32 if x.dtype in _HALVES else jnp.abs(x).dtype)
    if ord == 2:
        norm = jnp.sqrt(jnp.sum(size * size))
    elif ord == 1:
        norm = jnp.sum(size)
    elif ord == float("inf"):
        norm = largest(size)
    elif ord == float("-inf"):
        norm = smallest(size)
    elif ord == 0:
        norm = jnp.count_nonzero(size)
    else:
        norm = jnp.sum(size**ord) ** (1 / ord)
    return norm.astype(jnp.abs(x).dtype)


@op("each_norm", door=None, differentiable=False)
def each_norm(tensors: Arrays, ord):
    """The norm of each tensor. Shape: n tensors of any shape -> (n,)."""
    norms = [_norm(x, ord) for x in tensors]
    return jnp.stack([n.astype(jnp.result_type(*norms)) for n in norms])


@op("whole_norm", door=None, differentiable=False)
def whole_norm(norms: Array, ord):
    """The norm of all tensors together, from the norms of each. Shape: (n,) -> ()."""
    return _norm(norms, ord)


@op("clip_by_norm", door=None, differentiable=False)
def clip_by_norm(grads: Arrays, total_norm: Array, max_norm: Input):
    """Gradients · min(1, max_norm / (total_norm + 1e-6)); no branch, so that the step stays one program."""
    scale = jnp.minimum(max_norm.astype(total_norm.dtype) / (total_norm + 1e-6), 1)
    return [_scaled(g, scale) for g in grads]


def _scaled(g, scale):
    if g.dtype in _HALVES:
        return (g.astype(jnp.float32) * scale.astype(jnp.float32)).astype(g.dtype)
    return g * scale.astype(g.dtype)


@op("clip_by_value", door=None, differentiable=False)
def clip_by_value(grads: Arrays, bound: Input):
    """Gradients kept in [-bound, bound]."""
    return [jnp.clip(g, -bound.astype(g.dtype), bound.astype(g.dtype)) for g in grads]
