"""torch.random: the default generator, its seed and its state."""

import contextlib
import warnings

import numpy as np

from jtorch import _tensor, dtypes
from jtorch import devices as places
from jtorch._tensor import Tensor
from jtorch.api.formats import is_contiguous
from jtorch.rng import generator as generators
from jtorch.rng.generator import Generator

__all__ = [
    "set_rng_state", "get_rng_state", "manual_seed", "seed", "initial_seed", "fork_rng", "thread_safe_generator",
]  # fmt: skip

default_generator = generators.default


def get_state(self):
    """The state as a ByteTensor, on the CPU byte for byte torch's. Shape: (5056,) on the CPU, else (16,)."""
    return _tensor.from_host(self.save(), dtypes.uint8, places.CPU)


def set_state(self, new_state, /):
    """Go back to a state from get_state, here or in torch, and return the generator.

    Raises TypeError when it is no ByteTensor, RuntimeError when it is no state.
    """
    if not isinstance(new_state, Tensor):
        raise TypeError(f"expected a torch.ByteTensor, but got {type(new_state).__name__}")
    if _tensor.aval(new_state).dtype is not dtypes.uint8:
        raise TypeError("RNG state must be a torch.ByteTensor")
    if not is_contiguous(new_state):
        raise RuntimeError("RNG state must be contiguous")
    return self.load(np.asarray(_tensor.host(new_state)).reshape(-1))


def _set_state_of_a_pickle(self, state):
    """Take over what a pickle holds: (seed, offset, state)."""
    set_state(self, state[2])


Generator.get_state = get_state
Generator.__setstate__ = _set_state_of_a_pickle
Generator.set_state = set_state


def get_rng_state():
    """The state of the CPU's default generator. Shape: (5056,), uint8."""
    return default_generator.get_state()


def set_rng_state(new_state):
    """Go back to a state from get_rng_state, here or in torch. Raises as Generator.set_state."""
    default_generator.set_state(new_state)


def manual_seed(seed):
    """Start the default generators of all devices from `seed`, and return the CPU's.

    Raises ValueError when the seed does not fit 64 bits; a negative one counts down from 2**64.
    """
    generators.seed_all(int(seed))
    return default_generator


def seed():
    """Start the default generators of all devices from a seed of the operating system, and return that seed."""
    fresh = default_generator.seed()
    generators.seed_all(fresh)
    return fresh


def initial_seed():
    """The seed that the CPU's default generator started from."""
    return default_generator.initial_seed()


class _Warned:
    many_devices = False


@contextlib.contextmanager
def fork_rng(devices=None, enabled=True, _caller="fork_rng", _devices_kw="devices", device_type=None):
    """On leaving, the default generators of the CPU and of `devices` (None: all) are back in their old states."""
    kind = None if device_type is None else places.Device(device_type).type
    if not enabled or kind == "meta":
        yield
        return
    if devices is None:
        count = len(places.cuda_devices())
        if count > 1 and not _Warned.many_devices:
            _Warned.many_devices = True
            warnings.warn(_many_devices(device_type or "cuda", count, _caller, _devices_kw), stacklevel=2)
        devices = range(count)
    forked = [default_generator, *(generators.default_for(places.get(device)) for device in devices)]
    states = [generator.save() for generator in forked]
    try:
        yield
    finally:
        for generator, state in zip(forked, states, strict=True):
            generator.load(state)


def _many_devices(kind, count, caller, keyword):
    name = kind.upper()
    return (
        f"{name} reports that you have {count} available devices, and you have used {caller} without explicitly "
        f"specifying which devices are being used. For safety, we initialize *every* {name} device by default, which "
        f"can be quite slow if you have a lot of {name}s. If you know that you are only making use of a few {name} "
        f"devices, set the environment variable {name}_VISIBLE_DEVICES or the '{keyword}' keyword argument of {caller} "
        "with the set of devices you are actually using. For example, if you are using CPU only, set "
        "device.upper()_VISIBLE_DEVICES= or devices=[]; if you are using device 0 only, set "
        f"{name}_VISIBLE_DEVICES=0 or devices=[0].  To initialize all devices and suppress this warning, set the "
        f"'{keyword}' keyword argument to `range(torch.{kind}.device_count())`."
    )


def thread_safe_generator():
    """None: workers of the DataLoader are processes here, each with a default generator of its own."""
    return None
