"""Rows of a matrix looked up and reduced bag by bag: embedding_bag."""

import jax
import jax.numpy as jnp
import numpy as np

from jtorch.dtypes import from_numpy
from jtorch.ops.op import Array, op, widened

SUM, MEAN, MAX = range(3)


def _bags(indices, offsets, include_last_offset):
    """(how many bags, the bag of each index). The bag of an index is the last one that begins at or before it."""
    count = offsets.shape[0] - bool(include_last_offset)
    at = jnp.arange(indices.shape[0], dtype=offsets.dtype)
    return count, jnp.searchsorted(offsets[:count], at, side="right") - 1


def _check(weight, indices, offsets, mode, per_sample_weights):
    for number, (name, x) in enumerate((("indices", indices), ("offsets", offsets)), 1):
        if x.dtype not in (np.int32, np.int64):
            raise RuntimeError(
                f"Expected tensor for argument #{number} '{name}' to have one of the following scalar types: Long, "
                f"Int; but got torch.{from_numpy(x.dtype).label}Tensor instead (while checking arguments for "
                "embedding_bag)"
            )
    if indices.dtype != offsets.dtype:
        labels = [from_numpy(x.dtype).label for x in (indices, offsets)]
        raise RuntimeError(f"Expected both inputs to have same type but got {labels[0]} and {labels[1]}")
    if not offsets.size and mode == MAX and not indices.size:
        return
    if per_sample_weights is not None and per_sample_weights.dtype != weight.dtype:
        labels = [from_numpy(x.dtype).label for x in (weight, per_sample_weights)]
        raise RuntimeError(
            f"expected 'weight' and 'per_sample_weights' to have the same scalar type, got {labels[0]} and {labels[1]}"
        )


@op("embedding_bag_kernel", door=None, grad_name=lambda operands, attrs: ("EmbeddingBagBackward0", 0, 3))
@widened
def embedding_bag_kernel(
    weight: Array, indices: Array, offsets: Array, per_sample_weights: Array | None, mode, include_last_offset,
    padding_idx, scale_grad_by_freq,
):  # fmt: skip
    """The sum, mean or maximum of the rows of each bag; of an empty bag 0.

    Shape: (n, d), (m,), (bags,), (m,) -> (bags, d). Indices equal to padding_idx are left out.
    """
    _check(weight, indices, offsets, mode, per_sample_weights)
    count, bag = _bags(indices, offsets, include_last_offset)
    rows = jnp.take(weight, indices, axis=0, mode="clip")
    kept = indices != padding_idx if padding_idx >= 0 else jnp.ones(indices.shape, bool)
    if mode == MAX:
        largest = jax.ops.segment_max(jnp.where(kept[:, None], rows, -jnp.inf), bag, count)
        return jnp.where(_sizes(kept, bag, count)[:, None] > 0, largest, 0).astype(weight.dtype)
    if per_sample_weights is not None:
        rows = rows * per_sample_weights[:, None]
    total = jax.ops.segment_sum(jnp.where(kept[:, None], rows, 0), bag, count)
    if mode == MEAN:
        total = total / jnp.maximum(_sizes(kept, bag, count), 1).astype(total.dtype)[:, None]
    return total


def _sizes(kept, bag, count):
    return jax.ops.segment_sum(kept.astype(np.int32), bag, count)


@embedding_bag_kernel.gradient
@widened
def _(grad, result, weight, indices, offsets, per_sample_weights, mode, include_last_offset, padding_idx,
      scale_grad_by_freq):  # fmt: skip
    count, bag = _bags(indices, offsets, include_last_offset)
    kept = indices != padding_idx if padding_idx >= 0 else jnp.ones(indices.shape, bool)
    rows = grad[bag] if count else jnp.zeros((indices.shape[0], weight.shape[1]), grad.dtype)
    of_samples = None
    if mode == MAX:
        rows = jnp.where(_first_largest(weight, indices, result, bag, kept, count), rows, 0)
    elif per_sample_weights is not None:
        of_samples = jnp.where(kept, (rows * jnp.take(weight, indices, axis=0, mode="clip")).sum(1), 0)
    rows = _weighed(rows, per_sample_weights, mode, kept, bag, count)
    if scale_grad_by_freq:
        often = jnp.zeros(weight.shape[0], grad.dtype).at[indices].add(1)
        rows = rows / often[indices][:, None]
    rows = jnp.where(kept[:, None], rows, 0)
    return jnp.zeros(weight.shape, grad.dtype).at[indices].add(rows, mode="drop"), None, None, of_samples


def _weighed(rows, per_sample_weights, mode, kept, bag, count):
    """The gradients of the bags' rows as they come to each looked-up row of a sum or mean."""
    if mode == MEAN:
        return rows / jnp.maximum(_sizes(kept, bag, count), 1).astype(rows.dtype)[bag][:, None]
    return rows if per_sample_weights is None else rows * per_sample_weights[:, None]


@op("embedding_bag_rows", door=None, grad_name="SparseCooTensorWithDimsAndTensorsBackward0")
@widened
def embedding_bag_rows(
    grad: Array, indices: Array, offsets: Array, per_sample_weights: Array | None, total, mode, include_last_offset,
    padding_idx,
):  # fmt: skip
    """What a gradient of embedding_bag, but for the mode "max", adds to which of `total` rows: (places, values).

    Shape: (bags, d), (m,), (bags,), (m,) -> (1, m), (m, d). The place `total` says that the values count for nothing.
    """
    count, bag = _bags(indices, offsets, include_last_offset)
    kept = indices != padding_idx if padding_idx >= 0 else jnp.ones(indices.shape, bool)
    rows = grad[bag] if count else jnp.zeros((indices.shape[0], grad.shape[1]), grad.dtype)
    places = jnp.where(kept, indices.astype(np.int64), total)
    return places[None], _weighed(rows, per_sample_weights, mode, kept, bag, count)


def _first_largest(weight, indices, result, bag, kept, count):
    """Which elements of the looked-up rows are the first to be the largest of their bag. Shape: (m, d)."""
    rows = jnp.take(weight, indices, axis=0, mode="clip")
    hit = (rows == result[bag]) & kept[:, None]
    at = jnp.where(hit, jnp.arange(indices.shape[0])[:, None], indices.shape[0])
    return hit & (at == jax.ops.segment_min(at, bag, count)[bag])
