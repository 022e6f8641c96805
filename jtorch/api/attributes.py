"""Tensor attributes: what a tensor is, how it lies in memory, whether it is a leaf."""

from jtorch import _tensor, shapes
from jtorch._tensor import Tensor, aval
from jtorch.api.put import attribute, both, method
from jtorch.api.size import Size
from jtorch.autograd.apply import refresh
from jtorch.engine.storage import InferenceStorage


@attribute
def shape(self):
    """The sizes, as torch.Size."""
    return Size(aval(self).shape)


@attribute
def dtype(self):
    """The element type."""
    return aval(self).dtype


@attribute
def device(self):
    """Where the values lie."""
    return aval(self).device


@attribute
def ndim(self):
    """How many dims."""
    return aval(self).ndim


@attribute
def is_cuda(self):
    """Whether the values lie on a cuda device."""
    return aval(self).device.type == "cuda"


@attribute
def is_meta(self):
    """Whether there are no values."""
    return aval(self).device.type == "meta"


@attribute
def itemsize(self):
    """Bytes per element."""
    return aval(self).dtype.itemsize


@attribute
def nbytes(self):
    """Bytes of all elements."""
    return shapes.numel(aval(self).shape) * aval(self).dtype.itemsize


@method
def size(self, dim=None):
    """All sizes, or the size of one dim. Raises IndexError out of range."""
    sizes = aval(self).shape
    return Size(sizes) if dim is None else sizes[shapes.normalize_dim(dim, len(sizes))]


@method
def dim(self):
    """How many dims."""
    return aval(self).ndim


Tensor.ndimension = dim


@method
def numel(self):
    """How many elements."""
    return shapes.numel(aval(self).shape)


Tensor.nelement = numel


@method
def element_size(self):
    """Bytes per element."""
    return aval(self).dtype.itemsize


@method
def stride(self, dim=None):
    """Steps between elements, in elements, as torch would have them."""
    steps = tuple(_tensor.strides(self))
    return steps if dim is None else steps[shapes.normalize_dim(dim, len(steps))]


@method
def storage_offset(self):
    """Where the first element lies in the storage, in elements."""
    return 0 if self._view is None else self._view.offset


@method
def is_floating_point(self):
    """Whether the dtype is a float."""
    return aval(self).dtype.is_floating_point


@method
def is_complex(self):
    """Whether the dtype is complex."""
    return aval(self).dtype.is_complex


@method
def is_signed(self):
    """Whether the dtype has negative values."""
    return aval(self).dtype.is_signed


@method
def get_device(self):
    """The index of its cuda device, or -1 on the CPU."""
    index = aval(self).device.index
    return -1 if index is None else index


@method
def __len__(self):
    sizes = aval(self).shape
    if not sizes:
        raise TypeError("len() of a 0-d tensor")
    return sizes[0]


@method
def data_ptr(self):
    """A number that two tensors share exactly when they start at the same element of the same memory; 0 for none."""
    if not shapes.numel(aval(self).shape):
        return 0
    return id(self._storage) * 16 + storage_offset(self) * element_size(self)


method(data_ptr, "const_data_ptr")


@attribute
def _version(self):
    if isinstance(self._storage, InferenceStorage):
        raise RuntimeError("Inference tensors do not track version counter.")
    owner = self if self._view is None or self._view.base is None else self._view.base
    return self._storage.version if owner._apart is None else owner._apart


@attribute
def _base(self):
    return None if self._view is None else self._view.base


@attribute
def is_leaf(self):
    """Whether it is no result of a call on the tape."""
    refresh(self, ask=True)
    return self._grad_fn is None


@attribute
def grad_fn(self):
    """The node of the call it is a result of, or None for a leaf."""
    refresh(self, ask=True)
    return self._grad_fn


@both
def is_same_size(input, other):
    """Whether another tensor has the same sizes."""
    return aval(input).shape == aval(other).shape
