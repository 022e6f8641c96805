"""Devices as torch names them, the JAX devices behind them, and the JAX settings that hold for the whole process."""

import functools
import os

import jax
import numpy as np

from jtorch.errors import type_name

jax.config.update("jax_enable_x64", True)

SIMULATED = int(os.environ.get("JTORCH_SIMULATE_CUDA", "0") or 0)
if SIMULATED:
    jax.config.update("jax_num_cpu_devices", SIMULATED + 1)

_TYPES = (
    "cpu", "cuda", "ipu", "xpu", "mkldnn", "opengl", "opencl", "ideep", "hip", "ve", "fpga", "maia", "xla", "lazy",
    "vulkan", "mps", "meta", "hpu", "mtia", "privateuseone",
)  # fmt: skip
_MESSAGE_TYPES = ", ".join(_TYPES[:-1]) + ", privateuseone"


NOTHING = object()  # what a device is made of when nothing is given


class Device:
    """torch.device: a type and perhaps an index. Made from 'cuda:1', ('cuda', 1), 1 or another device."""

    __slots__ = ("type", "index", "_entered")

    def __new__(cls, type=NOTHING, index=None, **unknown):
        if unknown and type is not NOTHING:
            raise TypeError(f"device() got an unexpected keyword argument '{next(iter(unknown))}'")
        if unknown:
            given = "".join(f"{key}={type_name(value)}, " for key, value in unknown.items())
            raise TypeError(
                f"device() received an invalid combination of arguments - got ({given}), but expected one of:\n"
                " * (torch.device device)\n * (str type, int index = -1)\n"
            )
        if isinstance(type, Device) and index is None:
            return type
        return object.__new__(cls)

    def __init__(self, type=NOTHING, index=None):
        if isinstance(type, Device):
            return
        self.type, self.index = parse(type, index)

    def __repr__(self):
        return (
            f"device(type='{self.type}')" if self.index is None else f"device(type='{self.type}', index={self.index})"
        )

    def __str__(self):
        return self.type if self.index is None else f"{self.type}:{self.index}"

    def __eq__(self, other):
        return isinstance(other, Device) and (self.type, self.index) == (other.type, other.index)

    def __hash__(self):
        return hash((self.type, self.index))

    def __reduce__(self):
        return (named, (str(self),))  # a function: the class itself goes by torch's name

    def __deepcopy__(self, memo):
        return self

    def __enter__(self):
        _stack.append(Default.device)
        Default.device = self
        return self

    def __exit__(self, *exc):
        Default.device = _stack.pop()


Device.__name__ = Device.__qualname__ = "device"
Device.__module__ = "torch"


class Default:
    """The device of new tensors, which `torch.set_default_device` and `with torch.device(...)` change."""

    device: "Device | None" = None


_stack: list = []


def parse(type, index):
    """(type, index) from torch's spellings of a device. Raises RuntimeError in torch's words."""
    if isinstance(type, bool) or not isinstance(type, (str, int)):
        given = [] if type is NOTHING else [type_name(type)] if index is None else [type_name(type), type_name(index)]
        raise TypeError(f"device() received an invalid combination of arguments - got ({', '.join(given)})")
    if index is not None and (isinstance(index, bool) or not isinstance(index, int)):
        raise TypeError(f"device(): argument 'index' must be int, not {type_name(index)}")
    if index is not None and index < 0:
        raise RuntimeError("Device index must not be negative")
    if isinstance(type, int):
        if type < 0:
            raise RuntimeError("Device index must not be negative")
        return "cuda", type
    if not type:
        raise RuntimeError("Device string must not be empty")
    name, colon, number = type.partition(":")
    if colon and index is not None:
        raise RuntimeError(f"type (string) must not include an index because index was passed explicitly: {type}")
    if colon:
        if not number.isdigit() or (len(number) > 1 and number[0] == "0"):
            raise RuntimeError(f"Invalid device string: '{type}'")
        index = int(number)
    if not name or not name.replace("_", "a").isalpha():
        raise RuntimeError(f"Invalid device string: '{type}'")
    if name not in _TYPES:
        raise RuntimeError(f"Expected one of {_MESSAGE_TYPES} device type at start of device string: {name}")
    return name, index


def named(text):
    """The device of a string such as 'cuda:1'."""
    return Device(text)


CPU = Device("cpu")
META = Device("meta")


@functools.cache
def cuda_devices():
    """The JAX devices that stand behind cuda:0, cuda:1, ...: GPUs, or simulated ones."""
    if SIMULATED:
        return tuple(jax.local_devices(backend="cpu")[1 : SIMULATED + 1])
    try:
        return tuple(jax.local_devices(backend="gpu"))
    except RuntimeError:
        return ()


class Current:
    """The index of the current cuda device."""

    index = 0


@functools.cache
def _placed(type, index):
    if type == "cpu":
        return CPU
    if type == "meta":
        return META
    if type != "cuda":
        raise RuntimeError(f"PyTorch is not linked with support for {type} devices")
    if index >= len(cuda_devices()):
        if not cuda_devices():
            raise AssertionError("Torch not compiled with CUDA enabled")
        raise RuntimeError(f"CUDA error: invalid device ordinal (device {index} of {len(cuda_devices())})")
    return Device("cuda", index)


def get(device=None):
    """The one Device object of a place where data can lie: an index for cuda, none for cpu. None is the default device.

    Raises AssertionError or RuntimeError as torch does where there is no such device.
    """
    if device is None:
        device = Default.device
        if device is None:
            return CPU
    if not isinstance(device, Device):
        device = Device(device)
    index = device.index
    if device.type == "cuda" and index is None:
        index = Current.index
    return _placed(device.type, None if device.type in ("cpu", "meta") else index)


@functools.cache
def jax_device(device):
    """The jax.Device of a placed Device."""
    return jax.local_devices(backend="cpu")[0] if device.type == "cpu" else cuda_devices()[device.index]


def copied(array, device):
    """A JAX array on a placed Device with a copy of the data of a NumPy or a JAX array."""
    if isinstance(array, jax.Array):
        return jax.device_put(array, jax_device(device), may_alias=False)
    # A copy of our own: JAX may read the given array later, when its owner has written to it again.
    return jax.device_put(np.array(array, order="C"), jax_device(device))


def lent(array, device):
    """A JAX array on the memory of a NumPy array, which nobody may write to from now on; on a copy where it must be."""
    return jax.device_put(array, jax_device(device))


def of_jax(device):
    """The placed Device of a jax.Device."""
    return next((_placed("cuda", i) for i, d in enumerate(cuda_devices()) if d == device), CPU)


@functools.cache
def sharding(device):
    """The jax sharding that places an array on this one device."""
    return jax.sharding.SingleDeviceSharding(jax_device(device))
