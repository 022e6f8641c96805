"""torch.UntypedStorage and TypedStorage: the memory behind tensors, as bytes or as elements, to look at and compare."""

import weakref

import numpy as np

from jtorch import dtypes
from jtorch._tensor import aval, from_host
from jtorch.api import arrays
from jtorch.api.put import FUNCTIONS, function
from jtorch.engine import flush
from jtorch.errors import warn
from jtorch.shapes import numel

_handles: weakref.WeakValueDictionary = weakref.WeakValueDictionary()  # id of a Storage -> its UntypedStorage


def memory(cell):
    """The elements of a Storage in the order in which they lie, as a NumPy array of one dim."""
    array = np.asarray(flush.value(cell.ref))
    return (array if cell.order is None else array.transpose(cell.order)).reshape(-1)


class UntypedStorage:
    """The bytes behind tensors. There is one object for all tensors that share them."""

    def __init__(self, size=0, *, device=None):
        if not isinstance(size, int):
            size = np.asarray(list(size), np.uint8)
        data = np.zeros(size, np.uint8) if isinstance(size, int) else size
        self._cell = from_host(data, dtypes.uint8, device)._storage

    @classmethod
    def from_file(cls, filename, shared=False, nbytes=0):
        """The first `nbytes` bytes of a file, read as they are asked for. shared: writes go into the file."""
        return of_cell(arrays.from_file(filename, shared, nbytes, dtype=dtypes.uint8)._storage)

    def _cell_length(self, dtype):
        return self.nbytes() // dtype.itemsize

    @property
    def device(self):
        """Where the bytes lie."""
        return self._cell.aval.device

    @property
    def is_cuda(self):
        """Whether the bytes lie on a cuda device."""
        return self.device.type == "cuda"

    is_sparse = False
    filename = None

    def nbytes(self):
        """How many bytes there are."""
        kind = self._cell.aval
        return numel(kind.shape) * kind.dtype.itemsize

    size = __len__ = nbytes

    def element_size(self):
        """1: the bytes have no dtype."""
        return 1

    def data_ptr(self):
        """A number that storages share exactly when they are the same memory; 0 for none."""
        return id(self._cell) * 16 if self.nbytes() else 0

    _cdata = property(data_ptr)

    def untyped(self):
        """The storage itself."""
        return self

    def is_shared(self):
        """Whether the memory is shared between processes: no."""
        return False

    def is_pinned(self, device="cuda"):
        """False: no memory is pinned."""
        return False

    def _bytes(self):
        return memory(self._cell).view(np.uint8)

    def tolist(self):
        """The bytes as Python numbers."""
        return self._bytes().tolist()

    def __iter__(self):
        return iter(self.tolist())

    def __getitem__(self, index):
        found = self._bytes()[index]
        return int(found) if np.ndim(found) == 0 else _of_array(found)

    def clone(self):
        """A copy of the bytes."""
        return _of_array(self._bytes())

    def cpu(self):
        """The storage itself on the CPU."""
        return self if self.device.type == "cpu" else self.clone()

    def __repr__(self):
        listed = "".join(f" {n}\n" for n in self.tolist())
        return f"{listed}[torch.storage.UntypedStorage(device={self.device}) of size {len(self)}]"


UntypedStorage.__module__ = "torch.storage"


def _of_array(array):
    made = object.__new__(UntypedStorage)
    made._cell = from_host(np.array(array))._storage
    return made


def of_cell(cell):
    """The UntypedStorage of a Storage: the same one as long as somebody holds it."""
    found = _handles.get(id(cell))
    if found is None:
        found = object.__new__(UntypedStorage)
        found._cell = cell
        _handles[id(cell)] = found
    return found


class TypedStorage:
    """The elements of one dtype behind tensors (deprecated in torch)."""

    def __init__(self, *, wrap_storage, dtype):
        self._untyped = wrap_storage
        self.dtype = dtype

    @property
    def _cell(self):
        return self._untyped._cell

    def _cell_length(self, dtype):
        return len(self)

    @property
    def device(self):
        """Where the elements lie."""
        return self._untyped.device

    @property
    def is_cuda(self):
        """Whether the elements lie on a cuda device."""
        return self._untyped.is_cuda

    def untyped(self):
        """The bytes."""
        return self._untyped

    def nbytes(self):
        """How many bytes there are."""
        return self._untyped.nbytes()

    def size(self):
        """How many elements there are."""
        return self.nbytes() // self.dtype.itemsize

    __len__ = size

    def element_size(self):
        """Bytes per element."""
        return self.dtype.itemsize

    def data_ptr(self):
        """A number that storages share exactly when they are the same memory."""
        return self._untyped.data_ptr()

    def is_shared(self):
        """Whether the memory is shared between processes: no."""
        return False

    def _elements(self):
        return memory(self._cell).view(self.dtype.numpy)

    def tolist(self):
        """The elements as Python numbers."""
        return self._elements().tolist()

    def __iter__(self):
        return iter(self.tolist())

    def __getitem__(self, index):
        if isinstance(index, slice):
            raise RuntimeError("slices are only supported in UntypedStorage.__getitem__")
        return self._elements()[index].item()

    def __repr__(self):
        listed = "".join(f" {n}\n" for n in self.tolist())
        return f"{listed}[torch.storage.TypedStorage(dtype={self.dtype}, device={self.device}) of size {len(self)}]"


TypedStorage.__module__ = "torch.storage"


_warned = []


def typed_of(tensor, quiet=False):
    """The TypedStorage of a tensor. Warns the first time unless quiet."""
    if not quiet and not _warned:
        _warned.append(True)
        warn(
            "TypedStorage is deprecated. It will be removed in the future and UntypedStorage will be the only storage "
            "class. This should only matter to you if you are using storages directly.  To access UntypedStorage "
            "directly, use tensor.untyped_storage() instead of tensor.storage()"
        )
    return TypedStorage(wrap_storage=of_cell(tensor._storage), dtype=aval(tensor).dtype)


@function
def is_storage(obj):
    """Whether obj is a storage."""
    return isinstance(obj, (UntypedStorage, TypedStorage))


FUNCTIONS.update(UntypedStorage=UntypedStorage, TypedStorage=TypedStorage)
