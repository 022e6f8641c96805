"""Losses that torch computes in one step; the others are put together of ops in nn.functional."""

import functools
import math

import jax.numpy as jnp
from jax import lax

from jtorch import dtypes, shapes
from jtorch.ops.op import Array, op, widened


def _reduced(loss, reduction):
    """loss as a mean, a sum, or as it is."""
    if reduction == "mean":
        return loss.mean() if loss.size else jnp.full((), math.nan, loss.dtype)
    return loss.sum() if reduction == "sum" else loss


def _spread(grad, loss_shape, reduction):
    """The gradient of each element of a loss, from the gradient of what `_reduced` made of it."""
    if reduction == "mean":
        grad = grad / max(math.prod(loss_shape), 1)
    return jnp.broadcast_to(grad, loss_shape)


@op("mse_loss", door=None, rule="promote")
@widened
def mse_loss(input: Array, target: Array, reduction="mean"):
    """(input - target)². Shape: broadcast, then reduced."""
    dtypes.need_floating("mse_cpu", input.dtype)
    return _reduced(jnp.square(input - target), reduction)


@op("smooth_l1_loss", door=None, rule="promote")
@widened
def smooth_l1_loss(input: Array, target: Array, reduction="mean", beta=1.0):
    """d² / (2 beta) where the distance d is below beta, else d - beta / 2. Shape: broadcast, then reduced."""
    dtypes.need_floating("smooth_l1_cpu", input.dtype)
    if beta < 0:
        raise RuntimeError("smooth_l1_loss does not support negative values for beta.")
    distance = jnp.abs(input - target)
    square = distance * distance * (0.5 / beta)
    return _reduced(jnp.where(distance < beta, square, distance - 0.5 * beta), reduction)


@op("huber_loss", door=None, rule="promote")
@widened
def huber_loss(input: Array, target: Array, reduction="mean", delta=1.0):
    """d² / 2 where the distance d is below delta, else delta · (d - delta / 2). Shape: broadcast, then reduced."""
    dtypes.need_floating("huber_cpu", input.dtype)
    if delta <= 0:
        raise RuntimeError("huber_loss does not support non-positive values for delta.")
    distance = jnp.abs(input - target)
    return _reduced(
        jnp.where(distance <= delta, 0.5 * distance * distance, delta * (distance - 0.5 * delta)), reduction
    )


@op("soft_margin_loss", door=None, rule="promote")
@widened
def soft_margin_loss(input: Array, target: Array, reduction="mean"):
    """log(1 + e^(-target · input)). Shape: broadcast, then reduced."""
    return _reduced(jnp.log1p(jnp.exp(-target * input)), reduction)


# Binary cross entropy.


@op("binary_cross_entropy", door=None)
@widened
def binary_cross_entropy(input: Array, target: Array, weight: Array | None = None, reduction="mean"):
    """-(t log x + (1 - t) log(1 - x)), logarithms not below -100. Shape: two of one shape, then reduced."""
    dtypes.need_floating("binary_cross_entropy", input.dtype)
    if target.dtype != input.dtype:
        found, wanted = (dtypes.from_numpy(a.dtype).label for a in (target, input))
        raise RuntimeError(f"Found dtype {found} but expected {wanted}")
    loss = (target - 1) * jnp.maximum(jnp.log1p(-input), -100) - target * jnp.maximum(jnp.log(input), -100)
    return _reduced(loss if weight is None else loss * weight, reduction)


@binary_cross_entropy.gradient
@widened
def _(grad, result, input, target, weight, reduction):
    # torch: 1e-12 keeps the gradient finite at 0 and 1.
    grad = _spread(grad, input.shape, reduction)
    if weight is not None:
        grad = grad * weight
    slope = (input - target) / jnp.maximum(input * (1 - input), 1e-12)
    return grad * slope, grad * (jnp.log1p(-input) - jnp.log(input)), None


