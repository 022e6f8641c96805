"""torch.cuda on JAX's GPU backend (or on the host devices that JTORCH_SIMULATE_CUDA presents)."""

import jax

from jtorch import devices
from jtorch.api.construct import legacy_types
from jtorch.cuda import amp
from jtorch.devices import Current, Device, cuda_devices, jax_device
from jtorch.engine import flush
from jtorch.rng import generator as generators

__all__ = [
    "amp", "current_device", "device", "device_count", "empty_cache", "get_device_capability", "get_device_name",
    "get_rng_state", "get_rng_state_all", "init", "initial_seed", "is_available", "is_bf16_supported",
    "is_initialized", "manual_seed", "manual_seed_all", "max_memory_allocated", "max_memory_reserved",
    "memory_allocated", "memory_reserved", "memory_stats", "reset_peak_memory_stats", "seed", "seed_all",
    "set_device", "set_rng_state", "set_rng_state_all", "synchronize",
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


def synchronize(device=None):
    """Run what is pending and wait until the device has done all its work."""
    place = devices.get(Device("cuda", _index(device)))
    flush.flush("sync")
    (jax.device_put(0, jax_device(place)) + 0).block_until_ready()


def get_device_name(device=None):
    """What the device calls itself."""
    return jax_device(devices.get(Device("cuda", _index(device)))).device_kind


def get_device_capability(device=None):
    """(major, minor) of the compute capability; (0, 0) for a simulated device."""
    found = getattr(jax_device(devices.get(Device("cuda", _index(device)))), "compute_capability", "0.0")
    major, _, minor = str(found).partition(".")
    return int(major), int(minor or 0)


def memory_stats(device=None):
    """The device's memory counters as JAX gives them, in bytes; empty where it keeps none."""
    return jax_device(devices.get(Device("cuda", _index(device)))).memory_stats() or {}


def memory_allocated(device=None):
    """Bytes in use on the device."""
    return memory_stats(device).get("bytes_in_use", 0)


def max_memory_allocated(device=None):
    """The most bytes that were in use on the device."""
    return memory_stats(device).get("peak_bytes_in_use", 0)


def memory_reserved(device=None):
    """Bytes that the allocator holds."""
    return memory_stats(device).get("pool_bytes", memory_allocated(device))


max_memory_reserved = memory_reserved


def empty_cache():
    """Nothing to do: JAX keeps its memory pool."""


def reset_peak_memory_stats(device=None):
    """Nothing to do: JAX does not reset its peak counters."""


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
