"""Looking rows up: embedding, what its gradient adds to which rows, and one_hot."""

import jax.numpy as jnp

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
    return jnp.zeros(weight.shape, rows.dtype).at[flat].add(rows, mode="drop"), None


@op("embedding_rows", door=None, grad_name="SparseCooTensorWithDimsAndTensorsBackward0")
def embedding_rows(grad: Array, indices: Array, count, padding_idx):
    """What a gradient of embedding adds to which of `count` rows: (places (1, m), values (m, d)).

    Shape: (*, d), (*) of ints. The place `count`, which no row has, says that the values count for nothing.
    """
    flat = indices.reshape(-1).astype(jnp.int64)
    if padding_idx >= 0:
        flat = jnp.where(flat == padding_idx, count, flat)
    return flat[None], grad.reshape(flat.shape[0], grad.shape[-1])


@op("one_hot", door=None, differentiable=False)
def one_hot(tensor: Array, num_classes):
    """1 at each class, 0 elsewhere. Shape: (*) -> (*, num_classes), int64."""
    return (tensor[..., None] == jnp.arange(num_classes, dtype=tensor.dtype)).astype(jnp.int64)
