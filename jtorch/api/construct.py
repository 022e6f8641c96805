"""Tensors from data: tensor, as_tensor, from_numpy, the Tensor constructor and torch's legacy typed ones."""

import numpy as np

from jtorch import _tensor, devices, dtypes, modes, shapes
from jtorch._tensor import Tensor, alias, aval
from jtorch.api import types
from jtorch.api.arrays import copied, from_numpy, on_buffer, shared, warn_read_only
from jtorch.api.dlpack import from_dlpack
from jtorch.api.put import function, method
from jtorch.api.sequences import to_array
from jtorch.api.size import Size
from jtorch.autograd.apply import call
from jtorch.errors import type_name, warn, warn_once


def _checked_dtype(name, dtype):
    """The dtype of a `dtype=` argument, which may be a Python type. Raises TypeError for anything else."""
    if dtype is None or isinstance(dtype, dtypes.dtype):
        return dtype
    if isinstance(dtype, type) and dtype in dtypes.OF_PYTHON:
        return dtypes.OF_PYTHON[dtype]
    raise TypeError(f"{name}(): argument 'dtype' must be torch.dtype, not {type_name(dtype)}")


def _made(data, dtype=None, device=None, copy=True):
    """A tensor of arrays, of what speaks DLPack, or of numbers in nested sequences. copy: False shares memory."""
    if isinstance(data, (str, bytes)):
        raise TypeError(f"new(): invalid data type '{type_name(data)}'")
    if isinstance(data, np.ndarray):
        if copy:
            return copied(data, dtype, device)
        out = _on_or_of(data, dtype)
    elif hasattr(data, "__dlpack__"):
        out = from_dlpack(data)
        out = call("clone", out) if copy else out
    else:
        array, found = to_array(data, dtype)
        return _tensor.from_host(array, found, device)
    out = out if dtype is None else out.to(dtype)
    return out.to(devices.get(device))


def _on_or_of(array, dtype):
    """A tensor on an array's memory, or a copy where its dtype is another one."""
    if dtype is None or dtype.numpy == array.dtype:
        return from_numpy(array)
    if not array.flags.writeable:
        warn_read_only()
    return copied(array, dtype, devices.CPU)


@function
def tensor(data, *, dtype=None, device=None, requires_grad=False, pin_memory=False):
    """A new leaf with a copy of the data: numbers, nested sequences, arrays. As torch.tensor.

    Raises ValueError for ragged sequences, TypeError and RuntimeError for what is no number.
    """
    dtype = _checked_dtype("tensor", dtype)
    if isinstance(data, Tensor):
        warn(
            "To copy construct from a tensor, it is recommended to use sourceTensor.detach().clone() or "
            "sourceTensor.detach().clone().requires_grad_(True), rather than torch.tensor(sourceTensor)."
        )
        out = call("clone", call("detach", data))
        out = out.to(device, dtype) if device is not None else out.to(dtype) if dtype is not None else out
        return out.requires_grad_(requires_grad)
    out = _made(data, dtype, device)
    if requires_grad:
        _tensor.require_grad(out)
    return out


@function
def as_tensor(data, dtype=None, device=None):
    """The data as a tensor, sharing its memory where dtype and device allow. As torch.as_tensor."""
    dtype = _checked_dtype("as_tensor", dtype)
    if isinstance(data, Tensor):
        out = data if dtype is None else data.to(dtype)
        place = devices.Default.device if device is None else device
        return out if place is None else out.to(place)
    return _made(data, dtype, device, copy=False)


@function
def asarray(obj, *, dtype=None, device=None, copy=None, requires_grad=None):
    """The data as a tensor; copy=True always copies, copy=False never. As torch.asarray.

    Raises ValueError where copy is False and the data can't be shared.
    """
    dtype = _checked_dtype("asarray", dtype)
    out = _shared_data(obj, dtype)
    if out is None:
        if copy is False:
            raise ValueError("can't alias arbitrary sequence into a tensor.")
        out = _made(obj, dtype, device)
    else:
        out = _as_asked(out, obj, dtype, None if device is None else devices.get(device), copy)
    if requires_grad is None:
        if isinstance(obj, Tensor) and obj.requires_grad:
            warn_once(
                "torch.asarray: unspecified requires_grad now defaults to obj.requires_grad instead of False. Pass "
                "requires_grad=False explicitly to get the old behavior and silence this warning."
            )
        return out
    if not requires_grad and not out.is_leaf:
        return out.detach()
    if requires_grad and not out.requires_grad:
        _tensor.require_grad(out)
    elif not requires_grad and out.requires_grad:
        out.requires_grad_(False)
    return out


