"""Losses as functions, with torch's reductions, legacy arguments and warnings."""

import functools
import math
import warnings

import numpy as np

from jtorch import _tensor, dtypes, shapes
from jtorch._tensor import Tensor, aval
from jtorch.api.indices import outside
from jtorch.api.size import Size
from jtorch.autograd.apply import apply
from jtorch.autograd.casting import whole
from jtorch.ops.op import TABLE

__all__ = [
    "binary_cross_entropy", "binary_cross_entropy_with_logits", "cosine_embedding_loss", "cross_entropy", "ctc_loss",
    "gaussian_nll_loss", "hinge_embedding_loss", "huber_loss", "kl_div", "l1_loss", "linear_cross_entropy",
    "margin_ranking_loss", "mse_loss", "multi_margin_loss", "multilabel_margin_loss", "multilabel_soft_margin_loss",
    "nll_loss", "poisson_nll_loss", "smooth_l1_loss", "soft_margin_loss", "triplet_margin_loss",
    "triplet_margin_with_distance_loss",
]  # fmt: skip


def _reduction(size_average, reduce, reduction):
    """The reduction, from torch's old arguments if given (with its warning). Raises ValueError for others."""
    if size_average is not None or reduce is not None:
        average = size_average is None or size_average
        reduction = "none" if reduce is not None and not reduce else "mean" if average else "sum"
        warnings.warn(
            "size_average and reduce args will be deprecated, please use reduction='" + reduction + "' instead.",
            stacklevel=3,
        )
    if reduction not in ("none", "mean", "sum"):
        raise ValueError(f"{reduction} is not a valid value for reduction")
    return reduction


def _reduced(loss, reduction):
    return loss.mean() if reduction == "mean" else loss.sum() if reduction == "sum" else loss


def _warn_sizes(input, target):
    """torch's warning where the sizes differ and broadcasting is likely a mistake."""
    if aval(input).shape != aval(target).shape:
        warnings.warn(
            f"Using a target size ({Size(aval(target).shape)}) that is different to the input size "
            f"({Size(aval(input).shape)}). This will likely lead to incorrect results due to broadcasting. "
            "Please ensure they have the same size.",
            stacklevel=3,
        )


def _weighted(loss, weight, reduction):
    """Elementwise losses times weights, then reduced; the mean is over the sum of the weights."""
    loss = loss * weight
    return loss.sum() / weight.expand_as(loss).sum() if reduction == "mean" else _reduced(loss, reduction)


def mse_loss(input, target, size_average=None, reduce=None, reduction="mean", weight=None):
    """(input - target)², reduced. Shape: two of the same -> () or the same. Warns when the sizes differ."""
    reduction = _reduction(size_average, reduce, reduction)
    _warn_sizes(input, target)
    if weight is not None:
        return _weighted(apply(TABLE["mse_loss"], (input, target), ("none",)), weight, reduction)
    return apply(TABLE["mse_loss"], (input, target), (reduction,))


@functools.partial(whole, "l1_loss")
def l1_loss(input, target, size_average=None, reduce=None, reduction="mean", weight=None):
    """|input - target|, reduced. Shape: two of the same -> () or the same. Warns when the sizes differ."""
    reduction = _reduction(size_average, reduce, reduction)
    _warn_sizes(input, target)
    loss = (input - target).abs()
    return _reduced(loss, reduction) if weight is None else _weighted(loss, weight, reduction)


def smooth_l1_loss(input, target, size_average=None, reduce=None, reduction="mean", beta=1.0):
    """Squared below beta, absolute above, reduced. Shape: two of the same -> () or the same."""
    reduction = _reduction(size_average, reduce, reduction)
    _warn_sizes(input, target)
    if beta == 0.0:
        return l1_loss(input, target, reduction=reduction)
    return apply(TABLE["smooth_l1_loss"], (input, target), (reduction, beta))


def huber_loss(input, target, reduction="mean", delta=1.0, weight=None):
    """Squared below delta, linear above, reduced. Shape: two of the same -> () or the same."""
    _warn_sizes(input, target)
    if weight is not None:
        return _weighted(apply(TABLE["huber_loss"], (input, target), ("none", delta)), weight, reduction)
    return apply(TABLE["huber_loss"], (input, target), (_reduction(None, None, reduction), delta))


