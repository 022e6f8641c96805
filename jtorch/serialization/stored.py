"""Storages out of a file, and the functions by which torch's pickles make tensors of them."""

from jtorch import _tensor, devices
from jtorch._tensor import Tensor, from_array, from_host
from jtorch.api.memory import empty_strided
from jtorch.api.rebuilding import on_storage
from jtorch.api.storages import UntypedStorage
from jtorch.autograd.apply import call
from jtorch.devices import Device
from jtorch.engine.storage import Storage
from jtorch.nn.parameter import Parameter
from jtorch.shapes import contiguous_strides, numel
from jtorch.sparse import sparse_coo_tensor

_LARGE = 1 << 20  # bytes; less is sooner copied when it is used than given to JAX


class LoadedStorage(UntypedStorage):
    """Memory out of a file, whose values are put into a Storage when the first tensor on them is made.

    data: a NumPy array of uint8, or None for memory without values (meta). dtype: what the file says it holds.
    own: whether nobody else can write to the data.
    """

    def __init__(self, data, dtype, nbytes, device=None, own=False):
        self._data, self.dtype, self._place, self._own = data, dtype, device or Device("cpu"), own
        self._nbytes = nbytes
        self._made: Storage | None = None

    @property
    def device(self):
        """Where the memory is to lie."""
        return self._place

    @property
    def _cell(self):
        if self._made is None:
            self._make(self.dtype, (self._nbytes // self.dtype.itemsize,))
        return self._made

    def _make(self, dtype, shape):
        if self._data is None:
            raise RuntimeError("the storage has no data")
        used = self._data[: numel(shape) * dtype.itemsize].view(dtype.numpy).reshape(shape)
        if self._own and used.nbytes >= _LARGE and self._place.type == "cpu":
            self._made = from_array(devices.lent(used, devices.CPU))._storage
        else:
            self._made = from_host(used, dtype, self._place)._storage

    def nbytes(self):
        """How many bytes there are."""
        return self._nbytes

    __len__ = size = nbytes

    def at(self, device):
        """The same memory on a device."""
        return LoadedStorage(self._data, self.dtype, self._nbytes, device, self._own)

    def part(self, start, stop):
        """The elements from start to stop as memory of their own."""
        width = self.dtype.itemsize
        data = self._data[start * width : stop * width]
        return LoadedStorage(data, self.dtype, len(data), self._place)

    def cpu(self):
        """The same memory on the CPU."""
        return self.at(Device("cpu"))

    def cuda(self, device=None, non_blocking=False):
        """The same memory on a cuda device, the current one by default. Raises: RuntimeError where it is not there."""
        index = device if isinstance(device, int) else getattr(device, "index", None)
        return self.at(Device(str(devices.get(Device("cuda", index) if index is not None else Device("cuda")))))

    def tensor(self, dtype, sizes, strides, offset, requires_grad):
        """A tensor on this memory. Raises: RuntimeError where it would reach beyond it."""
        self._check(dtype, sizes, strides, offset)
        count = self._nbytes // dtype.itemsize
        whole = offset == 0 and tuple(strides) == contiguous_strides(sizes) and numel(sizes) == count
        if self._made is None:
            self._make(dtype, tuple(sizes) if whole else (count,))
        kind = self._cell.aval
        same = whole and kind.dtype is dtype and kind.shape == tuple(sizes)
        laid = None if same else (tuple(sizes), tuple(strides), offset)
        return on_storage(self._cell, Tensor, dtype, laid, requires_grad)

    def _check(self, dtype, sizes, strides, offset):
        numbers = (*sizes, *strides, offset)
        if len(sizes) != len(strides) or any(type(n) is not int for n in numbers):
            raise RuntimeError("a tensor cannot have sizes and strides that are no numbers, or not as many")
        if min(numbers) < 0:
            raise RuntimeError(
                f"Trying to create tensor with negative dimension or stride: {list(sizes)}, {list(strides)}"
            )
        last = sum((n - 1) * step for n, step in zip(sizes, strides, strict=True))
        need = 0 if 0 in sizes else (offset + last + 1) * dtype.itemsize
        if need > self._nbytes:
            raise RuntimeError(
                f"setStorage: sizes {list(sizes)}, strides {list(strides)}, storage offset {offset}, and itemsize "
                f"{dtype.itemsize} requiring a storage size of {need} are out of bounds for storage of size "
                f"{self._nbytes}"
            )


def rebuild_tensor(storage, storage_offset, size, stride):
    """A tensor of the oldest files."""
    return storage.tensor(storage.dtype, size, stride, storage_offset, False)


def rebuild_tensor_v2(storage, storage_offset, size, stride, requires_grad, backward_hooks, metadata=None):
    """A tensor whose storage says its dtype."""
    return _worked_out(storage.tensor(storage.dtype, size, stride, storage_offset, bool(requires_grad)), metadata)


def rebuild_tensor_v3(storage, storage_offset, size, stride, requires_grad, backward_hooks, dtype, metadata=None):
    """A tensor that says its dtype, on a storage of bytes."""
    return _worked_out(storage.tensor(dtype, size, stride, storage_offset, bool(requires_grad)), metadata)


def _worked_out(tensor, metadata):
    """The tensor with what torch leaves to be done when its values are read: a conjugation, a change of sign."""
    made = tensor.detach()
    for name in ("conj", "neg"):
        if metadata and metadata.get(name):
            made = call(name, made)
    return made.requires_grad_(tensor.requires_grad) if metadata else tensor


def rebuild_meta_tensor(dtype, size, stride, requires_grad):
    """A tensor of the meta device."""
    return empty_strided(size, stride, dtype=dtype, device="meta", requires_grad=requires_grad)


def rebuild_sparse_tensor(layout, data):
    """A sparse tensor. Raises: NotImplementedError for another layout than sparse_coo; RuntimeError for bad indices."""
    if str(layout) != "torch.sparse_coo":
        raise NotImplementedError(f"rebuilding sparse tensor for layout {layout}")
    indices, values, size, coalesced = (*data, None)[:4]
    for dim, places in enumerate(indices.tolist()):
        if places and min(places) < 0:
            raise RuntimeError(f"found negative index {min(places)} for dim {dim}")
        if places and max(places) >= size[dim]:
            raise RuntimeError(
                f"size is inconsistent with indices: for dim {dim}, size is {size[dim]} but found index {max(places)}"
            )
    return sparse_coo_tensor(indices, values, size, is_coalesced=coalesced)


def rebuild_parameter(data, requires_grad, backward_hooks):
    """A Parameter; hooks are not saved."""
    return Parameter(data, requires_grad)


def rebuild_parameter_with_state(data, requires_grad, backward_hooks, state):
    """A Parameter with the user's attributes."""
    parameter = Parameter(data, requires_grad)
    vars(parameter).update(state if isinstance(state, dict) else state[0] or {})
    return parameter


def rebuild_from_type(func, new_type, args, state):
    """A tensor of a subclass, or one with attributes."""
    made = func(*args)
    if type(made) is not new_type:
        made = _tensor.alias(made, new_type)
    if hasattr(new_type, "__setstate__") and new_type.__setstate__ is not getattr(Tensor, "__setstate__", None):
        made.__setstate__(state)
    else:
        for part in state if isinstance(state, tuple) else (state,):
            vars(made).update(part or {})
    return made


REBUILDS = {
    "torch._utils._rebuild_tensor": rebuild_tensor,
    "torch._utils._rebuild_tensor_v2": rebuild_tensor_v2,
    "torch._utils._rebuild_tensor_v3": rebuild_tensor_v3,
    "torch._utils._rebuild_sparse_tensor": rebuild_sparse_tensor,
    "torch._utils._rebuild_meta_tensor_no_storage": rebuild_meta_tensor,
    "torch._utils._rebuild_parameter": rebuild_parameter,
    "torch._utils._rebuild_parameter_with_state": rebuild_parameter_with_state,
    "torch.nn.parameter.Parameter": Parameter,
}
TYPED = {"torch._tensor._rebuild_from_type_v2": rebuild_from_type}
