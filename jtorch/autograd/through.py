"""A place on the tape where gradients pass through a Python function on Tensors."""

from jtorch import _tensor, dtypes
from jtorch.autograd.apply import refresh
from jtorch.autograd.node import Hooks, Node, edge_of, named, next_sequence
from jtorch.autograd.views import same_again


class Through(Node):
    """A node whose outputs are its operands; on the way back a function may look at the gradients and replace them."""

    __slots__ = ("fn", "outs", "slots", "shown")

    wants_none = True

    def __init__(self, tensors, fn):
        self.fn = fn
        self.sequence = next_sequence()
        self.hooks = Hooks()
        self.outs = tuple(_tensor.aval(t) for t in tensors)
        self.slots = tuple(i for i, t in enumerate(tensors) if t._rg)
        self.edges = [edge_of(tensors[i]) for i in self.slots]
        at = {i: place for place, i in enumerate(self.slots)}
        self.shown = tuple(at.get(i) for i in range(len(tensors)))

    def pull(self, cotangents, mode):
        grads = self.fn(tuple(None if c is None else mode.wrap(c) for c in cotangents))
        return [None if grads[i] is None else mode.unwrap(grads[i]) for i in self.slots]


def through(name, tensors, fn):
    """The tensors again, sharing memory, behind one node of this name; none of them may be written to then.

    fn: takes a tuple with a gradient or None per tensor, and returns one.
    """
    for t in tensors:
        refresh(t)
    node = named(Through, name)(tensors, fn)
    passed = []
    for number, t in enumerate(tensors):
        out = same_again(t)
        if t._rg and _tensor.aval(t).dtype.category >= dtypes.FLOAT:
            out._grad_fn, out._out_nr, out._rg = node, number, True
            out._view.graph = out._storage.graph
        passed.append(out)
    return passed
