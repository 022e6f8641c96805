"""The zip files of torch.save: one record for the pickle, one for each storage, stored as they are and aligned."""

import mmap
import os
import stat
import tempfile
import zipfile
import zlib
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import numpy as np

_ALIGNMENT = 64  # bytes; where a record's data begins
_PIECE = 1 << 22  # bytes that are read before their checksum is made
_HEADER = 30  # bytes of a local header before the name
_FAILED = "PytorchStreamReader failed"


class ArchiveWriter:
    """Writes records into a zip file."""

    def __init__(self, file, root):
        self._zip = zipfile.ZipFile(file, "w", zipfile.ZIP_STORED, allowZip64=True)
        self._root = root

    def write(self, name, data):
        """Write one record: bytes, or a NumPy array of uint8."""
        info = zipfile.ZipInfo(f"{self._root}/{name}", (1980, 1, 1, 0, 0, 0))
        # Space in the header's extra field brings the data to a multiple of the alignment, so that it can be mapped.
        large = len(data) * 1.05 > zipfile.ZIP64_LIMIT
        start = self._zip.fp.tell() + _HEADER + len(info.filename.encode()) + 20 * large + 4
        info.extra = b"FB" + (-start % _ALIGNMENT).to_bytes(2, "little") + b"Z" * (-start % _ALIGNMENT)
        self._zip.writestr(info, memoryview(data) if isinstance(data, np.ndarray) else data)

    def close(self):
        """Write the directory at the end."""
        self._zip.close()


class ArchiveReader:
    """Reads the records of a zip file that is open for reading. Raises: RuntimeError for a damaged one.

    path: where the file lies, for records that are mapped instead of read.
    """

    def __init__(self, file, path=None):
        self._file, self._path = file, path
        try:
            self._zip = zipfile.ZipFile(file)
        except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
            raise RuntimeError(
                f"{_FAILED} reading zip archive: failed finding central directory ({error}). There is a high "
                "likelihood that your checkpoint file is corrupted. This can happen if it was not saved properly, was "
                "transferred incorrectly, or the file was modified after saving."
            ) from None
        names = self._zip.namelist()
        if not names:
            raise RuntimeError(f"{_FAILED} reading zip archive: no records")
        self._root = names[0].partition("/")[0]
        self._size = file.seek(0, os.SEEK_END)
        if sum(info.compress_size for info in self._zip.infolist()) > self._size:
            raise RuntimeError(f"{_FAILED} reading zip archive: its records are larger than the file, they overlap")
        self._beside = ThreadPoolExecutor(os.cpu_count())  # sums what was read while more is read
        self._sums: list = []
        self._mapping = None

    def has(self, name):
        """Whether there is a record of this name."""
        return f"{self._root}/{name}" in self._zip.NameToInfo

    def names(self):
        """The names of all records."""
        return [name.removeprefix(f"{self._root}/") for name in self._zip.namelist()]

    def _info(self, name):
        info = self._zip.NameToInfo.get(f"{self._root}/{name}")
        if info is None:
            raise RuntimeError(f"{_FAILED} locating file {name}: file not found")
        if info.compress_type != zipfile.ZIP_STORED or info.file_size != info.compress_size:
            raise RuntimeError(f"{_FAILED} reading file {name}: it is compressed, which torch.save's records are not")
        return info

    def size(self, name):
        """The bytes of a record."""
        return self._info(name).file_size

    def _start(self, name, info):
        """Where in the file the record's data begins."""
        self._file.seek(info.header_offset)
        header = self._file.read(_HEADER)
        if len(header) != _HEADER or header[:4] != b"PK\x03\x04":
            raise RuntimeError(f"{_FAILED} reading file {name}: invalid header or archive is corrupted")
        start = info.header_offset + _HEADER + int.from_bytes(header[26:28], "little")
        start += int.from_bytes(header[28:30], "little")
        if start + info.file_size > self._size:
            raise RuntimeError(f"{_FAILED} reading file {name}: file read failed")
        return start

    def read(self, name):
        """The bytes of a record, an array of uint8 of its own; `verify` compares its checksum, made meanwhile."""
        info = self._info(name)
        self._file.seek(self._start(name, info))
        data = _aligned(info.file_size)
        summed = None
        for start in range(0, len(data), _PIECE):
            piece = data[start : start + _PIECE]
            if self._read_into(piece) != len(piece):
                raise RuntimeError(f"{_FAILED} reading file {name}: file read failed")
            # torch: 0 where a file was written without checksums, or without its data.
            if info.CRC:
                summed = self._beside.submit(_summed, piece, summed)
        if info.CRC:
            self._sums.append((name, info.CRC, summed))
        return data

    def verify(self):
        """Wait for the checksums of what was read. Raises: RuntimeError where one differs from the file's."""
        sums, self._sums = self._sums, []
        for name, expected, came in sums:
            if (0 if came is None else came.result()) != expected:
                raise RuntimeError(f"{_FAILED} reading file {name}: its checksum differs, the file is damaged")

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self._beside.shutdown(cancel_futures=True)

    def _read_into(self, data):
        if not hasattr(self._file, "readinto"):
            got = np.frombuffer(self._file.read(len(data)), np.uint8)
            data[: len(got)] = got
            return len(got)
        done, view = 0, memoryview(data)
        while done < len(data) and (got := self._file.readinto(view[done:])):
            done += got
        return done

    def map(self, name, shared):
        """The bytes of a record, read from the file when they are looked at; shared: what is written goes there."""
        info = self._info(name)
        if not info.file_size:
            return np.empty(0, np.uint8)
        if self._mapping is None:
            with open(self._path, "r+b" if shared else "rb") as file:
                self._mapping = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_WRITE if shared else mmap.ACCESS_COPY)
        return np.frombuffer(self._mapping, np.uint8, info.file_size, self._start(name, info))


def _aligned(size):
    """Memory that JAX can take as it is."""
    room = np.empty(size + _ALIGNMENT, np.uint8)
    start = -room.ctypes.data % _ALIGNMENT
    return room[start : start + size]


def _summed(piece, before):
    """The checksum of a piece and all that came before it."""
    return zlib.crc32(piece, 0 if before is None else before.result())


@contextmanager
def whole_file(path):
    """A file to write that takes its place when all of it is there; what stood there stays until then."""
    path = os.path.realpath(path)
    folder = os.path.dirname(path)
    if not os.path.isdir(folder):
        raise RuntimeError(f"Parent directory {folder} does not exist.")
    if os.path.isdir(path):
        raise RuntimeError(f"File {path} cannot be opened.")
    before = os.stat(path) if os.path.exists(path) else None
    if before is not None and not stat.S_ISREG(before.st_mode):
        with open(path, "wb") as file:  # a pipe or a device
            yield file
        return
    try:
        number, aside = tempfile.mkstemp(prefix=f".{os.path.basename(path)}.", suffix=".part", dir=folder)
    except OSError:
        raise RuntimeError(f"File {path} cannot be opened.") from None
    try:
        with os.fdopen(number, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.chmod(aside, stat.S_IMODE(before.st_mode) if before else 0o666 & ~_umask())
        os.replace(aside, path)
    except BaseException:
        os.unlink(aside)
        raise


def _umask():
    mask = os.umask(0)
    os.umask(mask)
    return mask
