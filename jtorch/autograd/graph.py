"""torch.autograd.graph: nodes and edges of the graph, hooks on several tensors, what happens to saved tensors."""

import contextlib
import functools
import threading
import weakref

from jtorch._tensor import Tensor
from jtorch.autograd import full_walk
from jtorch.autograd.hooks import RemovableHandle
from jtorch.autograd.node import GradientEdge, Node, accumulator
from jtorch.autograd.saved_hooks import (
    allow_mutation_on_saved_tensors,
    disable_saved_tensors_hooks,
    save_on_cpu,
    saved_tensors_hooks,
)
from jtorch.autograd.tensor_hooks import add_hook
from jtorch.engine import flush

__all__ = [
    "GradientEdge", "Node", "allow_mutation_on_saved_tensors", "disable_saved_tensors_hooks", "get_gradient_edge",
    "increment_version", "region_activation_memory_budget", "register_multi_grad_hook", "save_on_cpu",
    "saved_tensors_hooks", "set_override_stale_capture_stream", "set_warn_on_accumulate_grad_stream_mismatch",
]  # fmt: skip


def get_gradient_edge(tensor):
    """Where in the graph a tensor's gradient comes in. Raises RuntimeError when it does not require grad."""
    if not tensor.requires_grad:
        raise RuntimeError("It is not possible to get the gradient edge for a Tensor that does not require gradients")
    return GradientEdge(_node_of(tensor), tensor._out_nr)


def _node_of(tensor):
    return accumulator(tensor) if tensor.grad_fn is None else tensor.grad_fn


def increment_version(tensor):
    """Count a write into a tensor, or into each of several, that was made behind torch's back."""
    for t in (tensor,) if isinstance(tensor, Tensor) else tensor:
        if not t.is_inference():
            t._storage.touch()


def region_activation_memory_budget(budget):
    """Context manager inside torch.compile, whose partitioner would see to it; here utils.checkpoint does.

    Raises TypeError or ValueError for what is no number in [0, 1], RuntimeError outside of a compiled call.
    """
    name = "torch.autograd.graph.region_activation_memory_budget"
    if isinstance(budget, bool) or not isinstance(budget, (int, float)):
        raise TypeError(f"{name}: expects a float, got {type(budget).__name__}")
    if not 0.0 <= budget <= 1.0:
        raise ValueError(f"{name}: must be in [0, 1], got {budget}")
    if flush.local.log is None:
        raise RuntimeError(f"{name} can only be used inside a torch.compile region; it has no effect in eager mode.")
    return contextlib.nullcontext()


def set_warn_on_accumulate_grad_stream_mismatch(enabled):
    """Nothing: XLA orders the work, and no gradient comes from another stream."""


def set_override_stale_capture_stream(enabled):
    """Nothing: XLA orders the work, and no stream is captured."""


class _MultiHandle(RemovableHandle):
    """Removes several hooks at once."""

    def __init__(self, handles):
        self.handles = handles

    def remove(self):
        for handle in self.handles:
            handle.remove()

    def __getstate__(self):
        return self.handles

    def __setstate__(self, state):
        self.handles = state


def register_multi_grad_hook(tensors, fn, *, mode="all"):
    """Call fn once per backward on the gradients of several tensors.

    mode: "all" calls fn([gradient or None, ...]) when the last of those that will come is there, "any" calls
    fn(gradient) with the first one. Raises ValueError for another mode.
    """
    if mode not in ("all", "any"):
        raise ValueError(f"Expects mode to be one of {('all', 'any')} but got {mode}")
    hook = _all_hook(tensors, fn) if mode == "all" else _any_hook(fn)
    wanted = [(i, t) for i, t in enumerate(tensors) if mode == "all" or t.requires_grad]
    return _MultiHandle(tuple(add_hook(t, functools.partial(hook, i)) for i, t in wanted))


def _all_hook(tensors, fn):
    nodes = [_node_of(t) for t in tensors]
    lock = threading.Lock()
    came = weakref.WeakKeyDictionary()  # the backward pass -> [gradients, how many are still to come]

    def hook(i, gradient):
        walk = full_walk.current()
        with lock:
            if walk not in came:
                came[walk] = [[None] * len(nodes), sum(walk.will_run(node) for node in nodes)]
            entry = came[walk]
            entry[0][i] = gradient
            entry[1] -= 1
            if entry[1] == 0:
                del came[walk]
        if entry[1] == 0:
            fn(entry[0])

    return hook


def _any_hook(fn):
    done = weakref.WeakSet()

    def hook(i, gradient):
        walk = full_walk.current()
        if walk not in done:
            done.add(walk)
            fn(gradient)

    return hook
