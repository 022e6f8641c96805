"""Ops that shift and scale to mean 0 and variance 1: over the batch, over the last dims, over groups of channels."""

import math

import jax.numpy as jnp
import numpy as np
from jax import lax

from jtorch import dtypes, shapes
from jtorch.ops.op import FIRST, FORMAT, Array, Scalar, op, widened

_HALVES = (jnp.float16, jnp.bfloat16)


def _wide(x):
    """torch accumulates half precision in float32."""
    return x.astype(jnp.float32) if x is not None and x.dtype in _HALVES else x


# Over the batch: statistics per channel of (N, C, *).


def _channel_sum(x):
    """The sum over all dims but the second. Shape: (N, C, *) -> (C,)."""
    if x.ndim > 2:
        x = x.reshape(*x.shape[:2], math.prod(x.shape[2:])).sum(-1)
    return x.sum(0)


def _along(per_channel, like):
    return per_channel.reshape((1, -1) + (1,) * (like.ndim - 2)) if like.ndim > 1 else per_channel


def _check_channels(input, running_mean, running_var, weight, bias):
    dtypes.need_floating("batch_norm", input.dtype)
    channels = input.shape[1] if input.ndim > 1 else 0
    given = (("running_mean", running_mean), ("running_var", running_var), ("weight", weight), ("bias", bias))
    for name, x in given:
        if x is not None and x.size != channels:
            raise RuntimeError(f"{name} should contain {channels} elements not {x.size}")


