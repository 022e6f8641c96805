"""Ops that order the elements along a dim: sort, argsort, topk, kthvalue."""

import numpy as np
from jax import lax
from jax import numpy as jnp

from jtorch.lowering import flat_places
from jtorch.ops.op import EXACT, Array, op
from jtorch.shapes import normalize_dim


def _ordered(input, dim, descending):
    """(values, places) in ascending or descending order, nan as the largest; equal elements keep their order."""
    if not input.ndim:
        return input, jnp.zeros((), np.int64)
    place = lax.broadcasted_iota(np.int32, input.shape, dim)
    if input.dtype.itemsize <= 4 and input.dtype != np.uint32:
        return _packed(input, place, dim, descending)
    if descending:
        # The reverse of the ascending order of the reverse: equal elements keep their order, and nan comes first.
        input, place = lax.rev(input, (dim,)), lax.rev(place, (dim,))
    values, place = lax.sort((input, place), dimension=dim, num_keys=1, is_stable=True)
    if descending:
        values, place = lax.rev(values, (dim,)), lax.rev(place, (dim,))
    return values, place.astype(np.int64)


def _packed(input, place, dim, descending):
    """The same for elements of up to 32 bits: each and its place are one int64, which XLA sorts 5 times faster."""
    if jnp.issubdtype(input.dtype, jnp.floating):
        # torch: zeros of both signs are equal, and so are nans. Bits are in the order of ints, negative ones turned.
        wide = jnp.where(jnp.isnan(input), np.nan, jnp.where(input == 0, 0, input)).astype(np.float32)
        bits = lax.bitcast_convert_type(wide, np.int32)
        key = jnp.where(bits < 0, bits ^ np.int32(0x7FFFFFFF), bits)
    else:
        key = input
    key = key.astype(np.int64)
    both = lax.sort(((~key if descending else key) << 32) | place.astype(np.int64), dimension=dim, is_stable=False)
    place = (both & 0xFFFFFFFF).astype(np.int32)
    return jnp.take_along_axis(input, place, dim, mode="promise_in_bounds"), place.astype(np.int64)


def _check_real(name, input):
    if jnp.iscomplexobj(input):
        raise RuntimeError(f" {name} does not support complex dtypes on CPU")


def _spread(grad, indices, input, dim):
    """A gradient of picked elements at their places in the input, 0 elsewhere."""
    if not input.ndim:
        return grad.reshape(())
    at = jnp.zeros(input.size, grad.dtype).at[flat_places(indices, dim, input.shape)]
    return at.set(grad.reshape(-1), mode="promise_in_bounds", unique_indices=True).reshape(input.shape)


def _sort_name(operands, attrs):
    return f"SortBackward{int(attrs[2] is not None)}"


@op(
    "sort", method=True, out=EXACT, returns=("values", "indices"), saves=("result",), grad_name=_sort_name, follows=True
)
def sort(input: Array, dim=-1, descending=False, *, stable=None):
    """Elements in order along a dim, and where they were; nan is the largest. Equal elements keep their order."""
    dim = normalize_dim(dim, input.ndim)
    _check_real("Sort", input)
    return _ordered(input, dim, descending)


@sort.gradient
def _(grads, results, input, dim=-1, descending=False, *, stable=None):
    return (_spread(grads[0], results[1], input, normalize_dim(dim, input.ndim)),)


@op("argsort", method=True, differentiable=False, follows=True)
def argsort(input: Array, dim=-1, descending=False, stable=False):
    """The places of the elements in order along a dim; nan is the largest."""
    dim = normalize_dim(dim, input.ndim)
    _check_real("Sort", input)
    return _ordered(input, dim, descending)[1]


@op("msort", method=True, out=EXACT, grad_name="SortBackward0", follows=True)
def msort(input: Array):
    """Elements in order along the first dim."""
    _check_real("Sort", input)
    return _ordered(input, 0, False)[0]


@op("topk", method=True, out=EXACT, returns=("values", "indices"), saves=("result",))
def topk(input: Array, k, dim=-1, largest=True, sorted=True):
    """The k largest or smallest elements along a dim, in order, and where they are; nan is the largest.

    Raises RuntimeError where the dim has less than k.
    """
    dim = normalize_dim(dim, input.ndim)
    if not 0 <= k <= (input.shape[dim] if input.ndim else 1):
        raise RuntimeError("selected index k out of range")
    if input.dtype == np.bool_:
        raise RuntimeError("topk does not support bool dtypes on CPU")
    _check_real("topk", input)
    if not input.ndim:
        return input, jnp.zeros((), np.int64)
    if not largest:
        return tuple(lax.slice_in_dim(x, 0, k, axis=dim) for x in _ordered(input, dim, False))
    values, places = lax.top_k(jnp.moveaxis(input, dim, -1), k)
    return jnp.moveaxis(values, -1, dim), jnp.moveaxis(places.astype(np.int64), -1, dim)


@topk.gradient
def _(grads, results, input, k, dim=-1, largest=True, sorted=True):
    return (_spread(grads[0], results[1], input, normalize_dim(dim, input.ndim)),)


@op(
    "kthvalue",
    method=True,
    out="output values must be of same type as input",
    returns=("values", "indices"),
    saves=("result",),
)
def kthvalue(input: Array, k, dim=-1, keepdim=False):
    """The k-th smallest element along a dim, and where it is; nan is the largest. Raises RuntimeError out of range."""
    axis = normalize_dim(dim, input.ndim)
    if input.ndim and not input.shape[axis]:
        raise IndexError(f"kthvalue(): Expected reduction dim {axis} to have non-zero size.")
    if not 1 <= k <= (input.shape[axis] if input.ndim else 1):
        raise RuntimeError(f"kthvalue(): selected number k out of range for dimension {axis}")
    values, places = _ordered(input, axis, False)
    if not input.ndim:
        return values, places
    return tuple(lax.index_in_dim(x, k - 1, axis, keepdims=keepdim) for x in (values, places))


@kthvalue.gradient
def _(grads, results, input, k, dim=-1, keepdim=False):
    axis = normalize_dim(dim, input.ndim)
    grad, places = grads[0], results[1]
    if input.ndim and not keepdim:
        grad, places = jnp.expand_dims(grad, axis), jnp.expand_dims(places, axis)
    return (_spread(grad, places, input, axis),)
