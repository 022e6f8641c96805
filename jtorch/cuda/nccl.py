"""torch.cuda.nccl: which NCCL lies under JAX."""

import importlib.metadata

from jtorch import devices

_PACKAGES = ("nvidia-nccl-cu13", "nvidia-nccl-cu12")


def version():
    """(major, minor, patch) of the NCCL that was installed with JAX.

    Raises: AttributeError without a cuda device, as torch does; RuntimeError where no package says which it is.
    """
    if not devices.cuda_devices():
        raise AttributeError("module 'torch._C' has no attribute '_nccl_version'")
    for name in _PACKAGES:
        try:
            return tuple(map(int, importlib.metadata.version(name).split(".")[:3]))
        except importlib.metadata.PackageNotFoundError:
            continue
    raise RuntimeError(f"none of the packages {', '.join(_PACKAGES)} is installed, so nobody knows which NCCL there is")
