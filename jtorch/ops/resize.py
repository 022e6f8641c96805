"""Resizing, and moving elements between space and channels."""

import math

import jax
import jax.numpy as jnp
import numpy as np

from jtorch.ops.op import FORMAT, Array, op, widened


def _source(n, out, scale, align_corners):
    """Where each of `out` places lies among n, as torch works it out. scale: the given factor or None."""
    places = np.arange(out, dtype=np.float64)
    if align_corners:
        return places * ((n - 1) / (out - 1) if out > 1 else 0.0)
    step = 1 / scale if scale else n / out
    return (places + 0.5) * step - 0.5


def _linear(n, out, scale, align_corners):
    """The matrix of linear interpolation. Shape: (n, out)."""
    at = np.maximum(_source(n, out, scale, align_corners), 0)
    low = np.minimum(at.astype(np.int64), n - 1)
    high = np.minimum(low + 1, n - 1)
    share = at - low
    weights = np.zeros((n, out))
    np.add.at(weights, (low, np.arange(out)), 1 - share)
    np.add.at(weights, (high, np.arange(out)), share)
    return weights


def _cubic(n, out, scale, align_corners, a=-0.75):
    """The matrix of cubic convolution. Shape: (n, out)."""
    at = _source(n, out, scale, align_corners)
    low = np.floor(at).astype(np.int64)
    t = at - low

    def near(x):
        return ((a + 2) * x - (a + 3)) * x * x + 1

    def far(x):
        return ((a * x - 5 * a) * x + 8 * a) * x - 4 * a

    weights = np.zeros((n, out))
    for offset, share in ((-1, far(t + 1)), (0, near(t)), (1, near(1 - t)), (2, far(2 - t))):
        np.add.at(weights, (np.clip(low + offset, 0, n - 1), np.arange(out)), share)
    return weights


def _nearest(n, out, scale, exact):
    step = np.float32(1 / scale if scale else n / out)
    places = np.arange(out, dtype=np.float32)
    at = np.floor((places + np.float32(0.5)) * step) if exact else np.floor(places * step)
    return np.minimum(at.astype(np.int64), n - 1)


def _triangle(x):
    return np.maximum(1 - np.abs(x), 0)


def _keys(x, a=-0.5):
    """The cubic of Keys (doi:10.1109/TASSP.1981.1163711)."""
    x = np.abs(x)
    near = ((a + 2) * x - (a + 3)) * x * x + 1
    return np.where(x < 1, near, np.where(x < 2, (((x - 5) * x + 8) * x - 4) * a, 0))


def _windowed_sinc(x):
    return np.where(np.abs(x) < 3, np.sinc(x) * np.sinc(x / 3), 0)


_FILTERS = {"bilinear": (_triangle, 1), "bicubic": (_keys, 2), "lanczos": (_windowed_sinc, 3)}


def _filtered(n, out, scale, align_corners, mode):
    """The matrix of a filter as wide as the step between two places, but at least 1. Shape: (n, out)."""
    filter, reach = _FILTERS[mode]
    step = ((n - 1) / (out - 1) if out > 1 else 0.0) if align_corners else (1 / scale if scale else n / out)
    width = max(step, 1.0)
    center = step * (np.arange(out) + 0.5)
    low = np.maximum((center - reach * width + 0.5).astype(np.int64), 0)
    high = np.minimum((center + reach * width + 0.5).astype(np.int64), n)
    at = np.arange(n)[:, None]
    weights = np.where((low <= at) & (at < high), filter((at - center + 0.5) / width), 0)
    total = weights.sum(0)
    return weights / np.where(total == 0, 1, total)


def shares(n, out, mode, antialias, scale=None, align_corners=False):
    """What each of n elements gives to each of `out`. Shape: (n, out); of nearest modes (out,), whose element it is."""
    if mode.startswith("nearest"):
        return _nearest(n, out, scale, mode == "nearest-exact")
    if antialias:
        return _filtered(n, out, scale, align_corners, mode)
    return (_cubic if mode == "bicubic" else _linear)(n, out, scale, align_corners)


def whole_shares(weights):
    """(shares as whole numbers, how many bits of them stand behind the point): as many as 16 bits have room for."""
    bits = 0
    while bits < 22 and int(0.5 + weights.max() * (1 << (bits + 1))) < 1 << 15:
        bits += 1
    return np.trunc(weights * (1 << bits) + np.copysign(0.5, weights)).astype(np.int32), bits


def _fixed(x, weights):
    """x @ weights of bytes, in whole numbers as torch does it. Shape: (*, n) -> (*, out)."""
    whole, bits = whole_shares(weights)
    total = jnp.matmul(x.astype(jnp.int32), whole) + (1 << (bits - 1))
    return jnp.clip(total >> bits, 0, 255).astype(x.dtype)


_NAMES = {"nearest": "Nearest", "nearest-exact": "NearestExact", "linear": "Linear", "bilinear": "Bilinear",
          "bicubic": "Bicubic", "trilinear": "Trilinear", "lanczos": "Lanczos"}  # fmt: skip


def _resize_name(operands, attrs):
    return f"Upsample{_NAMES[attrs[2]]}{operands[0][1] - 2}D{'Aa' if attrs[4] else ''}Backward0"


@op("resize", door=None, grad_name=_resize_name, follows=FORMAT)
@widened
def resize(input: Array, size, scales, mode, align_corners, antialias):
    """The last dims interpolated to size, one after the other. Shape: (N, C, *) -> (N, C, *size)."""
    dims = list(enumerate(zip(size, scales, strict=True), 2))
    for dim, (out, scale) in reversed(dims) if input.dtype == jnp.uint8 else dims:
        n = input.shape[dim]
        weights = shares(n, out, mode, antialias, scale, align_corners)
        if mode.startswith("nearest"):
            input = jnp.take(input, weights, axis=dim)
            continue
        if input.dtype == jnp.uint8:
            moved = _fixed(jnp.moveaxis(input, dim, -1), weights)
        else:
            moved = jnp.tensordot(input, jnp.asarray(weights, input.dtype), ((dim,), (0,)))
        input = jnp.moveaxis(moved, -1, dim)
    return input


