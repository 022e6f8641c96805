"""PyTorchFileReader: the records of a file of torch.save, for code that reads them one by one."""

import os

import numpy as np

from jtorch import _tensor
from jtorch.serialization.archive import ArchiveReader

__all__ = ["PyTorchFileReader"]


class PyTorchFileReader:
    """Opens a file, by path or as a file object. Raises: RuntimeError for what torch.save did not write."""

    def __init__(self, name_or_buffer):
        opens = isinstance(name_or_buffer, (str, os.PathLike))
        self._archive = ArchiveReader(open(name_or_buffer, "rb") if opens else name_or_buffer)

    def has_record(self, name):
        """Whether there is a record of this name."""
        return self._archive.has(name)

    def get_all_records(self):
        """The names of all records."""
        return self._archive.names()

    def get_record(self, name):
        """The bytes of a record. Raises: RuntimeError where there is none, or a damaged one."""
        data = self._archive.read(name).tobytes()
        self._archive.verify()
        return data

    def get_storage_from_record(self, name, numel, dtype):
        """A tensor with the data of a record. Raises as get_record."""
        data = np.frombuffer(self.get_record(name), np.uint8)
        return _tensor.from_host(data.view(dtype.numpy), dtype)
