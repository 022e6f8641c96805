"""Steps by sparse gradients: the rows that a gradient has are taken out, stepped like any parameter, and put back."""

import math

import jax.numpy as jnp


class Rows:
    """The parameters of a group that have sparse gradients, while `params`, `grads` and `states` hold their rows alone.

    sparse: see Group. arrays: gives the indices of each sparse gradient; its values stand in `grads`.
    """

    def __init__(self, sparse, arrays, params, grads, states):
        self._parts = []
        for i, dims in enumerate(sparse):
            if not dims:
                continue
            sizes = params[i].shape[:dims]
            rows, grads[i] = _each_once(_numbered(next(arrays), sizes), grads[i], math.prod(sizes))
            whole = [_by_rows(kind[i], dims) for kind in (params, *states)]
            self._parts.append((i, rows, whole, params[i].shape))
            for kind, x in zip((params, *states), whole, strict=True):
                kind[i] = x.at[rows].get(mode="clip")

    def put_back(self, results):
        """Put the rows of the new parameters and states, which are all of `results`, where they belong."""
        for i, rows, whole, shape in self._parts:
            for kind, old in zip(results, whole, strict=True):
                kind[i] = old.at[rows].set(kind[i], mode="drop").reshape(shape)


def _by_rows(x, dims):
    return x.reshape(math.prod(x.shape[:dims]), *x.shape[dims:])


def _numbered(places, sizes):
    """The row that each index of a sparse gradient stands for: one past the last where it is not there."""
    if len(sizes) == 1:
        return places[0]
    rows = jnp.ravel_multi_index(tuple(places), sizes, mode="clip")
    return jnp.where(places[0] < sizes[0], rows, math.prod(sizes))


def _each_once(rows, values, count):
    """(rows, values): each row once, its values added up in their order. Rows past the end fill what is left."""
    order = jnp.argsort(rows, stable=True)
    rows = rows[order]
    new = jnp.concatenate([jnp.ones(rows[:1].shape, bool), rows[1:] != rows[:-1]])
    slot = jnp.cumsum(new) - 1
    summed = jnp.zeros_like(values).at[slot].add(values[order])
    return jnp.full(rows.shape, count, rows.dtype).at[slot].set(rows), summed
