"""Pieces of ops that XLA gets slow or wrong, on one device at least, when they are written the plain way."""

import functools
import math

import jax
import numpy as np
from jax import lax
from jax import numpy as jnp

from jtorch.shapes import normalize_dim


def flat_places(index, dim, shape):
    """The number in a flattened array of this shape of each element that an index names along a dim. Shape: flat."""
    # One number, not a tuple: XLA's loops over places are half as long then.
    kind = np.int32 if math.prod(shape) < 1 << 31 else np.int64
    flat = jnp.zeros((), kind)
    for d, n in enumerate(shape):
        place = index.astype(kind) if d == dim else lax.broadcasted_iota(kind, index.shape, d)
        flat = flat * kind(n) + place
    return flat.reshape(-1)


def apart(x):
    """x, for a reduction on a CPU: what leads to it stays a loop, which vectors go through.

    A sum would otherwise go to XLA's library with all that it can take of it, each slice copied before.
    """
    if x.dtype not in (np.float32, np.float64):
        return x
    return jnp.where(x == x, x, x + x)  # that library has no choices; a barrier does not keep it off


# Directions. XLA's derivative of z / |z| divides by |z|², which is 0 or inf where |z| is far from it.


@jax.custom_jvp
def direction(x):
    """x / |x|, 0 at 0; the sign of a real number, and as torch has it in gradients: 0 for nan."""
    if not jnp.iscomplexobj(x):
        return (x > 0).astype(x.dtype) - (x < 0).astype(x.dtype)
    return x / _or_1(jnp.abs(x))


@direction.defjvp
def _(primals, tangents):
    x, moved = primals[0], tangents[0]
    found = direction(x)
    if not jnp.iscomplexobj(x):
        return found, jnp.zeros_like(found)
    size = jnp.abs(x)
    turned = moved - found * (jnp.conj(found) * moved).real
    return found, jnp.where(size == 0, 0, turned / _or_1(size))


def _or_1(size):
    return jnp.where(size == 0, 1, size)


# Extremes. XLA's own reduction forgets nan on a CPU, from 4096 elements on.


def _extreme(plain):
    def reduce(x, dims=None, keepdims=False):
        found = plain(x, dims, keepdims=keepdims)
        if not jnp.issubdtype(x.dtype, jnp.floating):
            return found
        return jnp.where(jnp.any(jnp.isnan(x), dims, keepdims=keepdims), np.asarray(np.nan, x.dtype), found)

    return reduce


largest, smallest = _extreme(jnp.max), _extreme(jnp.min)


def first_place(extreme, find, x, dim):
    """The place of the first extreme along a dim, which stays with 1 element; dim None: among all, flattened.

    extreme and find: largest and jnp.argmax, or smallest and jnp.argmin.
    """
    if dim is None:
        return first_place(extreme, find, x.reshape(-1), 0).reshape((1,) * x.ndim)
    return lax.platform_dependent(
        x,
        cpu=lambda x: _place_by_blocks(extreme, find, x, dim),
        default=lambda x: find(x, dim, keepdims=True).astype(np.int64),
    )


