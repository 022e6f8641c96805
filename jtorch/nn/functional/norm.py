"""Normalisations as functions; batch and instance norm also move the running statistics in place."""

from jtorch import modes
from jtorch._tensor import aval, read
from jtorch.api.size import Size
from jtorch.autograd.apply import apply
from jtorch.autograd.inplace import store
from jtorch.autograd.level import brought_out
from jtorch.ops.op import TABLE
from jtorch.shapes import numel

__all__ = [
    "batch_norm", "group_norm", "instance_norm", "layer_norm", "local_response_norm", "normalize", "rms_norm",
]  # fmt: skip


def _check_batch(shape):
    """torch's error where a channel has one value only, so that it has no variance."""
    if numel((shape[0], *shape[2:])) == 1:
        raise ValueError(f"Expected more than 1 value per channel when training, got input size {shape}")


_UNBATCHED = (
    "Batch norm got a batched tensor as input while the running_mean or running_var, which will be updated in place, "
    "were not batched.\nIf you are using a module and do not need eval mode, please set `track_running_stats` to be "
    "False.If you are using a prebuilt module and do not need eval mode, please see the functorch website for "
    "resources on how to patch your module to work with vmap"
)


def with_running(name, operands, eps, running):
    """Apply a norm op whose further results are the new running statistics, and write those in place."""
    result = apply(TABLE[name], operands, (eps,))
    if not isinstance(result, tuple):
        return result
    for buffer, new in zip((b for b in running if b is not None), result[1:], strict=True):
        new = brought_out(new, buffer) if modes.rare else new
        if new is None:
            raise RuntimeError(_UNBATCHED)
        store(buffer, read(new))
    return result[0]


def batch_norm(input, running_mean, running_var, weight=None, bias=None, training=False, momentum=0.1, eps=1e-05):
    """Each channel to mean 0 and variance 1 (arXiv:1502.03167), by the batch in training, else by running statistics.

    Shape: (N, C, *), four (C,) -> (N, C, *). Raises ValueError when training on one value per channel.
    """
    if eps <= 0:
        _check_eps(eps, training)
    if not training:
        if running_mean is None or running_var is None:
            name = "running_mean" if running_mean is None else "running_var"
            raise RuntimeError(f"{name} must be defined in evaluation mode")
        return apply(TABLE["batch_norm_eval"], (input, running_mean, running_var, weight, bias), (eps,))
    shape = Size(aval(input).shape)
    _check_batch(shape)
    rows = input if len(shape) > 1 else input.unsqueeze(0)  # of no channels
    operands = (rows, running_mean, running_var, weight, bias, momentum)
    result = with_running("batch_norm_train", operands, eps, (running_mean, running_var))
    return result if rows is input else result.squeeze(0)


def _check_eps(eps, training):
    if training:
        raise ValueError(f"batch_norm eps must be positive during training, but got {eps}")
    if eps < 0:
        raise ValueError(f"batch_norm eps must be non-negative, but got {eps}")


def instance_norm(input, running_mean=None, running_var=None, weight=None, bias=None, use_input_stats=True,
                  momentum=0.1, eps=1e-05):  # fmt: skip
    """Each channel of each sample to mean 0 and variance 1 (arXiv:1607.08022). Shape: (N, C, *) -> the same."""
    if not use_input_stats:
        out = apply(TABLE["batch_norm_eval"], (input, running_mean, running_var, weight, bias), (eps,))
        return out.view(aval(out).shape)
    shape = aval(input).shape
    if numel(shape[2:]) == 1:
        raise ValueError(f"Expected more than 1 spatial element when training, got input size {Size(shape)}")
    operands = (input, running_mean, running_var, weight, bias, momentum)
    return with_running("instance_norm_train", operands, eps, (running_mean, running_var))


def layer_norm(input, normalized_shape, weight=None, bias=None, eps=1e-05):
    """The last dims to mean 0 and variance 1, then scaled and shifted (arXiv:1607.06450). Shape: any -> the same."""
    return apply(TABLE["layer_norm"], (input, weight, bias), (tuple(normalized_shape), eps, True))


def group_norm(input, num_groups, weight=None, bias=None, eps=1e-05):
    """Each group of channels to mean 0 and variance 1 (arXiv:1803.08494). Shape: (N, C, *) -> the same."""
    shape = aval(input).shape
    if len(shape) > 1 and num_groups > 0:
        _check_batch([shape[0] * shape[1] // num_groups, num_groups, *shape[2:]])
    return apply(TABLE["group_norm"], (input, weight, bias), (num_groups, eps, True))


def rms_norm(input, normalized_shape, weight=None, eps=None):
    """The last dims to mean square 1, then scaled (arXiv:1910.07467). Shape: any -> the same."""
    return apply(TABLE["rms_norm"], (input, weight), (tuple(normalized_shape), eps))


def local_response_norm(input, size, alpha=1e-4, beta=0.75, k=1.0):
    """Each element divided by the energy of `size` channels around it. Shape: (N, C, *) -> the same."""
    if aval(input).ndim < 3:
        raise ValueError(
            f"Expected 3D or higher dimensionality                          input (got {aval(input).ndim} dimensions)"
        )
    return apply(TABLE["local_response_norm"], (input,), (size, alpha, beta, k))


def normalize(input, p=2.0, dim=1, eps=1e-12, out=None):
    """input divided by its p-norm along dim, which is at least eps. Shape: any -> the same."""
    norm = input.norm(p, dim, keepdim=True).clamp_min(eps).expand_as(input)
    if out is None:
        return input / norm
    out.copy_(input / norm)
    return out
