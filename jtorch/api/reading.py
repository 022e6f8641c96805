"""Reads: Tensor values as Python numbers, lists and NumPy arrays; each runs what is pending."""

import numpy as np

from jtorch import devices, dtypes, modes
from jtorch._tensor import Tensor, aval, host
from jtorch.api.arrays import from_numpy
from jtorch.api.attributes import numel
from jtorch.api.put import method
from jtorch.autograd.level import box_of, is_batched
from jtorch.engine import flush, storage
from jtorch.errors import warn_once


@method
def item(self):
    """The one element as a Python number. Raises RuntimeError when there are several."""
    count = numel(self)
    if count != 1:
        raise RuntimeError(f"a Tensor with {count} elements cannot be converted to Scalar")
    if aval(self).device is devices.META:
        raise RuntimeError("Tensor.item() cannot be called on meta tensors")
    return host(self).reshape(()).tolist()


@method
def tolist(self):
    """The elements as nested Python lists; a number when 0-d."""
    _need_memory(self)
    return host(self).tolist()


@method
def numpy(self, *, force=False):
    """A NumPy array sharing the tensor's memory: writes through either are seen through the other.

    Raises RuntimeError for tensors that require grad, TypeError for other devices and for dtypes NumPy lacks.
    """
    _need_memory(self)
    if force:
        self = self.detach().cpu()
    if self._rg and modes.local.grad and not force:
        raise RuntimeError("Can't call numpy() on Tensor that requires grad. Use tensor.detach().numpy() instead.")
    place = aval(self).device
    if place is not devices.CPU:
        raise TypeError(
            f"can't convert {place} device type tensor to numpy. "
            "Use Tensor.cpu() to copy the tensor to host memory first."
        )
    if not has_numpy(self):
        raise TypeError(f"Got unsupported ScalarType {aval(self).dtype.label}")
    cell = self._storage
    cell.ref  # noqa: B018  (takes over what was written through NumPy, or ends the sharing)
    whole = storage.shared_array(cell)
    if whole is None:
        whole = np.array(flush.value(cell.ref), order="C")
        if cell.order is not None:
            whole = np.asarray(whole.transpose(cell.order), order="C")
        storage.share(cell, whole)
        whole = storage.shared_array(cell)
    return whole.view() if self._view is None else _numpy_view(self, whole)


def _need_memory(tensor):
    """Raise torch's error inside transforms of torch.func, whose tensors have no memory of their own."""
    if modes.rare and box_of(tensor) is not None:
        raise RuntimeError("Cannot access data pointer of Tensor that doesn't have storage")


def has_numpy(tensor):
    """Whether NumPy itself has the tensor's dtype."""
    return aval(tensor).dtype.numpy.kind != "V" and aval(tensor).dtype not in _NO_NUMPY


_NO_NUMPY = (dtypes.bfloat16, *(d for d in dtypes.ALL if d.name.startswith("float8")))


def _numpy_view(tensor, whole):
    steps = tensor._view.strides
    start = tensor._view.offset
    kind = aval(tensor).dtype.numpy
    order = tensor._storage.order
    flat = (whole if order is None else whole.transpose(order)).reshape(-1).view(kind)
    return np.lib.stride_tricks.as_strided(
        flat[start:], aval(tensor).shape, tuple(s * kind.itemsize for s in steps), writeable=True
    )


@method
def __array__(self, dtype=None, copy=None):
    array = numpy(self)
    if dtype is not None and array.dtype != dtype:
        if copy is False:
            raise ValueError("Unable to avoid copy while creating an array as requested.")
        return array.astype(dtype)
    return array.copy() if copy else array


Tensor.__array_priority__ = 1000


@method
def __array_wrap__(self, array, context=None, return_scalar=False):
    # torch: it had no bool dtype when this was written.
    return from_numpy(array.astype(np.uint8) if array.dtype == np.bool_ else np.asarray(array))


@method
def __bool__(self):
    count = numel(self)
    if count != 1:
        what = "no values" if count == 0 else "more than one value"
        raise RuntimeError(f"Boolean value of Tensor with {what} is ambiguous")
    if modes.rare and is_batched(self):
        raise RuntimeError(
            "vmap: It looks like you're attempting to use a Tensor in some data-dependent control flow. We don't "
            "support that yet, please file an issue at https://github.com/pytorch/pytorch/issues ."
        )
    return bool(item(self))


def _number(self, convert, name):
    if self._rg and modes.local.grad and name != "int64_t":
        warn_once(
            "Converting a tensor with requires_grad=True to a scalar may lead to unexpected behavior.\n"
            "Consider using tensor.detach() first."
        )
    if numel(self) != 1:
        raise ValueError("only one element tensors can be converted to Python scalars")
    number = item(self)
    if isinstance(number, complex) and convert is not complex:
        if number.imag:
            raise RuntimeError(f"value cannot be converted to type {name} without overflow")
        number = number.real
    return convert(number)


@method
def __float__(self):
    return _number(self, float, "double")


@method
def __int__(self):
    return _number(self, int, "int64_t")


@method
def __complex__(self):
    return _number(self, complex, "c10::complex<double>")


@method
def __index__(self):
    if aval(self).dtype.category > dtypes.INT or numel(self) != 1:
        raise TypeError("only integer tensors of a single element can be converted to an index")
    return int(item(self))


@method
def __contains__(self, element):
    if isinstance(element, (Tensor, int, float, bool, complex)):
        return bool((self == element).any().item())
    raise RuntimeError(f"Tensor.__contains__ only supports Tensor or scalar, but you passed in a {type(element)}.")


@method
def __iter__(self):
    if not self.dim():
        raise TypeError("iteration over a 0-d tensor")
    return iter(self.unbind(0))


@method
def __reversed__(self):
    return self if not aval(self).shape else self.flip(0)
