"""torch.accelerator: the current accelerator, whatever it is; here cuda or none."""

from jtorch import cuda, dtypes
from jtorch.devices import Device

__all__ = [
    "current_accelerator", "current_device_idx", "current_device_index", "current_stream", "device_count",
    "device_index", "empty_cache", "empty_host_cache", "get_device_capability", "get_memory_info", "is_available",
    "max_memory_allocated", "max_memory_reserved", "memory_allocated", "memory_reserved", "memory_stats",
    "reset_peak_memory_stats", "set_device_idx", "set_device_index", "set_stream", "synchronize",
]  # fmt: skip


def is_available():
    """Whether there is an accelerator."""
    return cuda.is_available()


def device_count():
    """How many accelerators there are."""
    return cuda.device_count()


def current_accelerator(check_available=False):
    """The accelerator's device (without index), or None when there is none."""
    return Device("cuda") if cuda.is_available() else None


def _on_one(function):
    """A function of torch.cuda as one of the accelerator. It raises RuntimeError when there is none."""

    def asked(*args, **kwargs):
        if not cuda.is_available():
            raise RuntimeError("Cannot access accelerator device when none is available.")
        return function(*args, **kwargs)

    asked.__doc__ = f"{function.__doc__} Raises RuntimeError when there is none."
    asked.__wrapped__ = function
    return asked


current_device_idx = current_device_index = _on_one(cuda.current_device)
set_device_idx = set_device_index = _on_one(cuda.set_device)
current_stream = _on_one(cuda.current_stream)
set_stream = _on_one(cuda.set_stream)
synchronize = _on_one(cuda.synchronize)
empty_cache = empty_host_cache = _on_one(cuda.empty_cache)
get_memory_info = _on_one(cuda.mem_get_info)
memory_stats = _on_one(cuda.memory_stats)
memory_allocated = _on_one(cuda.memory_allocated)
memory_reserved = _on_one(cuda.memory_reserved)
max_memory_allocated = _on_one(cuda.max_memory_allocated)
max_memory_reserved = _on_one(cuda.max_memory_reserved)
reset_peak_memory_stats = _on_one(cuda.reset_peak_memory_stats)


@_on_one
def get_device_capability(device=None):
    """{"supported_dtypes": the dtypes that the accelerator has}."""
    return {"supported_dtypes": set(dtypes.ALL)}


class device_index(cuda.device):
    """Context manager: an accelerator is the current one inside."""
