"""torch.backends.mps: Apple's devices are not presented as mps."""

__all__ = ["get_core_count", "get_name", "is_available", "is_built", "is_macos13_or_newer", "is_macos_or_newer"]


def is_available():
    """False."""
    return False


def is_built():
    """False."""
    return False


def is_macos_or_newer(major, minor):
    """Raises RuntimeError: mps is not built."""
    raise RuntimeError("Cannot execute isOnMacOSorNewer() without MPS backend.")


def is_macos13_or_newer(minor=0):
    """Raises RuntimeError: mps is not built."""
    return is_macos_or_newer(13, minor)


def get_name():
    """Raises AttributeError: mps is not built."""
    raise AttributeError("module 'torch._C' has no attribute '_mps_get_name'")


def get_core_count():
    """Raises AttributeError: mps is not built."""
    raise AttributeError("module 'torch._C' has no attribute '_mps_get_core_count'")
