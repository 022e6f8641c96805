"""Looking rows up as functions: embedding and one_hot."""

import numpy as np

from jtorch import _tensor
from jtorch._tensor import aval
from jtorch.api.indices import outside
from jtorch.autograd.apply import apply
from jtorch.autograd.grad_mode import no_grad
from jtorch.ops.op import TABLE

__all__ = ["embedding", "one_hot"]


def embedding(input, weight, padding_idx=None, max_norm=None, norm_type=2.0, scale_grad_by_freq=False, sparse=False):
    """Rows of weight, by index. Shape: (*) of ints, (n, d) -> (*, d).

    padding_idx gets no gradient; with max_norm the looked-up rows are first shortened to it, in place.
    """
    rows = (aval(weight).shape or (0,))[0]
    if padding_idx is None:
        padding_idx = -1
    elif not -rows <= padding_idx < rows:
        raise AssertionError("Padding_idx must be within num_embeddings")
    else:
        padding_idx %= rows
    if max_norm is not None:
        _shorten(weight, input, max_norm, norm_type)
    if outside(input, 0, rows) is not None:
        raise IndexError("index out of range in self")
    return apply(TABLE["embedding"], (weight, input), (padding_idx, scale_grad_by_freq, sparse))


def _shorten(weight, indices, max_norm, norm_type):
    with no_grad():
        used = np.unique(_tensor.host(indices))
        for row in used.tolist():
            norm = weight[row].norm(norm_type)
            if norm.item() > max_norm:
                weight[row].mul_(max_norm / (norm + 1e-7))


def one_hot(tensor, num_classes=-1):
    """1 at each class, 0 elsewhere. Shape: (*) of int64 -> (*, num_classes). Raises RuntimeError for other dtypes."""
    if aval(tensor).dtype.name != "int64":
        raise RuntimeError("one_hot is only applicable to index tensor of type LongTensor.")
    values = _tensor.host(tensor)
    if values.size == 0 and num_classes <= 0:
        raise RuntimeError("Can not infer total number of classes from empty tensor.")
    if values.size and values.min() < 0:
        raise RuntimeError("Class values must be non-negative.")
    if num_classes == -1:
        num_classes = int(values.max()) + 1
    elif values.size and num_classes <= values.max():
        raise RuntimeError("Class values must be smaller than num_classes.")
    return apply(TABLE["one_hot"], (tensor,), (num_classes,))
