"""Sequences of many lengths: padded to one block, or packed step by step, the longest first."""

import jax.numpy as jnp

from jtorch.ops.op import Array, Arrays, Scalar, op
from jtorch.shapes import broadcast_shapes


def _packed(padded, batch_sizes, total):
    ends = jnp.cumsum(batch_sizes)
    at = jnp.arange(total)
    step = jnp.searchsorted(ends, at, side="right")
    return padded[step, at - (ends - batch_sizes)[step]]


def _padded(data, batch_sizes, batch, value):
    column = jnp.arange(batch)
    at = (jnp.cumsum(batch_sizes) - batch_sizes)[:, None] + column
    rows = jnp.take(data, at, 0, mode="clip")
    on = (column < batch_sizes[:, None]).reshape(*at.shape, *(1,) * (data.ndim - 1))
    return jnp.where(on, rows, jnp.asarray(value).astype(data.dtype))


@op("pack_padded", door=None, grad_name=lambda operands, attrs: attrs[1], saves=("batch_sizes",))
def pack_padded(padded: Array, batch_sizes: Array, total, shown="PackPaddedSequenceBackward0"):
    """The elements that batch_sizes counts, step by step. Shape: (T, B, *), (S,) with S <= T -> (total, *)."""
    return _packed(padded, batch_sizes, total)


@pack_padded.gradient
def _(grad, result, padded, batch_sizes, total, shown):
    # Gathered, not scattered: each place knows the row that it went to.
    of_steps = _padded(grad, batch_sizes, padded.shape[1], 0)[: padded.shape[0]]
    rest = padded.shape[0] - of_steps.shape[0]
    return jnp.pad(of_steps, ((0, rest), *((0, 0),) * (padded.ndim - 1))), None


@op("pad_packed", door=None, grad_name="CopySlices", saves=("batch_sizes",))
def pad_packed(data: Array, batch_sizes: Array, padding_value: Scalar, batch, length):
    """Packed sequences as one block with padding_value after their ends. Shape: (N, *), (T,) -> (length, batch, *)."""
    block = _padded(data, batch_sizes, batch, padding_value)
    more = jnp.full((length - block.shape[0], *block.shape[1:]), padding_value, block.dtype)
    return jnp.concatenate([block, more])


@pad_packed.gradient
def _(grad, result, data, batch_sizes, padding_value, batch, length):
    return _packed(grad, batch_sizes, data.shape[0]), None


@op("pad_sequences", door=None, grad_name="CopySlices")
def pad_sequences(sequences: Arrays, padding_value: Scalar, batch_first, left):
    """Sequences beside each other, padded to the longest. Shape: (L, *) each -> (T, B, *), or (B, T, *)."""
    first = sequences[0]
    longest = max(x.shape[0] for x in sequences)
    padded = []
    for x in sequences:
        broadcast_shapes((x.shape[0], *first.shape[1:]), x.shape)
        pad = jnp.full((longest - x.shape[0], *first.shape[1:]), padding_value, first.dtype)
        x = jnp.broadcast_to(x.astype(first.dtype), (x.shape[0], *first.shape[1:]))
        padded.append(jnp.concatenate([pad, x] if left else [x, pad]))
    return jnp.stack(padded, 0 if batch_first else 1)
