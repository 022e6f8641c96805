"""torch.cuda.memory: what JAX's allocator says of a device's memory, in torch's words."""

import os
from collections import OrderedDict

from jtorch import devices
from jtorch.devices import Device, jax_device
from jtorch.errors import warn

__all__ = [
    "empty_cache", "max_memory_allocated", "max_memory_cached", "max_memory_reserved", "mem_get_info",
    "memory_allocated", "memory_cached", "memory_reserved", "memory_stats", "memory_stats_as_nested_dict",
    "memory_summary", "reset_max_memory_allocated", "reset_max_memory_cached", "reset_peak_memory_stats",
]  # fmt: skip

# torch's names of what JAX counts; the rest of torch's statistics JAX does not keep.
_COUNTED = {
    "allocated_bytes.all.current": "bytes_in_use",
    "allocated_bytes.all.peak": "peak_bytes_in_use",
    "reserved_bytes.all.current": "pool_bytes",
    "reserved_bytes.all.peak": "peak_pool_bytes",
    "allocation.all.allocated": "num_allocs",
    "max_split_size": "largest_alloc_size",
}


def _jax_device(device):
    if isinstance(device, int):
        device = Device("cuda", device)
    return jax_device(devices.get("cuda" if device is None else device))


def _counters(device):
    """JAX's counters of a device; none without a cuda device or where it keeps none."""
    return (_jax_device(device).memory_stats() or {}) if devices.cuda_devices() else {}


def memory_stats(device=None):
    """What JAX counts of the device's memory, under torch's names, in bytes; empty where it counts nothing."""
    have = _counters(device)
    return OrderedDict((name, have[counter]) for name, counter in sorted(_COUNTED.items()) if counter in have)


def memory_stats_as_nested_dict(device=None):
    """memory_stats with a dict for each part of a name."""
    found = {}
    for name, value in memory_stats(device).items():
        *folders, last = name.split(".")
        at = found
        for folder in folders:
            at = at.setdefault(folder, {})
        at[last] = value
    return found


def memory_allocated(device=None):
    """Bytes in use on the device."""
    return _counters(device).get("bytes_in_use", 0)


def max_memory_allocated(device=None):
    """The most bytes that were in use on the device."""
    return _counters(device).get("peak_bytes_in_use", 0)


def memory_reserved(device=None):
    """Bytes that the allocator holds."""
    have = _counters(device)
    return have.get("pool_bytes", have.get("bytes_in_use", 0))


def max_memory_reserved(device=None):
    """The most bytes that the allocator held."""
    have = _counters(device)
    return have.get("peak_pool_bytes", have.get("peak_bytes_in_use", 0))


def memory_cached(device=None):
    """memory_reserved (deprecated in torch)."""
    warn("`torch.cuda.memory_cached` has been renamed to `torch.cuda.memory_reserved`", FutureWarning)
    return memory_reserved(device)


def max_memory_cached(device=None):
    """max_memory_reserved (deprecated in torch)."""
    warn("`torch.cuda.max_memory_cached` has been renamed to `torch.cuda.max_memory_reserved`", FutureWarning)
    return max_memory_reserved(device)


def mem_get_info(device=None):
    """(free bytes, all bytes) of the device, as far as JAX may use it. Raises AssertionError without a cuda device."""
    device = _jax_device(device)
    have = device.memory_stats() or {}
    if "bytes_limit" in have:
        return have["bytes_limit"] - have["bytes_in_use"], have["bytes_limit"]
    return _host_memory("SC_AVPHYS_PAGES"), _host_memory("SC_PHYS_PAGES")


def _host_memory(pages):
    """Bytes of the host's memory, which a simulated device uses."""
    return os.sysconf(pages) * os.sysconf("SC_PAGE_SIZE")


def total_memory(device):
    """All bytes of a jax.Device."""
    return (device.memory_stats() or {}).get("bytes_limit") or _host_memory("SC_PHYS_PAGES")


def memory_summary(device=None, abbreviated=False):
    """memory_stats as a table. Raises AssertionError without a cuda device."""
    title = f" memory of {_jax_device(device)}, as JAX counts it "
    lines = [f"{name:<40}{value:>20,}" for name, value in memory_stats(device).items()]
    return "\n".join([title.center(60, "="), *lines, "=" * 60])


def empty_cache():
    """Nothing to do: JAX keeps its memory pool."""


def reset_peak_memory_stats(device=None):
    """Nothing to do: JAX does not reset its peak counters."""


def reset_max_memory_allocated(device=None):
    """reset_peak_memory_stats (deprecated in torch)."""
    _renamed("reset_max_memory_allocated")


def reset_max_memory_cached(device=None):
    """reset_peak_memory_stats (deprecated in torch)."""
    _renamed("reset_max_memory_cached")


def _renamed(name):
    warn(
        f"torch.cuda.{name} now calls torch.cuda.reset_peak_memory_stats, which resets /all/ peak memory stats.",
        FutureWarning,
    )


def _history(name):
    """Raise what torch raises without a cuda device; with one, NotImplementedError: the allocator is JAX's."""
    if not devices.cuda_devices():
        raise AttributeError(f"module 'torch._C' has no attribute '{name}'")
    raise NotImplementedError(
        "the allocator is JAX's and keeps no history: jax.profiler.save_device_memory_profile(filename) writes what is "
        "held now, and by whom"
    )


def _record_memory_history(enabled="all", *args, **kwargs):
    """Not there: see the error."""
    _history("_cuda_record_memory_history")


def _snapshot(device=None, augment_with_fx_traces=False):
    """Not there: see the error."""
    _history("_cuda_memorySnapshot")


def _dump_snapshot(filename="dump_snapshot.pickle", augment_with_fx_traces=False):
    """Not there: see the error."""
    _history("_cuda_memorySnapshot")
