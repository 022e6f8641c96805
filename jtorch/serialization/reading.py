"""torch.load."""

import io
import os
import pickle
import re
import sys
from contextlib import contextmanager
from mmap import MAP_SHARED
from pickle import UnpicklingError

import numpy as np

from jtorch.devices import Device
from jtorch.errors import warn
from jtorch.serialization import legacy, safetensors
from jtorch.serialization.archive import ArchiveReader
from jtorch.serialization.locations import mapping
from jtorch.serialization.options import LoadEndianness, Options
from jtorch.serialization.pickling import unpickled
from jtorch.serialization.safety import globals_in, storage_facts
from jtorch.serialization.stored import LoadedStorage

_TRUST = (
    "In PyTorch 2.6, we changed the default value of the `weights_only` argument in `torch.load` from `False` to "
    "`True`. Re-running `torch.load` with `weights_only` set to `False` will likely succeed, but it can result in "
    "arbitrary code execution. Do it only if you got the file from a trusted source."
)
_DOCS = (
    "\n\nCheck the documentation of torch.load to learn more about types accepted by default with weights_only "
    "https://pytorch.org/docs/stable/generated/torch.load.html."
)
_TRUE = ("1", "y", "yes", "true")


def load(f, map_location=None, pickle_module=None, *, weights_only=None, mmap=None, **pickle_load_args):
    """Load what torch.save saved, here or in PyTorch: https://docs.pytorch.org/docs/stable/generated/torch.load.html.

    f: a path, or an object with read, readline, tell and seek. map_location: None for the places that the file names, a
    place, a dict from places to places, or a function of a storage and its place.
    weights_only: read tensors, containers and what add_safe_globals allows and run nothing else; False runs what the
    file asks for. mmap: read a storage's values when they are used.
    Raises: pickle.UnpicklingError for what weights_only does not allow and for damaged pickles, RuntimeError for
    damaged files and for places that are not here, FileNotFoundError.
    """
    weights_only = _weights_only(weights_only, pickle_module)
    if isinstance(f, (str, os.PathLike)) and os.fspath(f).endswith(".safetensors"):
        try:
            return safetensors.load_file(f, _one_place(map_location))
        except ImportError as error:
            raise RuntimeError(
                "Attempting to load a safetensors file but safetensors is not installed. Please install safetensors "
                "with: pip install safetensors"
            ) from error
    if pickle_load_args and weights_only:
        warn("pickle_load_args only works if `weights_only=False`.")
    pickle_load_args.setdefault("encoding", "utf-8")
    trusted = None if weights_only else (pickle_module or pickle, pickle_load_args)
    with _opened(f) as file:
        if file.read(4) == b"PK\x03\x04":
            file.seek(-4, os.SEEK_CUR)
            return _explained(lambda: _load_zip(file, f, mapping(map_location), trusted, mmap), weights_only)
        file.seek(-min(4, file.tell()), os.SEEK_CUR)
        if mmap:
            name = f"{f}, " if isinstance(f, str) else ""
            raise RuntimeError(
                f"mmap can only be used with files saved with `torch.save({name}_use_new_zipfile_serialization=True), "
                "please torch.save your checkpoint with this option in order to use mmap."
            )
        return _explained(lambda: legacy.load(file, mapping(map_location), trusted), weights_only)


def _one_place(map_location):
    """map_location of a file that has no places of its own. Raises: RuntimeError for more than one place."""
    if isinstance(map_location, dict) or (callable(map_location) and not isinstance(map_location, Device)):
        kind = "dict" if isinstance(map_location, dict) else "callable"
        raise RuntimeError(
            f"Loading safetensors file with {kind} map_location is not supported. Use a device string or torch.device "
            "instead."
        )
    return "cpu" if map_location is None else str(map_location)


def _weights_only(given, pickle_module):
    """Whether to read safely, from the argument and torch's two environment variables."""
    weights_only = pickle_module is None if given is None else given
    force, never = (
        os.environ.get(name, "0").lower() in _TRUE
        for name in ("TORCH_FORCE_WEIGHTS_ONLY_LOAD", "TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD")
    )
    if force and never:
        raise RuntimeError(
            "Only one of `TORCH_FORCE_WEIGHTS_ONLY_LOAD` or `TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD` should be set, but both "
            "were set."
        )
    if force:
        weights_only = True
    elif never and given is None:
        warn(
            "Environment variable TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD detected, since the`weights_only` argument was not "
            "explicitly passed to `torch.load`, forcing weights_only=False."
        )
        weights_only = False
    if weights_only and pickle_module is not None:
        raise RuntimeError("Can not safely load weights when explicit pickle_module is specified")
    return weights_only