def _batch_stats(x, eps):
    """Mean, variance and 1 / √(variance + eps) per channel. Shape: (N, C, *) -> three (C,)."""
    count = max(x.size // max(x.shape[1], 1), 1)
    mean = _channel_sum(x) / count
    var = _channel_sum(jnp.square(x - _along(mean, x))) / count
    return mean, var, lax.rsqrt(var + eps)


def _scaled(x, mean, scale, weight, bias):
    scale = scale if weight is None else scale * weight.astype(x.dtype)
    shift = -mean * scale if bias is None else bias.astype(x.dtype) - mean * scale
    return x * _along(scale, x) + _along(shift, x)


@op("batch_norm_train", door=None, grad_name=("NativeBatchNormBackward0", 0, 3, 4), follows=FORMAT)
def batch_norm_train(
    input: Array,
    running_mean: Array | None,
    running_var: Array | None,
    weight: Array | None,
    bias: Array | None,
    momentum: Scalar,
    eps,
):
    """Each channel to mean 0 and variance 1 over the batch; also the new running statistics, if there are old ones.

    Shape: (N, C, *), four (C,) -> (N, C, *), and two (C,).
    """
    _check_channels(input, running_mean, running_var, weight, bias)
    x = _wide(input)
    mean, var, scale = _batch_stats(x, eps)
    out = _scaled(x, mean, scale, _wide(weight), _wide(bias)).astype(input.dtype)
    if running_mean is None and running_var is None:
        return out
    count = input.size // max(input.shape[1], 1)
    moved = running_mean, running_var  # torch: an empty batch leaves them
    if count:
        moved = _moved(running_mean, mean, momentum), _moved(running_var, var * (count / max(count - 1, 1)), momentum)
    return (out, *(m for m in moved if m is not None))


def _moved(running, batch, momentum):
    """running · (1 - momentum) + batch · momentum, in the dtype of running."""
    if running is None:
        return None
    momentum = jnp.asarray(momentum, batch.dtype)
    return (running.astype(batch.dtype) * (1 - momentum) + batch * momentum).astype(running.dtype)


@op("batch_stats", door=None, differentiable=False)
def batch_stats(input: Array, weight: Array | None, eps):
    """The mean and 1 / √(variance + eps) per channel, in the weight's dtype. Shape: (N, C, *), (C,) -> two (C,)."""
    mean, _, scale = _batch_stats(_wide(input), eps)
    kind = (input if weight is None else weight).dtype
    return mean.astype(kind), scale.astype(kind)


@batch_norm_train.gradient
def _(grad, result, input, running_mean, running_var, weight, bias, momentum, eps):
    # Two sums over the batch; jax.vjp of mean and variance needs four.
    grad = _wide(grad[0] if isinstance(grad, tuple) else grad)
    x = _wide(input)
    mean, _, scale = _batch_stats(x, eps)
    count = max(x.size // max(x.shape[1], 1), 1)
    centered = x - _along(mean, x)
    sum_grad = _channel_sum(grad)
    sum_both = _channel_sum(grad * centered) * scale
    slope = scale if weight is None else scale * weight.astype(x.dtype)
    inner = grad - _along(sum_grad / count, x) - centered * _along(scale * sum_both / count, x)
    of_weight = None if weight is None else sum_both
    return inner * _along(slope, x), None, None, of_weight, None if bias is None else sum_grad


@op("batch_norm_eval", door=None, grad_name=("NativeBatchNormBackward0", 0, 3, 4), follows=FORMAT)
def batch_norm_eval(
    input: Array, running_mean: Array, running_var: Array, weight: Array | None, bias: Array | None, eps
):
    """Each channel shifted and scaled by the running statistics. Shape: (N, C, *), four (C,) -> (N, C, *)."""
    _check_channels(input, running_mean, running_var, weight, bias)
    x = _wide(input)
    scale = lax.rsqrt(running_var.astype(x.dtype) + eps)
    return _scaled(x, running_mean.astype(x.dtype), scale, _wide(weight), _wide(bias)).astype(input.dtype)


@batch_norm_eval.gradient
def _(grad, result, input, running_mean, running_var, weight, bias, eps):
    grad, x = _wide(grad), _wide(input)
    scale = lax.rsqrt(running_var.astype(x.dtype) + eps)
    slope = scale if weight is None else scale * weight.astype(x.dtype)
    of_weight = None
    if weight is not None:
        of_weight = _channel_sum(grad * (x - _along(running_mean.astype(x.dtype), x))) * scale
    return grad * _along(slope, x), None, None, of_weight, None if bias is None else _channel_sum(grad)


# Over rows: each row of (rows, length) by its own mean and variance.


def _row_stats(x, eps):
    mean = x.mean(-1, keepdims=True)
    return mean, lax.rsqrt(jnp.square(x - mean).mean(-1, keepdims=True) + eps)


def _pull_rows(grad, x, eps):
    """The gradient of the rows, and the normalized rows, from the gradient of the normalized rows."""
    mean, scale = _row_stats(x, eps)
    normal = (x - mean) * scale
    inner = grad - grad.mean(-1, keepdims=True) - normal * (grad * normal).mean(-1, keepdims=True)
    return inner * scale, normal


def _check_normalized(input, normalized_shape, weight, bias, star="*, "):
    if not normalized_shape:
        raise RuntimeError(
            "Expected normalized_shape to be at least 1-dimensional, i.e., containing at least one element, but got "
            "normalized_shape = []"
        )
    for name, x in (("weight", weight), ("bias", bias)):
        if x is not None and x.shape != tuple(normalized_shape):
            raise RuntimeError(
                f"Expected {name} to be of same shape as normalized_shape, but got {name} of shape "
                f"{shapes.listed(x.shape)} and normalized_shape = {shapes.listed(normalized_shape)}"
            )
    if input.shape[max(input.ndim - len(normalized_shape), 0) :] != tuple(normalized_shape):
        inner = ", ".join(map(str, normalized_shape))
        raise RuntimeError(
            f"Given normalized_shape={shapes.listed(normalized_shape)}, expected input with shape [{star}{inner}], "
            f"but got input of size{shapes.listed(input.shape)}"
        )


@op("layer_norm", grad_name="NativeLayerNormBackward0")
def layer_norm(
    input: Array, normalized_shape, weight: Array | None = None, bias: Array | None = None, eps=1e-05, cudnn_enable=True
):
    """The last dims to mean 0 and variance 1, then scaled and shifted (Ba et al. 2016). Shape: any -> the same.

    Raises RuntimeError when the input does not end in normalized_shape.
    """
    _check_normalized(input, normalized_shape, weight, bias)
    dtypes.need_floating("LayerNormKernelImpl", input.dtype)
    rows = math.prod(input.shape[: input.ndim - len(normalized_shape)])
    x = _wide(input).reshape(rows, math.prod(normalized_shape))
    mean, scale = _row_stats(x, eps)
    out = (x - mean) * scale
    if weight is not None:
        out = out * weight.astype(x.dtype).reshape(-1)
    if bias is not None:
        out = out + bias.astype(x.dtype).reshape(-1)
    return out.reshape(input.shape).astype(input.dtype)


@layer_norm.gradient
def _(grad, result, input, normalized_shape, weight, bias, eps, cudnn_enable):
    x = _wide(input).reshape(-1, math.prod(normalized_shape))
    grad = _wide(grad).reshape(x.shape)
    inner = grad if weight is None else grad * weight.astype(x.dtype).reshape(-1)
    of_input, normal = _pull_rows(inner, x, eps)
    of_weight = None if weight is None else (grad * normal).sum(0).reshape(weight.shape)
    return of_input.reshape(input.shape), of_weight, None if bias is None else grad.sum(0).reshape(bias.shape)


@op("native_layer_norm", constant=(1, 2))
def native_layer_norm(input: Array, normalized_shape, weight: Array | None, bias: Array | None, eps):
    """layer_norm, and the mean and 1 / deviation of each row. Shape: any -> the same, twice (*, 1, ...)."""
    out = layer_norm.fn(input, normalized_shape, weight, bias, eps)
    rows = input.shape[: input.ndim - len(normalized_shape)]
    mean, scale = _row_stats(_wide(input).reshape(math.prod(rows), math.prod(normalized_shape)), eps)
    shape = rows + (1,) * len(normalized_shape)
    kind = (input if weight is None else weight).dtype
    return out, mean.reshape(shape).astype(kind), scale.reshape(shape).astype(kind)


@native_layer_norm.gradient
def _(grad, result, input, normalized_shape, weight, bias, eps):
    # torch: the mean and the scale take no gradient back.
    return layer_norm._gradient(grad[0], None, input, normalized_shape, weight, bias, eps, True)


@op("group_norm", grad_name="NativeGroupNormBackward0", follows=FORMAT)
def group_norm(
    input: Array, num_groups, weight: Array | None = None, bias: Array | None = None, eps=1e-05, cudnn_enabled=True
):
    """Each group of channels to mean 0 and variance 1, then scaled and shifted per channel (Wu & He 2018).

    Shape: (N, C, *) -> the same. Raises RuntimeError when num_groups does not divide C.
    """
    _check_groups(input, num_groups, weight, bias)
    x = _wide(input)
    rows = _groups(x, num_groups)
    mean, scale = _row_stats(rows, eps)
    out = ((rows - mean) * scale).reshape(x.shape)
    if weight is not None:
        out = out * _along(weight.astype(x.dtype), x)
    if bias is not None:
        out = out + _along(bias.astype(x.dtype), x)
    return out.astype(input.dtype)


def _groups(x, num_groups):
    """A row per group of channels. Shape: (N, C, *) -> (N · groups, C / groups · *)."""
    return x.reshape(x.shape[0] * num_groups, math.prod(x.shape[1:]) // num_groups)


def _check_groups(input, num_groups, weight, bias):
    if input.ndim < 2:
        raise RuntimeError(f"Expected at least 2 dimensions for input tensor but received {input.ndim}")
    if num_groups <= 0:
        raise RuntimeError(f"Expected num groups to be greater than 0, got {num_groups}")
    shape = shapes.listed(input.shape)
    if input.shape[1] % num_groups:
        raise RuntimeError(
            "Expected number of channels in input to be divisible by num_groups, but got input of shape "
            f"{shape} and num_groups={num_groups}"
        )
    for name, x in (("weight", weight), ("bias", bias)):
        if x is not None and x.shape != (input.shape[1],):
            raise RuntimeError(
                f"Expected {name} to be a vector of size equal to the number of channels in input, but got {name} of "
                f"shape {shapes.listed(x.shape)} and input of shape {shape}"
            )
    dtypes.need_floating("GroupNormKernelImpl", input.dtype)


@group_norm.gradient
def _(grad, result, input, num_groups, weight, bias, eps, cudnn_enabled):
    x, grad = _wide(input), _wide(grad)
    rows = _groups(x, num_groups)
    inner = grad if weight is None else grad * _along(weight.astype(x.dtype), x)
    of_input, normal = _pull_rows(inner.reshape(rows.shape), rows, eps)
    of_weight = None if weight is None else _channel_sum(grad * normal.reshape(x.shape))
    return of_input.reshape(x.shape), of_weight, None if bias is None else _channel_sum(grad)


@op("native_group_norm")
def native_group_norm(input: Array, weight: Array | None, bias: Array | None, N, C, HxW, group, eps):
    """group_norm, and the mean and 1 / deviation of each group. Shape: (N, C, *) -> the same, twice (N, group)."""
    out = group_norm.fn(input, group, weight, bias, eps)
    mean, scale = _row_stats(_groups(_wide(input), group), eps)
    return out, *(x.reshape(N, group).astype(input.dtype) for x in (mean, scale))


_INSTANCES = ("NativeBatchNormBackward0", ("ViewBackward0", 0), ("RepeatBackward0", 3), ("RepeatBackward0", 4))


@op("instance_norm_train", door=None, grad_name=("ViewBackward0", _INSTANCES))
def instance_norm_train(
    input: Array,
    running_mean: Array | None,
    running_var: Array | None,
    weight: Array | None,
    bias: Array | None,
    momentum: Scalar,
    eps,
):
    """Each channel of each sample to mean 0 and variance 1; also the new running statistics, if there are old ones.

    Shape: (N, C, *), four (C,) -> (N, C, *), and two (C,).
    """
    _check_channels(input, running_mean, running_var, weight, bias)
    x = _wide(input)
    rows = x.reshape(*x.shape[:2], -1)
    mean, scale = _row_stats(rows, eps)
    out = ((rows - mean) * scale).reshape(x.shape)
    if weight is not None:
        out = out * _along(weight.astype(x.dtype), x)
    if bias is not None:
        out = out + _along(bias.astype(x.dtype), x)
    out = out.astype(input.dtype)
    if running_mean is None and running_var is None:
        return out
    count = rows.shape[-1]
    var = jnp.square(rows - mean).mean(-1).mean(0) * (count / max(count - 1, 1))
    moved = _moved(running_mean, mean[..., 0].mean(0), momentum), _moved(running_var, var, momentum)
    return (out, *(m for m in moved if m is not None))


@instance_norm_train.gradient
def _(grad, result, input, running_mean, running_var, weight, bias, momentum, eps):
    grad = _wide(grad[0] if isinstance(grad, tuple) else grad)
    x = _wide(input)
    rows = x.reshape(*x.shape[:2], -1)
    inner = grad if weight is None else grad * _along(weight.astype(x.dtype), x)
    of_input, normal = _pull_rows(inner.reshape(rows.shape), rows, eps)
    of_weight = None if weight is None else _channel_sum(grad * normal.reshape(x.shape))
    of_bias = None if bias is None else _channel_sum(grad)
    return of_input.reshape(x.shape), None, None, of_weight, of_bias


def _rms_graph(operands, attrs):
    root = ("RsqrtBackward0", ("AddBackward1", ("MeanBackward1", ("PowBackward0", 0))))
    scaled = ("MulBackward0", 0, root)
    return scaled if operands[1] is None else ("MulBackward0", scaled, 1)


@op("rms_norm", grad_name=_rms_graph, follows=FIRST)
def rms_norm(input: Array, normalized_shape, weight: Array | None = None, eps=None):
    """The last dims divided by the root of their mean square, then scaled (Zhang & Sennrich 2019).

    Shape: any -> the same. eps None: the step above 1 of the dtype.
    """
    _check_normalized(input, normalized_shape, weight, None, star="*")
    x = _wide(input)
    if eps is None:
        eps = float(jnp.finfo(input.dtype if input.dtype == jnp.float64 else jnp.float32).eps)
    dims = tuple(range(input.ndim - len(normalized_shape), input.ndim))
    out = x * lax.rsqrt(jnp.square(x).mean(dims, keepdims=True) + eps)
    return (out if weight is None else out * weight.astype(x.dtype)).astype(input.dtype)


@op("local_response_norm", door=None, grad_name="DivBackward0")
@widened
def local_response_norm(input: Array, size, alpha=1e-4, beta=0.75, k=1.0):
    """x / (k + alpha · mean of the squares of `size` neighbouring channels)^beta. Shape: (N, C, *) -> the same."""
    if input.ndim < 3:
        raise ValueError(f"Expected 3D or higher dimensionality {'':25}input (got {input.ndim} dimensions)")
    if not input.size:
        return input
    window = (1, size) + (1,) * (input.ndim - 2)
    around = ((0, 0), (size // 2, (size - 1) // 2)) + ((0, 0),) * (input.ndim - 2)
    start = np.zeros((), input.dtype)
    near = lax.reduce_window(jnp.square(input), start, lax.add, window, (1,) * input.ndim, around)
    near = lax.div(near, jnp.full_like(near, size))
    if not jnp.issubdtype(input.dtype, jnp.inexact):
        input, near = input.astype(jnp.float32), near.astype(jnp.float32)
    return input / (near * alpha + k) ** beta
