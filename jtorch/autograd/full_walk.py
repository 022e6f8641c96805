"""The backward pass in torch's full order: hooks, targets, batches, saved-tensor hooks, anomalies, partial results."""

import threading
from collections import deque
from heapq import heappop, heappush

from jtorch import modes
from jtorch._tensor import Tensor, aval, read, strides, wrap
from jtorch.autograd import anomaly_mode as anomaly
from jtorch.autograd.carry import FAST, above
from jtorch.autograd.inplace import overwrite, store
from jtorch.autograd.layout import is_dense, lay_out
from jtorch.autograd.node import receives
from jtorch.autograd.tensor_hooks import run_after_hooks, run_before_hooks, run_tensor_hooks


class _Local(threading.local):
    def __init__(self):
        self.walks = []  # the backward passes that are running, innermost last


_local = _Local()
_ADDING = threading.RLock()  # one thread at a time adds to a leaf's `.grad`


def current():
    """The backward pass that is running in this thread. Raises AssertionError when there is none."""
    if not _local.walks:
        raise AssertionError("expected this hook to be called inside a backward call")
    return _local.walks[-1]


def running():
    """The backward pass that is running in this thread, None when there is none."""
    return _local.walks[-1] if _local.walks else None


def arrived():
    """A gradient, off the graph, that the node which is running now was given; None outside of a backward pass."""
    walk = running()
    found = None if walk is None else next((g for g in walk.given if g is not None), None)
    return None if found is None else wrap(read(walk.mode.wrap(found)))


class Targets:
    """Which gradients are asked for, when not those of all leaves.

    captured: (id of node or leaf, output number) -> the gradient, None until it comes. executed: leaves and nodes that
    are to do all they do (backward with inputs=). nodes: those from which a gradient goes on towards something wanted.
    """

    def __init__(self, captured=(), executed=()):
        self.captured = {(id(target), number): None for target, number in captured}
        self.executed = {id(x): x for x in executed}
        self.wanted = {key for key, _ in self.captured} | self.executed.keys()
        self.nodes = set()

    def find_nodes(self, starts):
        """Find the nodes between these and what is wanted."""
        seen = set()
        stack = [(n, False) for n in starts]
        while stack:
            node, done = stack.pop()
            if done:
                if any(target in self.nodes or id(target) in self.wanted for target, _ in node.edges):
                    self.nodes.add(node)
            elif node not in seen:
                seen.add(node)
                stack.append((node, True))
                stack.extend((target, False) for target, _ in node.edges if not isinstance(target, Tensor))

    def useful(self, target):
        """Whether a gradient is to be sent to this node or leaf."""
        return id(target) in self.wanted or (not isinstance(target, Tensor) and target in self.nodes)


