"""NumPy arrays and buffers as tensors, on their own memory or on a copy, laid out as they are."""

import os

import numpy as np

from jtorch import _tensor, devices, dtypes, modes
from jtorch._tensor import Tensor, View, record
from jtorch.api.put import function
from jtorch.api.variants import FOREIGN
from jtorch.engine import storage
from jtorch.engine.ref import of_array
from jtorch.errors import type_name, warn, warn_once
from jtorch.ops.op import TABLE
from jtorch.shapes import contiguous_strides


@function
def from_numpy(array):
    """A tensor sharing a NumPy array's memory: writes through either are seen through the other.

    Raises TypeError for what is no ndarray and for dtypes that torch lacks, ValueError for strides and byte orders.
    """
    return shared(array, warn=True)


def shared(array, warn=False):
    """A tensor on the memory of a NumPy array. warn: whether to say that the memory is read-only."""
    if not isinstance(array, np.ndarray):
        raise TypeError(f"expected np.ndarray (got {type_name(array)})")
    if warn and not array.flags.writeable:
        warn_read_only()
    _check(array)
    strides = _element_strides(array)
    order, strided = _order(array)
    if strides == contiguous_strides(array.shape):
        return _on(storage.of_memory(array, array.shape, devices.CPU))
    if strided:
        cell = storage.of_memory(array, (storage.reach(array),), devices.CPU)
        return _on(cell, TABLE["as_strided"], (array.shape, strides, 0), strides)
    whole = storage.of_memory(array, tuple(array.shape[dim] for dim in order), devices.CPU)
    return _on(whole, TABLE["permute"], (_inverse(order),), strides)


def copied(array, dtype=None, device=None):
    """A tensor with a copy of a NumPy array's values, its dims in the same order of memory; cast to dtype."""
    _check(array)
    kind = dtypes.from_numpy(array.dtype)
    dtype = dtype or kind
    if kind.is_complex and not dtype.is_complex and dtype is not dtypes.bool_:
        warn("Casting complex values to real discards the imaginary part")
        array = array.real.copy(order="K")
    strides = _element_strides(array)
    order, strided = _order(array)
    if array.size and strided and all(array.strides[dim] or array.shape[dim] == 1 for dim in order):
        # torch: gaps go, the order of the dims in memory stays.
        strides = _element_strides(np.empty_like(array, subok=False))
        strided = False
    with np.errstate(over="ignore", invalid="ignore"):
        array = np.array(array, dtype=dtype.numpy, order="C" if strided else "K", subok=False)
    device = devices.get(device)
    if not array.size and strides != contiguous_strides(array.shape):
        cell = storage.Storage(of_array(array.reshape(-1), device))
        return _on(cell, TABLE["as_strided"], (array.shape, strides, 0), strides)
    if strided or strides == contiguous_strides(array.shape):
        return _on(storage.Storage(of_array(np.asarray(array, order="C"), device)))
    cell = storage.Storage(of_array(array.transpose(order), device))
    return _on(cell, TABLE["permute"], (_inverse(order),), strides)


def _on(cell, op=None, attrs=(), strides=()):
    """A tensor on a storage: all of it, or what a view op shows of it."""
    out = object.__new__(Tensor)
    out._storage = cell
    if modes.rare and modes.local.inference:
        storage.infer(cell)
    if op is not None:
        source = cell.ref
        seen = record(op, attrs, (source,), source.aval.device)[0][0]
        out._view = View(((op, (), attrs),), strides, 0, None, source, seen, cell.graph)
    return out


def _check(array):
    """Raise torch's error for an array whose strides, byte order or dtype no tensor can have."""
    size = max(array.itemsize, 1)
    if any(step % size for step in array.strides):
        raise ValueError(
            "given numpy array strides not a multiple of the element byte size. Copy the numpy array to reallocate the "
            "memory."
        )
    if any(step < 0 for step in array.strides):
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
    dtypes.from_numpy(array.dtype)