def nll_loss(input, target, weight=None, size_average=None, ignore_index=-100, reduce=None, reduction="mean"):
    """Negative log likelihood of class indices. Shape: (N, C, *), (N, *) -> () or (N, *)."""
    reduction = _reduction(size_average, reduce, reduction)
    _check_classes(input, target, ignore_index)
    return apply(TABLE["nll_loss"], (input, target, weight), (ignore_index, reduction))


def _check_classes(input, target, ignore_index):
    """Raise IndexError for a class that there is not, where the targets are at hand."""
    shape = aval(input).shape
    wrong = outside(target, 0, shape[0 if len(shape) == 1 else 1], ignore_index) if shape else None
    if wrong is not None:
        raise IndexError(f"Target {wrong} is out of bounds.")


@functools.partial(whole, "cross_entropy_loss")
def cross_entropy(input, target, weight=None, size_average=None, ignore_index=-100, reduce=None, reduction="mean",
                  label_smoothing=0.0):  # fmt: skip
    """Negative log likelihood of softmax. Targets are class indices, or probabilities of input's shape.

    Shape: (N, C, *), (N, *) or (N, C, *) -> () or (N, *).
    """
    reduction = _reduction(size_average, reduce, reduction)
    if not 0.0 <= label_smoothing <= 1.0:
        raise RuntimeError(f"label_smoothing must be between 0.0 and 1.0. Got: {label_smoothing}")
    have, want = aval(input), aval(target)
    if have.shape != want.shape:
        _check_classes(input, target, ignore_index)
    elif not want.dtype.is_floating_point:
        raise RuntimeError(f"Expected floating point type for target with class probabilities, got {want.dtype.label}")
    logs = apply(TABLE["log_softmax"], (input,), (0 if have.ndim < 2 else 1, None))
    if have.shape == want.shape:
        if ignore_index >= 0:
            raise RuntimeError("ignore_index is not supported for floating point target")
        return apply(TABLE["nll_loss_probabilities"], (logs, target, weight), (reduction, label_smoothing))
    if label_smoothing:
        return apply(TABLE["nll_loss_smoothed"], (logs, target, weight), (ignore_index, reduction, label_smoothing))
    return apply(TABLE["nll_loss"], (logs, target, weight), (ignore_index, reduction))


def binary_cross_entropy(input, target, weight=None, size_average=None, reduce=None, reduction="mean"):
    """Cross entropy of probabilities and targets in [0, 1]. Shape: two of the same -> () or the same.

    Raises ValueError when the sizes differ.
    """
    reduction = _reduction(size_average, reduce, reduction)
    if aval(target).shape != aval(input).shape:
        raise ValueError(
            f"Using a target size ({Size(aval(target).shape)}) that is different to the input size "
            f"({Size(aval(input).shape)}) is deprecated. Please ensure they have the same size."
        )
    return apply(TABLE["binary_cross_entropy"], (input, target, weight), (reduction,))


def binary_cross_entropy_with_logits(input, target, weight=None, size_average=None, reduce=None, reduction="mean",
                                     pos_weight=None):  # fmt: skip
    """binary_cross_entropy of sigmoid(input), without its loss of digits. Raises ValueError when the sizes differ."""
    reduction = _reduction(size_average, reduce, reduction)
    if aval(target).shape != aval(input).shape:
        raise ValueError(
            f"Target size ({Size(aval(target).shape)}) must be the same as input size ({Size(aval(input).shape)})"
        )
    have, want = aval(input).dtype, aval(target).dtype
    if not dtypes.can_cast(have, want):
        raise RuntimeError(f"result type {have.label} can't be cast to the desired output type {want.label}")
    return apply(TABLE["binary_cross_entropy_with_logits"], (input, target, weight, pos_weight), (reduction,))


