"""autocast: regions in which calls run in a lower precision where that is safe, and custom Functions in them."""

import functools
import warnings
from collections.abc import Iterable, Mapping

import numpy as np

from jtorch import devices, dtypes
from jtorch._tensor import Tensor, aval
from jtorch.api.methods import to
from jtorch.autograd import autocast_state as state

__all__ = ["autocast", "autocast_decorator", "custom_bwd", "custom_fwd", "is_autocast_available"]


def is_autocast_available(device_type):
    """Whether there is autocast for a device."""
    return state.is_available(device_type)


def autocast_decorator(autocast_instance, func):
    """`func`, run inside a region each time."""

    @functools.wraps(func)
    def decorate_autocast(*args, **kwargs):
        with autocast_instance:
            return func(*args, **kwargs)

    return decorate_autocast


class autocast:
    """Context manager and decorator: calls inside run in the dtype that is best for them, as torch.autocast has it.

    dtype: float16 (cuda) or bfloat16 (cpu) if none is given. cache_enabled: whether a weight is cast once per region.
    Raises ValueError for a device_type that is no text, RuntimeError for a device without autocast.
    """

    def __init__(self, device_type: str, dtype=None, enabled: bool = True, cache_enabled: bool | None = None):
        if not isinstance(device_type, str):
            raise ValueError(f"Expected `device_type` of type `str`, got: `{type(device_type)}`")
        self.fast_dtype = state.get_autocast_dtype(device_type) if dtype is None else dtype
        self.device = device_type
        if not is_autocast_available(device_type):
            raise RuntimeError(f"User specified an unsupported autocast device_type '{device_type}'")
        self._cache_enabled = state.is_autocast_cache_enabled() if cache_enabled is None else cache_enabled
        fault = _fault(device_type, self.fast_dtype) if enabled else None
        if fault:
            warnings.warn(fault, stacklevel=2)
        self._enabled = enabled and not fault

    def __enter__(self):
        self.prev_cache_enabled = state.is_autocast_cache_enabled()
        self.prev = state.is_autocast_enabled(self.device)
        self.prev_fastdtype = state.get_autocast_dtype(self.device)
        state.set_autocast_enabled(self.device, self._enabled)
        state.set_autocast_dtype(self.device, self.fast_dtype)
        state.autocast_increment_nesting()
        state.set_autocast_cache_enabled(self._cache_enabled)
        return self

    def __exit__(self, exc_type, exc_val, exc_tb):
        if state.autocast_decrement_nesting() == 0:
            state.clear_autocast_cache()
        state.set_autocast_enabled(self.device, self.prev)
        state.set_autocast_dtype(self.device, self.prev_fastdtype)
        state.set_autocast_cache_enabled(self.prev_cache_enabled)
        return False

    def __call__(self, func):
        if not callable(func):
            raise TypeError(
                f"autocast()(func) requires a callable, but got {type(func).__name__}. "
                "Did you mean to use autocast as a context manager? For example:\n"
                "    with torch.autocast(device_type=...):\n"
                "        output = model(input)"
            )
        return autocast_decorator(self, func)


autocast.__module__ = "torch.amp.autocast_mode"


def _fault(device, dtype):
    """Why a region can't cast, in torch's words, or None."""
    if device == "cuda":
        missing = not devices.cuda_devices()
        return "CUDA is not available or torch_xla is imported. Disabling autocast." if missing else None
    if dtype in (dtypes.bfloat16, dtypes.float16):
        return None
    name = device.upper()
    return (
        f"In {name} autocast, but the target dtype is not supported. Disabling autocast.\n{name} Autocast only "
        f"supports dtypes of {dtypes.bfloat16!r}, {dtypes.float16!r} currently."
    )


def _cast(value, device_type, dtype):
    """`value` with the floating tensors in it, those of float64 apart, in a dtype."""
    if isinstance(value, Tensor):
        have = aval(value)
        eligible = have.dtype.is_floating_point and have.device.type == device_type
        return to(value, dtype) if eligible and have.dtype is not dtypes.float64 else value
    if isinstance(value, (str, bytes, np.ndarray)):
        return value
    if isinstance(value, Mapping):
        return {_cast(k, device_type, dtype): _cast(v, device_type, dtype) for k, v in value.items()}
    if isinstance(value, Iterable):
        items = (_cast(v, device_type, dtype) for v in value)
        return type(value)(items) if isinstance(value, (list, tuple)) else items
    return value


def _need_text(device_type):
    if not isinstance(device_type, str):
        raise ValueError(f"Expected `device_type` of type `str`, got: `{type(device_type)}`")


def custom_fwd(fwd=None, *, device_type: str, cast_inputs=None):
    """Decorator of a Function's forward: in a region its tensors come in `cast_inputs`, and inside nothing is cast.

    Without cast_inputs the region goes on inside. Raises ValueError for a device_type that is no text.
    """
    _need_text(device_type)
    if fwd is None:
        return functools.partial(custom_fwd, device_type=device_type, cast_inputs=cast_inputs)

    @functools.wraps(fwd)
    def decorate_fwd(*args, **kwargs):
        ctx = args[0]
        ctx._dtype = state.get_autocast_dtype(device_type)
        inside = state.is_autocast_enabled(device_type)
        ctx._fwd_used_autocast = inside and cast_inputs is None
        if not inside or cast_inputs is None:
            return fwd(*args, **kwargs)
        with autocast(device_type=device_type, enabled=False):
            return fwd(*_cast(args, device_type, cast_inputs), **_cast(kwargs, device_type, cast_inputs))

    return decorate_fwd


def custom_bwd(bwd=None, *, device_type: str):
    """Decorator of a Function's backward: it runs in a region if forward did. Raises as custom_fwd."""
    _need_text(device_type)
    if bwd is None:
        return functools.partial(custom_bwd, device_type=device_type)

    @functools.wraps(bwd)
    def decorate_bwd(*args, **kwargs):
        with autocast(device_type=device_type, enabled=args[0]._fwd_used_autocast, dtype=args[0]._dtype):
            return bwd(*args, **kwargs)

    return decorate_bwd


def _enter_autocast(*vals):
    mode = autocast(*vals)
    mode.__enter__()
    return mode


def _exit_autocast(mode):
    mode.__exit__(None, None, None)
