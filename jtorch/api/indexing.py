"""Tensor.__getitem__ and __setitem__: an index becomes a chain of views, then at most one call with index tensors."""

import warnings

import numpy as np
from jax.core import Tracer

from jtorch import _tensor, dtypes
from jtorch._tensor import Tensor, View, aval, from_host, read
from jtorch.api.indices import MASKS, checked, dims_of, items_of, outside
from jtorch.api.numbers import check_fits
from jtorch.api.put import both, method
from jtorch.api.types import type_string
from jtorch.autograd.apply import apply, call, copy_to, create, place_view, refresh
from jtorch.autograd.apply import view as view_of
from jtorch.autograd.inplace import FILL_TENSOR, assign, check_writable, fill, overwrite
from jtorch.autograd.level import is_batched
from jtorch.autograd.overlap import check_overlap, warn_repeated
from jtorch.engine.ref import Ref
from jtorch.engine.ref import aval as ref_aval
from jtorch.errors import bad_argument, type_name
from jtorch.ops.op import TABLE
from jtorch.shapes import listed, numel

_SELECT, _SLICE, _UNSQUEEZE, _ALIAS = (TABLE[name] for name in ("select", "slice", "unsqueeze", "alias"))
_INDEX, _INDEX_PUT, _MASK_PUT = (TABLE[name] for name in ("index", "index_put", "mask_put"))
_FULL, _EXPAND, _VIEW = (TABLE[name] for name in ("full_kernel", "expand", "view"))
_COLUMNS = TABLE["nonzero_columns"]


@method
def __getitem__(self, index):
    kind = type(index)
    if kind is int:
        return _select(self, 0, index, 0)
    if kind is slice:
        return _slice(self, 0, index)
    items, named = items_of(index)
    seen, picked = _walk(self, items, named)
    if picked:
        return _read_at(seen, picked)
    return view_of(_ALIAS, self, ()) if seen is self else seen


@method
def __setitem__(self, index, value):
    number = _check_value(self, value)
    if index is False:
        return
    if index is Ellipsis:
        return _write(self, value, number)
    refresh(self)
    if type(index) is int:
        return _write(_select(self, 0, index, 0, unread=True), value, number)
    items, named = ([None], 0) if index is True else items_of(index)
    if all(type(item) in _BASIC for item in items):
        return _write(_walk(self, items, named, unread=True)[0], value, number)
    seen, picked = _walk(self, items, named)
    if not picked:
        _write(seen, value, number)
    elif len(picked) == 1 and aval(next(iter(picked.values()))).dtype in MASKS:
        _write_mask(seen, *next(iter(picked.items())), value, number)
    else:
        _write_at(seen, picked, value, number)


_BASIC = (int, slice, type(None), type(Ellipsis))


# Basic indices: views.


def _place(op, x, attrs, numbers, shape, strides, offset, unread):
    """A view of x; one that is only written to is not recorded: `unread`."""
    if not unread:
        return place_view(op, x, attrs, numbers, strides, offset)
    old = x._view
    kind = aval(x)
    out = object.__new__(Tensor)
    out._storage, out._rg = x._storage, x._rg
    step = (op, numbers, attrs)
    steps, made = ((step,), None) if old is None else ((*old.steps, step), old.made)
    base = x if old is None or old.base is None else old.base
    ref = Ref(ref_aval(shape, kind.dtype, kind.device))
    out._view = View(steps, strides, offset, base, None, ref, x._storage.graph, made)
    return out