def _shared_data(obj, dtype):
    """A tensor on the memory of arrays, tensors, buffers and DLPack capsules; None for all others."""
    if isinstance(obj, Tensor):
        return obj
    if isinstance(obj, (np.ndarray, np.generic)):
        return shared(np.asarray(obj))
    if hasattr(obj, "__dlpack__") or type(obj).__name__ == "PyCapsule":
        return from_dlpack(obj)
    try:
        memoryview(obj).release()
    except TypeError:
        return None
    return on_buffer(obj, dtype or dtypes.Default.float)


def _as_asked(out, obj, dtype, device, copy):
    """A tensor on somebody's memory with dtype and device asked for, copied if it must be."""
    have = aval(out)
    elsewhere, other = device not in (None, have.device), dtype not in (None, have.dtype)
    if copy or (copy is None and (elsewhere or other)):
        if isinstance(obj, np.ndarray):
            return copied(obj, dtype, device or devices.CPU)
        moved = out.to(device or have.device, dtype or have.dtype)
        return moved if moved is not out else call("clone", out)
    if elsewhere:
        raise ValueError(f"can't alias tensor from device '{have.device}' to '{device}'.")
    if other:
        raise ValueError(f"can't alias tensor with dtype '{have.dtype.label}' into dtype '{dtype.label}'.")
    if isinstance(obj, np.ndarray) and not obj.flags.writeable:
        warn_read_only()
    return out


@function
def is_tensor(obj):
    """Whether obj is a Tensor."""
    return isinstance(obj, Tensor)


def _new(cls, *args, dtype=None, device=None):
    """The legacy constructor: Tensor(2, 3) with that shape, Tensor([1., 2.]) of that data."""
    first = args[0] if args else None
    if len(args) == 1 and isinstance(first, Tensor):
        have = aval(first)
        if dtype is not None and have.dtype is not dtype:
            raise TypeError(f"expected {_options(dtype, device)} (got {_options(have.dtype, have.device)})")
        return alias(first, cls)
    dtype = dtype or dtypes.Default.float
    if isinstance(first, str):
        raise TypeError("new(): invalid data type 'str'")
    if len(args) == 1 and isinstance(first, (list, tuple, range, np.ndarray)) and not _is_size(first):
        data = list(first) if isinstance(first, range) else first
        return _cast_class(_made(data, dtype, device, copy=False), cls)
    sizes = tuple(first) if len(args) == 1 and _is_size(first) else args or (0,)
    for place, n in enumerate(sizes, 1):
        if not isinstance(n, (int, np.integer)):
            if len(args) == 1:
                raise TypeError(f"new(): data must be a sequence (got {type_name(first)})")
            raise TypeError(
                f"new(): argument 'size' failed to unpack the object at pos {place} with error \"type must be tuple of "
                f'ints,but got {type_name(n)}"'
            )
        if n < 0:
            raise RuntimeError(f"Trying to create tensor with negative dimension {n}: {shapes.listed(sizes)}")
    return _cast_class(_tensor.from_host(np.zeros(sizes, dtype.numpy), dtype, device), cls)


def _options(dtype, device):
    # torch: the words for a tensor of another type than the constructor's.
    return (
        f"TensorOptions(dtype={dtypes.cpp_name(dtype)}, device={device or 'cpu'}, layout=Strided, "
        "requires_grad=false (default), pinned_memory=false (default), memory_format=(nullopt))"
    )


def _is_size(value):
    return type(value).__name__ == "Size"


def _cast_class(made, cls):
    return made if cls is Tensor else alias(made, cls)


