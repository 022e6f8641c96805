"""Which tensors carry a tangent for forward-mode gradients."""

import weakref

from jtorch._tensor import Tensor


class Level:
    """The level at which tensors may carry tangents, -1 when none is open (torch has one), and those that do.

    batch: how many tangents every tensor carries at once, along a first dim; None where it is just one.
    """

    current = -1
    batch = None
    duals: dict = {}  # id -> weak reference; == of tensors is no bool, so that a set will not do


def tangent_of(tensor):
    """The tangent a tensor carries, or None."""
    return tensor.__dict__.get("_tangent") if isinstance(tensor, Tensor) else None


def carry(tensor, tangent):
    """Let a tensor carry a tangent."""
    tensor._tangent = tangent
    key = id(tensor)
    Level.duals[key] = weakref.ref(tensor, lambda _: Level.duals.pop(key, None))