def _element_strides(array):
    return tuple(step // array.itemsize for step in array.strides)


def _order(array):
    """(the dims from outermost to innermost in memory, whether they leave gaps or overlap)."""
    order = tuple(sorted(range(array.ndim), key=lambda dim: (-array.strides[dim], -array.shape[dim])))
    step = array.itemsize
    for dim in reversed(order):
        if array.shape[dim] != 1 and array.strides[dim] != step:
            return order, True
        step *= array.shape[dim]
    return order, not array.size


def _inverse(order):
    return tuple(order.index(dim) for dim in range(len(order)))


def warn_read_only():
    """Say, once, that an array is read-only and a tensor is not."""
    warn_once(
        "The given NumPy array is not writable, and PyTorch does not support non-writable tensors. This means "
        "writing to this tensor will result in undefined behavior. You may want to copy the array to protect its "
        "data or make it writable before converting it to a tensor. This type of warning will be suppressed for "
        "the rest of this program."
    )


@function
def frombuffer(buffer, *, dtype, count=-1, offset=0, requires_grad=False):
    """A 1-D tensor of the elements in a buffer, sharing its memory. As torch.frombuffer."""
    out = on_buffer(buffer, dtype, count, offset)
    if requires_grad:
        _tensor.require_grad(out)
    return out


def on_buffer(buffer, dtype, count=-1, offset=0):
    """A 1-D tensor on the memory of an object with Python's buffer protocol. Raises ValueError as torch does."""
    try:
        memory = memoryview(buffer)
    except TypeError:
        raise ValueError("object does not implement Python buffer protocol.") from None
    if not memory.c_contiguous:
        raise RuntimeError("could not retrieve buffer from object")
    if memory.readonly:
        warn_once(
            "The given buffer is not writable, and PyTorch does not support non-writable tensors. This means you can "
            "write to the underlying (supposedly non-writable) buffer using the tensor. You may want to copy the "
            "buffer to protect its data or make it writable before converting it to a tensor. This type of warning "
            "will be suppressed for the rest of this program."
        )
    _check_buffer(memory.nbytes, dtype.itemsize, count, offset)
    return shared(np.frombuffer(buffer, dtype.numpy, count, offset))


@function
def from_file(filename, shared=None, size=0, *, dtype=None, device=None, requires_grad=False):
    """A 1-D tensor of the first `size` elements of a file. shared: writes go into the file. As torch.from_file."""
    kind = (dtype or dtypes.Default.float).numpy
    if shared and not os.path.exists(filename):
        mode = "w+"
    else:
        mode = "r+" if shared else "c"
    out = from_numpy(np.memmap(filename, kind, mode, shape=(size,))).to(devices.get(device))
    if requires_grad:
        _tensor.require_grad(out)
    return out


def _check_buffer(size, item, count, offset):
    if size <= 0 or count == 0:
        raise ValueError(f"both buffer length ({size}) and count ({count}) must not be 0")
    if not 0 <= offset < size:
        raise ValueError(
            f"offset ({offset} bytes) must be non-negative and no greater than buffer length ({size} bytes) minus 1"
        )
    if count < 0 and (size - offset) % item:
        raise ValueError(
            f"buffer length ({size - offset} bytes) after offset ({offset} bytes) must be a multiple of element size "
            f"({item})"
        )
    if count * item > size - offset:
        raise ValueError(
            f"requested buffer length ({count} * {item} bytes) after offset ({offset} bytes) must not be greater than "
            f"actual buffer length ({size} bytes)"
        )


def _equals(tensor, other):
    """tensor == array, as with a tensor on the array's memory; NotImplemented for what is no array of numbers."""
    if not isinstance(other, np.ndarray):
        return NotImplemented
    try:
        return tensor == shared(other)
    except TypeError:
        return NotImplemented


FOREIGN.update(__eq__=_equals)
