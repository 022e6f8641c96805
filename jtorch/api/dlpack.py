"""DLPack: tensors on the memory of other libraries' arrays, and theirs on the memory of tensors."""

import enum

import jax
import numpy as np

from jtorch import _tensor, devices
from jtorch._tensor import Tensor, alias, aval
from jtorch.api.arrays import shared
from jtorch.api.put import function, method
from jtorch.api.reading import has_numpy, numpy
from jtorch.autograd.apply import call
from jtorch.engine import flush


class DLDeviceType(enum.IntEnum):
    """The kinds of devices that DLPack numbers."""

    kDLCPU = 1
    kDLCUDA = 2
    kDLCUDAHost = 3
    kDLOpenCL = 4
    kDLVulkan = 7
    kDLMetal = 8
    kDLVPI = 9
    kDLROCM = 10
    kDLROCMHost = 11
    kDLExtDev = 12
    kDLCUDAManaged = 13
    kDLOneAPI = 14
    kDLWebGPU = 15
    kDLHexagon = 16
    kDLMAIA = 17


DLDeviceType.__module__ = "torch.utils.dlpack"


@function
def from_dlpack(ext_tensor, *, device=None, copy=None):
    """A tensor on the memory of another library's array, or of a DLPack capsule. As torch.from_dlpack.

    Writes are seen on both sides, except with jax.Array, which never changes. Raises ValueError where only a copy
    could do and copy is False.
    """
    if not hasattr(ext_tensor, "__dlpack__"):
        if device is not None or copy is not None:
            raise AssertionError("device and copy kwargs not supported when ext_tensor is already a DLPack capsule.")
        return _shared(_Carrier(ext_tensor))
    have = ext_tensor.__dlpack_device__()
    want = have if device is None else device_of(_given(device))
    if want != have and copy is False:
        raise ValueError(
            f"cannot move DLPack tensor from device {have} to {want} without copying. Set copy=None or copy=True."
        )
    out = _shared(ext_tensor)
    if want != have:
        return out.to(device)
    return call("clone", out) if copy else out


def _given(device):
    if isinstance(device, str):
        device = devices.Device(device)
    if not isinstance(device, devices.Device):
        raise AssertionError(f"from_dlpack: unsupported device type: {type(device)}")
    return device


def _shared(source):
    """A tensor on the memory of an object with `__dlpack__`."""
    if isinstance(source, Tensor):
        _check_exportable(source)
        return alias(source)
    if not isinstance(source, jax.Array) and source.__dlpack_device__()[0] == DLDeviceType.kDLCPU:
        try:
            array = np.from_dlpack(source)
        except RuntimeError:  # a dtype that NumPy lacks
            array = None
        if array is not None:
            return shared(np.asarray(_Writable(array)) if isinstance(source, _Carrier) else array)
    array = source if isinstance(source, jax.Array) else jax.dlpack.from_dlpack(source)
    place = next(iter(array.devices()))
    flush.pin(array)
    return _tensor.from_array(array, devices.CPU if place.platform == "cpu" else devices.get(f"cuda:{place.id}"))


class _Carrier:
    """A DLPack capsule of host memory as an object that hands it out."""

    def __init__(self, capsule):
        if type(capsule).__name__ != "PyCapsule" or '"dltensor' not in repr(capsule):
            raise RuntimeError(
                "from_dlpack received an invalid capsule. Note that DLTensor capsules can be consumed only once, so "
                "you might have already constructed a tensor from it once."
            )
        self.capsule = capsule

    def __dlpack__(self, **options):
        return self.capsule

    def __dlpack_device__(self):
        return DLDeviceType.kDLCPU, 0


class _Writable:
    """The memory of an array that NumPy takes for read-only, which it does where a capsule says nothing about it."""

    def __init__(self, array):
        place, _ = array.__array_interface__["data"]
        self.array = array
        self.__array_interface__ = array.__array_interface__ | {"data": (place, False)}


def device_of(device):
    """(kind, index) by which DLPack knows a device."""
    return (DLDeviceType.kDLCPU, 0) if device.type == "cpu" else (DLDeviceType.kDLCUDA, device.index or 0)


@method
def __dlpack_device__(self):
    return device_of(aval(self).device)


def _check_exportable(tensor):
    if tensor.requires_grad:
        raise BufferError("Can't export tensors that require gradient, use tensor.detach()")


@method
def __dlpack__(self, *, stream=-1, max_version=None, dl_device=None, copy=None):
    _check_exportable(self)
    if stream is not None and type(stream) is not int:
        raise TypeError("stream must be ``int`` or ``none``")
    on_host = aval(self).device is devices.CPU
    if on_host and stream not in (None, -1):
        raise AssertionError("stream should be None on cpu.")
    if on_host and has_numpy(self):
        return numpy(self).__dlpack__(max_version=max_version, dl_device=dl_device, copy=copy)
    array = _tensor.value(self)
    if isinstance(array, np.ndarray):
        array = devices.copied(array, aval(self).device)
    flush.pin(array)
    return array.__dlpack__(max_version=max_version, dl_device=dl_device, copy=copy)


def to_dlpack(tensor):
    """A DLPack capsule of the tensor's memory, to be used once."""
    return tensor.__dlpack__()