@op("binary_cross_entropy_with_logits", rule="promote", door=None)
@widened
def binary_cross_entropy_with_logits(
    input: Array, target: Array, weight: Array | None = None, pos_weight: Array | None = None, reduction="mean"
):
    """binary_cross_entropy of sigmoid(input), without its overflow. Shape: two of one shape, then reduced."""
    log_p = jnp.minimum(input, 0) - jnp.log1p(jnp.exp(-jnp.abs(input)))
    share = 1 if pos_weight is None else 1 + (pos_weight - 1) * target
    loss = (1 - target) * input - share * log_p
    return _reduced(loss if weight is None else loss * weight, reduction)


@binary_cross_entropy_with_logits.gradient
@widened
def _(grad, result, input, target, weight, pos_weight, reduction):
    p = lax.logistic(input)
    log_p = jnp.minimum(input, 0) - jnp.log1p(jnp.exp(-jnp.abs(input)))
    if pos_weight is None:
        slope, of_target, of_pos = p - target, -input, None
    else:
        hit = pos_weight * target
        slope = (hit + 1 - target) * p - hit
        of_target = -input - (pos_weight - 1) * log_p
        of_pos = -target * log_p
    grad = _spread(grad, jnp.broadcast_shapes(slope.shape, () if weight is None else weight.shape), reduction)
    loss = (
        None if weight is None else grad * ((1 - target) * input - (1 if of_pos is None else hit - target + 1) * log_p)
    )
    if weight is not None:
        grad = grad * weight
    return grad * slope, grad * of_target, loss, None if of_pos is None else grad * of_pos


# Negative log likelihood: input (N, C, *), target (N, *) of class indices; or (C,) and ().


def _check_target(input, target, weight):
    if not input.ndim:
        raise ValueError("Expected 1 or more dimensions (got 0)")
    if input.ndim != 1 and input.shape[:1] != target.shape[:1]:
        here, there = input.shape[0], target.shape[0] if target.ndim else 0
        raise ValueError(f"Expected input batch_size ({here}) to match target batch_size ({there}).")
    _check_target_shape(input, target)
    if target.dtype not in (jnp.int64, jnp.uint8):
        label = dtypes.from_numpy(target.dtype).label
        raise RuntimeError(f"expected target dtype to be Long or Byte, but got {label}")
    classes = input.shape[_class_dim(input)]
    if weight is not None and weight.shape != (classes,):
        raise RuntimeError(
            f"weight tensor should be defined either for all {classes} classes or no classes but got weight tensor "
            f"of shape: {shapes.listed(weight.shape)}"
        )
    dtypes.need_floating("nll_loss_out_frame", input.dtype)


def _of_one_dtype(fn):
    """Decorator over `@widened`: refuse a weight of another dtype than the input's."""

    @functools.wraps(fn)
    def checked(input, target, weight, *rest):
        if weight is not None and weight.dtype != input.dtype:
            wanted, found = (dtypes.from_numpy(a.dtype).label for a in (input, weight))
            raise RuntimeError(f"expected scalar type {wanted} but found {found}")
        return fn(input, target, weight, *rest)

    return checked


def _check_target_shape(input, target):
    wanted = (input.shape[0], *input.shape[2:]) if input.ndim > 1 else ()
    if input.ndim <= 2:
        if target.ndim > 1:
            raise RuntimeError("0D or 1D target tensor expected, multi-target not supported")
    elif input.ndim == 4:
        if target.ndim != 3:
            raise RuntimeError(
                f"only batches of spatial targets supported (3D tensors) but got targets of dimension: {target.ndim}"
            )
        if target.shape != wanted:
            sizes = shapes.listed(input.shape), shapes.listed(target.shape)
            raise RuntimeError(f"size mismatch (got input: {sizes[0]} , target: {sizes[1]}")
    elif target.shape != wanted:
        raise RuntimeError(f"Expected target size {shapes.listed(wanted)}, got {shapes.listed(target.shape)}")


def _class_dim(input):
    return 1 if input.ndim > 1 else 0


