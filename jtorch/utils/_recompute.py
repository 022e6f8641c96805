"""One checkpointed call: what stands for each of its saved tensors, and how they are computed again."""

import contextlib
import weakref

from jtorch.autograd.full_walk import current
from jtorch.autograd.grad_mode import enable_grad
from jtorch.autograd.graph import saved_tensors_hooks
from jtorch.autograd.watch import Watcher
from jtorch.errors import user_frame
from jtorch.utils._kernels import kernel
from jtorch.utils._selective import GraphExecGroup

_HINT = """
Tip: To see a more detailed error message, either pass `debug=True` to
`torch.utils.checkpoint.checkpoint(...)` or wrap the code block
with `with torch.utils.checkpoint.set_checkpoint_debug_enabled(True):` to
enable checkpoint‑debug mode globally.

If this error occurs under torch.compile with automatic_dynamic_shapes enabled,
it may be because the recomputation selected a different compiled graph than the
forward pass (e.g., a dynamic graph instead of the original static graph).
To fix this, either:
  - Use torch._dynamo.mark_dynamic() to explicitly mark varying dimensions as
    dynamic upfront, avoiding the static-to-dynamic transition.
  - Call torch._C._dynamo.eval_frame._set_lru_cache(False) to disable LRU cache
    reordering, which can change which graph is checked first between forward
    and recompute.
See https://github.com/pytorch/pytorch/issues/166926 for more details and
workaround examples.
"""


class CheckpointError(RuntimeError):
    """What was computed again is not what was computed at first."""


CheckpointError.__module__ = "torch.utils.checkpoint"


class _Stop(BaseException):
    """All that was saved has been computed again. It is no Exception: what looks into those would keep its frames."""


class Log(Watcher):
    """Notes the calls made inside: the operators, and the lines of the user's code that they come from."""

    def __init__(self):
        self.lines = []

    def __enter__(self):
        self.lines.clear()
        return super().__enter__()

    def see(self, op, operands, attrs, results):
        frame = user_frame()[0]
        place = f"  {frame.f_code.co_filename}:{frame.f_lineno}" if frame else ""
        sizes = ", ".join(f"{x.dtype}{list(x.shape)}" for x in results)
        self.lines.append(f"{kernel(op, operands, attrs)[0]} -> {sizes}{place}")


CHECKS = {
    "default": lambda x: {"shape": x.shape, "dtype": x.dtype, "device": x.device},
    "none": lambda x: None,
}


_OVERLAP = (
    "Performing two backward calls that overlap (i.e. require the same saved activation in order to compute gradients) "
    "is not allowed while under the torch.utils.checkpoint.GraphExecGroup context. "
)


class _Place:
    """Stands in the graph for a saved tensor."""


class Frame:
    """One checkpointed call: how to do it again, and what stands for each of its saved tensors."""

    def __init__(self, run, early_stop, check, logs=None):
        self.run, self.early_stop, self.check, self.logs = run, early_stop, check, logs
        self.places, self.seen = [], []
        self.again = weakref.WeakKeyDictionary()  # backward pass, or group -> {place: the tensor computed again}

    def pack(self, x):
        place = _Place()
        self.places.append(weakref.ref(place))
        self.seen.append(self.check(x))
        return place

    def unpack(self, place):
        """The saved tensor, computed again with all others the first time a backward pass asks."""
        try:
            return self._unpack(place)
        except CheckpointError as error:
            if self.logs is None:
                raise
            raise CheckpointError(self._told(error)) from error

    def _unpack(self, place):
        key = GraphExecGroup.current
        overlap = "" if key is None else _OVERLAP
        if key is None:
            try:
                key = current()
            except AssertionError:
                key = _Place()  # somebody looks at a node's saved tensors outside of any backward pass
        if key not in self.again:
            self.again[key] = self.compute()
        if place not in self.again[key]:
            raise CheckpointError(
                "torch.utils.checkpoint: Unpack is being triggered for a tensor that was already unpacked once. "
                f"{overlap}If you are calling ctx.saved_tensors in backward, make sure to do so only once. Otherwise "
                "please open an issue with details on your use case."
            )
        return self.again[key].pop(place)

    def _told(self, error):
        first, second = ("\n".join(f"  {line}" for line in log.lines) for log in self.logs)
        return f"{error}\n\nCalls of the forward:\n{first}\n\nCalls of the recomputation:\n{second}"

    def compute(self):
        """Place -> tensor. Raises CheckpointError when these are not as many, or not such, as at first."""
        found = []

        def pack(x):
            if len(found) == len(self.places):
                raise CheckpointError(
                    "torch.utils.checkpoint: trying to save more tensors during recomputation than during the "
                    f"original forward pass.\n{_HINT}"
                )
            found.append(x.detach())
            if self.early_stop and len(found) == len(self.places):
                raise _Stop
            return found[-1]

        with contextlib.suppress(_Stop), saved_tensors_hooks(pack, lambda x: x), enable_grad():
            self.run()
        if len(found) != len(self.places):
            raise CheckpointError(
                "torch.utils.checkpoint: A different number of tensors was saved during the original forward and "
                f"recomputation.\nNumber of tensors saved during forward: {len(self.places)}\n"
                f"Number of tensors saved during recomputation: {len(found)}.\n{_HINT}"
            )
        self._compare(found)
        return {place(): x for place, x in zip(self.places, found, strict=True) if place() is not None}

    def _compare(self, found):
        wrong = ""
        for i, (place, before, x) in enumerate(zip(self.places, self.seen, found, strict=True)):
            after = self.check(x)
            if place() is not None and before != after:
                wrong += f"tensor at position {i}:\nsaved metadata: {before}\nrecomputed metadata: {after}\n"
        if wrong:
            raise CheckpointError(
                "torch.utils.checkpoint: Recomputed values for the following tensors have different metadata than "
                f"during the forward pass.\n{wrong}.\n{_HINT}"
            )
