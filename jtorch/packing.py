"""How arrays travel between ranks: bools as whole numbers, and several of a dtype in one message."""

import math

import jax.numpy as jnp
import numpy as np


def widened(x):
    """An array as collectives take it: bools as whole numbers."""
    return x.astype(np.int32) if x.dtype == np.bool_ else x


def narrowed(result, dtype):
    """A result in the dtype of what went in."""
    return result != 0 if dtype == np.bool_ else result.astype(dtype)


def _by_dtype(arrays):
    """The numbers of the arrays of each dtype."""
    return [[i for i, x in enumerate(arrays) if x.dtype == kind] for kind in dict.fromkeys(x.dtype for x in arrays)]


def in_a_row(arrays, fn):
    """fn of all arrays of a dtype in a row, taken apart again. fn keeps the shape."""
    results = list(arrays)
    for here in _by_dtype(arrays):
        if len(here) == 1:
            results[here[0]] = fn(arrays[here[0]])
            continue
        flat = fn(jnp.concatenate([arrays[i].reshape(-1) for i in here]))
        for i, part in zip(here, jnp.split(flat, _ends(arrays[i].size for i in here)), strict=True):
            results[i] = part.reshape(arrays[i].shape)
    return results


def gathered(parts, fn, count):
    """Parts of a dtype in a row through fn, which puts the ranks' rows in a table. Shape: (n, *) -> (count·n, *)."""
    results = list(parts)
    for here in _by_dtype(parts):
        table = fn(jnp.concatenate([parts[i].reshape(-1) for i in here]))
        for i, column in zip(here, jnp.split(table, _ends(parts[i].size for i in here), axis=1), strict=True):
            results[i] = column.reshape(count * parts[i].shape[0], *parts[i].shape[1:])
    return results


def scattered(tables, fn):
    """Tables of a dtype side by side through fn, which leaves this rank's row. Shape: (ranks, *) -> *."""
    results = list(tables)
    for here in _by_dtype(tables):
        row = fn(jnp.concatenate([tables[i].reshape(tables[i].shape[0], -1) for i in here], axis=1))
        for i, part in zip(here, jnp.split(row, _ends(math.prod(tables[i].shape[1:]) for i in here)), strict=True):
            results[i] = part.reshape(tables[i].shape[1:])
    return results


def _ends(sizes):
    return np.cumsum(list(sizes))[:-1]
