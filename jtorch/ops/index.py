"""Ops that read or write whole slices at places given by index tensors.

An index out of bounds raises in torch. Here the values of an index are not known when an op is recorded: a read then
takes the nearest element, a write is left out.
"""

import numpy as np
from jax import lax
from jax import numpy as jnp

from jtorch.dtypes import from_numpy
from jtorch.ops.op import EXACT, FIRST, Array, Arrays, Operand, Scalar, op, widened
from jtorch.shapes import broadcast_shapes, listed, normalize_dim, numel

# XLA itself keeps reads and writes inside: JAX's other modes would check once more.
_MODE = "promise_in_bounds"
_WHOLE_NUMBERS = (np.int32, np.int64)


def _key(ndim, indices, dims):
    """The NumPy-style index with `indices` at `dims` and full slices elsewhere."""
    key = [slice(None)] * ndim
    for index, dim in zip(indices, dims, strict=True):
        key[dim] = index
    return tuple(key)


def _check_index(input, indices, dims):
    try:
        shape = broadcast_shapes(*(i.shape for i in indices))
    except RuntimeError:
        shapes = ", ".join(listed(i.shape) for i in indices)
        raise IndexError(
            f"shape mismatch: indexing tensors could not be broadcast together with shapes {shapes}"
        ) from None
    if numel(shape) and any(not input.shape[d] for d in dims):
        raise IndexError("index is out of bounds for dimension with size 0")


@op("index", door=None)
def index(input: Array, indices: Arrays, dims):
    """The elements at index tensors that stand at `dims`; the other dims are taken whole. NumPy's rules for the shape.

    Raises IndexError where the index tensors do not broadcast.
    """
    _check_index(input, indices, dims)
    return input.at[_key(input.ndim, indices, dims)].get(mode=_MODE)


op("masked_select", door=None)(widened(index.fn))


@op("index_put", door=None, follows=FIRST)
def index_put(input: Array, indices: Arrays, values: Array, dims, accumulate=False):
    """The tensor with `values` written to, or added at, the elements that `index` would read.

    Raises RuntimeError where values do not broadcast to these elements or have another dtype.
    """
    _check_index(input, indices, dims)
    key = _key(input.ndim, indices, dims)
    at = input.at[key]
    _check_values(values, _result_shape(input.shape, key, indices))
    if values.dtype != input.dtype:
        raise RuntimeError(
            "Index put requires the source and destination dtypes match, got "
            f"{from_numpy(input.dtype).label} for the destination and {from_numpy(values.dtype).label} for the source."
        )
    return _summed(at, values) if accumulate else at.set(values, mode=_MODE)


def _summed(at, values):
    """The values added at places of an array; of bools, the sum is `or`."""
    return (at.max if values.dtype == bool else at.add)(values, mode=_MODE)


def _check_values(values, shape):
    try:
        fits = broadcast_shapes(values.shape, shape) == shape
    except RuntimeError:
        fits = False
    if not fits:
        raise RuntimeError(
            f"shape mismatch: value tensor of shape {listed(values.shape)} cannot be broadcast to indexing result of "
            f"shape {listed(shape)}"
        )


def _result_shape(shape, key, indices):
    """The shape of what a key reads: index tensors next to each other stay in place, others come first."""
    at = [d for d, k in enumerate(key) if not isinstance(k, slice)]
    rest = [n for n, k in zip(shape, key, strict=True) if isinstance(k, slice)]
    picked = broadcast_shapes(*(i.shape for i in indices))
    first = at[0] if at and at[-1] - at[0] == len(at) - 1 else 0
    return (*rest[:first], *picked, *rest[first:])


@index_put.gradient
def _(grad, result, input, indices, values, dims, accumulate=False):
    key = _key(input.ndim, indices, dims)
    kept = grad if accumulate else grad.at[key].set(0, mode=_MODE)
    picked = grad.at[key].get(mode=_MODE)
    return kept, [None] * len(indices), picked


def _vector(index, wanted):
    if index.dtype not in _WHOLE_NUMBERS:
        raise wanted
    return index.reshape(-1)


@op("index_select", method=True, out="index_select(): self and result must have the same scalar type")
def index_select(input: Array, dim, index: Array):
    """The slices of a dim at the places in a vector. Raises IndexError unless index is one."""
    dim = normalize_dim(dim, input.ndim)
    if index.ndim > 1:
        raise IndexError("index_select(): Index is supposed to be a vector")
    if not input.ndim:
        if index.size != 1:
            raise RuntimeError(f"index_select(): Index to scalar can have only 1 value, got {index.size} value(s)")
        return input
    index = _vector(index, RuntimeError("index_select(): Expected dtype int32 or int64 for index"))
    return input.at[_key(input.ndim, (index,), (dim,))].get(mode=_MODE, wrap_negative_indices=False)