def kl_div(input, target, size_average=None, reduce=None, reduction="mean", log_target=False):
    """target · (log target - input), reduced; "batchmean" divides the sum by the batch. Shape: two of the same."""
    if reduction == "mean" and size_average is None and reduce is None:
        warnings.warn(
            "reduction: 'mean' divides the total loss by both the batch size and the support size."
            "'batchmean' divides only by the batch size, and aligns with the KL div math definition."
            "'mean' will be changed to behave the same as 'batchmean' in the next major release.",
            stacklevel=2,
        )
    reduced = "sum" if reduction == "batchmean" else _reduction(size_average, reduce, reduction)
    loss = target.exp() * (target - input) if log_target else target.xlogy(target) - target * input
    loss = _reduced(loss, reduced)
    return loss / aval(input).shape[0] if reduction == "batchmean" and aval(input).ndim else loss


def poisson_nll_loss(input, target, log_input=True, full=False, size_average=None, eps=1e-08, reduce=None,
                     reduction="mean"):  # fmt: skip
    """Negative log likelihood of counts under a Poisson rate (or its log). Shape: two of the same -> () or the same."""
    reduction = _reduction(size_average, reduce, reduction)
    loss = input.exp() - target * input if log_input else input - target * (input + eps).log()
    if full:
        stirling = target * target.log() - target + 0.5 * (2 * math.pi * target).log()
        loss = loss + stirling.masked_fill(target <= 1, 0)
    return _reduced(loss, reduction)


def _one_dim_is_1(shape, other):
    """Whether `other` has all sizes of `shape` but one, which is 1."""
    pairs = zip(shape, other, strict=False)
    return len(shape) == len(other) and sum(there for here, there in pairs if here != there) == 1


def gaussian_nll_loss(input, target, var, full=False, eps=1e-06, reduction="mean"):
    """Negative log likelihood under normal distributions. Raises ValueError for negative variances."""
    if isinstance(var, float):
        if var < 0:
            raise ValueError("var has negative entry/entries")
        var = input * 0 + var
    elif (var < 0).any():
        raise ValueError("var has negative entry/entries")
    elif aval(var).shape != aval(input).shape:
        if aval(input).shape[:-1] == aval(var).shape:
            var = var.unsqueeze(-1)
        elif not _one_dim_is_1(aval(input).shape, aval(var).shape):
            raise ValueError("var is of incorrect size")
    if reduction not in ("none", "mean", "sum"):
        raise ValueError(reduction + " is not valid")
    kept = var.clone()
    kept.detach().clamp_(min=eps)
    loss = 0.5 * (kept.log() + (input - target) ** 2 / kept)
    return _reduced(loss + 0.5 * math.log(2 * math.pi) if full else loss, reduction)


def linear_cross_entropy(input, linear_weight, target, *, linear_bias=None, weight=None, reduction="mean",
                         ignore_index=None, label_smoothing=0.0, options=None):  # fmt: skip
    """cross_entropy of a linear layer's scores. Shape: (N, D) or (D,), (C, *, D), (N, *) -> () or (N, *).

    options: how torch would cut the batch to save memory; the result does not depend on it.
    """
    x, w = aval(input), aval(linear_weight)
    if x.ndim not in (1, 2):
        raise RuntimeError(f"expected input with dimensionality 1 or 2, got {x.ndim}")
    if w.ndim < 2:
        raise RuntimeError(f"expected linear_weight with dimensionality at least 2, got {w.ndim}")
    if x.shape[-1] != w.shape[-1]:
        raise RuntimeError(
            "expected equal input and linear_weight last dimensions (in_features), "
            f"got {x.shape[-1]} and {w.shape[-1]}, respectively"
        )
    if linear_bias is not None and aval(linear_bias).shape != w.shape[:-1]:
        raise RuntimeError(f"expected linear_bias shape {w.shape[:-1]}, got {aval(linear_bias).shape}")
    if w.ndim > 2 and x.ndim == 1:
        raise RuntimeError(
            f"K-dimensional loss defined by linear_weight shape {w.shape} requires batched input, (N, {x.shape[-1]}), "
            f"got unbatched input with shape {x.shape}"
        )
    if aval(target).shape == (*x.shape[:-1], *w.shape[:-1]) and ignore_index is not None:
        raise RuntimeError("ignore_index cannot be specified when target contains probabilities")
    flat = linear_weight.reshape(-1, w.shape[-1]) if w.ndim > 2 else linear_weight
    bias = linear_bias.reshape(-1) if linear_bias is not None and w.ndim > 2 else linear_bias
    scores = apply(TABLE["linear"], (input, flat, bias), ())
    scores = scores.reshape(*x.shape[:-1], *w.shape[:-1]) if w.ndim > 2 else scores
    ignored = -100 if ignore_index is None else ignore_index
    return cross_entropy(scores, target, weight, None, ignored, None, reduction, label_smoothing)


