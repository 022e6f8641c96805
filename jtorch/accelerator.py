"""torch.accelerator: the current accelerator, whatever it is; here cuda or none."""

from jtorch import cuda
from jtorch.devices import Device


def is_available():
    """Whether there is an accelerator."""
    return cuda.is_available()


def device_count():
    """How many accelerators there are."""
    return cuda.device_count()


def current_accelerator(check_available=False):
    """The accelerator's device (without index), or None when there is none."""
    return Device("cuda") if cuda.is_available() else None


def current_device_index():
    """The index of the current accelerator."""
    return cuda.current_device()


current_device_idx = current_device_index


def set_device_index(device):
    """Make an accelerator the current one."""
    cuda.set_device(device)


set_device_idx = set_device_index


def synchronize(device=None):
    """Run what is pending and wait until the accelerator has done it."""
    cuda.synchronize(device)


class device_index(cuda.device):
    """Context manager: an accelerator is the current one inside."""
