"""Distances and similarities as functions."""

from jtorch import shapes
from jtorch._tensor import aval
from jtorch.autograd.apply import apply
from jtorch.ops.op import TABLE

__all__ = ["cosine_similarity", "pairwise_distance", "pdist"]


def cosine_similarity(x1, x2, dim=1, eps=1e-8):
    """The cosine of the angle between vectors along dim. Shape: broadcast, without dim."""
    size = shapes.broadcast_shapes(aval(x1).shape, aval(x2).shape)
    x1, x2 = (x if aval(x).shape == size else x.expand(size) for x in (x1, x2))
    a = x1 / x1.norm(2, dim, keepdim=True).clamp_min(eps)
    b = x2 / x2.norm(2, dim, keepdim=True).clamp_min(eps)
    return (a * b).sum(dim)


def pairwise_distance(x1, x2, p=2.0, eps=1e-6, keepdim=False):
    """The p-norm of x1 - x2 + eps along the last dim. Shape: broadcast, without the last dim."""
    return apply(TABLE["pairwise_distance"], (x1, x2), (p, eps, keepdim))


def pdist(input, p=2.0):
    """The p-norm distances between the rows, each pair once. Shape: (n, d) -> (n (n - 1) / 2,)."""
    return apply(TABLE["pdist"], (input,), (p,))
