"""Flags that a script sets and reads: determinism, warnings, denormal numbers, what the build can do."""

import importlib

from jtorch import devices
from jtorch.api.put import FUNCTIONS, function
from jtorch.errors import Repeat


class _Flags:
    deterministic = 0  # 0: no, 1: with warnings only, 2: yes


@function
def use_deterministic_algorithms(mode, *, warn_only=False):
    """Remember whether a script asked for determinism: on the CPU XLA's programs are deterministic anyway."""
    _Flags.deterministic = (1 if warn_only else 2) if mode else 0


@function
def are_deterministic_algorithms_enabled():
    """Whether determinism was asked for."""
    return _Flags.deterministic > 0


@function
def is_deterministic_algorithms_warn_only_enabled():
    """Whether determinism was asked for with warnings only."""
    return _Flags.deterministic == 1


_MODES = ("default", "warn", "error")


@function
def set_deterministic_debug_mode(debug_mode):
    """Ask for determinism by a name or number: "default" or 0, "warn" or 1, "error" or 2."""
    if not isinstance(debug_mode, (int, str)):
        raise TypeError(f"debug_mode must be str or int, but got {type(debug_mode)}")
    if isinstance(debug_mode, str):
        if debug_mode not in _MODES:
            raise RuntimeError(
                "invalid value of debug_mode, expected one of `default`, `warn`, `error`, but got " + debug_mode
            )
        debug_mode = _MODES.index(debug_mode)
    if debug_mode not in (0, 1, 2):
        raise RuntimeError(f"invalid value of debug_mode, expected 0, 1, or 2, but got {debug_mode}")
    _Flags.deterministic = debug_mode


@function
def get_deterministic_debug_mode():
    """0 (no determinism was asked for), 1 (with warnings only) or 2."""
    return _Flags.deterministic


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
