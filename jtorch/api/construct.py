"""Tensors from data: tensor, as_tensor, from_numpy, the Tensor constructor and torch's legacy typed ones."""

import warnings

import numpy as np

from jtorch import _tensor, devices, dtypes, modes
from jtorch._tensor import Tensor, alias, aval
from jtorch.api import types
from jtorch.api.put import function, method
from jtorch.autograd.apply import call
from jtorch.engine import storage
from jtorch.engine.ref import of_array
from jtorch.errors import Repeat, type_name


def _sequence_array(data):
    """(array, dtype as torch infers it) of nested sequences of numbers; floats keep all their digits in the array.

    Raises ValueError for ragged ones.
    """
    kinds = set()
    nested = _plain(data, kinds, 0, _sizes(data))
    if not kinds:
        return np.array(nested, dtype=dtypes.Default.float.numpy), dtypes.Default.float
    found = None
    for kind in kinds:
        this = kind if isinstance(kind, dtypes.dtype) else dtypes.default_for(kind)
        found = this if found is None else dtypes.promote_types(found, this)
    if found is dtypes.int64:
        _check_long(nested)
    wide = {dtypes.FLOAT: np.float64, dtypes.COMPLEX: np.complex128}.get(found.category, found.numpy)
    return np.array(nested, dtype=wide), found


def _check_long(nested):
    try:
        np.array(nested, dtype=np.int64)
    except OverflowError:
        raise RuntimeError("Overflow when unpacking long long") from None


def _sizes(data):
    sizes = []
    while isinstance(data, (list, tuple)) or (hasattr(data, "__len__") and not isinstance(data, (str, Tensor))):
        sizes.append(len(data))
        if not len(data):
            break
        data = data[0]
    return sizes


def _plain(data, kinds, depth, sizes):
    if isinstance(data, (bool, int, float, complex)) and not isinstance(data, np.generic):
        kinds.add(type(data) if type(data) in (bool, int, float, complex) else int)
        return data
    if isinstance(data, np.generic):
        kinds.add(dtypes.from_numpy(data.dtype))
        return data.item()
    if isinstance(data, Tensor):
        kinds.add(aval(data).dtype)
        return _tensor.host(data).tolist()
    if isinstance(data, np.ndarray):
        kinds.add(dtypes.from_numpy(data.dtype))
        return data.tolist()
    if isinstance(data, str):
        raise TypeError("new(): invalid data type 'str'")
    if hasattr(data, "__len__") and hasattr(data, "__getitem__"):
        if depth < len(sizes) and len(data) != sizes[depth]:
            raise ValueError(f"expected sequence of length {sizes[depth]} at dim {depth} (got {len(data)})")
        return [_plain(item, kinds, depth + 1, sizes) for item in data]
    if data is None:
        raise RuntimeError("Could not infer dtype of NoneType")
    raise RuntimeError(f"Could not infer dtype of {type(data).__name__}")


def _array_of(data, dtype):
    if isinstance(data, np.ndarray):
        kind = dtypes.from_numpy(data.dtype)
        array = np.array(data, dtype=kind.numpy)
        return array if dtype is None else array.astype(dtype.numpy)
    if isinstance(data, np.generic):
        kind = dtypes.from_numpy(data.dtype)
        return np.array(data, dtype=(dtype or kind).numpy)
    if hasattr(data, "__array__") and not isinstance(data, (list, tuple)):
        return _array_of(np.asarray(data), dtype)
    array, found = _sequence_array(data)
    if dtype is None:
        return array.astype(found.numpy, copy=False)
    if dtype.category < dtypes.FLOAT and array.dtype.kind == "c":
        raise RuntimeError("value cannot be converted to type " + dtype.name + " without overflow")
    return array.astype(dtype.numpy)


@function
def tensor(data, *, dtype=None, device=None, requires_grad=False, pin_memory=False):
    """A new leaf with a copy of the data: numbers, nested sequences, arrays. As torch.tensor.

    Raises ValueError for ragged sequences, TypeError and RuntimeError for what is no number.
    """
    if isinstance(data, Tensor):
        warnings.warn(
            "To copy construct from a tensor, it is recommended to use sourceTensor.detach().clone() or "
            "sourceTensor.detach().clone().requires_grad_(True), rather than torch.tensor(sourceTensor).",
            UserWarning,
            stacklevel=2,
        )
        out = call("clone", call("detach", data))
        out = out.to(device, dtype) if device is not None else out.to(dtype) if dtype is not None else out
        return out.requires_grad_(requires_grad)
    return _tensor.from_host(_array_of(data, dtype), None, device, requires_grad)


