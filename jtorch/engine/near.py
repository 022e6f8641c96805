"""NumPy forms that round otherwise than XLA does: for calls that run one by one in the place of a program."""

import math

import numpy as np


def _logistic(x):
    return 1 / (1 + np.exp(-x))


ONES = {
    "exp": np.exp, "exp2": np.exp2, "expm1": np.expm1, "log": np.log, "log1p": np.log1p, "tanh": np.tanh,
    "sin": np.sin, "cos": np.cos, "logistic": _logistic, "rsqrt": lambda x: 1 / np.sqrt(x),
}  # fmt: skip


# By whether each side is turned.
_PRODUCTS = {
    (False, False): np.dot,
    (True, False): lambda x, y: np.dot(x.T, y),
    (False, True): lambda x, y: np.dot(x, y.T),
    (True, True): lambda x, y: np.dot(x.T, y.T),
}


def product(params, left, right, out):
    """lax.dot_general of two operands as one matmul, or None where they are no plain numbers of one dtype."""
    if not left.dtype == right.dtype == out.dtype or left.dtype.kind != "f":
        return None
    (ours, theirs), (batch, their_batch) = params["dimension_numbers"]
    free = [d for d in range(left.ndim) if d not in (*ours, *batch)]
    their_free = [d for d in range(right.ndim) if d not in (*theirs, *their_batch)]
    turn, their_turn = (*batch, *free, *ours), (*their_batch, *theirs, *their_free)

    def sizes(x, dims):
        return math.prod(x.shape[d] for d in dims)

    lead = tuple(left.shape[d] for d in batch)
    inner = sizes(left, ours)
    shape, their_shape = (*lead, sizes(left, free), inner), (*lead, inner, sizes(right, their_free))
    whole = tuple(out.shape)

    def multiply(x, y):
        return np.matmul(x.transpose(turn).reshape(shape), y.transpose(their_turn).reshape(their_shape)).reshape(whole)

    if left.ndim == right.ndim == 2 and not batch:  # np.matmul leaves products of one column and one row to a slow loop
        return _PRODUCTS[turn == (1, 0), their_turn == (1, 0)]
    return multiply


def total(params, seen, out):
    """lax.reduce_sum: in NumPy's order."""
    axes, dtype = tuple(params["axes"]), np.dtype(out.dtype)
    return lambda x: np.add.reduce(x, axis=axes, dtype=dtype)


def padded(params, seen, out):
    """lax.pad of what is only made larger, or None."""
    if any(low < 0 or high < 0 for low, high, _ in params["padding_config"]):
        return None
    shape = tuple(out.shape)
    inside = tuple(
        slice(low, max(size - high, low), between + 1)
        for size, (low, high, between) in zip(shape, params["padding_config"], strict=True)
    )

    def pad(x, value):
        made = np.full(shape, value, x.dtype)
        made[inside] = x
        return made

    return pad


def rows(params, seen, out):
    """lax.gather of whole slices of an array, by their numbers along one dim, or of one element per row; or None."""
    numbers, whole = params["dimension_numbers"], tuple(params["slice_sizes"])
    dims, batch = numbers.start_index_map, numbers.operand_batching_dims
    if (
        len(dims) != 1
        or dims != numbers.collapsed_slice_dims
        or params["mode"].name not in ("CLIP", "PROMISE_IN_BOUNDS")
    ):
        return None
    (dim,) = dims
    if seen.ndim == out.ndim == 2 and (dim, batch, numbers.start_indices_batching_dims) == (1, (0,), (0,)):
        lines = np.arange(seen.shape[0])[:, None]
        return lambda x, at: x[lines, at[..., 0].clip(0, x.shape[1] - 1)]
    kept = (*range(dim), *range(dim + out.ndim - seen.ndim + 1, out.ndim))
    if batch or whole != (*seen.shape[:dim], 1, *seen.shape[dim + 1 :]) or numbers.offset_dims != kept:
        return None
    return lambda x, at: x.take(at[..., 0], dim, mode="clip")


def added_rows(params, seen, out):
    """lax.scatter_add to whole rows of an array by their numbers, or None."""
    numbers, last = params["dimension_numbers"], seen.shape[0]
    plain = numbers.inserted_window_dims == numbers.scatter_dims_to_operand_dims == (0,)
    if not plain or params["mode"].name != "FILL_OR_DROP" or len(numbers.update_window_dims) != seen.ndim - 1:
        return None

    def add(x, at, more):
        at, made = at[..., 0], x.copy()
        inside = (at >= 0) & (at < last)
        np.add.at(made, at[inside], more[inside])
        return made

    return add if numbers.operand_batching_dims == () else None


MAKERS = {"reduce_sum": total, "pad": padded, "gather": rows, "scatter-add": added_rows}
