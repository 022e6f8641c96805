"""Reductions over runs of rows."""

import jax
import jax.numpy as jnp
import numpy as np

from jtorch.ops.op import Array, op

_REDUCE = {
    "sum": (jax.ops.segment_sum, 0), "mean": (jax.ops.segment_sum, np.nan), "max": (jax.ops.segment_max, -np.inf),
    "min": (jax.ops.segment_min, np.inf), "prod": (None, 1),
}  # fmt: skip


def _product(data, runs, num_segments, indices_are_sorted):
    """As jax.ops.segment_prod, which has no gradient."""
    member = runs == jnp.arange(num_segments)[:, None]
    member = member.reshape(member.shape + (1,) * (data.ndim - 1))
    return jnp.where(member, data, 1).prod(1)


@op("segment_reduce_kernel", door=None, grad_name="SegmentReduceBackward0")
def segment_reduce_kernel(data: Array, lengths: Array, reduce, initial):
    """Runs of rows reduced to one each. Shape: (n, *), (k,) -> (k, *). An empty run becomes initial.

    lengths of more dims reduce along their last: (b, n, *), (b, k) -> (b, k, *).
    """
    if lengths.ndim > 1:
        return jax.vmap(lambda x, n: segment_reduce_kernel.fn(x, n, reduce, initial))(data, lengths)
    count = lengths.shape[0]
    ends = jnp.cumsum(lengths)
    runs = jnp.searchsorted(ends, jnp.arange(data.shape[0]), side="right")
    combine, empty = _REDUCE[reduce]
    found = (combine or _product)(data, runs, num_segments=count, indices_are_sorted=True)
    amount = lengths.reshape((count,) + (1,) * (data.ndim - 1))
    if initial is not None:
        start = jnp.asarray(initial, data.dtype)
        empty = initial
        if reduce in ("sum", "mean"):
            found = found + start
        elif reduce == "prod":
            found = found * start
        else:
            # torch: the slope of a tie goes to the data.
            found = jnp.where(start > found if reduce == "max" else start < found, start, found)
    if reduce == "mean":
        found = found / jnp.maximum(amount, 1).astype(data.dtype)
    return jnp.where(amount == 0, jnp.asarray(empty, data.dtype), found)
