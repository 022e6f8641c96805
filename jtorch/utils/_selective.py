"""Selective checkpoints: which results of a checkpointed call are kept for backward, and which are computed again."""

import collections
import enum

from jtorch import ops
from jtorch._ops import OpOverload, OpOverloadPacket
from jtorch._tensor import read
from jtorch.autograd.apply import call
from jtorch.autograd.full_walk import arrived
from jtorch.autograd.grad_mode import no_grad
from jtorch.autograd.watch import Watcher, replace
from jtorch.utils._kernels import kernel


class CheckpointPolicy(enum.Enum):
    """What becomes of the result of one call in a checkpoint: kept, or computed again. torch: offloading is only torch.
    compile's there, and without it the result is computed again."""

    MUST_SAVE = 0
    PREFER_SAVE = 1
    MUST_RECOMPUTE = 2
    PREFER_RECOMPUTE = 3
    MUST_CPU_OFFLOAD = 4
    PREFER_CPU_OFFLOAD = 5


class SelectiveCheckpointContext:
    """What a policy is told of a call beside its operator and arguments. op_output: its result."""

    def __init__(self, *, is_recompute, op_output=None):
        self.is_recompute = is_recompute
        self.op_output = op_output


SAC_IGNORED_OPS = {ops.aten.detach.default}

_SAVED = (CheckpointPolicy.MUST_SAVE, CheckpointPolicy.PREFER_SAVE, True)
_AGAIN, _USED = "computed again", "used"
_MISMATCH = (
    "This can happen if the operations in the checkpointed region are nondeterministic or depend on global state that "
    "changed between forward and backward."
)


class _Forward(Watcher):
    """Asks the policy of each call, and keeps what it says. kept: overload -> what became of each call of it."""

    def __init__(self, policy, kept):
        self.policy, self.kept = policy, kept

    def see(self, op, operands, attrs, results):
        overload, args, kwargs = kernel(op, operands, attrs)
        if overload in SAC_IGNORED_OPS:
            return
        found = results[0] if len(results) == 1 else results
        context = SelectiveCheckpointContext(is_recompute=False, op_output=found)
        saved = self.policy(context, overload, *args, **kwargs) in _SAVED
        self.kept[overload].append([_Kept(x) for x in results] if saved else _AGAIN)


class _Kept:
    """A result that is kept, and how often it had been written to."""

    def __init__(self, tensor):
        self.tensor = tensor.detach()
        self.version = tensor._storage.version

    def ref(self, mutable):
        if not mutable and self.tensor._storage.version != self.version:
            raise RuntimeError("Tensor cached during selective activation checkpoint has been mutated")
        # Behind a fence XLA does not see that what follows was computed before, and would be kept as well.
        return read(call("fence", self.tensor, arrived()))


class _Backward(Watcher):
    """Puts what was kept in the place of what the same calls give now."""

    def __init__(self, kept, mutable):
        self.kept, self.mutable = kept, mutable
        self.counts: collections.Counter = collections.Counter()

    def __enter__(self):
        self.counts.clear()
        return super().__enter__()

    def see(self, op, operands, attrs, results):
        overload = kernel(op, operands, attrs)[0]
        if overload in SAC_IGNORED_OPS:
            return
        kept, count = self.kept.get(overload), self.counts[overload]
        self.counts[overload] += 1
        if kept is None:
            raise RuntimeError(f"{overload} encountered during backward but not found in storage. {_MISMATCH}")
        if count >= len(kept):
            raise RuntimeError(
                f"{overload} invocation index {count} encountered during backward but not found in storage. {_MISMATCH}"
            )
        found = kept[count]
        if found is _USED:
            raise RuntimeError(
                "Trying to backward an extra time. You are only allowed to backward once on any region computed under "
                "selective activation checkpoint."
            )
        if found is not _AGAIN:
            kept[count] = _USED
            if not op.view:  # a view shows what its base keeps
                with no_grad():
                    replace(results, [x.ref(self.mutable) for x in found])


def create_selective_checkpoint_contexts(policy_fn_or_list, allow_cache_entry_mutation=False):
    """Two contexts for `context_fn`, which keep some results of a checkpointed function and not others.

    policy_fn_or_list: the operators whose results are kept, such as `torch.ops.aten.mm.default`, or a function of
    (SelectiveCheckpointContext, operator, *args, **kwargs) that gives a CheckpointPolicy or whether to keep. It is
    asked once for each call that jtorch records: what torch composes of several operators, or writes in place, is shown
    as the operator that computes its values. allow_cache_entry_mutation: whether kept results may be written to.
    Raises ValueError for what is no operator, TypeError for what is neither list nor function.
    """
    if isinstance(policy_fn_or_list, list):
        for op in policy_fn_or_list:
            if not isinstance(op, OpOverload):
                hint = (
                    "Please update the OpOverloadPacket to a specific OpOverload.For example, if you have "
                    "`torch.ops.aten.mm`, change it to `torch.ops.aten.mm.default`."
                )
                raise ValueError(
                    f"Expected op in `op_list` to be an OpOverload but got: {op} of type {type(op)}. "
                    f"{hint if isinstance(op, OpOverloadPacket) else ''}"
                )
        policy = _of_list(policy_fn_or_list)
    elif callable(policy_fn_or_list):
        policy = policy_fn_or_list
    else:
        raise TypeError("policy_fn_or_list must be either a function or a list of ops.")
    kept: dict = collections.defaultdict(list)
    return _Forward(policy, kept), _Backward(kept, allow_cache_entry_mutation)


def _of_list(chosen):
    def policy(context, op, *args, **kwargs):
        return op in chosen

    return policy


class GraphExecGroup:
    """Context manager: the backward passes inside compute a checkpoint again once for all of them.

    Raises RuntimeError inside another one.
    """

    current = None

    def __enter__(self):
        if GraphExecGroup.current is not None:
            raise RuntimeError(
                f"GraphExecGroup contexts cannot be nested. Already inside group {GraphExecGroup.current}"
            )
        GraphExecGroup.current = self
        return self

    def __exit__(self, *exc):
        GraphExecGroup.current = None


for _public in (CheckpointPolicy, SelectiveCheckpointContext, GraphExecGroup):
    _public.__module__ = "torch.utils.checkpoint"
