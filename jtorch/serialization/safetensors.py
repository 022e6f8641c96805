"""Files of the safetensors package, under the names of its torch part: save_file, load_file, save_model, load_model.

https://huggingface.co/docs/safetensors/api/torch
"""

import os
from collections import defaultdict

import numpy as np

from jtorch import dtypes
from jtorch._tensor import Tensor, aval, from_host
from jtorch.api.storages import memory
from jtorch.nn.modules.module import Module
from jtorch.optional import Package
from jtorch.serialization.archive import whole_file

__all__ = ["load", "load_file", "load_model", "save", "save_file", "save_model"]

_DTYPES = {
    "F64": dtypes.float64, "F32": dtypes.float32, "F16": dtypes.float16, "BF16": dtypes.bfloat16, "I64": dtypes.int64,
    "I32": dtypes.int32, "I16": dtypes.int16, "I8": dtypes.int8, "U8": dtypes.uint8, "U16": dtypes.uint16,
    "U32": dtypes.uint32, "U64": dtypes.uint64, "BOOL": dtypes.bool_, "C64": dtypes.complex64,
    "F8_E4M3": dtypes.float8_e4m3fn, "F8_E5M2": dtypes.float8_e5m2,
}  # fmt: skip

_SHARED = """
            Some tensors share memory, this will lead to duplicate memory on disk and potential differences when \
loading them again: {}.
            A potential way to correctly save your model is to use `save_model`.
            More information at https://huggingface.co/docs/safetensors/torch_shared_tensors
            """

_package = Package(
    "safetensors", "safetensors is not installed: pip install 'jtorch-jax[safetensors]', or pip install safetensors"
)


def save(tensors, metadata=None):
    """The bytes of a file with a dict of tensors. metadata: a dict of texts.

    Raises: ValueError for what is no dict of tensors and for tensors that are not contiguous, RuntimeError for tensors
    that share memory.
    """
    _check(tensors)
    specs, kept = {}, []  # the arrays: a spec is told only where they lie
    for name, tensor in tensors.items():
        kind, data = aval(tensor), _bytes(name, tensor)
        kept.append(data)
        specs[name] = _package.TensorSpec(
            dtype=kind.dtype.name, shape=list(kind.shape), data_ptr=data.ctypes.data, data_len=len(data)
        )
    return _package.serialize(specs, metadata)


def save_file(tensors, filename, metadata=None):
    """Write a file with a dict of tensors. It takes an old file's place only when it is whole. Raises as `save`."""
    data = save(tensors, metadata)
    with whole_file(os.fspath(filename)) as file:
        file.write(data)


def load(data, device="cpu"):
    """The dict of tensors in the bytes of a file. Raises: safetensors.SafetensorError where they are damaged."""
    loaded = {}
    for name, facts in _package.deserialize(bytes(data)):
        kind = _DTYPES[facts["dtype"]]
        array = np.frombuffer(facts["data"], np.uint8).view(kind.numpy).reshape(facts["shape"])
        loaded[name] = from_host(array, kind, _place(device))
    return dict(sorted(loaded.items()))


def load_file(filename, device="cpu"):
    """The dict of tensors in a file. Raises as `load`, and FileNotFoundError."""
    with open(filename, "rb") as file:
        return load(file.read(), device)


def _place(device):
    return f"cuda:{device}" if isinstance(device, int) else device


def _check(tensors):
    if not isinstance(tensors, dict):
        raise ValueError(f"Expected a dict of [str, torch.Tensor] but received {type(tensors)}")
    odd = {name: type(tensor) for name, tensor in tensors.items() if not isinstance(tensor, Tensor)}
    if odd:
        name, kind = next(iter(odd.items()))
        raise ValueError(f"Key `{name}` is invalid, expected torch.Tensor but received {kind}")
    sparse = [name for name, tensor in tensors.items() if tensor.is_sparse]
    if sparse:
        raise ValueError(
            f"You are trying to save a sparse tensors: `{sparse}` which this library does not support. You can make it "
            "a dense tensor before saving with `.to_dense()` but be aware this might make a much larger file than "
            "needed."
        )
    shared = [names for names in _sharing(tensors) if len(names) > 1]
    if shared:
        raise RuntimeError(_SHARED.format(shared))


def _sharing(tensors):
    """The sets of names whose tensors have elements of the same memory."""
    by_cell = defaultdict(list)
    for name, tensor in tensors.items():
        start = tensor.storage_offset()
        by_cell[id(tensor._storage)].append((start, start + tensor.numel(), name))
    sets = []
    for areas in by_cell.values():
        stop = -1
        for start, end, name in sorted(areas):
            if start >= stop:
                sets.append(set())
            sets[-1].add(name)
            stop = end
    return sets


def _bytes(name, tensor):
    if not tensor.is_contiguous():
        raise ValueError(
            f"You are trying to save a non contiguous tensor: `{name}` which is not allowed. It either means you are "
            "trying to save tensors which are reference of each other in which case it's recommended to save only the "
            "full tensors, and reslice at load time, or simply call `.contiguous()` on your tensor to pack it before "
            "saving."
        )
    kind = aval(tensor)
    whole = memory(tensor._storage).view(np.uint8)
    start = tensor.storage_offset() * kind.dtype.itemsize
    return np.ascontiguousarray(whole[start : start + tensor.numel() * kind.dtype.itemsize])


def _doubles(state):
    """{name: the name under which the same tensor is kept} of a state dict's tied weights."""
    doubles = {}
    for names in _sharing(state):
        kept, *others = sorted(names)
        for name in others:
            same = aval(state[name]).shape == aval(state[kept]).shape
            if not same or state[name].storage_offset() != state[kept].storage_offset():
                raise RuntimeError(
                    "Error while trying to find names to remove to save state dict, but found no suitable name to keep "
                    f"for saving amongst: {names}. None is covering the entire storage.Refusing to save/load the model "
                    "since you could be storing much more memory than needed. Please refer to "
                    "https://huggingface.co/docs/safetensors/torch_shared_tensors for more information."
                )
            doubles[name] = kept
    return doubles


def save_model(model: Module, filename, metadata=None, force_contiguous=True):
    """Write a module's state dict; a weight that stands under several names is written once, as the metadata says.

    force_contiguous: whether tensors of other strides are written contiguous. Raises as `save`.
    """
    state = model.state_dict()
    doubles = _doubles(state)
    kept = {name: tensor.contiguous() if force_contiguous else tensor for name, tensor in state.items()}
    save_file({n: t for n, t in kept.items() if n not in doubles}, filename, {**(metadata or {}), **doubles} or None)


def load_model(model: Module, filename, strict=True, device="cpu"):
    """Load such a file into a module: (names that the file lacks, names that the module lacks).

    Raises: RuntimeError when strict and there are any.
    """
    state = load_file(filename, device)
    missing, unexpected = model.load_state_dict(state, strict=False)
    tied = set(_doubles(model.state_dict()))
    missing = [name for name in missing if name not in tied]
    if strict and (missing or unexpected):
        lines = [f"Error(s) in loading state_dict for {type(model).__name__}:"]
        if missing:
            lines.append(f"    Missing key(s) in state_dict: {_quoted(missing)}")
        if unexpected:
            lines.append(f"    Unexpected key(s) in state_dict: {_quoted(unexpected)}")
        raise RuntimeError("\n".join(lines))
    return missing, unexpected


def _quoted(names):
    return ", ".join(f'"{name}"' for name in sorted(names))