_PAD_MODES = {"reflect": "reflect", "replicate": "edge", "circular": "wrap"}


def _pad_name(operands, attrs):
    kind = {"reflect": "ReflectionPad", "replicate": "ReplicationPad"}.get(attrs[1])
    return f"{kind}{len(attrs[0]) // 2}DBackward0" if kind else "CopySlices"


@op("pad_mode", door=None, grad_name=_pad_name, follows=FORMAT)
def pad_mode(input: Array, pad, mode):
    """Borders filled from the tensor itself: mirrored, repeated or wrapped. Shape: the last dims grow by pad."""
    widths = [(0, 0)] * input.ndim
    for i in range(len(pad) // 2):
        widths[-1 - i] = (pad[2 * i], pad[2 * i + 1])
    if mode == "replicate" and min(pad) < 0:  # torch: a cut that leaves nothing is filled from the last element cut
        for dim, (n, (a, b)) in enumerate(zip(input.shape, widths, strict=True)):
            input = jnp.take(input, np.clip(np.arange(-a, n + b), 0, n - 1), axis=dim) if a or b else input
        return input
    cut = tuple(slice(max(-a, 0), n - max(-b, 0)) for n, (a, b) in zip(input.shape, widths, strict=True))
    return jnp.pad(input[cut], [(max(a, 0), max(b, 0)) for a, b in widths], _PAD_MODES[mode])


@op("pixel_shuffle", method=False, follows=FORMAT)
def pixel_shuffle(input: Array, upscale_factor):
    """Channels moved into space (arXiv:1609.05158). Shape: (*, C · r², H, W) -> (*, C, H · r, W · r)."""
    r = upscale_factor
    if input.ndim < 3:
        raise RuntimeError(
            f"pixel_shuffle expects input to have at least 3 dimensions, but got input with {input.ndim} dimension(s)"
        )
    *lead, c, h, w = input.shape
    if c % (r * r):
        raise RuntimeError(
            "pixel_shuffle expects its input's 'channel' dimension to be divisible by the square of upscale_factor, "
            f"but input.size(-3)={c} is not divisible by {r * r}"
        )
    out = input.reshape(math.prod(lead), c // (r * r), r, r, h, w).transpose(0, 1, 4, 2, 5, 3)
    return out.reshape(*lead, c // (r * r), h * r, w * r)


@op("pixel_unshuffle", method=False, follows=FORMAT)
def pixel_unshuffle(input: Array, downscale_factor):
    """Space moved into channels. Shape: (*, C, H · r, W · r) -> (*, C · r², H, W)."""
    r = downscale_factor
    *lead, c, h, w = input.shape
    for n, name in ((h, "height"), (w, "width")):
        if n % r:
            raise RuntimeError(
                f"pixel_unshuffle expects {name} to be divisible by downscale_factor, but input.size("
                f"{-2 if name == 'height' else -1})={n} is not divisible by {r}"
            )
    out = input.reshape(math.prod(lead), c, h // r, r, w // r, r).transpose(0, 1, 3, 5, 2, 4)
    return out.reshape(*lead, c * r * r, h // r, w // r)


@op("channel_shuffle", method=False, follows=FORMAT)
def channel_shuffle(input: Array, groups):
    """Channels of `groups` groups dealt out in turn (arXiv:1707.01083). Shape: (N, C, *) -> the same."""
    n, c, *rest = input.shape
    if c % groups:
        raise RuntimeError(f"Number of channels must be divisible by groups. Got {c} channels and {groups} groups.")
    return input.reshape(n, groups, c // groups, *rest).swapaxes(1, 2).reshape(input.shape)


def _columns(x, kernel, dilation, padding, stride):
    """(N, C, H, W) -> (N, C · KH · KW, L), a column per window."""
    n, c = x.shape[:2]
    x = jnp.pad(x, ((0, 0), (0, 0), (padding[0],) * 2, (padding[1],) * 2))
    out = [(x.shape[2 + i] - dilation[i] * (kernel[i] - 1) - 1) // stride[i] + 1 for i in range(2)]
    taps = []
    for i in range(kernel[0]):
        for j in range(kernel[1]):
            a, b = i * dilation[0], j * dilation[1]
            taps.append(
                x[
                    :,
                    :,
                    a : a + (out[0] - 1) * stride[0] + 1 : stride[0],
                    b : b + (out[1] - 1) * stride[1] + 1 : stride[1],
                ]
            )
    return jnp.stack(taps, 2).reshape(n, c * kernel[0] * kernel[1], out[0] * out[1])


@op("im2col", door=None, grad_name="Im2ColBackward0")
def im2col(input: Array, kernel, dilation, padding, stride):
    """The windows of an image as columns. Shape: (N, C, H, W) -> (N, C · KH · KW, L)."""
    return _columns(input, kernel, dilation, padding, stride)


@op("col2im", door=None, grad_name="Col2ImBackward0")
def col2im(input: Array, size, kernel, dilation, padding, stride):
    """Columns added back into an image: the transpose of im2col. Shape: (N, C · KH · KW, L) -> (N, C, *size)."""
    shape = (input.shape[0], input.shape[1] // (kernel[0] * kernel[1]), *size)
    empty = jax.ShapeDtypeStruct(shape, input.dtype)
    return jax.linear_transpose(lambda x: _columns(x, kernel, dilation, padding, stride), empty)(input)[0]
