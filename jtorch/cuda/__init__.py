"""torch.cuda on JAX's GPU backend (or on the host devices that JTORCH_SIMULATE_CUDA presents)."""

import os

from jtorch import devices
from jtorch.api.construct import legacy_types
from jtorch.cuda import amp, graphs, memory, nccl, nvtx, streams
from jtorch.cuda.graphs import CUDAGraph, graph, graph_pool_handle, is_current_stream_capturing
from jtorch.cuda.memory import (
    empty_cache,
    max_memory_allocated,
    max_memory_cached,
    max_memory_reserved,
    mem_get_info,
    memory_allocated,
    memory_cached,
    memory_reserved,
    memory_stats,
    memory_stats_as_nested_dict,
    memory_summary,
    reset_max_memory_allocated,
    reset_max_memory_cached,
    reset_peak_memory_stats,
)
from jtorch.cuda.streams import (
    Event,
    ExternalStream,
    Stream,
    StreamContext,
    current_stream,
    default_stream,
    set_stream,
    stream,
)
from jtorch.devices import Current, Device, cuda_devices, jax_device
from jtorch.engine import flush
from jtorch.rng import generator as generators

__all__ = [
    "CUDAGraph", "graph", "graph_pool_handle", "graphs",
    "Event", "ExternalStream", "Stream", "StreamContext", "amp", "can_device_access_peer", "current_device",
    "current_stream", "default_stream", "device", "device_count", "device_of", "empty_cache", "get_arch_list",
    "get_device_capability", "get_device_name", "get_device_properties", "get_rng_state", "get_rng_state_all", "init",
    "initial_seed", "ipc_collect", "is_available", "is_bf16_supported", "is_current_stream_capturing",
    "is_initialized", "is_tf32_supported", "manual_seed", "manual_seed_all", "max_memory_allocated",
    "max_memory_cached", "max_memory_reserved", "mem_get_info", "memory", "memory_allocated", "memory_cached",
    "memory_reserved", "memory_stats", "memory_stats_as_nested_dict", "memory_summary", "nvtx",
    "reset_max_memory_allocated", "reset_max_memory_cached", "reset_peak_memory_stats", "seed", "seed_all",
    "set_device", "set_rng_state", "set_rng_state_all", "set_stream", "stream", "streams", "synchronize",
]  # fmt: skip


def is_available():
    """Whether there is a cuda device."""
    return bool(cuda_devices())


def device_count():
    """How many cuda devices there are."""
    return len(cuda_devices())


def is_initialized():
    """Whether the cuda devices can be used."""
    return is_available()


def init():
    """Nothing to do: JAX starts its backends by itself."""


def current_device():
    """The index of the current cuda device. Raises AssertionError when there is none."""
    devices.get("cuda")
    return Current.index


def _index(device):
    if device is None:
        return Current.index
    if isinstance(device, int):
        return device
    index = Device(device).index
    return Current.index if index is None else index


def set_device(device):
    """Make a cuda device the current one."""
    index = _index(device)
    if index >= 0:
        devices.get(Device("cuda", index))
        Current.index = index


class device:
    """Context manager: a cuda device is the current one inside."""

    def __init__(self, device):
        self.index = _index(device)

    def __enter__(self):
        self.previous = Current.index
        set_device(self.index)

    def __exit__(self, *exc):
        Current.index = self.previous


class device_of(device):
    """Context manager: the cuda device of a tensor is the current one inside. Other tensors change nothing."""

    def __init__(self, obj):
        super().__init__(obj.get_device() if obj.is_cuda else -1)


def synchronize(device=None):
    """Run what is pending and wait until the device has done all its work."""
    flush.finish(devices.get(Device("cuda", _index(device))))


def get_device_name(device=None):
    """What the device calls itself."""
    return jax_device(devices.get(Device("cuda", _index(device)))).device_kind


def get_device_capability(device=None):
    """(major, minor) of the compute capability; (0, 0) for a simulated device."""
    found = getattr(jax_device(devices.get(Device("cuda", _index(device)))), "compute_capability", "0.0")
    major, _, minor = str(found).partition(".")
    return int(major), int(minor or 0)


class _Properties:
    """What is known of a cuda device: name, compute capability, bytes of memory, processors."""

    def __init__(self, device):
        found = jax_device(device)
        self.name = found.device_kind
        self.major, self.minor = get_device_capability(device)
        self.total_memory = memory.total_memory(found)
        self.multi_processor_count = getattr(found, "core_count", None) or os.cpu_count()

    def __repr__(self):
        # torch: these of its fields, in this order.
        return (
            f"_CudaDeviceProperties(name='{self.name}', major={self.major}, minor={self.minor}, "
            f"total_memory={self.total_memory // 2**20}MB, multi_processor_count={self.multi_processor_count})"
        )


_Properties.__name__ = _Properties.__qualname__ = "_CudaDeviceProperties"


def get_device_properties(device=None):
    """Name, capability, memory and processors of the device. Raises AssertionError without a cuda device."""
    return _Properties(devices.get(Device("cuda", _index(device))))


def can_device_access_peer(device, peer_device):
    """Whether one device reads another's memory: JAX copies between all of them. Raises AssertionError without one."""
    return _index(devices.get(Device("cuda", _index(device)))) != _index(peer_device)


def get_arch_list():
    """The architectures that kernels were built for: none, XLA compiles for the device at hand."""
    return []


def is_tf32_supported():
    """Whether the device multiplies in TF32: from compute capability 8 on."""
    return is_available() and get_device_capability()[0] >= 8


def ipc_collect():
    """Nothing to do: no memory is shared between processes. Raises AssertionError without a cuda device."""
    devices.get("cuda")


def is_bf16_supported(including_emulation=True):
    """Whether bfloat16 works on the device: XLA has it everywhere."""
    return is_available()


def __getattr__(name):
    if name == "default_generators":
        return tuple(_generator(index) for index in range(device_count()))
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def _generator(device):
    return generators.default_for(devices.get(Device("cuda", _index(device))))


def manual_seed(seed):
    """Seed the current cuda device's generator. Does nothing without a cuda device."""
    seed = int(seed)
    if is_available():
        _generator(None).manual_seed(seed)


def manual_seed_all(seed):
    """Seed the generators of all cuda devices."""
    seed = int(seed)
    for index in range(device_count()):
        _generator(index).manual_seed(seed)


def seed():
    """Seed the current cuda device's generator from the operating system. Does nothing without a cuda device."""
    if is_available():
        _generator(None).seed()


def seed_all():
    """Seed the generators of all cuda devices with one seed of the operating system."""
    if is_available():
        manual_seed_all(_generator(0).seed())


def initial_seed():
    """The seed that the current cuda device's generator started from. Raises AssertionError without a cuda device."""
    return _generator(None).initial_seed()


def get_rng_state(device: object = "cuda"):
    """The state of a cuda device's generator. Shape: (16,), uint8. Raises AssertionError without a cuda device."""
    return _generator(device).get_state()


def get_rng_state_all():
    """The states of all cuda devices' generators."""
    return [get_rng_state(index) for index in range(device_count())]


def set_rng_state(new_state, device: object = "cuda"):
    """Let a cuda device's generator go back to a state. Does nothing without a cuda device."""
    if is_available():
        _generator(device).set_state(new_state)


def set_rng_state_all(new_states):
    """Let the generators of all cuda devices go back to their states."""
    for index, state in enumerate(new_states):
        set_rng_state(state, index)


globals().update(legacy_types("cuda"))