@function
def as_tensor(data, dtype=None, device=None):
    """The data as a tensor, sharing its memory where dtype and device allow. As torch.as_tensor."""
    if isinstance(data, Tensor):
        out = data if dtype is None else data.to(dtype)
        return out if device is None else out.to(device)
    if isinstance(data, np.ndarray) and (dtype is None or dtype.numpy == data.dtype):
        out = from_numpy(data)
        return out if devices.get(device) is devices.CPU else out.to(devices.get(device))
    return _tensor.from_host(_array_of(data, dtype), None, device)


@function
def asarray(obj, *, dtype=None, device=None, copy=None, requires_grad=False):
    """The data as a tensor; copy=True always copies, copy=False never. As torch.asarray."""
    out = as_tensor(obj, dtype, device)
    if copy:
        out = call("clone", out)
    if requires_grad != out.requires_grad:
        out = out.detach().requires_grad_(requires_grad)
    return out


_warned = []


@function
def from_numpy(array):
    """A tensor sharing a NumPy array's memory: writes through either are seen through the other.

    Raises TypeError for what is no ndarray and for dtypes that torch lacks, ValueError for negative strides.
    """
    if not isinstance(array, np.ndarray):
        raise TypeError(f"expected np.ndarray (got {type_name(array)})")
    dtypes.from_numpy(array.dtype)
    if any(s < 0 for s in array.strides):
        raise ValueError(
            "At least one stride in the given numpy array is negative, and tensors with negative strides are not "
            "currently supported. (You can probably work around this by making a copy of your array  with "
            "array.copy().) "
        )
    if not array.dtype.isnative:
        raise ValueError(
            "given numpy array has byte order different from the native byte order. "
            "Conversion between byte orders is currently not supported."
        )
    if not array.flags.writeable:
        _warn_read_only()
    out = _tensor.wrap(of_array(np.array(array), devices.CPU))
    storage.share(out._storage, array)
    return out


def _warn_read_only():
    if Repeat.always or not _warned:
        _warned.append(True)
        warnings.warn(
            "The given NumPy array is not writable, and PyTorch does not support non-writable tensors. This means "
            "writing to this tensor will result in undefined behavior. You may want to copy the array to protect its "
            "data or make it writable before converting it to a tensor. This type of warning will be suppressed for "
            "the rest of this program.",
            UserWarning,
            stacklevel=3,
        )


@function
def frombuffer(buffer, *, dtype, count=-1, offset=0, requires_grad=False):
    """A 1-D tensor of the elements in a buffer, sharing its memory. As torch.frombuffer."""
    return from_numpy(np.frombuffer(buffer, dtype.numpy, count, offset)).requires_grad_(requires_grad)


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
    if not args:
        return _cast_class(_tensor.from_host(np.zeros((0,), dtype.numpy), dtype, device), cls)
    if len(args) == 1 and (isinstance(first, (list, np.ndarray)) or (isinstance(first, tuple) and not _is_size(first))):
        return _cast_class(_tensor.from_host(_array_of(first, dtype), dtype, device), cls)
    sizes = tuple(first) if len(args) == 1 and _is_size(first) else args
    if not all(isinstance(n, (int, np.integer)) for n in sizes):
        raise TypeError(f"new(): data must be a sequence (got {type_name(first)})")
    return _cast_class(_tensor.from_host(np.zeros(sizes, dtype.numpy), dtype, device), cls)


def _options(dtype, device):
    # torch: the words for a tensor of another type than the constructor's.
    return (
        f"TensorOptions(dtype={types.c_name(dtype)}, device={device or 'cpu'}, layout=Strided, "
        "requires_grad=false (default), pinned_memory=false (default), memory_format=(nullopt))"
    )


def _is_size(value):
    return type(value).__name__ == "Size"


def _cast_class(made, cls):
    return made if cls is Tensor else alias(made, cls)


def _tensor_new(cls, *args, device=None, **kwargs):
    if cls is Tensor or cls.__init__ is object.__init__:
        return _new(cls, *args, device=device)
    return _new(cls, *args[:1], device=device)


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


class _LegacyType(type):
    def __instancecheck__(cls, obj):
        return isinstance(obj, Tensor) and obj.type() == cls.__module__ + "." + cls.__name__

    def __call__(cls, *args, device=None):
        return _new(Tensor, *args, dtype=cls.dtype, device=device or cls.place)


def legacy_types(place):
    """{name: class} of FloatTensor, LongTensor, ... for "cpu" or "cuda"."""
    module = "torch" if place == "cpu" else f"torch.{place}"
    return {
        f"{label}Tensor": _LegacyType(f"{label}Tensor", (), {"dtype": kind, "place": place, "__module__": module})
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
