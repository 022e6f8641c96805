"""torch.utils.checkpoint: parts of a model whose saved tensors are computed again in backward, not kept."""

import contextlib
import warnings
import weakref

from jtorch import random
from jtorch._tensor import Tensor
from jtorch.amp import autocast
from jtorch.autograd import backward
from jtorch.autograd.apply import call
from jtorch.autograd.autocast_state import get_autocast_dtype, is_autocast_cache_enabled, is_autocast_enabled
from jtorch.autograd.full_walk import current
from jtorch.autograd.function import Function
from jtorch.autograd.grad_mode import enable_grad, is_grad_enabled, no_grad
from jtorch.autograd.graph import saved_tensors_hooks
from jtorch.nn import Sequential

__all__ = [
    "CheckpointError", "CheckpointFunction", "checkpoint", "checkpoint_sequential", "check_backward_validity",
    "detach_variable", "noop_context_fn", "set_checkpoint_debug_enabled", "set_checkpoint_early_stop",
]  # fmt: skip

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


class _Stop(Exception):
    """All that was saved has been computed again."""


class _Settings:
    early_stop = None
    debug = None


@contextlib.contextmanager
def set_checkpoint_early_stop(enable):
    """Context manager: whether checkpoints made inside stop computing again when nothing more is needed."""
    before, _Settings.early_stop = _Settings.early_stop, enable
    try:
        yield
    finally:
        _Settings.early_stop = before


@contextlib.contextmanager
def set_checkpoint_debug_enabled(enabled):
    """Context manager: what `debug` is for the checkpoints made inside; None leaves it to them."""
    before, _Settings.debug = _Settings.debug, enabled
    try:
        yield
    finally:
        _Settings.debug = before


def noop_context_fn():
    """Two contexts that do nothing, for the forward and for its repetition."""
    return contextlib.nullcontext(), contextlib.nullcontext()


def detach_variable(inputs):
    """Leaves of the same values that require grad as the given ones do. Raises RuntimeError unless given a tuple."""
    if not isinstance(inputs, tuple):
        kind = type(inputs).__name__
        raise RuntimeError(f"Only tuple of tensors is supported. Got Unsupported input type: {kind}")
    return tuple(x.detach().requires_grad_(x.requires_grad) if isinstance(x, Tensor) else x for x in inputs)


def check_backward_validity(inputs):
    """Warn when no Tensor among these requires grad."""
    if not any(x.requires_grad for x in inputs if isinstance(x, Tensor)):
        warnings.warn("None of the inputs have requires_grad=True. Gradients will be None", stacklevel=2)


def _fenced(x):
    # Without it XLA would see that both computations are the same, and keep the values of the first.
    return call("fence", x) if isinstance(x, Tensor) else x


class _Surroundings:
    """The random state and the autocast settings of a forward, to be had again."""

    def __init__(self, preserve):
        self.state = random.get_rng_state() if preserve else None
        self.casts = [
            {"device_type": kind, "dtype": get_autocast_dtype(kind), "enabled": is_autocast_enabled(kind),
             "cache_enabled": is_autocast_cache_enabled()}
            for kind in ("cuda", "cpu")
        ]  # fmt: skip

    @contextlib.contextmanager
    def again(self):
        """Inside, they are as they were."""
        with random.fork_rng(enabled=self.state is not None), contextlib.ExitStack() as stack:
            if self.state is not None:
                random.set_rng_state(self.state)
            for options in self.casts:
                stack.enter_context(autocast(**options))
            yield


class CheckpointFunction(Function):
    """A function of Tensors that backward calls again, to go back through it by a backward of its own."""

    @staticmethod
    def forward(ctx, run_function, preserve_rng_state, *args):
        check_backward_validity(args)
        ctx.run_function, ctx.surroundings = run_function, _Surroundings(preserve_rng_state)
        ctx.places = [i for i, x in enumerate(args) if isinstance(x, Tensor)]
        ctx.args = [None if isinstance(x, Tensor) else x for x in args]
        ctx.save_for_backward(*(args[i] for i in ctx.places))
        with no_grad():
            return run_function(*args)

    @staticmethod
    def backward(ctx, *grads):
        if current().targets is not None:
            raise RuntimeError(
                "When use_reentrant=True, torch.utils.checkpoint is incompatible with .grad() or passing an `inputs` "
                "parameter to .backward(). To resolve this error, you can either set use_reentrant=False, or call "
                ".backward() without passing the `inputs` argument."
            )
        args = list(ctx.args)
        for i, x in zip(ctx.places, ctx.saved_tensors, strict=True):
            args[i] = call("fence", x.detach()).requires_grad_(x.requires_grad)
        with ctx.surroundings.again(), enable_grad():
            outputs = ctx.run_function(*args)
        outputs = (outputs,) if isinstance(outputs, Tensor) else outputs
        pairs = [(out, g) for out, g in zip(outputs, grads, strict=True) if getattr(out, "requires_grad", False)]
        if not pairs:
            raise RuntimeError("none of output has requires_grad=True, this checkpoint() is not necessary")
        backward([out for out, _ in pairs], [g for _, g in pairs])
        return (None, None, *(x.grad if isinstance(x, Tensor) else None for x in args))