def _select(x, dim, i, place, unread=False):
    """x without dimension `dim`, at i. place: where in the index i stands, for the error."""
    shape = aval(x).shape
    if not shape:
        raise IndexError(
            "invalid index of a 0-dim tensor. Use `tensor.item()` in Python or `tensor.item<T>()` in C++ to convert a "
            "0-dim tensor to a number"
        )
    n = shape[dim]
    if not -n <= i < n:
        if abs(i) >> 63:
            raise ValueError("Overflow when unpacking long long")
        raise IndexError(f"index {i} is out of bounds for dimension {place} with size {n}")
    if i < 0:
        i += n
    strides = _tensor.strides(x)
    offset = i * strides[dim]
    if x._view is not None:
        offset += x._view.offset
    shape, strides = shape[:dim] + shape[dim + 1 :], strides[:dim] + strides[dim + 1 :]
    return _place(_SELECT, x, (dim,), (i,), shape, strides, offset, unread)


def _slice(x, dim, index, skip=False, unread=False):
    """The part of dimension `dim` that a slice names; x itself if that is all and `skip`."""
    shape = aval(x).shape
    if not shape:
        raise IndexError("slice() cannot be applied to a 0-dim tensor.")
    n = shape[dim]
    try:
        start, stop, step = index.indices(n)
    except TypeError:
        if type(n) is int:
            raise
        start, stop, step = _symbolic_indices(index, n)
    if step < 1:
        raise ValueError("step must be greater than zero")
    length = max(-(-(stop - start) // step), 0)
    if skip and length == n and step == 1:
        return x
    strides = _tensor.strides(x)
    offset = start * strides[dim]
    if x._view is not None:
        offset += x._view.offset
    if step != 1:
        strides = (*strides[:dim], strides[dim] * step, *strides[dim + 1 :])
    shape = (*shape[:dim], length, *shape[dim + 1 :])
    return _place(_SLICE, x, (dim, length, step), (start,), shape, strides, offset, unread)


def _symbolic_indices(index, n):
    """slice.indices for a size that jax.export does not know yet, which is taken to reach as far as the slice does."""
    ends = [n + i if type(i) is int and i < 0 else i for i in (index.start, index.stop)]
    return 0 if ends[0] is None else ends[0], n if ends[1] is None else ends[1], index.step or 1


def _unsqueeze(x, dim, unread):
    shape, strides = aval(x).shape, _tensor.strides(x)
    apart = shape[dim] * strides[dim] if dim < len(shape) else 1
    offset = 0 if x._view is None else x._view.offset
    shape, strides = (*shape[:dim], 1, *shape[dim:]), (*strides[:dim], apart, *strides[dim:])
    return _place(_UNSQUEEZE, x, (dim,), (), shape, strides, offset, unread)


def _walk(x, items, named, unread=False):
    """(the view that the basic items give, {dim of it: index tensor} of the others)."""
    ndim = aval(x).ndim
    if named > ndim:
        raise IndexError(f"too many indices for tensor of dimension {ndim}")
    picked, dim = {}, 0
    for place, item in enumerate(items):
        kind = type(item)
        if kind is int:
            x = _select(x, dim, item, place, unread)
        elif kind is slice:
            x = _slice(x, dim, item, True, unread)
            dim += 1
        elif item is Ellipsis:
            dim += ndim - named
        elif item is None:
            x = _unsqueeze(x, dim, unread)
            dim += 1
        elif kind is bool or not aval(item).ndim:
            x, dim = _walk_single(x, dim, item, place, picked)
        else:
            picked[dim] = item
            dim += dims_of(item)
    return x, picked


def _walk_single(x, dim, item, place, picked):
    """A bool, which puts a dim in that it keeps or empties, or a 0-d tensor: (the view, the next dim)."""
    if type(item) is bool:
        item = from_host(np.full((1,), item), device=aval(x).device)
    elif aval(item).dtype in MASKS:
        item = call("to_dtype", item, dtypes.bool_).reshape(1)
    elif _is_unknown(item):
        picked[dim] = item
        return x, dim + 1
    else:
        return _select(x, dim, item.item(), place), dim
    picked[dim] = item
    return _unsqueeze(x, dim, False), dim + 1


def _is_unknown(x):
    """Whether a tensor's value is not to be had: it is traced by JAX, or one of a batch."""
    return isinstance(read(x).value, Tracer) or is_batched(x)


# Index tensors.


def _expanded(x, picked):
    """(index tensors, their dims) with masks as the places where they are true: that reads the mask."""
    tensors, at = [], []
    for dim, item in picked.items():
        if aval(item).dtype in MASKS:
            _check_mask(x, dim, item)
            columns = apply(_COLUMNS, (item,), ())
            for i, column in enumerate(columns if isinstance(columns, tuple) else (columns,)):
                tensors.append(column)
                at.append(dim + i)
        else:
            tensors.append(item)
            at.append(dim)
    place = aval(x).device
    tensors = [_at_home(t, place) for t in tensors]
    for i, (tensor, dim) in enumerate(zip(tensors, at, strict=True)):
        _check_bounds(tensor, i, aval(x).shape[dim])
    return tensors, tuple(at)


def _check_mask(x, dim, mask):
    """Raise IndexError unless a mask has the sizes of the dims it covers. uint8 masks are deprecated."""
    if aval(mask).dtype is dtypes.uint8:
        warnings.warn(
            "indexing with dtype torch.uint8 is now deprecated, please use a dtype torch.bool instead.", stacklevel=4
        )
    shape, sizes = aval(x).shape, aval(mask).shape
    for i, n in enumerate(sizes):
        if n != shape[dim + i]:
            raise IndexError(
                f"The shape of the mask {listed(sizes)} at index {i} does not match the shape of the indexed tensor "
                f"{listed(shape)} at index {dim + i}"
            )


def _check_bounds(tensor, number, n):
    """Raise IndexError for an index out of bounds, where its values are at hand without running anything."""
    wrong = outside(tensor, -n, n) if n else None
    if wrong is not None:
        raise IndexError(f"index {wrong} is out of bounds for dimension {number} with size {n}")


def _read_at(x, picked):
    tensors, dims = _expanded(x, picked)
    return apply(_INDEX, (x, *tensors), (len(tensors), dims))


# Writes.


def _check_value(target, value):
    """Whether the value to write is a number. Raises TypeError for what torch cannot assign."""
    if isinstance(value, Tensor):
        return False
    if isinstance(value, (bool, int, float, complex, np.integer)):
        check_fits(value, aval(target).dtype)
        return True
    kind = type(value)
    name = f"numpy.{kind.__name__}" if kind.__module__ == "numpy" else kind.__name__
    raise TypeError(f"can't assign a {name} to a {type_string(aval(target))}")


@method
def __delitem__(self, index):
    raise TypeError("Tensor does not support deleting items")


def _write(target, value, number):
    """Write a number or a tensor, which is broadcast and cast, to all of a view."""
    check_overlap(target)
    if number or not aval(value).ndim:
        fill(FILL_TENSOR, target, value, "copy")
        return
    if _shows_same(target, value):
        target._storage.touch()  # x[i] += v: the sum was already written through the view x[i]
        return
    value = _at_home(_unprefixed(value), aval(target).device)
    shape = aval(target).shape
    overwrite(target, value if aval(value).shape == shape else view_of(_EXPAND, value, (shape,)))


def _at_home(value, device):
    return value if aval(value).device is device else copy_to(value, device)


def _shows_same(a, b):
    if a._storage is not b._storage:
        return False
    return a is b or (a._view is not None and b._view is not None and a._view.steps == b._view.steps)


def _unprefixed(value):
    """A value without its leading dims of size 1."""
    shape = aval(value).shape
    ones = next((i for i, n in enumerate(shape) if n != 1), len(shape))
    return (
        view_of(_VIEW, value, (shape[ones:],))
        if ones and value.is_contiguous()
        else (value.reshape(shape[ones:]) if ones else value)
    )


def _write_mask(target, dim, mask, value, number):
    """Write where a mask is true, without a look at the mask."""
    check_writable(target)
    one = number or numel(aval(value).shape) == 1
    if aval(mask).dtype is dtypes.uint8 and one:
        raise RuntimeError("masked_fill_ only supports boolean masks, but got mask with dtype unsigned char")
    _check_mask(target, dim, mask)
    if aval(mask).dtype is dtypes.uint8:
        mask = call("to_dtype", mask, dtypes.bool_)
    mask = _at_home(mask, aval(target).device)
    warn_repeated(target, "index_put_", "tensor[indices] = tensor")
    if one:
        warn_repeated(target, "masked_fill_", "tensor[mask] = scalar")
    if not number:
        value = _unprefixed(value)
        _check_masked(target, dim, mask, value)
        value = _at_home(value, aval(target).device)
    assign(target, apply(_MASK_PUT, (target, mask, value), (dim,)), repeated=True)


def _check_masked(target, dim, mask, value):
    """Raise RuntimeError unless a value broadcasts to what a mask reads: that reads the mask."""
    if numel(aval(value).shape) == 1:
        return
    shape, given = aval(target).shape, aval(value).shape
    before, after = shape[:dim], shape[dim + aval(mask).ndim :]
    count = None if _is_unknown(mask) else int(_tensor.host(mask).sum())
    wanted = (*before, count, *after)
    fits = len(given) <= len(wanted) and all(
        n in (1, m) or m is None for n, m in zip(given[::-1], wanted[::-1], strict=False)
    )
    if not fits:
        raise RuntimeError(
            f"shape mismatch: value tensor of shape {listed(given)} cannot be broadcast to indexing result of shape "
            f"{listed(wanted)}"
        )
    _check_dtypes(target, value)


def _check_dtypes(target, value):
    have, want = aval(value).dtype, aval(target).dtype
    if have is not want:
        raise RuntimeError(
            f"Index put requires the source and destination dtypes match, got {want.label} for the destination and "
            f"{have.label} for the source."
        )


def _write_at(target, picked, value, number):
    """Write to the elements at index tensors."""
    check_writable(target)
    warn_repeated(target, "index_put_", "tensor[indices] = tensor")
    assign(target, _put(target, picked, value, number, False), repeated=True)


def _put(target, picked, value, number, accumulate):
    """What target is with a value at the elements at index tensors."""
    tensors, dims = _expanded(target, picked)
    kind = aval(target)
    if number:
        value = create(_FULL, ((), kind.dtype), kind.device, (value,))
    else:
        value = _at_home(_unprefixed(value), kind.device)
    return apply(_INDEX_PUT, (target, *tensors, value), (len(tensors), dims, accumulate))


@both
def index_put(input, indices, values, accumulate=False):
    """The tensor with values written to, or added at, the elements at index tensors and masks."""
    return _put(input, _picked("index_put", input, indices, values), values, False, accumulate)


@both
def index_put_(input, indices, values, accumulate=False):
    """Write values to, or add them at, the elements at index tensors and masks, in place."""
    picked = _picked("index_put_", input, indices, values)
    check_writable(input)
    warn_repeated(input, "index_put_", "tensor[indices] = tensor")
    assign(input, _put(input, picked, values, False, accumulate), repeated=True)
    return input


def _picked(name, input, indices, values):
    """{dim: index tensor} of an index_put. Raises TypeError and IndexError for what may not stand there."""
    if not isinstance(indices, (tuple, list)):
        raise bad_argument(name, 1, "indices", "tuple of Tensors", indices)
    for i, item in enumerate(indices):
        if not isinstance(item, Tensor):
            raise TypeError(f"expected Tensor as element {i} in argument 0, but got {type_name(item)}")
    if not isinstance(values, Tensor):
        raise bad_argument(name, 2, "values", "Tensor", values)
    indices = [checked(item) for item in indices]
    named = sum(map(dims_of, indices))
    if named > aval(input).ndim:
        raise IndexError(f"too many indices for tensor of dimension {aval(input).ndim} (got {named})")
    picked, dim = {}, 0
    for item in indices:
        picked[dim] = item
        dim += dims_of(item)
    return picked