class FullWalk:
    """One backward pass. Leaves are done as soon as their last gradient is there, nodes youngest first.

    arrived: node -> gradients of its outputs so far. leaves: id -> [leaf, gradient so far, gradients still to come].
    given: the gradients of the node that is running.
    """

    given: list | tuple = ()

    def __init__(self, mode, keep, targets=None):
        self.mode = mode
        self.keep = keep
        self.targets = targets
        self.arrived = {}
        self.heap = []
        self.leaves = {}
        self.planned = set()
        self.ready = deque()

    def start(self, roots):
        """Take the first gradients: [((node or leaf, output number), gradient), ...]."""
        for (target, number), gradient in roots:
            if isinstance(target, Tensor):
                self._add_to_leaf(target, gradient, 0)
            else:
                self._add_to_node(target, number, gradient)
        self.count()
        return self

    def take_over(self, heap, arrived, leaves, leaf_of):
        """Go on where the fast walk stopped; it has kept the gradients of leaves by their id."""
        self.heap, self.arrived = heap, arrived
        self.leaves = {key: [leaf_of[key], gradient, 0] for key, gradient in leaves.items()}
        self.count()
        return self

    def count(self):
        """Count how many gradients each leaf still gets from nodes that have not run; put those with none in line."""
        nodes = [n for _, n in self.heap]
        if self.targets is not None:
            self.targets.find_nodes(nodes)
        seen = self.planned = set(nodes)
        while nodes:
            node = nodes.pop()
            for target, _ in node.edges:
                if self.targets is not None and not self.targets.useful(target):
                    continue
                if isinstance(target, Tensor):
                    self.leaves.setdefault(id(target), [target, None, 0])[2] += 1
                elif target not in seen:
                    seen.add(target)
                    nodes.append(target)
        self.ready.extend(leaf for leaf in self.leaves.values() if leaf[2] == 0)

    def run(self):
        """Run until nothing is left."""
        _local.walks.append(self)
        try:
            while self.ready or self.heap:
                if self.ready:
                    leaf, gradient, _ = self.ready.popleft()
                    self._finish(leaf, gradient)
                else:
                    node = heappop(self.heap)[1]
                    self._visit(node, self.arrived.pop(node))
        finally:
            _local.walks.pop()

    def will_run(self, node):
        """Whether a node, or a leaf's AccumulateGrad, gets a gradient in this pass."""
        leaf = getattr(node, "variable", None)
        return node in self.planned if leaf is None else id(leaf) in self.leaves

    def finish_ready(self):
        """Add up only the gradients that are complete by now."""
        while self.ready:
            leaf, gradient, _ = self.ready.popleft()
            self._finish(leaf, gradient)

    def _visit(self, node, gradients):
        try:
            found = self._run_node(node, gradients)
            if found is not None and anomaly.is_enabled() and anomaly.checks_nan():
                anomaly.check(node, found, self.mode)
        except Exception:
            anomaly.report(node)
            raise
        if found is None:
            return
        targets = self.targets
        for edge, gradient in zip(node.edges, found, strict=True):
            if targets is None or targets.useful(edge[0]):
                self._send(edge, gradient)

    def _run_node(self, node, gradients):
        """The gradients of a node's operands; None when the node is not to run."""
        hooks = node.hooks
        if self.targets is not None and not self._needed(node, gradients):
            return None
        if hooks is not None:
            run_tensor_hooks(hooks, gradients, self.mode)
            run_before_hooks(hooks, gradients, self.mode)
        node.check()
        self.given = gradients
        if node.wants_none or any(g is not None for g in gradients):
            found = (anomaly.pull if anomaly.is_enabled() else _pull)(node, gradients, self.mode)
        else:
            found = [None] * len(node.edges)
        if hooks is not None and hooks.after:
            found = _after(node, found, gradients, self.mode)
        if not self.keep:
            node.release()
        return found

    def _needed(self, node, gradients):
        """Note the gradients that are asked for; whether the node itself has to run."""
        targets = self.targets
        needed = node in targets.nodes or id(node) in targets.executed
        # torch: what is asked for has been through the tensor's hooks only where the node is not run afterwards.
        if not needed and node.hooks is not None:
            run_tensor_hooks(node.hooks, gradients, self.mode)
        for number, gradient in enumerate(gradients):
            if (id(node), number) in targets.captured:
                targets.captured[id(node), number] = gradient
        return needed

    def _send(self, edge, gradient):
        target, number = edge
        if isinstance(target, Tensor):
            self._add_to_leaf(target, gradient, 1)
        else:
            self._add_to_node(target, number, gradient)

    def _add_to_node(self, node, number, gradient):
        slots = self.arrived.get(node)
        if slots is None:
            slots = self.arrived[node] = [None] * len(node.outs)
            heappush(self.heap, (-node.sequence, node))
        slots[number] = self._sum(slots[number], gradient)

    def _add_to_leaf(self, leaf, gradient, arrivals):
        entry = self.leaves.setdefault(id(leaf), [leaf, None, 0])
        entry[1] = self._sum(entry[1], gradient)
        if arrivals:
            entry[2] -= 1
            if entry[2] == 0:
                self.ready.append(entry)

    def _sum(self, a, b):
        return b if a is None else a if b is None else self.mode.add(a, b)

    def _finish(self, leaf, gradient):
        """Do what a leaf's AccumulateGrad does."""
        hooks, targets, mode = leaf._hooks, self.targets, self.mode
        gradients = [gradient]
        if targets is not None and not targets.useful(leaf):
            return
        if hooks is not None and receives(leaf):
            run_tensor_hooks(hooks, gradients, mode)
        if targets is not None:
            if (id(leaf), 0) in targets.captured:
                targets.captured[id(leaf), 0] = gradients[0]
            if id(leaf) not in targets.executed:
                return
        if hooks is not None:
            run_before_hooks(hooks, gradients, mode)
        if gradients[0] is not None and accumulate(leaf, gradients[0], mode) and hooks is not None:
            for hook in list(hooks.accumulated.values()):
                _check_none(hook(leaf))
        if hooks is not None and hooks.after:
            run_after_hooks(hooks, [], gradients, mode)


def _pull(node, gradients, mode):
    return node.pull(gradients, mode)


def _check_none(result):
    if result is not None:
        raise RuntimeError("Tensor post accumulate grad hooks should return None.")


def _after(node, found, gradients, mode):
    """The gradients that a node sends on, after its hooks have seen those of all its tensor operands."""
    results = run_after_hooks(node.hooks, node.spread(found), gradients, mode)
    at = dict(zip(node.shown, results, strict=True))
    return [at.get(i, gradient) for i, gradient in enumerate(found)]


def accumulate(leaf, gradient, mode):
    """Add a gradient to a leaf's `.grad`; whether that was done."""
    if not leaf._rg or not receives(leaf):
        return False
    if leaf._grad_fn is not None:
        raise RuntimeError("leaf variable has been moved into the graph interior")
    with _ADDING:
        old = leaf._grad
        if old is None:
            leaf._grad = made = mode.copied(gradient)
            if (
                leaf._view is not None
                and not made.is_sparse
                and modes.local.grad_layout
                and is_dense(aval(leaf).shape, strides(leaf))
            ):
                lay_out(made, tuple(strides(leaf)))
        elif old.is_sparse:
            _add_to_sparse(leaf, old, gradient, mode)
        elif mode is FAST:
            store(old, FAST.add(read(old), gradient))
        elif mode.graph:
            leaf._grad = mode.add(old, gradient)
        else:
            overwrite(old, mode.add(old, gradient))
    return True


def _add_to_sparse(leaf, old, gradient, mode):
    """Add a gradient to a sparse one. torch: what is dense takes its place, what is sparse joins it."""
    gradient = mode.wrap(gradient)
    if gradient.is_sparse and not mode.graph:
        above.add_to(old, gradient)
    else:
        leaf._grad = above.total(gradient, old)