@op("index_add", method=True, inplace=True, out=EXACT)
def index_add(input: Array, dim, index: Array, source: Array, *, alpha: Scalar = 1):
    """The tensor with alpha · each slice of source added to the slice at its index. Raises RuntimeError for shapes."""
    dim = normalize_dim(dim, input.ndim)
    if index.ndim > 1:
        raise IndexError(
            f"index_add_(): Index is supposed to be a vector, but got dim: {index.ndim} with type: "
            f"{from_numpy(index.dtype).label} and size: {listed(index.shape)}"
        )
    label = from_numpy(index.dtype).label
    index = _vector(index, RuntimeError(f"index_add_(): Expected dtype int32/int64 for index but got: {label}"))
    _check_source("index_add_()", input, dim, index, source)
    added = (source * alpha).astype(input.dtype)
    return _summed(_rows(input, dim, index), added).reshape(input.shape)


def _check_source(name, input, dim, index, source):
    if source.dtype != input.dtype:
        labels = [from_numpy(x.dtype).label for x in (input, source)]
        raise RuntimeError(f"{name}: self ({labels[0]}) and source ({labels[1]}) must have the same scalar type")
    count = source.shape[dim] if source.ndim else 1
    if not source.ndim and index.size != 1:
        raise IndexError("Dimension specified as 0 but tensor has no dimensions")
    if index.size != count:
        raise RuntimeError(
            f"{name}: Number of indices ({index.size}) should be equal to source.size(dim): ({count}), for dim: {dim}"
        )
    if input.shape[:dim] + input.shape[dim + 1 :] != source.shape[:dim] + source.shape[dim + 1 :]:
        raise RuntimeError(
            "source tensor shape must match self tensor shape, excluding the specified dimension. "
            f"Got self.shape = {listed(input.shape)} source.shape = {listed(source.shape)}"
        )


def _rows(input, dim, index):
    """The places of slices along a dim, to be read or written; a 0-d tensor counts as a vector of one."""
    input = input.reshape(input.shape or (1,))
    return input.at[_key(input.ndim, (index,), (dim,))]


@op("index_copy", method=True, inplace=True, out=EXACT)
def index_copy(input: Array, dim, index: Array, source: Array):
    """The tensor with each slice of source written to the slice at its index. Raises IndexError for the shapes."""
    dim = normalize_dim(dim, input.ndim)
    _check_copy(input, dim, index, source)
    return _rows(input, dim, index.reshape(-1)).set(source, mode=_MODE).reshape(input.shape)


def _check_copy(input, dim, index, source):
    if index.ndim > 1:
        raise IndexError(f"index_copy_(): Index should have dimension 1 or 0 (got {index.ndim})")
    if not source.ndim and index.size != 1:
        raise IndexError(f"index_copy_(): When source is scalar, index should have one element (got {index.size})")
    if source.ndim and input.ndim and source.ndim != input.ndim:
        raise IndexError(
            "index_copy_(): When source and destination are not scalars, their dimensionality must match. "
            f"Source dimensionality ({source.ndim}), destination dimensionality ({input.ndim})"
        )
    labels = [from_numpy(x.dtype).label for x in (input, source, index)]
    if index.dtype != np.int64:
        raise RuntimeError(f"index_copy_(): Expected a long tensor for index, but got {labels[2]}")
    if source.dtype != input.dtype:
        raise RuntimeError(
            "index_copy_(): self and source expected to have the same dtype, but got (self) "
            f"{labels[0]} and (source) {labels[1]}"
        )
    slices = [x.shape[:dim] + x.shape[dim + 1 :] for x in (input, source)]
    if slices[0] != slices[1]:
        one, other = (" ".join(map(str, sizes)) for sizes in slices)
        raise RuntimeError(
            "index_copy_(): Source/destination tensor must have same slice shapes. Destination slice shape: "
            f"{one} at dimension {dim} and source slice shape: {other} at dimension 0."
        )
    if source.ndim and index.size != source.shape[dim]:
        raise IndexError(
            f"index_copy_(): Number of indices ({index.size}) should be equal to source.size(dim) ({source.shape[dim]})"
        )


