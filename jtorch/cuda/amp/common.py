"""What older code asks before it uses mixed precision."""

from jtorch.devices import cuda_devices

__all__ = ["amp_definitely_not_available"]


def amp_definitely_not_available():
    """Whether there is no cuda device."""
    return not cuda_devices()
