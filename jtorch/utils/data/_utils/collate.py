"""Collating: a list of samples becomes a batch, through nested structures."""

import copy
import re
from collections.abc import Mapping, MutableMapping, MutableSequence, Sequence
from contextlib import suppress

import numpy as np
from numpy.lib.stride_tricks import as_strided

from jtorch import devices, dtypes
from jtorch._tensor import Tensor, aval, from_host
from jtorch.api.construct import as_tensor, tensor
from jtorch.autograd.apply import call
from jtorch.engine.storage import shared_array
from jtorch.shapes import contiguous_strides, numel

np_str_obj_array_pattern = re.compile("[SaUO]")
default_collate_err_msg_format = (
    "default_collate: batch must contain tensors, numpy arrays, numbers, dicts or lists; found {}"
)


def default_convert(data):
    """NumPy arrays and numbers within nested mappings and sequences as Tensors; everything else as it is."""
    kind = type(data)
    if isinstance(data, Tensor):
        return data
    if kind.__module__ == "numpy" and kind.__name__ not in ("str_", "string_"):
        if isinstance(data, np.ndarray) and np_str_obj_array_pattern.search(data.dtype.str):
            return data
        return as_tensor(data)
    if isinstance(data, Mapping):
        return _like_mapping(data, {key: default_convert(data[key]) for key in data})
    if isinstance(data, tuple):
        parts = [default_convert(item) for item in data]
        return kind(*parts) if hasattr(data, "_fields") else parts
    if isinstance(data, Sequence) and not isinstance(data, (str, bytes)):
        return _like_sequence(data, [default_convert(item) for item in data])
    return data


def _like_mapping(sample, parts):
    """`parts` in a mapping of the sample's type, with its other attributes; a dict where that type can't be made."""
    try:
        if isinstance(sample, MutableMapping):
            clone = copy.copy(sample)
            clone.update(parts)
            return clone
        return type(sample)(parts)
    except TypeError:
        return parts


def _like_sequence(sample, parts):
    """`parts` in a sequence of the sample's type; a list where that type can't be made."""
    try:
        if isinstance(sample, MutableSequence):
            clone = copy.copy(sample)
            for i, part in enumerate(parts):
                clone[i] = part
            return clone
        return type(sample)(parts)
    except TypeError:
        return parts


def collate(batch, *, collate_fn_map=None):
    """A batch of samples as one structure, whose leaves are made by `collate_fn_map`: {type or types: function}.

    Raises: TypeError for samples of a type that nobody collates, RuntimeError for sequences of unequal length.
    """
    sample = batch[0]
    kind = type(sample)
    if collate_fn_map is not None:
        if kind in collate_fn_map:
            return collate_fn_map[kind](batch, collate_fn_map=collate_fn_map)
        for known, function in collate_fn_map.items():
            if isinstance(sample, known):
                return function(batch, collate_fn_map=collate_fn_map)
    if isinstance(sample, Mapping):
        parts = {key: collate([item[key] for item in batch], collate_fn_map=collate_fn_map) for key in sample}
        return _like_mapping(sample, parts)
    if not isinstance(sample, Sequence):
        raise TypeError(default_collate_err_msg_format.format(kind))
    named = isinstance(sample, tuple) and hasattr(sample, "_fields")
    if not named and any(len(item) != len(sample) for item in batch):
        raise RuntimeError("each element in list of batch should be of equal size")
    parts = [collate(items, collate_fn_map=collate_fn_map) for items in zip(*batch, strict=False)]
    if named:
        return kind(*parts)
    return parts if isinstance(sample, tuple) else _like_sequence(sample, parts)


def collate_tensor_fn(batch, *, collate_fn_map=None):
    """Tensors stacked along a new first dim; by NumPy where all of them lie ready on the host."""
    stacked = _rows_of_one(batch)
    if stacked is None:
        arrays = [host_array(item) for item in batch]
        if any(array is None or array.shape != arrays[0].shape or array.dtype != arrays[0].dtype for array in arrays):
            return call("stack", list(batch), 0)
        stacked = np.stack(arrays)
    return from_host(stacked, device=devices.CPU)