@index_copy.gradient
def _(grad, result, input, dim, index, source):
    dim, index = normalize_dim(dim, input.ndim), index.reshape(-1)
    picked = _rows(grad, dim, index).get(mode=_MODE)
    return _rows(grad, dim, index).set(0, mode=_MODE).reshape(input.shape), None, lax.reshape(picked, source.shape)


def _fill_name(operands, attrs):
    return f"IndexFillBackward{int(operands[2][1] is not None)}"


@op("index_fill", method=True, inplace=True, grad_name=_fill_name, follows=FIRST)
def index_fill(input: Array, dim, index: Array, value: Operand):
    """The tensor with one value in the slices of a dim at the places in a vector. Raises IndexError, RuntimeError."""
    dim = normalize_dim(dim, input.ndim)
    value = jnp.asarray(value).astype(input.dtype)
    if value.ndim:
        raise RuntimeError(
            f"index_fill_ only supports a 0-dimensional value tensor, but got tensor with {value.ndim} dimension(s)."
        )
    if index.dtype != np.int64:
        raise IndexError("index_fill_(): Expected dtype int64 for index.")
    if index.ndim > 1:
        raise RuntimeError("Index has to be a vector/scalar")
    return _rows(input, dim, index.reshape(-1)).set(value, mode=_MODE).reshape(input.shape)


@index_fill.gradient
def _(grad, result, input, dim, index, value):
    dim, index = normalize_dim(dim, input.ndim), index.reshape(-1)
    kept = _rows(grad, dim, index).set(0, mode=_MODE).reshape(input.shape)
    return kept, None, (grad - kept).sum()  # a place that is named twice counts once


@op(
    "take",
    method=True,
    out="take(): self and out expected to have the same dtype, but got self.dtype = {Want} and out.dtype = {Have}",
)
def take(input: Array, index: Array):
    """The elements at places in the flattened tensor. Shape: index's. Raises RuntimeError unless index is int64."""
    _check_long("take()", index)
    if not input.size and index.size:
        raise IndexError("take(): tried to take from an empty tensor")
    return input.reshape(-1).at[index].get(mode=_MODE)


def _check_long(name, index):
    if index.dtype != np.int64:
        raise RuntimeError(f"{name}: Expected a long tensor for index, but got {from_numpy(index.dtype).label}")


@op("put", method=True, inplace=True)
def put(input: Array, index: Array, source: Array, accumulate=False):
    """The tensor with source's elements written to, or added at, places in the flattened tensor."""
    _check_long("put_()", index)
    if source.size != index.size:
        raise IndexError(
            "put_(): Expected source and index to have the same number of elements, but got source.numel() = "
            f"{source.size}, index.numel() = {index.size}"
        )
    at = input.reshape(-1).at[index.reshape(-1)]
    values = source.reshape(-1)
    flat = _summed(at, values) if accumulate else at.set(values, mode=_MODE)
    return flat.reshape(input.shape)


@put.gradient
def _(grad, result, input, index, source, accumulate=False):
    flat, places = grad.reshape(-1), index.reshape(-1)
    kept = flat if accumulate else flat.at[places].set(0, mode=_MODE)
    picked = flat.at[places].get(mode=_MODE)
    return kept.reshape(input.shape), None, picked.reshape(source.shape)


@op("select_scatter", method=True, out=True, follows=FIRST)
def select_scatter(input: Array, src: Array, dim, index: Scalar):
    """The tensor with src in place of the slice at `index` of a dim. Raises RuntimeError where src has another size."""
    dim = normalize_dim(dim, input.ndim)
    _check_slice(src, input.shape[:dim] + input.shape[dim + 1 :])
    return lax.dynamic_update_index_in_dim(input, src.astype(input.dtype), index, dim)


def _check_slice(src, shape):
    if src.shape != shape:
        raise RuntimeError(
            "expected src to have a size equal to the slice of self. "
            f"src size = {listed(src.shape)}, slice size = {listed(shape)}"
        )


@op("slice_scatter", method=True, out=EXACT, follows=FIRST)
def slice_scatter(input: Array, src: Array, dim=0, start=None, end=None, step=1):
    """The tensor with src in place of a slice of a dim. Raises RuntimeError where src has another size."""
    dim = normalize_dim(dim, input.ndim)
    places = np.arange(input.shape[dim])[start:end:step]
    _check_slice(src, (*input.shape[:dim], len(places), *input.shape[dim + 1 :]))
    return _rows(input, dim, places).set(src.astype(input.dtype), mode=_MODE)
