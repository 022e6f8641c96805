"""Ops by which parts of a tensor that ranks share out become whole, are cut, added up, or change their dim.

A part has the size of the largest, ⌈size / ranks⌉; what is over is padding. Gradients follow torch's DTensor: of a
whole value that every rank has, each rank has the whole gradient; of a sum that is not made yet, that of the sum.
"""

import jax.numpy as jnp
import numpy as np
from jax import lax

from jtorch import meshes
from jtorch.ops.op import Array, Arrays, op
from jtorch.packing import gathered, in_a_row, narrowed, scattered, widened

_SUMS = {"sum": lax.psum, "avg": lax.pmean, "max": lax.pmax, "min": lax.pmin}


def _each(size, group):
    return -(-size // len(group.ranks))


def _resized(x, dim, size):
    """Zeros in the place of shape rules, where no program is made."""
    return jnp.zeros((*x.shape[:dim], size, *x.shape[dim + 1 :]), x.dtype)


def _padded(x, dim, size):
    pads = [(0, 0)] * x.ndim
    pads[dim] = (0, size - x.shape[dim])
    return jnp.pad(x, pads) if size > x.shape[dim] else x


@op("gather_shards", door=None, grad_name="_ToTorchTensor")
def gather_shards(input: Array, *, group, dim, size):
    """The whole of which each rank has a part along a dim. Shape: (*, ⌈size / ranks⌉, *) -> (*, size, *)."""
    if not meshes.running():
        return _resized(input, dim, size)
    whole = lax.all_gather(widened(input), "ranks", axis=dim, axis_index_groups=group.parts(), tiled=True)
    return narrowed(lax.slice_in_dim(whole, 0, size, axis=dim), input.dtype)


@gather_shards.gradient
def _(grad, result, input, *, group, dim, size):
    return (cut_shards.fn(grad, group=group, dim=dim),)


@op("cut_shards", door=None, grad_name="RedistributeBackward")
def cut_shards(input: Array, *, group, dim):
    """This rank's part along a dim of what every rank has. Shape: (*, size, *) -> (*, ⌈size / ranks⌉, *)."""
    each = _each(input.shape[dim], group)
    if not meshes.running():
        return _resized(input, dim, each)
    padded = _padded(input, dim, each * len(group.ranks))
    return lax.dynamic_slice_in_dim(padded, group.index() * each, each, axis=dim)


@cut_shards.gradient
def _(grad, result, input, *, group, dim):
    return (gather_shards.fn(grad, group=group, dim=dim, size=input.shape[dim]),)


@op("sum_shards", door=None, grad_name="RedistributeBackward")
def sum_shards(input: Array, *, group, how):
    """What all ranks have put together (how: sum, avg, max, min), on each of them. Shape: any -> the same."""
    if not meshes.running():
        return jnp.zeros_like(input)
    return narrowed(_SUMS[how](widened(input), "ranks", axis_index_groups=group.parts()), input.dtype)


@sum_shards.gradient
def _(grad, result, input, *, group, how):
    if how in ("max", "min"):
        return (jnp.where(input == result, grad, 0),)
    return (grad / len(group.ranks) if how == "avg" else grad,)


@op("sum_to_shards", door=None, grad_name="RedistributeBackward")
def sum_to_shards(input: Array, *, group, dim, how):
    """This rank's part of the sum (or mean) over all ranks. Shape: (*, size, *) -> (*, ⌈size / ranks⌉, *)."""
    each = _each(input.shape[dim], group)
    if not meshes.running():
        return _resized(input, dim, each)
    padded = _padded(input, dim, each * len(group.ranks))
    out = lax.psum_scatter(padded, "ranks", scatter_dimension=dim, axis_index_groups=group.parts(), tiled=True)
    return out / len(group.ranks) if how == "avg" else out


@sum_to_shards.gradient
def _(grad, result, input, *, group, dim, how):
    whole = gather_shards.fn(grad, group=group, dim=dim, size=input.shape[dim])
    return (whole / len(group.ranks) if how == "avg" else whole,)


@op("exchange_shards", door=None, grad_name="RedistributeBackward")
def exchange_shards(input: Array, *, group, whole, cut):
    """Parts along one dim become parts along another, both even. Shape: (*, w, *, c, *) -> (*, nw, *, c/n, *)."""
    count = len(group.ranks)
    if not meshes.running():
        return _resized(_resized(input, whole, input.shape[whole] * count), cut, input.shape[cut] // count)
    out = lax.all_to_all(widened(input), "ranks", cut, whole, axis_index_groups=group.parts(), tiled=True)
    return narrowed(out, input.dtype)


@exchange_shards.gradient
def _(grad, result, input, *, group, whole, cut):
    return (exchange_shards.fn(grad, group=group, whole=cut, cut=whole),)


@op("share_whole", door=None, grad_name="RedistributeBackward")
def share_whole(arrays: Arrays, *, group):
    """What every rank has, for work that differs from rank to rank: gradients are added up. Shape: any -> the same."""
    return list(arrays)


@share_whole.gradient
def _(grad, result, arrays, *, group):
    grads = list(grad) if len(arrays) > 1 else [grad]
    if not meshes.running():
        return (grads,)
    return (in_a_row(grads, lambda x: lax.psum(x, "ranks", axis_index_groups=group.parts())),)


@op("spread_whole", door=None, grad_name="RedistributeBackward")
def spread_whole(input: Array, *, group):
    """A part of what every rank has, so that all ranks' add up to it. Shape: any -> the same."""
    return input / len(group.ranks)


@spread_whole.gradient
def _(grad, result, input, *, group):
    return (grad,)


@op("rank_start", door=None, differentiable=False)
def rank_start(*, group, each):
    """Where this rank's part begins. Shape: -> ()."""
    if not meshes.running():
        return jnp.zeros((), np.int64)
    return jnp.asarray(group.index() * each, np.int64)


@op("unshard", door=None, grad_name="_ToTorchTensor")
def unshard(arrays: Arrays, *, group, sizes, dims, dtype, reduced, factor):
    """The whole parameters of which each rank has parts, in one message; the gradients' mean goes back in another.

    sizes, dims: of each, along which dim it is cut. dtype: in which they are sent and used; reduced: in which gradients
    are added up; None keeps theirs. factor: what gradients are divided by.
    """
    if not meshes.running():
        found = [_resized(x, dim, size) for x, size, dim in zip(arrays, sizes, dims, strict=True)]
        return [x.astype(dtype or x.dtype) for x in found]
    count = len(group.ranks)
    parts = [jnp.moveaxis(x.astype(dtype or x.dtype), dim, 0) for x, dim in zip(arrays, dims, strict=True)]

    def gather(flat):
        return lax.all_gather(flat, "ranks", axis_index_groups=group.parts())

    wholes = gathered(parts, gather, count)
    return [jnp.moveaxis(x[:size], 0, dim) for x, size, dim in zip(wholes, sizes, dims, strict=True)]


@unshard.gradient
def _(grad, result, arrays, *, group, sizes, dims, dtype, reduced, factor):
    grads = list(grad) if len(arrays) > 1 else [grad]
    if not meshes.running():
        return ([jnp.zeros_like(x) for x in arrays],)
    count = len(group.ranks)
    wide = [jnp.moveaxis(g.astype(reduced or g.dtype), dim, 0) for g, dim in zip(grads, dims, strict=True)]
    rows = [_padded(g, 0, count * _each(g.shape[0], group)) for g in wide]
    rows = [g.reshape(count, g.shape[0] // count, *g.shape[1:]) for g in rows]

    def scatter(flat):
        return lax.psum_scatter(flat, "ranks", axis_index_groups=group.parts()) / factor

    sums = scattered(rows, scatter)
    return ([jnp.moveaxis(g, 0, dim).astype(x.dtype) for g, dim, x in zip(sums, dims, arrays, strict=True)],)