def ctc_loss(log_probs, targets, input_lengths, target_lengths, blank=0, reduction="mean",
             zero_infinity=False):  # fmt: skip
    """The negative log likelihood of labellings over all alignments (Graves et al. 2006); mean: also over labels.

    Shape: (T, N, C) or (T, C); (N, S) or (ΣS,); (N,) or () twice -> () or (N,). Raises RuntimeError for unfit lengths.
    """
    _reduction(None, None, reduction)
    alone = aval(log_probs).ndim == 2
    inputs, labels = _lengths(input_lengths), _lengths(target_lengths)
    if alone:
        log_probs, targets = log_probs.unsqueeze(1), targets.unsqueeze(0)
    _check_lengths(aval(log_probs).shape[0], aval(targets), inputs, labels)
    device = aval(log_probs).device
    places = [_tensor.from_host(np.array(x, np.int64), device=device) for x in (inputs, labels)]
    attrs = (max(labels, default=0), blank, bool(zero_infinity))
    loss = apply(TABLE["ctc_loss_kernel"], (log_probs, targets.to(device), *places), attrs)
    if reduction == "mean":
        return (loss / places[1].clamp_min(1).to(aval(loss).dtype)).mean()
    return loss.sum() if reduction == "sum" else loss.squeeze(0) if alone else loss


def _lengths(lengths):
    values = _tensor.host(lengths) if isinstance(lengths, Tensor) else np.asarray(lengths)
    if values.dtype.kind not in "iu":
        raise RuntimeError("input_lengths must be integral")
    return [int(n) for n in np.atleast_1d(values)]


def _check_lengths(steps, targets, inputs, labels):
    for n in inputs:
        if n < 0:
            raise RuntimeError(f"Expected input_lengths to have value at least 0, but got value {n}")
        if n > steps:
            raise RuntimeError(
                f"Expected input_lengths to have value at most {steps}, but got value {n} (while checking arguments "
                "for ctc_loss_cpu)"
            )
    for n in labels:
        if n < 0:
            raise RuntimeError(f"Expected target_lengths to have value at least 0, but got value {n}")
    if targets.ndim == 2 and labels and targets.shape[1] < max(labels):
        raise RuntimeError(
            f"Expected tensor to have size at least {max(labels)} at dimension 1, but got size {targets.shape[1]} for "
            "argument #2 'targets' (while checking arguments for ctc_loss_cpu)"
        )


def cosine_embedding_loss(input1, input2, target, margin=0, size_average=None, reduce=None, reduction="mean"):
    """1 - cos where target is 1, max(0, cos - margin) where it is -1. Shape: two (N, D), (N,) -> () or (N,)."""
    reduction = _reduction(size_average, reduce, reduction)
    if aval(target).ndim > 1:
        raise RuntimeError("0D or 1D target tensor expected, multi-target not supported")
    dim = aval(input1).ndim - 1
    eps = 1e-12
    dot = (input1 * input2).sum(dim)
    cos = dot / ((input1 * input1).sum(dim) + eps).mul((input2 * input2).sum(dim) + eps).sqrt()
    loss = (1 - cos).masked_fill(target != 1, 0) + (cos - margin).clamp_min(0).masked_fill(target != -1, 0)
    return _reduced(loss, reduction)


def margin_ranking_loss(input1, input2, target, margin=0, size_average=None, reduce=None, reduction="mean"):
    """max(0, -target · (input1 - input2) + margin), reduced. Raises RuntimeError when ranks differ."""
    reduction = _reduction(size_average, reduce, reduction)
    if not aval(input1).ndim == aval(input2).ndim == aval(target).ndim:
        sizes = (shapes.listed(aval(x).shape) for x in (input1, input2, target))
        names = "input1: {}, input2: {}, target: {}".format(*(f"torch.Size({s})" for s in sizes))
        raise RuntimeError(
            "margin_ranking_loss : All input tensors should have same dimension but got sizes: " + names + " "
        )
    return _reduced((-target * (input1 - input2) + margin).clamp_min(0), reduction)


