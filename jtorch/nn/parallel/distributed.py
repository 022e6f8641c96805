"""DistributedDataParallel: a module whose gradients are the mean over all processes, within each one's step."""

import functools
from contextlib import contextmanager

from jtorch import modes
from jtorch._tensor import Tensor, aval
from jtorch.autograd.apply import call, filled
from jtorch.autograd.grad_mode import no_grad
from jtorch.groups.calls import ReduceOp, into
from jtorch.groups.messages import from_all
from jtorch.groups.world import found
from jtorch.nn.modules.module import Module
from jtorch.nn.parallel.buckets import hooked
from jtorch.nn.parallel.steps import begin_step
from jtorch.nn.parallel.uneven import Uneven

_UNFINISHED = (
    "Expected to have finished reduction in the prior iteration before starting a new one. This error indicates that "
    "your module has parameters that were not used in producing loss. You can enable unused parameter detection by "
    "passing the keyword argument `find_unused_parameters=True` to `torch.nn.parallel.DistributedDataParallel`, and by "
    "\nmaking sure all `forward` function outputs participate in calculating loss. "
)


class DistributedDataParallel(Module):
    """A module under the name `module`, a copy of which each process trains on its own part of every batch.

    https://docs.pytorch.org/docs/stable/generated/torch.nn.parallel.DistributedDataParallel.html
    Parameters and buffers begin as those of rank 0. Once all gradients of a backward are there they become the mean
    over all processes, in one message that is a part of the step's program. Bucket sizes, views of buckets and the
    other options for speed are taken and mean nothing: XLA orders what it does.
    Raises: RuntimeError where the ranks' modules differ, where nothing requires grad, and at the forward after a
    backward that did not reach all parameters, unless find_unused_parameters is set.
    """

    def __init__(self, module, device_ids=None, output_device=None, dim=0, broadcast_buffers=True, init_sync=True,
                 process_group=None, bucket_cap_mb=None, find_unused_parameters=False, check_reduction=False,
                 gradient_as_bucket_view=False, static_graph=False, delay_all_reduce_named_params=None,
                 param_to_hook_all_reduce=None, mixed_precision=None, device_mesh=None, **_):  # fmt: skip
        super().__init__()
        self.module = module
        self.process_group = found(process_group)
        self.device_ids = device_ids
        self.output_device = output_device
        self.dim = dim
        self.broadcast_buffers = broadcast_buffers
        self.find_unused_parameters = find_unused_parameters
        self.static_graph = static_graph
        self.require_backward_grad_sync = True
        self._hook = None  # (state, hook) that brings gradients together in the place of the mean
        self._uneven = None  # while ranks may have different numbers of batches
        ignored = set(getattr(module, "_ddp_params_and_buffers_to_ignore", ()))
        named = [(name, p) for name, p in module.named_parameters() if p.requires_grad and name not in ignored]
        self._synced = [p for _, p in named]
        self._kept = [b for name, b in module.named_buffers() if name not in ignored]
        if not named:
            raise RuntimeError(
                "DistributedDataParallel is not needed when a module doesn't have any parameter that requires a "
                "gradient."
            )
        if init_sync:
            self._agree([(name, p) for name, p in module.named_parameters() if name not in ignored])
        self._waiting, self._used, self._running = set(), set(), False
        for i, parameter in enumerate(self._synced):
            parameter.register_post_accumulate_grad_hook(functools.partial(_arrived, self, i))

    def _agree(self, named):
        """Look whether all ranks have the same parameters, and take those of rank 0."""
        shapes = [(name, tuple(p.shape), str(p.dtype)) for name, p in named]
        everywhere = from_all(shapes, self.process_group)
        for rank, theirs in enumerate(everywhere):
            for ours, other in zip(everywhere[0], theirs, strict=False):
                if ours != other:
                    raise RuntimeError(
                        f"DDP expects same model across all ranks, but rank {self.process_group.ranks[rank]} has "
                        f"{other} where rank {self.process_group.ranks[0]} has {ours}"
                    )
            if len(theirs) != len(everywhere[0]):
                raise RuntimeError(
                    f"DDP expects same model across all ranks, but rank {self.process_group.ranks[rank]} has "
                    f"{len(theirs)} params, while rank {self.process_group.ranks[0]} has {len(everywhere[0])} params"
                )
        self._take([*(p for _, p in named), *self._kept])

    def _take(self, tensors):
        if tensors and self.process_group.size() > 1:
            into(tensors, "broadcast_ranks", tensors, self.process_group, "DDP broadcast", source=0)

    def forward(self, *inputs, **kwargs):
        """The module's result. In training its buffers first become those of rank 0."""
        syncs = modes.local.grad and self.require_backward_grad_sync
        begin_step(self.module)
        if self._uneven is not None:
            self._uneven.meet(True)
        if self._running and self._waiting and syncs:
            raise RuntimeError(self._unfinished())
        if self.broadcast_buffers and self.require_backward_grad_sync and self.training:
            self._take(self._kept)
        out = self.module(*inputs, **kwargs)
        if syncs:
            self._waiting, self._running = set(range(len(self._synced))), False
            self._used = set()
            if self.find_unused_parameters:
                self._used = self._reached(out)
                self._waiting &= self._used
        return out

    def _unfinished(self):
        lacking = " ".join(map(str, sorted(self._waiting)))
        rank = self.process_group.rank()
        return f"{_UNFINISHED}\nParameter indices which did not receive grad for rank {rank}: {lacking}"

    def _reached(self, out):
        """The numbers of the parameters that the graph of a result leads to."""
        places = {id(p): i for i, p in enumerate(self._synced)}
        todo, seen, reached = [x._grad_fn or x for x in _tensors_in(out) if x._rg], set(), set()
        while todo:
            node = todo.pop()
            if id(node) in seen:
                continue
            seen.add(id(node))
            if isinstance(node, Tensor):
                if id(node) in places:
                    reached.add(places[id(node)])
            else:
                todo += [target for target, _ in node.edges if target is not None]
        return reached

    def _sync(self):
        """Make the gradients the mean over all ranks."""
        group = self.process_group
        members = range(len(self._synced))
        if self.find_unused_parameters:
            members = self._used_anywhere()
        before, modes.local.grad = modes.local.grad, False
        try:
            for i in members:
                if self._synced[i]._grad is None:
                    self._synced[i]._grad = filled(aval(self._synced[i]), 0)
            grads = [self._synced[i]._grad for i in members]
            if grads and self._hook is not None:
                hooked(self._hook, [self._synced[i] for i in members])
            elif grads and group.size() > 1:
                count = self._uneven.count if self._uneven is not None else group.size()
                parts = [call("div", grad, count) for grad in grads]
                into(grads, "all_reduce", parts, group, "DDP gradients", how=ReduceOp.SUM.value)
        finally:
            modes.local.grad = before
        self._running = False

    def _used_anywhere(self):
        """The numbers of the parameters that some rank has a gradient of. Asks the others."""
        return sorted(set().union(*from_all(sorted(self._used), self.process_group)))

    @contextmanager
    def no_sync(self):
        """Within it each process adds up gradients by itself; the next backward outside brings them together."""
        before, self.require_backward_grad_sync = self.require_backward_grad_sync, False
        try:
            yield
        finally:
            self.require_backward_grad_sync = before

    def register_comm_hook(self, state, hook):
        """Let hook(state, bucket) bring the gradients together: it gives a Future of the bucket's new buffer.

        Raises: RuntimeError for a second one, TypeError for what can't be called.
        """
        if not callable(hook):
            raise TypeError("Communication hook must be callable.")
        if self._hook is not None:
            raise RuntimeError("register_comm_hook or register_builtin_comm_hook can only be called once.")
        self._hook = state, hook

    @contextmanager
    def join(self, divide_by_initial_world_size=True, enable=True, throw_on_early_termination=False):
        """Within it ranks may have different numbers of batches: one that has no more joins in with zeros.

        The model of the rank that went on longest is everybody's at the end. Each forward asks all ranks, which runs
        what is pending. Raises: RuntimeError where a rank ends early and throw_on_early_termination is set.
        """
        if not enable or self.process_group.size() == 1:
            yield
            return
        self._uneven = Uneven(self.process_group, divide_by_initial_world_size, throw_on_early_termination)
        buffers, self.broadcast_buffers = self.broadcast_buffers, False
        try:
            yield
            with no_grad():
                last = self._uneven.leave(self._join_in)
                tensors = [*(p.detach() for p in self.module.parameters()), *self._kept]
                into(tensors, "broadcast_ranks", tensors, self.process_group, "DDP join", source=last)
        finally:
            self._uneven, self.broadcast_buffers = None, buffers

    def _join_in(self):
        """Take part in the others' gradients with zeros."""
        zeros = [filled(aval(p), 0) for p in self._synced]
        into(zeros, "all_reduce", zeros, self.process_group, "DDP gradients", how=ReduceOp.SUM.value)

    def __getstate__(self):
        raise RuntimeError("DistributedDataParallel can't be pickled: save its `module`, or its state_dict()")


def _tensors_in(value):
    if isinstance(value, Tensor):
        return [value]
    if isinstance(value, dict):
        value = value.values()
    elif not isinstance(value, (list, tuple)):
        return []
    return [tensor for item in value for tensor in _tensors_in(item)]


def _arrived(model, number, parameter):
    """Called when a parameter's gradient has come; the last one of a backward brings all ranks' together."""
    if not model.require_backward_grad_sync or number not in model._waiting:
        return
    model._running = True
    model._waiting.discard(number)
    if not model._waiting:
        model._sync()
