"""Flags that a script sets and reads: warnings, denormal numbers, what the build can do."""

import importlib

from jtorch import devices
from jtorch.api.put import FUNCTIONS, function
from jtorch.errors import Repeat


@function
def set_warn_always(b):
    """Whether warnings that are given once are given each time."""
    if not isinstance(b, bool):
        raise TypeError(f"setWarnOnlyOnce expects a bool, but got {type(b).__name__}")
    Repeat.always = b


@function
def is_warn_always_enabled():
    """Whether warnings that are given once are given each time."""
    return Repeat.always


@function
def set_flush_denormal(mode):
    """False: XLA decides about denormal numbers when its threads start."""
    return False


@function
def compiled_with_cxx11_abi():
    """True, as in all builds of torch."""
    return True


@function
def is_vulkan_available():
    """False."""
    return False


@function
def get_device_module(device=None):
    """The module of a device type, such as torch.cuda. Raises RuntimeError for types without one."""
    kind = devices.get(device).type if device is None else devices.Device(device).type
    try:
        return importlib.import_module(f"jtorch.{kind}")
    except ModuleNotFoundError:
        raise RuntimeError(
            f"Invalid device module '{kind}'. Please make sure it is registered via torch._register_device_module"
        ) from None


FUNCTIONS.update(has_lapack=True, has_mkl=False, has_openmp=True, has_spectral=True)