def _weights(target, weight, ignore_index, dtype):
    """The weight of each target: that of its class, and 0 where it is to be ignored."""
    kept = target != ignore_index
    if weight is None:
        return kept.astype(dtype)
    return jnp.where(kept, jnp.take(weight, target, mode="clip"), 0)


def _picked(input, target):
    """The input at the target's classes. Shape: that of the target."""
    dim = _class_dim(input)
    index = jnp.expand_dims(jnp.clip(target, 0, input.shape[dim] - 1), dim)
    return jnp.take_along_axis(input, index, dim, mode="promise_in_bounds").squeeze(dim)


def _is_target(input, target):
    """Where the input stands at its target's class. Shape: that of the input."""
    dim = _class_dim(input)
    return jnp.expand_dims(target, dim) == lax.broadcasted_iota(target.dtype, input.shape, dim)


def _nll_graph(operands, attrs):
    ndim = operands[0][1]
    if ndim <= 2:
        return "NllLossBackward0", 0
    if ndim == 4:
        return "NllLoss2DBackward0", 0
    inside = ("NllLoss2DBackward0", ("ViewBackward0", 0))
    return ("ViewBackward0", inside) if attrs[-1] == "none" else inside


@op("nll_loss", door=None, grad_name=_nll_graph)
@_of_one_dtype
@widened
def nll_loss(input: Array, target: Array, weight: Array | None = None, ignore_index=-100, reduction="mean"):
    """-weight · log-probability of the target's class. Shape: (N, C, *), (N, *) -> (N, *), then reduced."""
    _check_target(input, target, weight)
    scale = _weights(target, weight, ignore_index, input.dtype)
    # A log-probability of -inf must not turn an ignored target into nan.
    loss = jnp.where(scale == 0, 0, -_picked(input, target) * scale)
    return loss.sum() / scale.sum() if reduction == "mean" else _reduced(loss, reduction)


@nll_loss.gradient
@widened
def _(grad, result, input, target, weight, ignore_index, reduction):
    # Comparing with every class fuses into the softmax's gradient; a scatter would not.
    scale = _weights(target, weight, ignore_index, input.dtype)
    if reduction == "mean":
        grad = grad / scale.sum()
    each = jnp.expand_dims(-grad * scale, _class_dim(input))
    return jnp.where(_is_target(input, target), each, 0), None, None


@op("nll_loss_smoothed", door=None, grad_name="AddBackward0")
@_of_one_dtype
@widened
def nll_loss_smoothed(input: Array, target: Array, weight: Array | None, ignore_index, reduction, smoothing):
    """nll_loss against targets of which `smoothing` is spread evenly over all classes. Shape: as nll_loss."""
    _check_target(input, target, weight)
    dim = _class_dim(input)
    scale = _weights(target, weight, ignore_index, input.dtype)
    loss = jnp.where(scale == 0, 0, -_picked(input, target) * scale)
    weighted = input if weight is None else input * weight.reshape(-1, *(1,) * (input.ndim - dim - 1))
    even = jnp.where(target != ignore_index, -weighted.sum(dim), 0)
    total = (1 - smoothing) * loss + (smoothing / input.shape[dim]) * even
    return total.sum() / scale.sum() if reduction == "mean" else _reduced(total, reduction)


def _probabilities_graph(operands, attrs):
    product = ("MulBackward0", 0, 1)
    if operands[2] is not None:
        product = ("MulBackward0", product, None)
    inside = ("NegBackward0", ("SumBackward1" if attrs[0] == "none" else "SumBackward0", product))
    return ("DivBackward1", inside) if attrs[0] == "mean" else inside


@op("nll_loss_probabilities", door=None, grad_name=_probabilities_graph)
@widened
def nll_loss_probabilities(input: Array, target: Array, weight: Array | None, reduction, smoothing):
    """-Σ weight · target · input over the classes; targets are probabilities. Shape: two (N, C, *) -> (N, *)."""
    dim = _class_dim(input)
    classes = input.shape[dim]
    if weight is not None and weight.shape != (classes,):
        raise RuntimeError(
            f"cross_entropy: weight tensor should be defined either for all {classes} classes or no classes but got "
            f"weight tensor of shape: {shapes.listed(weight.shape)}"
        )
    if smoothing:
        target = target * (1 - smoothing) + smoothing / classes
    weighted = input if weight is None else input * weight.reshape(-1, *(1,) * (input.ndim - dim - 1))
    loss = -(weighted * target).sum(dim)
    return loss.sum() / loss.size if reduction == "mean" else _reduced(loss, reduction)


