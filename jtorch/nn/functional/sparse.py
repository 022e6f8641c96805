"""Looking rows up as functions: embedding, embedding_bag and one_hot."""

import numpy as np

from jtorch import _tensor, modes
from jtorch._tensor import aval
from jtorch.api.indices import outside
from jtorch.api.infos import known
from jtorch.api.size import Size
from jtorch.autograd.apply import apply
from jtorch.autograd.grad_mode import no_grad
from jtorch.ops.op import TABLE
from jtorch.sparse.gradients import BAG, EMBEDDING

__all__ = ["embedding", "embedding_bag", "one_hot"]


def embedding(input, weight, padding_idx=None, max_norm=None, norm_type=2.0, scale_grad_by_freq=False, sparse=False):
    """Rows of weight, by index. Shape: (*) of ints, (n, d) -> (*, d).

    padding_idx gets no gradient; with max_norm the looked-up rows are first shortened to it, in place. sparse: the
    gradient of a `weight` that is a leaf is a sparse_coo tensor of the looked-up rows.
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
    if aval(weight).ndim != 2:
        raise RuntimeError("'weight' must be 2-D")
    if outside(input, 0, rows) is not None:
        raise IndexError("index out of range in self")
    lookup = EMBEDDING if sparse and not modes.local.level else TABLE["embedding"]
    return apply(lookup, (weight, input), (padding_idx, scale_grad_by_freq, sparse))


def _shorten(weight, indices, max_norm, norm_type):
    with no_grad():
        used = np.unique(_tensor.host(indices))
        for row in used.tolist():
            norm = weight[row].norm(norm_type)
            if norm.item() > max_norm:
                weight[row].mul_(max_norm / (norm + 1e-7))


_BAG_MODES = ("sum", "mean", "max")


def embedding_bag(input, weight, offsets=None, max_norm=None, norm_type=2, scale_grad_by_freq=False, mode="mean",
                  sparse=False, per_sample_weights=None, include_last_offset=False, padding_idx=None):  # fmt: skip
    """The sum, mean or maximum of the rows of weight in each bag. Shape: (bags, m) or (m,), (n, d) -> (bags, d).

    offsets: where each bag of a vector begins. sparse: as for embedding.
    Raises ValueError and NotImplementedError as torch does.
    """
    if per_sample_weights is not None and aval(per_sample_weights).shape != aval(input).shape:
        raise ValueError(
            f"embedding_bag: If per_sample_weights ({Size(aval(per_sample_weights).shape)}) is not None, then it must "
            f"have the same shape as the input ({Size(aval(input).shape)})"
        )
    if aval(weight).ndim != 2:
        raise ValueError(f"weight has to be a 2D Tensor, but got Tensor of dimension {aval(weight).ndim}")
    input, offsets, per_sample_weights = _flat_bags(input, offsets, per_sample_weights)
    _check_bag_mode(mode, scale_grad_by_freq, sparse, per_sample_weights)
    if max_norm is not None:
        _shorten(weight, input, max_norm, norm_type)
    padding_idx = -1 if padding_idx is None else padding_idx % aval(weight).shape[0]
    attrs = (_BAG_MODES.index(mode), include_last_offset, padding_idx, scale_grad_by_freq)
    lookup = BAG if sparse and not modes.local.level else TABLE["embedding_bag_kernel"]
    return apply(lookup, (weight, input, offsets, per_sample_weights), attrs)


def _flat_bags(input, offsets, per_sample_weights):
    """Bags of equal length, as rows, turned into a vector of indices with offsets; what has offsets stays."""
    a = aval(input)
    if a.ndim == 2:
        if offsets is not None:
            raise ValueError(
                "if input is 2D, then offsets has to be None, as input is treated is a mini-batch of fixed length "
                f"sequences. However, found offsets of type {type(offsets)}"
            )
        starts = np.arange(a.shape[0], dtype=a.dtype.numpy) * a.shape[1]
        samples = None if per_sample_weights is None else per_sample_weights.reshape(-1)
        return input.reshape(-1), _tensor.from_host(starts, device=a.device), samples
    if a.ndim != 1:
        raise ValueError(f"input has to be 1D or 2D Tensor, but got Tensor of dimension {a.ndim}")
    if offsets is None:
        raise ValueError("offsets has to be a 1D Tensor but got None")
    if aval(offsets).ndim != 1:
        raise ValueError("offsets has to be a 1D Tensor")
    return input, offsets, per_sample_weights


def _check_bag_mode(mode, scale_grad_by_freq, sparse, per_sample_weights):
    if mode not in _BAG_MODES:
        raise ValueError("mode has to be one of sum, mean or max")
    if mode == "max" and scale_grad_by_freq:
        raise ValueError("max mode does not support scaling the gradient by the frequency")
    if mode == "max" and sparse:
        raise ValueError("max mode does not support sparse weights")
    if per_sample_weights is not None and mode != "sum":
        raise NotImplementedError(
            "embedding_bag: per_sample_weights was not None. per_sample_weights is only supported for mode='sum' "
            f"(got mode='{mode}'). Please open a feature request on GitHub."
        )


def one_hot(tensor, num_classes=-1):
    """1 at each class, 0 elsewhere. Shape: (*) of int64 -> (*, num_classes). Raises RuntimeError for other dtypes."""
    if aval(tensor).dtype.name != "int64":
        raise RuntimeError("one_hot is only applicable to index tensor of type LongTensor.")
    values = known(tensor)
    if values is None and num_classes > 0:
        return apply(TABLE["one_hot"], (tensor,), (num_classes,))
    if values.size == 0 and num_classes <= 0:
        raise RuntimeError("Can not infer total number of classes from empty tensor.")
    if values.size and values.min() < 0:
        raise RuntimeError("Class values must be non-negative.")
    if num_classes == -1:
        num_classes = int(values.max()) + 1
    elif values.size and num_classes <= values.max():
        raise RuntimeError("Class values must be smaller than num_classes.")
    return apply(TABLE["one_hot"], (tensor,), (num_classes,))
