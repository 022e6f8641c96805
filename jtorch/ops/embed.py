"""Looking rows up: embedding and one_hot."""

import jax.numpy as jnp
from jax import lax

from jtorch.dtypes import from_numpy
from jtorch.ops.op import Array, op


@op("embedding", door=None)
def embedding(weight: Array, indices: Array, padding_idx=-1, scale_grad_by_freq=False, sparse=False):
    """Rows of weight. Shape: (n, d), (*) of ints -> (*, d). The row padding_idx gets no gradient."""
    if indices.dtype not in (jnp.int32, jnp.int64):
        label = from_numpy(indices.dtype).label
        name = {"Float": "Float", "Double": "Double"}.get(label, label)
        place = f"torch.{name}Tensor"
        raise RuntimeError(
            "Expected tensor for argument #1 'indices' to have one of the following scalar types: Long, Int; but got "
            f"{place} instead (while checking arguments for embedding)"
        )
    if weight.ndim != 2:
        raise RuntimeError("'weight' must be 2-D")
    return jnp.take(weight, indices, axis=0, mode="clip")


@embedding.gradient
def _(grad, result, weight, indices, padding_idx, scale_grad_by_freq, sparse):
    flat = indices.reshape(-1)
    rows = grad.reshape(flat.shape[0], weight.shape[1])
    if padding_idx >= 0:
        rows = jnp.where((flat == padding_idx)[:, None], 0, rows)
    if scale_grad_by_freq:
        counts = jnp.zeros(weight.shape[0], rows.dtype).at[flat].add(1)
        rows = rows / counts[flat][:, None]
    return _added_rows(flat, rows, weight.shape), None


_DENSE = 1 << 26  # up to this many products, a matmul with the one-hot matrix beats a serial scatter on the CPU


def _added_rows(indices, rows, shape):
    """Zeros of a shape with each row added at its index."""
    if indices.shape[0] * shape[0] * shape[1] <= _DENSE and jnp.issubdtype(rows.dtype, jnp.floating):
        hot = (indices[:, None] == lax.broadcasted_iota(indices.dtype, (1, shape[0]), 1)).astype(rows.dtype)
        return lax.dot_general(hot, rows, (((0,), (0,)), ((), ())))
    return jnp.zeros(shape, rows.dtype).at[indices].add(rows, mode="drop")


@op("one_hot", door=None, differentiable=False)
def one_hot(tensor: Array, num_classes):
    """1 at each class, 0 elsewhere. Shape: (*) -> (*, num_classes), int64."""
    return (tensor[..., None] == jnp.arange(num_classes, dtype=tensor.dtype)).astype(jnp.int64)