def _place_by_blocks(extreme, find, x, dim):
    """XLA searches element by element on a CPU, but finds extremes of blocks by vectors: search in one block only."""
    n = x.shape[dim]
    length = 1 << (n.bit_length() // 2)
    if n < 64 or n % length or not x.size:
        return find(x, dim, keepdims=True).astype(np.int64)
    blocks = x.reshape(*x.shape[:dim], n // length, length, *x.shape[dim + 1 :])
    block = jnp.expand_dims(find(extreme(blocks, dim + 1), dim, keepdims=True), dim + 1)
    within = find(jnp.take_along_axis(blocks, block, dim, mode="promise_in_bounds"), dim + 1, keepdims=True)
    return (block * length + within).squeeze(dim + 1).astype(np.int64)


def to_places(grad, indices, input, dim, keepdim):
    """The gradient of elements chosen along a dim: it goes to their places."""
    if input.ndim == 0:
        return grad
    dim = normalize_dim(dim, input.ndim)
    if not keepdim:
        grad, indices = jnp.expand_dims(grad, dim), jnp.expand_dims(indices, dim)
    return jnp.where(lax.broadcasted_iota(indices.dtype, input.shape, dim) == indices, grad, 0)


# Running sums. XLA's own (reduce_window) is 40 times slower than torch's on a CPU.

_SMALL = 4096  # elements up to which a few loops beat what needs more
_WINDOW = 8
_BLOCK = 16
_BLOCKS = 64  # whose sums are summed by one product
_STEPS = 4096  # a scan over more steps is slower than XLA's own


def running_sum(x, dim, reverse=False):
    """The sum of all elements up to each one along a dim; reverse: from each one on."""
    plain = functools.partial(lax.cumsum, axis=dim, reverse=reverse)
    if not x.size or x.shape[dim] == 1:
        return x
    return lax.platform_dependent(x, cpu=lambda x: _sum_on_cpu(x, dim, reverse, plain), default=plain)


def _sum_on_cpu(x, dim, reverse, plain):
    def stepwise(x):
        def add(total, row):
            total = total + row.astype(total.dtype)
            return total, total.astype(x.dtype)

        first = jnp.zeros((*x.shape[:dim], *x.shape[dim + 1 :]), _wide(x.dtype))
        return jnp.moveaxis(lax.scan(add, first, jnp.moveaxis(x, dim, 0), reverse=reverse)[1], 0, dim)

    def by_blocks(x):
        blocks = _block_sums(jnp.moveaxis(x, dim, -1), reverse)

        def join(x):
            return jnp.moveaxis(_joined(blocks, x.shape[dim], reverse).astype(x.dtype), -1, dim)

        # Products with 0 spread inf and nan.
        return lax.cond(jnp.all(jnp.isfinite(_totals(blocks, reverse))), join, by_windows, x)

    by_windows = functools.partial(_sum_by_windows, dim=dim, reverse=reverse)
    if x.size <= _SMALL:
        return by_windows(x)
    if x.dtype in (np.float32, np.float64) and math.prod(x.shape[dim + 1 :]) < 64:
        return by_blocks(x)
    return stepwise(x) if x.shape[dim] <= _STEPS else plain(x)


def _wide(dtype):
    # torch: sums of float32 are carried along in float64.
    return np.float64 if dtype == np.float32 else dtype


def _sum_by_windows(x, dim, reverse):
    """Sums of the last 8, of the last 8 of those, and so on, until they reach from end to end."""
    n, reach, sums = x.shape[dim], 1, x
    while reach < n:
        before, reach = reach, reach * _WINDOW
        pads = [(0, 0, 0)] * x.ndim
        pads[dim] = (0, reach - before, 0) if reverse else (reach - before, 0, 0)
        padded = lax.pad(sums, jnp.zeros((), sums.dtype), pads)
        parts = [lax.slice_in_dim(padded, at, at + n, axis=dim) for at in range(0, reach, before)]
        sums = sum(part.astype(_wide(x.dtype)) for part in parts)
    return sums.astype(x.dtype)


def _sums_by_product(x, reverse, own=True):
    """Running sums along the last dim by a product with a triangle, with or without the element itself."""
    n = x.shape[-1]
    kept = np.triu(np.ones((n, n), x.dtype), not own)
    return jnp.matmul(x, kept.T if reverse else kept, precision=lax.Precision.HIGHEST)


def _block_sums(x, reverse):
    """Running sums along the last dim within each block. Shape: (*, n) -> (*, blocks, length)."""
    n = x.shape[-1]
    whole = -(-n // _BLOCK) * _BLOCK
    blocks = jnp.pad(x, [(0, 0)] * (x.ndim - 1) + [(0, whole - n)]).reshape(-1, _BLOCK)
    return _sums_by_product(blocks, reverse).reshape(*x.shape[:-1], -1, _BLOCK)


def _totals(blocks, reverse):
    return blocks[..., 0 if reverse else -1]


def _joined(blocks, n, reverse):
    """The sums of blocks carried over from each to the next, in float64 as torch does."""
    totals = _totals(blocks, reverse).astype(np.float64)
    count = totals.shape[-1]
    if count <= _BLOCKS:
        carried = _sums_by_product(totals, reverse, own=False)
    else:
        sums = _joined(_block_sums(totals, reverse), count, reverse)
        pads = [(0, 0, 0)] * (sums.ndim - 1) + [(-1, 1, 0) if reverse else (1, -1, 0)]
        carried = lax.pad(sums, np.zeros((), sums.dtype), pads)
    return (blocks.astype(np.float64) + carried[..., None]).reshape(*blocks.shape[:-2], -1)[..., :n]
