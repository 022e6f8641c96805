"""Node: a place on the tape, torch's grad_fn, with its hooks; and AccumulateGrad, the place of a leaf."""

import functools
import itertools
import re
import weakref
from collections import OrderedDict
from typing import NamedTuple

from jtorch._tensor import Tensor
from jtorch.autograd.hooks import RemovableHandle

next_sequence = itertools.count().__next__


class Hooks:
    """The hooks of a node, or of a leaf: each kind in the order in which it was registered.

    tensor: id -> (output number, hook on its gradient). retained: output number -> weak reference to the tensor that
    keeps its gradient. before, after: id -> hook of the node itself. accumulated: id -> hook after a leaf's `.grad`
    was written. accumulator: weak reference to the leaf's AccumulateGrad, or the node itself once it has hooks.
    """

    __slots__ = ("tensor", "retained", "before", "after", "accumulated", "accumulator")

    def __init__(self):
        self.tensor = OrderedDict()
        self.retained = {}
        self.before = OrderedDict()
        self.after = OrderedDict()
        self.accumulated = OrderedDict()
        self.accumulator = None


class InputMetadata(NamedTuple):
    """Shape, dtype and device of one output of a call: what its gradient must fit."""

    shape: tuple
    dtype: object
    device: object


def brief(name):
    """A grad_fn's name as torch's errors give it."""
    return re.sub(r"Backward0?(\d*)$", r"\1", name)


class Node:
    """A place on the tape: where gradients of a call's outputs come in and those of its operands go out.

    A subclass has `outs` (Avals) and says how to `pull` gradients. edges: (node or leaf, output
    number) per operand that a gradient goes to. shown: per tensor operand its place among the edges, or None.
    """

    __slots__ = ("edges", "sequence", "hooks", "_metadata", "__weakref__")

    outs: tuple
    shown: tuple
    wants_none = False  # whether it is to run even if none of its outputs got a gradient

    def name(self):
        """torch's name of this grad_fn."""
        name = type(self).__name__
        return f"torch::autograd::{name}" if name in ("CopySlices", "CopyBackwards") else name

    def brief_name(self):
        """The name of the call, as torch's errors give it."""
        return brief(self.name())

    def check(self):
        """Raise torch's errors where saved values were freed or modified in place."""

    def release(self):
        """Let go of what was saved."""

    def pull(self, cotangents, mode):
        """A gradient per edge, given one cotangent or None per output."""
        raise NotImplementedError

    @property
    def next_functions(self):
        """((node or None, output number), ...): where the gradients of the tensor operands go."""
        return tuple(public(edge) for edge in self.spread(self.edges))

    def spread(self, values):
        """What there is per edge as a list with a place for every tensor operand: None where it has no edge."""
        return [None if place is None else values[place] for place in self.shown]

    @property
    def metadata(self):
        """A dict for users' notes on this node."""
        try:
            return self._metadata
        except AttributeError:
            self._metadata = {}
            return self._metadata

    @property
    def requires_grad(self):
        """True: what needs no gradient has no node."""
        return True

    @property
    def _input_metadata(self):
        return tuple(InputMetadata(a.shape, a.dtype, a.device) for a in self.outs if a is not None)

    def __lt__(self, other):
        # Walks go by sequence; the twin of a node has the same one.
        return id(self) < id(other)

    def _sequence_nr(self):
        return self.sequence

    def _own_hooks(self):
        if self.hooks is None:
            self.hooks = Hooks()
        return self.hooks

    def register_hook(self, fn):
        """Call fn(grad_inputs, grad_outputs) after the node ran; a tuple it returns takes the place of grad_inputs."""
        return _registered(self._own_hooks().after, fn)

    def register_prehook(self, fn):
        """Call fn(grad_outputs) before the node runs; a tuple it returns takes their place."""
        return _registered(self._own_hooks().before, fn)

    def __repr__(self):
        kind = type(self)
        place = "" if kind.__module__ == "builtins" else f"{kind.__module__}."
        return f"<{place}{kind.__name__} object at {hex(id(self))}>"


def _registered(hooks, fn):
    handle = RemovableHandle(hooks)
    hooks[handle.id] = fn
    return handle


class AccumulateGrad(Node):
    """The place where a leaf's gradients are added up into its `.grad`. The hooks are kept by the leaf."""

    __slots__ = ("variable",)

    edges = shown = ()

    def __init__(self, leaf):
        self.variable = leaf
        self.sequence = 2**64 - 1

    @property
    def hooks(self):
        """The leaf's hooks."""
        return self.variable._hooks

    @property
    def outs(self):
        """The Aval of the leaf."""
        view = self.variable._view
        return (self.variable._storage.aval if view is None else view.ref.aval,)

    def name(self):
        return "torch::autograd::AccumulateGrad"

    def _own_hooks(self):
        # A hook outlives the user's last reference to the node.
        self.variable._hooks.accumulator = self
        return self.variable._hooks


AccumulateGrad.__module__ = "builtins"


def hooks_of(tensor):
    """The hooks of a leaf tensor, made if there are none."""
    if tensor._hooks is None:
        tensor._hooks = Hooks()
    return tensor._hooks


def accumulator(leaf):
    """The AccumulateGrad of a leaf: the same one as long as somebody holds it."""
    hooks = hooks_of(leaf)
    found = hooks.accumulator
    if type(found) is weakref.ref:
        found = found()
    if found is None:
        found = AccumulateGrad(leaf)
        hooks.accumulator = weakref.ref(found)
    return found


def receives(leaf):
    """Whether a leaf has a gradient of its own. A view that requires grad only because its base does has none."""
    view = leaf._view
    return view is None or view.base is None or not view.base._rg


def edge_of(tensor):
    """Where a tensor's gradient goes: (its node or the leaf itself, output number), or None."""
    if not tensor._rg:
        return None
    return (tensor, 0) if tensor._grad_fn is None else (tensor._grad_fn, tensor._out_nr)


class GradientEdge(NamedTuple):
    """A place in the graph where a tensor's gradient comes in: output `output_nr` of a node."""

    node: Node
    output_nr: int
    ownership_token: Node | None = None


def public(edge):
    """An edge as users see it: (node or None, output number)."""
    if edge is None:
        return None, 0
    target, number = edge
    if not isinstance(target, Tensor):
        return target, number
    return (accumulator(target), 0) if receives(target) else (None, 0)


@functools.cache
def named(base, name):
    """The subclass of a Node class that bears torch's name of a grad_fn."""
    return type(name, (base,), {"__slots__": (), "__module__": "builtins"})
