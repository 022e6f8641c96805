"""Ops by which the ranks of a group speak with each other: XLA's collectives, one of each call's values per rank."""

import functools
import operator

import jax.numpy as jnp
from jax import lax

from jtorch import meshes
from jtorch.ops.op import Array, Arrays, op
from jtorch.packing import in_a_row, narrowed, widened

_PLAIN = {"sum": lax.psum, "avg": lax.psum, "max": lax.pmax, "min": lax.pmin}
_TOGETHER = {
    "product": functools.partial(functools.reduce, operator.mul),
    "band": functools.partial(functools.reduce, jnp.bitwise_and),
    "bor": functools.partial(functools.reduce, jnp.bitwise_or),
    "bxor": functools.partial(functools.reduce, jnp.bitwise_xor),
}


def _gathered(x, group):
    """Shape: any -> (ranks, *any)."""
    return lax.all_gather(x, "ranks", axis_index_groups=group.parts())


def _reduced(x, group, how):
    """What all ranks have in place of x, put together element by element."""
    wide = widened(x)
    if how in _PLAIN:
        out = _PLAIN[how](wide, "ranks", axis_index_groups=group.parts())
        out = out / len(group.ranks) if how == "avg" else out
    else:
        out = _TOGETHER[how](list(_gathered(wide, group)))
    return narrowed(out, x.dtype)


@op("all_reduce", door=None, grad_name="_AllReduceBackward")
def all_reduce(arrays: Arrays, *, group, how):
    """The sum (how: or another reduction) over all ranks of a group of each array. Shape: any -> the same."""
    if not meshes.running():
        return [jnp.zeros_like(x) for x in arrays]
    return in_a_row(arrays, lambda x: _reduced(x, group, how))


@all_reduce.gradient
def _(grad, result, arrays, *, group, how):
    # torch: the gradients of all ranks are put together as the values were.
    grads = list(grad) if len(arrays) > 1 else [grad]
    return (all_reduce.fn(grads, group=group, how=how),)


@op("broadcast_ranks", door=None, grad_name="_BroadcastBackward")
def broadcast_ranks(arrays: Arrays, *, group, source):
    """The arrays of one rank of a group, on all of its ranks. Shape: any -> the same."""
    if not meshes.running():
        return [jnp.zeros_like(x) for x in arrays]

    def send(x):
        wide = widened(x)
        mine = jnp.where(group.index() == source, wide, jnp.zeros_like(wide))
        return narrowed(lax.psum(mine, "ranks", axis_index_groups=group.parts()), x.dtype)

    return in_a_row(arrays, send)


@broadcast_ranks.gradient
def _(grad, result, arrays, *, group, source):
    grads = list(grad) if len(arrays) > 1 else [grad]
    sums = all_reduce.fn(grads, group=group, how="sum")
    if not meshes.running():
        return (sums,)
    return ([jnp.where(group.index() == source, g, jnp.zeros_like(g)) for g in sums],)


@op("gather_ranks", door=None, grad_name="_AllGatherBackward")
def gather_ranks(input: Array, *, group):
    """What every rank of a group has, in the order of ranks. Shape: any -> (ranks, *any)."""
    if not meshes.running():
        return jnp.zeros((len(group.ranks), *input.shape), input.dtype)
    return narrowed(_gathered(widened(input), group), input.dtype)


@gather_ranks.gradient
def _(grad, result, input, *, group):
    return (scatter_ranks.fn(grad, group=group, how="sum"),)


@op("scatter_ranks", door=None, grad_name="_ReduceScatterBackward")
def scatter_ranks(input: Array, *, group, how):
    """The part for this rank of the reduction over a group's ranks. Shape: (ranks, *any) -> any."""
    if not meshes.running():
        return jnp.zeros(input.shape[1:], input.dtype)
    wide = widened(input)
    if how in ("sum", "avg"):
        out = lax.psum_scatter(wide, "ranks", axis_index_groups=group.parts())
        out = out / len(group.ranks) if how == "avg" else out
    else:
        parts = list(lax.all_to_all(wide, "ranks", 0, 0, axis_index_groups=group.parts(), tiled=True))
        out = functools.reduce(jnp.maximum, parts) if how == "max" else None
        out = functools.reduce(jnp.minimum, parts) if how == "min" else out
        out = _TOGETHER[how](parts) if out is None else out
    return narrowed(out, input.dtype)


@scatter_ranks.gradient
def _(grad, result, input, *, group, how):
    out = gather_ranks.fn(grad, group=group)
    return (out / len(group.ranks) if how == "avg" else out,)


@op("exchange_ranks", door=None, grad_name="_AlltoAllSingleBackward")
def exchange_ranks(input: Array, *, group):
    """Part i goes to rank i of a group, part j comes from rank j. Shape: (ranks, *any) -> the same."""
    if not meshes.running():
        return jnp.zeros_like(input)
    out = lax.all_to_all(widened(input), "ranks", 0, 0, axis_index_groups=group.parts(), tiled=True)
    return narrowed(out, input.dtype)


@exchange_ranks.gradient
def _(grad, result, input, *, group):
    return (exchange_ranks.fn(grad, group=group),)
