"""Convolutions and transposed convolutions as functions."""

from jtorch import shapes
from jtorch._tensor import aval
from jtorch.autograd.apply import apply, call
from jtorch.ops.op import TABLE

__all__ = ["conv1d", "conv2d", "conv3d", "conv_transpose1d", "conv_transpose2d", "conv_transpose3d"]


def _several(value, count, name):
    """One number per dim. Raises RuntimeError in torch's words for another count."""
    if isinstance(value, int):
        return (value,) * count
    if len(value) not in (1, count):
        raise RuntimeError(
            f"expected {name} to be a single integer value or a list of {count} values to match the convolution "
            f"dimensions, but got {name}={list(value)}"
        )
    return tuple(value) * (count if len(value) == 1 else 1)


def _batched(name, input, count):
    ndim = aval(input).ndim
    if ndim not in (count + 1, count + 2):
        raise RuntimeError(
            f"Expected {count + 1}D (unbatched) or {count + 2}D (batched) input to {name}, but got input of size: "
            f"{shapes.listed(aval(input).shape)}"
        )
    return ndim == count + 2


def _run(batched, input, weight, bias, attrs):
    out = apply(TABLE["convolution"], (input if batched else input.unsqueeze(0), weight, bias), attrs)
    return out if batched else out.squeeze(0)


def _same(input, weight, count, stride, padding, dilation):
    """(input, padding) for 'same' and 'valid'; an odd span is padded once more at the end, as torch does."""
    if padding == "valid":
        return input, (0,) * count
    if padding != "same":
        raise RuntimeError(f"Invalid padding string: '{padding}'")
    if any(s != 1 for s in stride):
        raise RuntimeError("padding='same' is not supported for strided convolutions")
    spans = [d * (k - 1) for d, k in zip(dilation, aval(weight).shape[2:], strict=True)]
    if any(s % 2 for s in spans):
        more = [n for s in reversed(spans) for n in (0, s % 2)]
        input = call("constant_pad_nd", input, more)
    return input, tuple(s // 2 for s in spans)


def _check_rank(input, weight, count, padding):
    """torch counts the spatial dims by those of the weight."""
    rank = aval(weight).ndim - 2
    if rank < 1:
        raise RuntimeError("weight should have at least three dimensions")
    if rank != count and padding == "same":
        given = (1,) * (count + 2 - aval(input).ndim) + aval(input).shape
        raise RuntimeError(
            f"Expected {rank + 2}-dimensional input for {rank + 2}-dimensional weight"
            f"{shapes.listed(aval(weight).shape)}, but got {count + 2}-dimensional input of size "
            f"{shapes.listed(given)} instead"
        )
    if rank != count:
        raise RuntimeError(
            f"expected stride to be a single integer value or a list of {rank} values to match the convolution "
            f"dimensions, but got stride={[1] * count}"
        )


def _conv(count, input, weight, bias, stride, padding, dilation, groups):
    batched = _batched(f"conv{count}d", input, count)
    _check_rank(input, weight, count, padding)
    stride, dilation = _several(stride, count, "stride"), _several(dilation, count, "dilation")
    if isinstance(padding, str):
        input, padding = _same(input, weight, count, stride, padding, dilation)
    attrs = (stride, _several(padding, count, "padding"), dilation, False, (0,) * count, groups)
    return _run(batched, input, weight, bias, attrs)


def _transposed(count, input, weight, bias, stride, padding, output_padding, groups, dilation):
    batched = _batched(f"conv_transpose{count}d", input, count)
    attrs = (
        _several(stride, count, "stride"), _several(padding, count, "padding"), _several(dilation, count, "dilation"),
        True, _several(output_padding, count, "output_padding"), groups,
    )  # fmt: skip
    return _run(batched, input, weight, bias, attrs)


def conv1d(input, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    """Convolution over one dim. Shape: (N, C, L) or (C, L), (O, C / groups, K) -> (N, O, L')."""
    return _conv(1, input, weight, bias, stride, padding, dilation, groups)


def conv2d(input, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    """Convolution over two dims. Shape: (N, C, H, W) or (C, H, W), (O, C / groups, KH, KW) -> (N, O, H', W')."""
    return _conv(2, input, weight, bias, stride, padding, dilation, groups)


def conv3d(input, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    """Convolution over three dims. Shape: (N, C, D, H, W) or without N -> (N, O, D', H', W')."""
    return _conv(3, input, weight, bias, stride, padding, dilation, groups)


def conv_transpose1d(input, weight, bias=None, stride=1, padding=0, output_padding=0, groups=1, dilation=1):
    """The gradient of conv1d in its input. Shape: (N, C, L) or (C, L), (C, O / groups, K) -> (N, O, L')."""
    return _transposed(1, input, weight, bias, stride, padding, output_padding, groups, dilation)


def conv_transpose2d(input, weight, bias=None, stride=1, padding=0, output_padding=0, groups=1, dilation=1):
    """The gradient of conv2d with respect to its input. Shape: (N, C, H, W) or without N -> (N, O, H', W')."""
    return _transposed(2, input, weight, bias, stride, padding, output_padding, groups, dilation)


def conv_transpose3d(input, weight, bias=None, stride=1, padding=0, output_padding=0, groups=1, dilation=1):
    """The gradient of conv3d with respect to its input. Shape: (N, C, D, H, W) or without N -> (N, O, D', H', W')."""
    return _transposed(3, input, weight, bias, stride, padding, output_padding, groups, dilation)
