"""The files of torch before 1.6: a magic number, pickles one after the other, then the storages' bytes."""

import os
import struct
from pickle import UnpicklingError

import numpy as np

from jtorch.serialization.pickling import unpickled
from jtorch.serialization.safety import Look, Machine, as_text, storage_facts
from jtorch.serialization.stored import LoadedStorage
from jtorch.serialization.writing import MAGIC, PROTOCOL_VERSION

_NO_STORAGE = "a persistent id in a part of the file that has no storages"


def _refuse(pid):
    raise UnpicklingError(_NO_STORAGE)


def load(file, place, trusted):
    """The object of such a file. trusted: None, or (pickle module, arguments). Raises: RuntimeError for other files."""
    start = file.tell()
    if not file.read(1):
        raise EOFError
    file.seek(start)
    if _machine(file, _refuse, None) != MAGIC:
        raise RuntimeError("Invalid magic number; corrupt file?")
    version = _machine(file, _refuse, None)
    if version != PROTOCOL_VERSION:
        raise RuntimeError(f"Invalid protocol version: {version}")
    _machine(file, _refuse, None)
    start = file.tell()
    # Once to see which storages there are, which stand behind; then with them.
    kinds: dict = {}
    _machine(file, lambda pid: kinds.setdefault(storage_facts(pid)[1], storage_facts(pid)), Look())
    keys = _machine(file, _refuse, None)
    storages = _storages(file, keys, kinds, place)
    end = file.tell()
    file.seek(start)
    loaded = unpickled(file, lambda pid: _part(storages, pid), trusted)
    file.seek(end)
    return loaded


def _machine(file, persistent, policy):
    return Machine(file, persistent, policy).load()


def _storages(file, keys, kinds, place):
    keys = [as_text(key) for key in keys] if type(keys) is list else [None]
    if not all(isinstance(key, str) and key in kinds for key in keys):
        raise UnpicklingError("the list of storages does not fit the pickle")
    here = file.tell()
    left = file.seek(0, os.SEEK_END) - here
    file.seek(here)
    storages = {}
    for key in keys:
        kind, _, location, count = kinds[key]
        (written,) = struct.unpack("<q", _bytes(file, 8, left))
        if written != count:
            raise RuntimeError(f"the storage {key} has {written} elements in the file, and {count} by its pickle")
        nbytes = count * kind.dtype.itemsize
        left -= 8 + nbytes
        data = np.frombuffer(bytearray(_bytes(file, nbytes, left + nbytes)), np.uint8)
        storages[key] = place(LoadedStorage(data, kind.dtype, nbytes), location)
    return storages


def _bytes(file, count, left):
    data = file.read(count) if 0 <= count <= left else b""
    if len(data) != count:
        raise RuntimeError("unexpected EOF. The file might be corrupted.")
    return data


def _part(storages, pid):
    """The storage of an id, or the part of one that the oldest files name."""
    key = storage_facts(pid)[1]
    if key not in storages:
        raise UnpicklingError(f"the file has no storage {key!r}")
    whole = storages[key]
    view = pid[5] if len(pid) == 6 else None
    if view is None:
        return whole
    _, offset, size = view
    return whole.part(offset, offset + size)