# Margins.


def _check_margin(input, rows, weight):
    if input.ndim > 2 or not rows.shape[-1]:
        raise RuntimeError(
            f"Expected non-empty vector or matrix with optional 0-dim batch size, but got: {shapes.listed(input.shape)}"
        )
    if weight is not None and weight.ndim != 1:
        raise ValueError("weight must be one-dimensional")
    if weight is not None and weight.size != rows.shape[1]:
        raise RuntimeError(f"inconsistent weight size, expected {rows.shape[1]} but got {shapes.listed(weight.shape)}")


@op("multi_margin_loss", door=None)
@widened
def multi_margin_loss(input: Array, target: Array, p=1, margin=1.0, weight: Array | None = None, reduction="mean"):
    """Mean over the other classes of max(0, margin - x[target] + x)ᵖ. Shape: (N, C), (N,) -> (N,), then reduced."""
    if p not in (1, 2):
        raise ValueError("only p == 1 and p == 2 supported")
    rows = jnp.atleast_2d(input)
    _check_margin(input, rows, weight)
    if target.size != rows.shape[0] or target.ndim > 1:
        raise RuntimeError(
            "multi_margin_loss: target tensor should be 1-D with size equal to the number of input samples "
            "(batch size). "
            f"Expected target size [{rows.shape[0]}], but got {shapes.listed(target.shape)}. "
            f"Input has shape {shapes.listed(input.shape)}."
        )
    if target.dtype != jnp.int64:
        raise RuntimeError(f"expected scalar type Long but found {dtypes.from_numpy(target.dtype).label}")
    index = target.reshape(-1)
    room = margin - jnp.take_along_axis(rows, index[:, None], 1, mode="clip") + rows
    each = jnp.where((room > 0) & ~_is_target(rows, index), room, 0) ** p
    if weight is not None:
        each = each * jnp.take(weight, index, mode="clip")[:, None]
    loss = each.sum(1) / rows.shape[1]
    return _reduced(loss if input.ndim > 1 or reduction != "none" else loss[0], reduction)


@op("multilabel_margin_loss", door=None)
@widened
def multilabel_margin_loss(input: Array, target: Array, reduction="mean"):
    """Mean over pairs of a target class and another of max(0, 1 - x[target] + x); targets end at the first -1.

    Shape: (N, C) twice -> (N,), then reduced.
    """
    _check_margin(input, jnp.atleast_2d(input), None)
    if input.shape != target.shape:
        sizes = shapes.listed(target.shape), shapes.listed(input.shape)
        raise RuntimeError(f"inconsistent target size: {sizes[0]} for input of size: {sizes[1]}")
    if target.dtype != jnp.int64:
        raise RuntimeError(f"expected scalar type Long but found {dtypes.from_numpy(target.dtype).label}")
    rows, labels = jnp.atleast_2d(input), jnp.atleast_2d(target)
    classes = rows.shape[1]
    given = jnp.cumsum(labels < 0, 1) == 0  # (N, C)
    hot = (labels[:, :, None] == jnp.arange(classes)) & given[:, :, None]  # (N, target, class)
    chosen = hot.any(1)
    picked = jnp.take_along_axis(rows, jnp.clip(labels, 0, classes - 1), 1)
    room = 1 - picked[:, :, None] + rows[:, None, :]
    counted = given[:, :, None] & ~chosen[:, None, :] & (room > 0)
    loss = jnp.where(counted, room, 0).sum((1, 2)) / classes
    return _reduced(loss if input.ndim > 1 or reduction != "none" else loss[0], reduction)
