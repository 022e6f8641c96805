"""torch.save."""

import io
import os
import pickle
import struct
import sys
import zlib

import numpy as np

from jtorch.api.storages import memory
from jtorch.serialization.archive import ArchiveWriter, whole_file
from jtorch.serialization.options import Options
from jtorch.serialization.pickling import dumps

DEFAULT_PROTOCOL = 2
MAGIC = 0x1950A86A20F9469CFC6C
PROTOCOL_VERSION = 1001


def save(
    obj, f, pickle_module=pickle, pickle_protocol=DEFAULT_PROTOCOL, _use_new_zipfile_serialization=True,
    _disable_byteorder_record=False,
):  # fmt: skip
    """Save an object to a file: https://docs.pytorch.org/docs/stable/generated/torch.save.html. torch.load reads it.

    f: a path, whose file is replaced only when all is written; or an object with write and flush.
    Tensors that share memory share it when they are loaded again.
    Raises: AttributeError for what cannot be written to, RuntimeError for a folder that is not there and for memory
    that is saved as two dtypes.
    """
    if not isinstance(f, (str, os.PathLike)) and not hasattr(f, "write"):
        raise AttributeError("expected 'f' to be string, path, or a file-like object with a 'write' attribute")
    if Options.skip_data and not _use_new_zipfile_serialization:
        raise RuntimeError("Cannot use skip_data=True with _use_new_zipfile_serialization=False")
    write = _save_zip if _use_new_zipfile_serialization else _save_legacy
    options = (obj, pickle_module, pickle_protocol, _disable_byteorder_record)
    if isinstance(f, (str, os.PathLike)):
        with whole_file(os.fspath(f)) as file:
            write(file, os.path.splitext(os.path.basename(os.fspath(f)))[0], *options)
    else:
        write(f, "archive", *options)


def bytes_of(cell):
    """The bytes of a storage in the order in which they lie."""
    return np.ascontiguousarray(memory(cell)).view(np.uint8)


def _save_zip(file, root, obj, pickle_module, protocol, no_byteorder):
    data, cells = dumps(obj, pickle_module, protocol, lambda *facts: ("storage", *facts))
    archive = ArchiveWriter(file if _is_seekable(file) else (buffer := io.BytesIO()), root)
    archive.write("data.pkl", data)
    archive.write(".format_version", b"1")
    archive.write(".storage_alignment", b"64")
    if not no_byteorder:
        archive.write("byteorder", sys.byteorder.encode())
    checksum = zlib.crc32(data)
    for key, cell in cells.items():
        stored = bytes_of(cell)
        if Options.skip_data:
            stored = np.zeros(len(stored), np.uint8)
        archive.write(f"data/{key}", stored)
    archive.write("version", b"3\n")
    archive.write(".data/serialization_id", f"{checksum:020d}{len(cells):020d}".encode())
    archive.close()
    if not _is_seekable(file):
        file.write(buffer.getvalue())
    if hasattr(file, "flush"):
        file.flush()


def _is_seekable(file):
    return hasattr(file, "seek") and hasattr(file, "tell") and getattr(file, "seekable", lambda: True)()


def _save_legacy(file, root, obj, pickle_module, protocol, no_byteorder):
    """The format before torch 1.6: pickles one after the other, then the storages by key."""
    data, cells = dumps(obj, pickle_module, protocol, lambda *facts: ("storage", *facts, None))
    sizes = {"short": 2, "int": 4, "long": 4}
    system = {"protocol_version": PROTOCOL_VERSION, "little_endian": sys.byteorder == "little", "type_sizes": sizes}
    for value in (MAGIC, PROTOCOL_VERSION, system):
        pickle.dump(value, file, protocol=protocol)
    file.write(data)
    pickle.dump(sorted(cells), file, protocol=protocol)
    if hasattr(file, "flush"):
        file.flush()
    for key in sorted(cells):
        stored = bytes_of(cells[key])
        file.write(struct.pack("<q", len(stored) // cells[key].aval.dtype.itemsize))
        file.write(stored.tobytes())