def hinge_embedding_loss(input, target, margin=1.0, size_average=None, reduce=None, reduction="mean"):
    """input where target is 1, max(0, margin - input) where it is -1, reduced. Shape: two of the same."""
    reduction = _reduction(size_average, reduce, reduction)
    loss = (margin - input).clamp_min(0).masked_fill(target == 1, 0) + input.masked_fill(target == -1, 0)
    return _reduced(loss, reduction)


def soft_margin_loss(input, target, size_average=None, reduce=None, reduction="mean"):
    """log(1 + exp(-target · input)), reduced. Shape: two of the same -> () or the same."""
    return apply(TABLE["soft_margin_loss"], (input, target), (_reduction(size_average, reduce, reduction),))


def multi_margin_loss(input, target, p=1, margin=1.0, weight=None, size_average=None, reduce=None, reduction="mean"):
    """Hinge loss of several classes. Shape: (N, C), (N,) -> () or (N,). Raises ValueError when p is not 1 or 2."""
    reduction = _reduction(size_average, reduce, reduction)
    if p not in (1, 2):
        raise ValueError("only p == 1 and p == 2 supported")
    return apply(TABLE["multi_margin_loss"], (input, target, weight), (p, margin, reduction))


def multilabel_margin_loss(input, target, size_average=None, reduce=None, reduction="mean"):
    """Hinge loss of several labels a sample. Shape: two (N, C) -> () or (N,)."""
    return apply(TABLE["multilabel_margin_loss"], (input, target), (_reduction(size_average, reduce, reduction),))


def multilabel_soft_margin_loss(input, target, weight=None, size_average=None, reduce=None, reduction="mean"):
    """Mean binary cross entropy over the classes. Shape: two (N, C) -> () or (N,)."""
    reduction = _reduction(size_average, reduce, reduction)
    logs, negative = apply(TABLE["logsigmoid"], (input,), ()), apply(TABLE["logsigmoid"], (-input,), ())
    loss = -(target * logs + (1 - target) * negative)
    if weight is not None:
        loss = loss * weight
    return _reduced(loss.sum(-1) / aval(input).shape[-1], reduction)


def _distance(a, b, p, eps):
    return (a - b + eps).norm(p, -1)


def triplet_margin_loss(anchor, positive, negative, margin=1.0, p=2, eps=1e-06, swap=False, size_average=None,
                        reduce=None, reduction="mean"):  # fmt: skip
    """max(0, d(anchor, positive) - d(anchor, negative) + margin), reduced. Raises ValueError for a margin ≤ 0."""
    reduction = _reduction(size_average, reduce, reduction)
    if margin <= 0:
        raise ValueError(f"margin must be greater than 0, got {margin}")
    ranks = [aval(x).ndim for x in (anchor, positive, negative)]
    if len(set(ranks)) > 1:
        raise RuntimeError(
            "The anchor, positive, and negative tensors are expected to have the same number of dimensions, but got: "
            "anchor {}D, positive {}D, and negative {}D inputs".format(*ranks)
        )
    near, far = _distance(anchor, positive, p, eps), _distance(anchor, negative, p, eps)
    if swap:
        far = far.minimum(_distance(positive, negative, p, eps))
    return _reduced((near - far + margin).clamp_min(0), reduction)


def triplet_margin_with_distance_loss(anchor, positive, negative, *, distance_function=None, margin=1.0, swap=False,
                                      reduction="mean"):  # fmt: skip
    """triplet_margin_loss with a distance of one's own."""
    if distance_function is None:
        return triplet_margin_loss(anchor, positive, negative, margin, swap=swap, reduction=reduction)
    if margin <= 0:
        raise ValueError(f"margin must be greater than 0, got {margin}")
    near, far = distance_function(anchor, positive), distance_function(anchor, negative)
    if swap:
        far = far.minimum(distance_function(positive, negative))
    return _reduced((near - far + margin).clamp_min(0), _reduction(None, None, reduction))
