"""Nodes that are no recorded calls: a copy to another device, a saved value that stands for a leaf."""

from jtorch import _tensor
from jtorch.autograd.node import Hooks, Node, edge_of, named, next_sequence


class Moved(Node):
    """A copy to another device: its gradient is copied back."""

    __slots__ = ("outs", "device")

    shown = (0,)

    def __init__(self, source, target):
        self.sequence = next_sequence()
        self.hooks = Hooks()
        self.edges = [edge_of(source)]
        self.outs = (_tensor.aval(target),)
        self.device = _tensor.aval(source).device

    def pull(self, cotangents, mode):
        return (mode.unwrap(mode.wrap(cotangents[0]).to(self.device)),)


def moved(source, target):
    """Put a copy to another device on the tape."""
    target._grad_fn, target._rg = named(Moved, "ToCopyBackward0")(source, target), True


class StandIn(Node):
    """Another value in the place of a leaf: its gradient is the leaf's."""

    __slots__ = ("outs",)

    shown = (0,)

    def __init__(self, leaf, value):
        self.sequence = next_sequence()
        self.hooks = Hooks()
        self.edges = [(leaf, 0)]
        self.outs = (_tensor.aval(value),)

    def pull(self, cotangents, mode):
        return cotangents
