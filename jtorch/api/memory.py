"""Memory of a tensor as such: storages, strides of one's own choice, other sizes on the same memory, memory formats."""

import operator

from jtorch import _tensor, devices, dtypes, modes, shapes
from jtorch._tensor import Tensor, View, aval
from jtorch.api.creation import finish, new_sizes
from jtorch.api.put import both, function, method
from jtorch.api.storages import TypedStorage, UntypedStorage, of_cell, typed_of
from jtorch.api.viewing import become, sizes
from jtorch.autograd.apply import call
from jtorch.autograd.apply import view as view_of
from jtorch.autograd.inplace import check_writable
from jtorch.autograd.layout import format_strides, is_dense, lay_out
from jtorch.autograd.tangents import tangent_of
from jtorch.engine.storage import SharedStorage
from jtorch.ops.op import TABLE

_AS_STRIDED, _PERMUTE = TABLE["as_strided"], TABLE["permute"]


def whole(input):
    """A tensor whose elements, row by row, are the memory that a tensor looks at."""
    view = input._view
    full = shapes.numel(aval(input).shape) == shapes.numel(input._storage.aval.shape)
    if view is not None and full and input.is_contiguous():
        return input
    base = input if view is None or view.base is None else view.base
    if base._view is not None and base._view.steps:
        base = shown(input._storage)
    order = input._storage.order
    return base if order is None else view_of(_PERMUTE, base, (order,))


def shown(storage):
    """A tensor that shows all of a storage."""
    made = object.__new__(Tensor)
    made._storage = storage
    if storage.order is not None:
        shape = storage.aval.shape
        apart = shapes.contiguous_strides(tuple(shape[d] for d in storage.order))
        steps = tuple(apart[storage.order.index(d)] for d in range(len(shape)))
        made._view = View((), steps, 0, None, storage.ref, storage.ref, 0)
    return made


def _numbers(name, place, given):
    try:
        return tuple(map(operator.index, given))
    except TypeError:
        raise TypeError(f"as_strided(): argument '{name}' (position {place}) must be tuple of ints") from None


@both
def as_strided(input, size, stride, storage_offset=None):
    """A view of the tensor's storage with these sizes, strides and offset, in elements.

    Raises RuntimeError where an element would lie outside the storage.
    """
    return view_of(_AS_STRIDED, whole(input), _strided(input, size, stride, storage_offset))


def _strided(input, size, stride, storage_offset):
    offset = input.storage_offset() if storage_offset is None else storage_offset
    return _numbers("size", 2, size), _numbers("stride", 3, stride), offset


@both
def as_strided_(input, size, stride, storage_offset=None):
    """Look at the storage with these sizes, strides and offset, in elements, in place."""
    attrs = _strided(input, size, stride, storage_offset)
    return become(input, _AS_STRIDED.under("AsStridedBackward1"), attrs, whole(input))


@both
def as_strided_scatter(input, src, size, stride, storage_offset=None):
    """A copy of the tensor with src where `as_strided` would look. Raises RuntimeError where src has other sizes."""
    attrs = _strided(input, size, stride, storage_offset)
    return call("as_strided_scatter_kernel", input, src, *attrs)


# Storages.


@method
def untyped_storage(self):
    """The memory behind this tensor, as bytes."""
    return of_cell(self._storage)


@method
def storage(self):
    """The memory behind this tensor, as elements of its dtype (deprecated in torch, use untyped_storage)."""
    return typed_of(self)


@method
def _typed_storage(self):
    return typed_of(self, quiet=True)


@method
def is_set_to(self, tensor):
    """Whether another tensor looks at the same memory with the same sizes, strides and offset."""
    return (
        self._storage is tensor._storage
        and self.storage_offset() == tensor.storage_offset()
        and aval(self).shape == aval(tensor).shape
        and _tensor.strides(self) == _tensor.strides(tensor)
    )


@method
def set_(self, source=None, storage_offset=0, size=None, stride=None):
    """Look at other memory, in place: all that a tensor shows, or a storage with sizes and strides; none, of nothing.

    Raises RuntimeError for another dtype.
    """
    check_writable(self)
    count = self._version
    if isinstance(source, (TypedStorage, UntypedStorage)):
        cell, length = source._cell, source._cell_length(aval(self).dtype)
        size = (length,) if size is None else size
    elif source is None:
        cell, size = _tensor.from_host(_nothing(aval(self).dtype))._storage, (0,)
    else:
        cell = source._storage
        _check_dtype(source, self)
    if size is None:
        self._view = _tensor.alias(source)._view
        self._storage = cell
    else:
        size = _numbers("size", 3, size)
        _place(self, cell, size, shapes.contiguous_strides(size) if stride is None else stride, storage_offset)
    self._apart = count + 1  # torch: the tensor keeps its own count of writes
    return self


@method
def __setstate__(self, state):
    """Take over what old pickles hold: (storage, offset, sizes, strides), or whether grad is required, and hooks.

    Raises RuntimeError for a tensor that is no leaf.
    """
    if self._grad_fn is not None:
        raise RuntimeError("__setstate__ can be only called on leaf Tensors")
    if len(state) == 4:
        set_(self, *state)
        return
    if len(state) == 5:
        self.data = state[0]
        state = (state[3], state[4], state[2])
    self.requires_grad, _, self._backward_hooks = state


def _nothing(dtype):
    return dtype.numpy.type(0).reshape(1)[:0]