def _explained(act, weights_only):
    """act(), whose UnpicklingError becomes one that says what to do, as torch's, where reading is to be safe."""
    try:
        return act()
    except UnpicklingError as error:
        if not weights_only:
            raise
        message = str(error)
    if re.search(r"GLOBAL (\S+) was not an allowed global by default\.", message):
        raise UnpicklingError(
            "Weights only load failed. This file can still be loaded, to do so you have two options, \033[1mdo those "
            f"steps only if you trust the source of the checkpoint\033[0m. \n\t(1) {_TRUST}\n\t(2) Alternatively, to "
            "load with `weights_only=True` please check the recommended steps in the following error message.\n\t"
            f"WeightsUnpickler error: {message}{_DOCS}"
        )
    ask = ""
    if not re.search(r"whose module (\S+) is blocked", message):
        ask = (
            "Please file an issue with the following so that we can make `weights_only=True` compatible with your use "
            "case: WeightsUnpickler error: "
        )
    raise UnpicklingError(f"Weights only load failed. {_TRUST}\n{ask}\n\n{message}{_DOCS}")


@contextmanager
def _opened(f):
    if isinstance(f, (str, os.PathLike)):
        with open(f, "rb") as file:
            yield file
        return
    missing = [name for name in ("seek", "tell", "read", "readline") if not hasattr(f, name)]
    if missing:
        raise AttributeError(
            f"'{type(f).__name__}' object has no attribute '{missing[0]}'. You can only torch.load from a file that is "
            "seekable. Please pre-load the data into a buffer like io.BytesIO and try to load from it instead."
        )
    yield f


def _load_zip(file, path, place, trusted, mapped):
    if mapped and not isinstance(path, (str, os.PathLike)):
        raise ValueError("f must be a file path in order to use the mmap argument")
    with ArchiveReader(_rest(file), path) as archive:
        if archive.has("constants.pkl"):
            raise RuntimeError(
                "Cannot use ``weights_only=True`` with TorchScript archives passed to ``torch.load``, and jtorch "
                "reads none."
            )
        pickled = io.BytesIO(archive.read("data.pkl").tobytes())
        swapped = _is_swapped(archive)
        archive.verify()
        loaded = unpickled(pickled, _finder(archive, place, swapped, mapped), trusted)
        archive.verify()
        return loaded


def _finder(archive, place, swapped, mapped):
    """What finds the storage of a persistent id, once for all that share it."""
    storages: dict = {}

    def persistent(pid):
        kind, key, location, count = storage_facts(pid)
        if key not in storages:
            nbytes = count * kind.dtype.itemsize
            storages[key] = place(_stored(archive, key, kind, nbytes, location, swapped, mapped), location)
        return storages[key]

    return persistent


def _rest(file):
    """The file from where it stands: a zip file may begin in the middle of another."""
    start = file.tell()
    return io.BytesIO(file.read()) if start else file


def _is_swapped(archive):
    """Whether numbers lie in the other byte order."""
    order = sys.byteorder
    if archive.has("byteorder"):
        order = archive.read("byteorder").tobytes().decode("ascii", "replace")
        if order not in ("little", "big"):
            raise ValueError("Unknown endianness type: " + order)
    elif Options.endianness in (LoadEndianness.LITTLE, LoadEndianness.BIG):
        order = "little" if Options.endianness is LoadEndianness.LITTLE else "big"
    return order != sys.byteorder


def _stored(archive, key, kind, nbytes, location, swapped, mapped):
    name = f"data/{key}"
    if location == "meta":
        return LoadedStorage(None, kind.dtype, nbytes, Device("meta"))
    if archive.size(name) != nbytes:
        raise RuntimeError(f"the storage {key} has {archive.size(name)} bytes in the file, and {nbytes} by its pickle")
    data = archive.map(name, Options.mmap == MAP_SHARED) if mapped else archive.read(name)
    if swapped and kind.dtype.itemsize > 1:
        data = _in_order(data, kind.dtype)
    return LoadedStorage(data, kind.dtype, nbytes, own=not mapped)


def _in_order(data, dtype):
    """Bytes in the machine's order. A complex number is two numbers."""
    width = dtype.itemsize // 2 if dtype.is_complex else dtype.itemsize
    return np.ascontiguousarray(data.reshape(-1, width)[:, ::-1]).reshape(-1)


def get_unsafe_globals_in_checkpoint(f):
    """The names in a file that load with weights_only would refuse. Raises: ValueError for other files."""
    with _opened(f) as file:
        if file.read(4) != b"PK\x03\x04":
            raise ValueError("Expected input to be a checkpoint returned by torch.save")
        file.seek(-4, os.SEEK_CUR)
        with ArchiveReader(_rest(file)) as archive:
            if archive.has("constants.pkl"):
                raise ValueError(
                    "Expected input to be a checkpoint returned by torch.save but got a torchscript checkpoint"
                )
            pickled = archive.read("data.pkl").tobytes()
            archive.verify()
        return globals_in(pickled)
