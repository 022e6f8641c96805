"""Which tensors carry a tangent for forward-mode gradients."""

import weakref

from jtorch._tensor import Tensor


class Level:
    """The level at which tensors may carry tangents, -1 when none is open (torch has one), and those that do.

    batch: how many tangents every tensor carries at once, along a first dim; None where it is just one. saved: node ->
    {operand, or ~result: its tangent when it was saved}.
    """

    current = -1
    batch = None
    duals: dict = {}  # id -> weak reference; == of tensors is no bool, so that a set will not do
    saved: weakref.WeakKeyDictionary = weakref.WeakKeyDictionary()


def tangent_of(tensor):
    """The tangent a tensor carries, or None."""
    return getattr(tensor, "_tangent", None) if isinstance(tensor, Tensor) else None


def pass_on(source, target):
    """Let a tensor carry the tangent of another one, if that has one."""
    tangent = tangent_of(source)
    if tangent is not None:
        carry(target, tangent)


def carry(tensor, tangent):
    """Let a tensor carry a tangent."""
    tensor._tangent = tangent
    key = id(tensor)
    Level.duals[key] = weakref.ref(tensor, lambda _: Level.duals.pop(key, None))