def _tensor_new(cls, *args, device=None, **kwargs):
    own = cls.__init__ is not _tensor_init  # a subclass's own __init__ may take more
    given = [kwargs.pop(name) for name in ("data", "other", "size") if name in kwargs and not own]
    if kwargs and not own:
        shown = [type_name(x) for x in args] + [f"{k}={_type_of(v)}" for k, v in kwargs.items()]
        raise TypeError(f"new() received an invalid combination of arguments - got ({', '.join(shown)})")
    # torch: the default device is not this constructor's.
    return _new(cls, *(args[:1] if own else (*args, *map(_as_given, given))), device=device or devices.CPU)


def _type_of(value):
    return "torch.dtype" if isinstance(value, dtypes.dtype) else type_name(value)


def _as_given(value):
    """A legacy constructor's argument by name: a tuple is a size."""
    return Size(value) if isinstance(value, tuple) else value


def _tensor_init(self, *args, **kwargs):
    pass


Tensor.__new__ = _tensor_new
Tensor.__init__ = _tensor_init


@method
def new(self, *args, device=None):
    """As the legacy constructor, with this tensor's dtype and device: new(2, 3), new([1, 2]), new(other)."""
    return _new(Tensor, *args, dtype=aval(self).dtype, device=device or aval(self).device)


@staticmethod
def _make_subclass(cls, data, require_grad=False):
    out = alias(data, cls)
    if require_grad:
        _tensor.require_grad(out)
    return out


Tensor._make_subclass = _make_subclass


class tensortype(type):
    """The class of torch.FloatTensor and its kin: old constructors, and names of a dtype on a device."""

    def __instancecheck__(cls, obj):
        return isinstance(obj, Tensor) and obj.type() == cls.__module__ + "." + cls.__name__

    def __call__(cls, *args, device=None, **kwargs):
        place = devices.Device(device or cls.place)
        if place.type != cls.place:
            raise RuntimeError(
                f"legacy constructor expects device type: {cls.place} but device type: {place.type} was passed"
            )
        given = [kwargs.pop(name) for name in ("data", "other", "size") if name in kwargs]
        return _new(Tensor, *args, *map(_as_given, given), dtype=cls.dtype, device=place)

    @property
    def is_cuda(cls):
        """Whether it stands for tensors on cuda."""
        return cls.place == "cuda"


def legacy_types(place):
    """{name: class} of FloatTensor, LongTensor, ... for "cpu" or "cuda"."""
    module = "torch" if place == "cpu" else f"torch.{place}"
    return {
        f"{label}Tensor": tensortype(f"{label}Tensor", (), {"dtype": kind, "place": place, "__module__": module})
        for label, kind in types.BY_LABEL.items()
        if not label.startswith("Complex")
    }


@function
def set_default_dtype(d):
    """Set the dtype of new float tensors: float16, bfloat16, float32 or float64. Raises TypeError for others."""
    if not isinstance(d, dtypes.dtype):
        raise TypeError("invalid dtype object: only floating-point types are supported as the default type")
    if not d.is_floating_point:
        raise TypeError("only floating-point types are supported as the default type")
    dtypes.Default.float = d
    modes.set_token("default dtype", None if d is dtypes.float32 else d)


@function
def get_default_dtype():
    """The dtype of new float tensors."""
    return dtypes.Default.float


@function
def set_default_tensor_type(t):
    """Set dtype and device of new tensors by an old type name. As torch.set_default_tensor_type."""
    if not isinstance(t, str) and not hasattr(t, "place"):
        raise TypeError("invalid type object: only floating-point types are supported as the default type")
    kind, place = types.parse_type(t) if isinstance(t, str) else (t.dtype, devices.get(t.place))
    set_default_dtype(kind)
    devices.Default.device = None if place is devices.CPU else place


@function
def set_default_device(device):
    """Set the device of new tensors; None is the CPU again."""
    devices.Default.device = None if device is None else devices.Device(device)


@function
def get_default_device():
    """The device of new tensors."""
    return devices.Default.device or devices.CPU