_CHECKS = {
    "default": lambda x: {"shape": x.shape, "dtype": x.dtype, "device": x.device},
    "none": lambda x: None,
}


class _Place:
    """Stands in the graph for a saved tensor."""


class _Frame:
    """One checkpointed call: how to do it again, and what stands for each of its saved tensors."""

    def __init__(self, run, early_stop, check):
        self.run, self.early_stop, self.check = run, early_stop, check
        self.places, self.seen = [], []
        self.again = weakref.WeakKeyDictionary()  # backward pass -> {place: the tensor computed again}

    def pack(self, x):
        place = _Place()
        self.places.append(weakref.ref(place))
        self.seen.append(self.check(x))
        return place

    def unpack(self, place):
        """The saved tensor, computed again with all others the first time a backward pass asks."""
        try:
            walk = current()
        except AssertionError:
            walk = _Place()  # somebody looks at a node's saved tensors outside of any backward pass
        if walk not in self.again:
            self.again[walk] = self.compute()
        if place not in self.again[walk]:
            raise CheckpointError(
                "torch.utils.checkpoint: Unpack is being triggered for a tensor that was already unpacked once. If you "
                "are calling ctx.saved_tensors in backward, make sure to do so only once. Otherwise please open an "
                "issue with details on your use case."
            )
        return self.again[walk].pop(place)

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


def checkpoint(function, *args, use_reentrant=None, context_fn=noop_context_fn, determinism_check="default",
               debug=False, early_stop=True, **kwargs):  # fmt: skip
    """function(*args, **kwargs), of which backward keeps the arguments only and computes the rest again.

    As torch.utils.checkpoint.checkpoint. Raises ValueError for options that do not go together, CheckpointError in
    backward when the second computation saves other tensors than the first.
    """
    if use_reentrant is None:
        warnings.warn(
            "torch.utils.checkpoint: the use_reentrant parameter should be passed explicitly. Starting in PyTorch 2.9, "
            "calling checkpoint without use_reentrant will raise an exception. use_reentrant=False is recommended, but "
            "if you need to preserve the current default behavior, you can pass use_reentrant=True. Refer to docs for "
            "more details on the differences between the two variants.",
            stacklevel=2,
        )
        use_reentrant = True
    preserve = kwargs.pop("preserve_rng_state", True)
    if kwargs and use_reentrant:
        raise ValueError(f"Unexpected keyword arguments: {','.join(kwargs)}")
    if use_reentrant:
        if context_fn is not noop_context_fn or debug is not False:
            raise ValueError("Passing `context_fn` or `debug` is only supported when use_reentrant=False.")
        return CheckpointFunction.apply(function, preserve, *args)
    if (debug if _Settings.debug is None else _Settings.debug) and context_fn is not noop_context_fn:
        raise ValueError("debug=True is incompatible with non-default context_fn")
    if determinism_check not in _CHECKS:
        raise ValueError(f"determinism_check should be one of {list(_CHECKS)}, but got {determinism_check}")
    first, second = context_fn()
    surroundings = _Surroundings(preserve)
    if not is_grad_enabled():
        return function(*args, **kwargs)

    def run():
        with surroundings.again(), second:
            function(*map(_fenced, args), **kwargs)

    early_stop = early_stop if _Settings.early_stop is None else _Settings.early_stop
    frame = _Frame(run, early_stop, _CHECKS[determinism_check])
    with saved_tensors_hooks(frame.pack, frame.unpack), first:
        return function(*args, **kwargs)


def checkpoint_sequential(functions, segments, input, use_reentrant=None, **kwargs):
    """functions one after the other on input, in so many segments, all but the last checkpointed.

    As torch.utils.checkpoint.checkpoint_sequential. Raises ValueError for unknown arguments.
    """
    if use_reentrant is None:
        warnings.warn(
            "torch.utils.checkpoint.checkpoint_sequential: the use_reentrant parameter should be passed explicitly. In "
            "version 2.9 we will raise an exception if use_reentrant is not passed. use_reentrant=False is "
            "recommended, but if you need to preserve the current default behavior, you can pass use_reentrant=True. "
            "Refer to docs for more details on the differences between the two variants.",
            stacklevel=2,
        )
        use_reentrant = True
    preserve = kwargs.pop("preserve_rng_state", True)
    if kwargs:
        raise ValueError(f"Unexpected keyword arguments: {','.join(kwargs)}")
    functions = list(functions.children()) if isinstance(functions, Sequential) else functions

    def run(part):
        def forward(input):
            for function in part:
                input = function(input)
            return input

        return forward

    size, done = len(functions) // segments, 0
    for start in range(0, size * (segments - 1), size):
        done = start + size
        part = run(functions[start:done])
        input = checkpoint(part, input, use_reentrant=use_reentrant, preserve_rng_state=preserve)
    return run(functions[done:])(input)