def _check_dtype(source, target):
    have, want = (dtypes.cpp_name(aval(t).dtype) for t in (source, target))
    if have != want:
        raise RuntimeError(f"Could not set tensor of type {have} to a tensor of type {want}")


def _place(tensor, cell, size, stride, offset):
    """Let a tensor look at a storage with these sizes, strides and offset; the storage grows where it is too small."""
    count = shapes.numel(cell.aval.shape)
    reach = offset + 1 + sum((n - 1) * s for n, s in zip(size, stride, strict=True)) if shapes.numel(size) else 0
    if reach > count:
        cell = _grown(cell, reach)
    seen = view_of(_AS_STRIDED, whole(shown(cell)), (tuple(size), tuple(stride), offset))
    tensor._storage = cell
    tensor._view = seen._view
    tensor._view.base = None


def _grown(cell, count):
    """A storage of `count` elements that begins with those of another. What is new is 0."""
    flat = call("reshape_alias", whole(shown(cell)), (shapes.numel(cell.aval.shape),))
    return call("constant_pad_nd", flat, (0, count - shapes.numel(cell.aval.shape)), 0)._storage


# Other sizes on the same memory.


@method
def resize_(self, *size, memory_format=None):
    """Other sizes on the same memory, in place. What lies beyond the old memory is 0 here, and shared with nobody.

    Raises RuntimeError for tensors that require grad, and where NumPy's memory would have to grow.
    """
    if not size:
        raise TypeError('resize_() missing 1 required positional arguments: "size"')
    if self.requires_grad:
        raise RuntimeError("cannot resize variables that require grad")
    if modes.rare and tangent_of(self) is not None:
        raise RuntimeError("cannot resize variables that has a forward grad")
    size = sizes(size)
    if any(n < 0 for n in size):
        raise RuntimeError("numel: integer multiplication overflow")
    if size != aval(self).shape:
        reach = shapes.numel(size) + self.storage_offset()
        if isinstance(self._storage, SharedStorage) and reach > shapes.numel(self._storage.aval.shape):
            raise RuntimeError("Trying to resize storage that is not resizable")
        _resized(self, size, shapes.contiguous_strides(size))
    if memory_format is not None:
        _resized(self, size, format_strides(size, memory_format.name))
    return self


def _resized(tensor, size, stride):
    changed, version, base = size != aval(tensor).shape, tensor._storage.version, tensor._base
    _place(tensor, tensor._storage, size, stride, tensor.storage_offset())
    tensor._storage.version, tensor._view.base = version + changed, base


@both
def resize_as_(input, the_template, *, memory_format=None):
    """Another tensor's sizes on the same memory, in place."""
    return resize_(input, aval(the_template).shape, memory_format=memory_format)


# Strides of one's own choice.


def _checked(size, stride):
    size, stride = _numbers("size", 1, size), _numbers("stride", 2, stride)
    if len(size) != len(stride):
        raise RuntimeError(
            f"dimensionality of sizes ({len(size)}) must match dimensionality of strides ({len(stride)})"
        )
    if any(s < 0 for s in stride):
        raise RuntimeError(
            f"Storage size calculation overflowed with sizes={shapes.listed(size)} and strides={shapes.listed(stride)}"
        )
    return size, stride


@function
def empty_strided(size, stride, *, dtype=None, layout=None, device=None, requires_grad=False, pin_memory=False):
    """A tensor of these sizes and strides, in elements, whose values mean nothing (here zeros)."""
    size, stride = _checked(size, stride)
    dtype, place = dtype or dtypes.Default.float, devices.get(device)
    if is_dense(size, stride) and 0 not in size:
        made = lay_out(new_sizes(size, dtype, place), stride)
    else:
        reach = 1 + sum((n - 1) * s for n, s in zip(size, stride, strict=True)) if shapes.numel(size) else 0
        made = new_sizes((reach,), dtype, place)
        _place(made, made._storage, size, stride, 0)
    return finish(made, requires_grad)


@method
def new_empty_strided(self, size, stride, *, dtype=None, layout=None, device=None, requires_grad=False,
                      pin_memory=False):  # fmt: skip
    """A tensor of these sizes and strides with this one's dtype and device whose values mean nothing (here zeros)."""
    kind = aval(self)
    place = kind.device if device is None else device
    return empty_strided(size, stride, dtype=dtype or kind.dtype, device=place, requires_grad=requires_grad)


@function
def empty_permuted(size, physical_layout, *, dtype=None, layout=None, device=None, requires_grad=False,
                   pin_memory=False):  # fmt: skip
    """A tensor whose dims lie in memory in the order of `physical_layout`; its values mean nothing (here zeros)."""
    size = _numbers("size", 1, size)
    if len(size) != len(physical_layout):
        raise RuntimeError(
            "Number of dimensions in size does not match the length of the physical_layout; i.e. "
            f"len(size) = {len(size)} is not equal to len(physical_layout) = {len(physical_layout)}"
        )
    for at, d in enumerate(physical_layout):
        if not 0 <= d < len(size):
            raise RuntimeError(
                f"Dimension out of range (expected to be between 0 and {len(size) - 1}, but got {d} at index {at}).  "
                "NB: negative dims not currently supported; file an issue if you want it."
            )
    if len(set(physical_layout)) != len(physical_layout):
        raise RuntimeError("Duplicate dim not allowed")
    apart = shapes.contiguous_strides(tuple(size[d] for d in physical_layout))
    stride = [apart[physical_layout.index(d)] for d in range(len(size))]
    return empty_strided(size, stride, dtype=dtype, device=device, requires_grad=requires_grad)