def _rows_of_one(batch):
    """The values of a batch whose items are rows of one tensor on the host, taken in one gather; None for any other."""
    cell, kind = batch[0]._storage, aval(batch[0])
    size = numel(kind.shape)
    steps = contiguous_strides(kind.shape)
    offsets = []
    for item in batch:
        view = item._view
        if item._storage is not cell or view is None or view.strides != steps or aval(item) is not kind or item._rg:
            return None
        offsets.append(view.offset)
    whole = _host_storage(cell) if size and cell.order is None else None
    places, odd = np.divmod(offsets, max(size, 1))
    if whole is None or odd.any():
        return None
    flat = whole.reshape(-1).view(kind.dtype.numpy)
    rows = flat[: flat.size // size * size].reshape(-1, size)
    return rows.take(places, 0).reshape(len(batch), *kind.shape)


def _host_storage(cell):
    """The values of a storage where they lie ready on the host, not to be written to, or None."""
    whole = shared_array(cell)
    if whole is None:
        ref = cell.ref
        if ref.value is None or ref.aval.device is not devices.CPU:
            return None
        whole = np.asarray(ref.value)
    return whole


def host_array(item):
    """The values of a Tensor off the tape that lie ready on the host, not to be written to; None for any other."""
    cell, view = item._storage, item._view
    if item._rg:
        return None
    if view is None:
        return _host_storage(cell)
    if view.source is cell.ref and view.ref.value is not None:
        return np.asarray(view.ref.value) if view.ref.aval.device is devices.CPU else None
    whole = _host_storage(cell)
    if whole is None or view.strides is None or cell.order is not None:
        return None
    seen = aval(item)
    kind = seen.dtype.numpy
    flat = whole.reshape(-1).view(kind)[view.offset :]
    return as_strided(flat, seen.shape, [step * kind.itemsize for step in view.strides], writeable=False)


def collate_numpy_array_fn(batch, *, collate_fn_map=None):
    """NumPy arrays stacked. Raises TypeError for arrays of strings or objects."""
    first = batch[0]
    if np_str_obj_array_pattern.search(first.dtype.str):
        raise TypeError(default_collate_err_msg_format.format(first.dtype))
    if first.dtype.isnative and all(x.shape == first.shape and x.dtype == first.dtype for x in batch):
        dtypes.from_numpy(first.dtype)
        return from_host(np.stack(batch), device=devices.CPU)
    return collate([as_tensor(item) for item in batch], collate_fn_map=collate_fn_map)


def collate_numpy_scalar_fn(batch, *, collate_fn_map=None):
    """NumPy numbers as a 1-d Tensor of their dtype."""
    return as_tensor(batch)


def collate_float_fn(batch, *, collate_fn_map=None):
    """Floats as a 1-d float64 Tensor."""
    if set(map(type, batch)) == {float}:
        return from_host(np.array(batch, np.float64), device=devices.CPU)
    return tensor(batch, dtype=dtypes.float64)


def collate_int_fn(batch, *, collate_fn_map=None):
    """Ints as a 1-d int64 Tensor, bools as a bool one."""
    if set(map(type, batch)) == {int}:
        with suppress(OverflowError):
            return from_host(np.array(batch, np.int64), device=devices.CPU)
    return tensor(batch)


def collate_str_fn(batch, *, collate_fn_map=None):
    """Strings stay a list."""
    return batch


default_collate_fn_map = {
    Tensor: collate_tensor_fn,
    np.ndarray: collate_numpy_array_fn,
    (np.bool_, np.number, np.object_): collate_numpy_scalar_fn,
    float: collate_float_fn,
    int: collate_int_fn,
    str: collate_str_fn,
    bytes: collate_str_fn,
}


def default_collate(batch):
    """A batch of samples: Tensors, arrays and numbers stacked into Tensors, within mappings and sequences.

    https://pytorch.org/docs/stable/data.html#torch.utils.data.default_collate
    """
    return collate(batch, collate_fn_map=default_collate_fn_map)
