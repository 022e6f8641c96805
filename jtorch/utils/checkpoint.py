"""torch.utils.checkpoint: parts of a model whose saved tensors are computed again in backward, not kept."""

import contextlib
import warnings
from typing import NamedTuple

from jtorch import accelerator, cuda, random
from jtorch._tensor import Tensor
from jtorch.amp import autocast
from jtorch.autograd import backward
from jtorch.autograd.apply import call
from jtorch.autograd.autocast_state import get_autocast_dtype, is_autocast_cache_enabled, is_autocast_enabled
from jtorch.autograd.full_walk import arrived, current
from jtorch.autograd.function import Function
from jtorch.autograd.function_ctx import keep
from jtorch.autograd.grad_mode import enable_grad, is_grad_enabled, no_grad
from jtorch.autograd.graph import saved_tensors_hooks
from jtorch.devices import Default
from jtorch.nn import Sequential
from jtorch.utils._pytree import tree_leaves
from jtorch.utils._recompute import CHECKS, CheckpointError, Frame, Log
from jtorch.utils._selective import (
    SAC_IGNORED_OPS,
    CheckpointPolicy,
    GraphExecGroup,
    SelectiveCheckpointContext,
    create_selective_checkpoint_contexts,
)

__all__ = [
    "CheckpointError", "CheckpointFunction", "CheckpointPolicy", "DefaultDeviceType", "GraphExecGroup",
    "SAC_IGNORED_OPS", "SelectiveCheckpointContext", "checkpoint", "checkpoint_sequential", "check_backward_validity",
    "create_selective_checkpoint_contexts", "detach_variable", "get_device_states", "noop_context_fn",
    "set_checkpoint_debug_enabled", "set_checkpoint_early_stop", "set_device_states",
]  # fmt: skip


class _Settings:
    """What overrides the options of checkpoints; None leaves it to them."""

    early_stop = None
    debug = None

    @classmethod
    @contextlib.contextmanager
    def set(cls, name, value):
        """Context manager: a setting has this value inside."""
        before = getattr(cls, name)
        setattr(cls, name, value)
        try:
            yield
        finally:
            setattr(cls, name, before)

    @classmethod
    def get(cls, name, given):
        """The value of a setting, or what a checkpoint was given."""
        found = getattr(cls, name)
        return given if found is None else found


def set_checkpoint_early_stop(enable):
    """Context manager: whether checkpoints made inside stop computing again when nothing more is needed."""
    return _Settings.set("early_stop", enable)


def set_checkpoint_debug_enabled(enabled):
    """Context manager: what `debug` is for the checkpoints made inside; None leaves it to them."""
    return _Settings.set("debug", enabled)


class DefaultDeviceType:
    """The kind of device whose random state a checkpoint keeps when none of its arguments tells."""

    _type = None

    @staticmethod
    def set_device_type(device="cuda"):
        """Set it: "cuda", "cpu", ..."""
        DefaultDeviceType._type = device

    @staticmethod
    def get_device_type():
        """What was set, or the accelerator's, or "cpu"."""
        if DefaultDeviceType._type is None:
            found = accelerator.current_accelerator(True)
            DefaultDeviceType._type = "cpu" if found is None else found.type
        return DefaultDeviceType._type


def get_device_states(*args):
    """(the indices of the cuda devices that the Tensors among these lie on, the random state of each)."""
    indices = [x.get_device() for x in tree_leaves(args) if isinstance(x, Tensor) and x.is_cuda]
    return indices, [cuda.get_rng_state(index) for index in indices]


def set_device_states(devices, states, *, device_type=None):
    """Go back to random states from get_device_states. device_type: "cuda", "meta", by default the default one."""
    if (device_type or DefaultDeviceType.get_device_type()) != "meta":
        for device, state in zip(devices, states, strict=False):
            cuda.set_rng_state(state, device)


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
    # Without it XLA would see that both computations are the same and keep the values of the first, or do the second
    # at once, with the first.
    return call("fence", x, arrived())


class _Surroundings:
    """The random states, the default device and the autocast settings of a forward, to be had again."""

    def __init__(self, preserve, args):
        self.state = random.get_rng_state() if preserve else None
        self.devices, self.states = get_device_states(*args) if preserve else ([], [])
        self.default = Default.device
        self.casts = [
            {"device_type": kind, "dtype": get_autocast_dtype(kind), "enabled": is_autocast_enabled(kind),
             "cache_enabled": is_autocast_cache_enabled()}
            for kind in ("cuda", "cpu")
        ]  # fmt: skip

    @contextlib.contextmanager
    def again(self):
        """Inside, they are as they were."""
        preserve, default = self.state is not None, Default.device
        with random.fork_rng(self.devices, enabled=preserve), contextlib.ExitStack() as stack:
            if preserve:
                random.set_rng_state(self.state)
                set_device_states(self.devices, self.states, device_type="cuda")
            for options in self.casts:
                stack.enter_context(autocast(**options))
            Default.device = self.default
            try:
                yield
            finally:
                Default.device = default


class CheckpointFunction(Function):
    """A function of Tensors that backward calls again, to go back through it by a backward of its own."""

    @staticmethod
    def forward(ctx, run_function, preserve_rng_state, *args):
        check_backward_validity(args)
        ctx.run_function, ctx.surroundings = run_function, _Surroundings(preserve_rng_state, args)
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
            args[i] = _fenced(x.detach())
            args[i]._rg = x._rg  # requires_grad_() of what has not run would end the step here
        with ctx.surroundings.again(), enable_grad():
            outputs = ctx.run_function(*args)
        outputs = (outputs,) if isinstance(outputs, Tensor) else outputs
        pairs = [(out, g) for out, g in zip(outputs, grads, strict=True) if getattr(out, "requires_grad", False)]
        if not pairs:
            raise RuntimeError("none of output has requires_grad=True, this checkpoint() is not necessary")
        backward([out for out, _ in pairs], [g for _, g in pairs])
        return (None, None, *(x.grad if isinstance(x, Tensor) else None for x in args))


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
    debug = _Settings.get("debug", debug)
    if debug and context_fn is not noop_context_fn:
        raise ValueError("debug=True is incompatible with non-default context_fn")
    if determinism_check not in CHECKS:
        raise ValueError(f"determinism_check should be one of {list(CHECKS)}, but got {determinism_check}")
    first, second = logs = (Log(), Log()) if debug else context_fn()
    surroundings = _Surroundings(preserve, args)
    if not is_grad_enabled():
        return function(*args, **kwargs)
    kept = [keep(x, surroundings) if isinstance(x, Tensor) else _Other(x) for x in args]

    def run():
        given = [k.value if type(k) is _Other else _fenced(k.unpack(surroundings)) for k in kept]
        with surroundings.again(), second:
            function(*given, **kwargs)

    frame = Frame(run, _Settings.get("early_stop", early_stop), CHECKS[determinism_check], logs if debug else None)
    with saved_tensors_hooks(frame.pack, frame.unpack), first:
        return function(*args, **kwargs)


class _Other(NamedTuple):
    """An argument that is no Tensor."""

    value: object


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
