"""Padding, resizing, shuffling and windows of images as functions."""

import warnings

from jtorch import dtypes, shapes
from jtorch._tensor import aval
from jtorch.api.size import Size
from jtorch.api.variants import functions
from jtorch.autograd.apply import apply, call
from jtorch.ops.op import TABLE

__all__ = [
    "affine_grid", "channel_shuffle", "fold", "grid_sample", "interpolate", "pad", "pixel_shuffle", "pixel_unshuffle",
    "unfold", "upsample", "upsample_bilinear", "upsample_nearest",
]  # fmt: skip

_TORCH = functions("torch")
channel_shuffle = _TORCH["channel_shuffle"]
pixel_shuffle, pixel_unshuffle = _TORCH["pixel_shuffle"], _TORCH["pixel_unshuffle"]

_COMBINATIONS = (
    "Supported combinations for non-constant padding:\n  - 2D or 3D input: padding size = 2 (pads last dimension)\n"
    "  - 3D or 4D input: padding size = 4 (pads last 2 dimensions)\n"
    "  - 4D or 5D input: padding size = 6 (pads last 3 dimensions)"
)


def pad(input, pad, mode="constant", value=None):
    """Borders around the last dims: pad has (before, after) of the last dim first; negative widths cut.

    mode: constant (of value), reflect, replicate or circular. Raises RuntimeError where the border is too wide.
    """
    pad = tuple(pad)
    if len(pad) % 2:
        raise RuntimeError("Padding length must be divisible by 2")
    if len(pad) > 2 * input.dim():
        raise RuntimeError(
            "Padding length should be less than or equal to two times the input dimension but got padding length "
            f"{len(pad)} and input of dimension {input.dim()}"
        )
    if mode == "constant":
        return call("constant_pad_nd", input, pad, 0 if value is None else value)
    if value is not None and value != 0:
        raise RuntimeError(f'Padding mode "{mode}" doesn\'t take in value argument')
    if mode not in ("reflect", "replicate", "circular"):
        raise NotImplementedError(f"Unrecognised padding mode {mode}")
    shape = aval(input).shape
    if len(pad) not in (2, 4, 6) or len(shape) not in (len(pad) // 2 + 1, len(pad) // 2 + 2):
        raise NotImplementedError(
            f"Padding size {len(pad)} is not supported for {len(shape)}D input tensor.\n{_COMBINATIONS}"
        )
    _check_border(shape, pad, mode)
    return apply(TABLE["pad_mode"], (input,), (pad, mode))


def _check_border(shape, pad, mode):
    for i in range(len(pad) // 2):
        dim = len(shape) - 1 - i
        before, after = pad[2 * i], pad[2 * i + 1]
        if mode == "reflect" and max(before, after) >= shape[dim]:
            raise RuntimeError(
                f"Argument #{4 + 2 * i}: Padding size should be less than the corresponding input dimension, but got: "
                f"padding ({before}, {after}) at dimension {dim} of input {shapes.listed(shape)}"
            )
        if mode == "circular" and max(before, after) > shape[dim]:
            raise RuntimeError("Padding value causes wrapping around more than once.")


_RANK = {"linear": 3, "bilinear": 4, "bicubic": 4, "trilinear": 5}
_SMOOTH = ("bilinear", "bicubic", "lanczos")  # modes with an antialiasing filter


def interpolate(input, size=None, scale_factor=None, mode="nearest", align_corners=None, recompute_scale_factor=None,
                antialias=False):  # fmt: skip
    """The last dims resized to size, or by scale_factor. Shape: (N, C, *) -> (N, C, *size).

    mode: nearest, nearest-exact, linear, bilinear, bicubic, trilinear, lanczos or area. antialias: with a filter as
    wide as what one element of the result stands for. Raises ValueError and NotImplementedError as torch does.
    """
    shape = aval(input).shape
    rank = len(shape) - 2
    if align_corners is not None and mode in ("nearest", "area", "nearest-exact"):
        raise ValueError(
            "align_corners option can only be set with the interpolating modes: linear | bilinear | bicubic | trilinear"
        )
    if len(shape) not in (3, 4, 5) and (size is None) != (scale_factor is None):
        raise _unsupported(shape, mode)
    size, scales = _target(shape[2:], size, scale_factor, recompute_scale_factor)
    if antialias and not (mode in _SMOOTH and len(shape) == 4):
        raise ValueError(
            "Anti-alias option is restricted to bilinear, bicubic, and lanczos modes and requires a 4-D tensor as input"
        )
    if mode == "area":
        return apply(TABLE["adaptive_avg_pool"], (input,), (rank, size))
    if mode == "lanczos" and len(shape) == 4:
        _check_lanczos(align_corners, antialias)
    elif mode not in ("nearest", "nearest-exact", *_RANK):
        raise _unsupported(shape, mode)
    if mode in _RANK and len(shape) != _RANK[mode]:
        raise NotImplementedError(f"Got {len(shape)}D input, but {mode} mode needs {_RANK[mode]}D input")
    _check_kernel(aval(input).dtype, mode, rank, antialias)
    if antialias and min(*shape[2:], *size) <= 0:
        (h, w), (to_h, to_w) = shape[2:], size
        raise RuntimeError(
            f"Input and output sizes should be greater than 0, but got input (H: {h}, W: {w}) output (H: {to_h}, "
            f"W: {to_w})"
        )
    return apply(TABLE["resize"], (input,), (size, scales, mode, bool(align_corners), bool(antialias)))


def _check_lanczos(align_corners, antialias):
    if align_corners:
        raise ValueError("Lanczos mode does not support align_corners=True")
    if not antialias:
        raise ValueError("Lanczos mode requires antialias=True")


_KERNELS = {"linear": "compute_indices_weights_linear", "trilinear": "compute_indices_weights_linear",
            "bilinear": "upsample_bilinear2d_channels_last", "bicubic": "compute_indices_weights_cubic"}  # fmt: skip


def _check_kernel(kind, mode, rank, antialias):
    """Raise NotImplementedError for what is neither floats nor, in most modes, bytes."""
    if not (kind.is_floating_point or (kind is dtypes.uint8 and mode not in ("linear", "trilinear"))):
        nearest = "upsample_nearest2d_channels_last" if rank == 2 else "compute_indices_weights_nearest"
        kernel = "compute_index_ranges_weights" if antialias else _KERNELS.get(mode, nearest)
        raise dtypes.no_kernel(kernel, kind)


def _unsupported(shape, mode):
    return NotImplementedError(
        f"Input Error: Only 3D, 4D and 5D input Tensors supported (got {len(shape)}D) for the modes: nearest | "
        f"linear | bilinear | bicubic | trilinear | lanczos | area | nearest-exact (got {mode})"
    )


def _target(space, size, scale_factor, recompute):
    """(output sizes, the scales that torch computes places with)."""
    if size is not None and scale_factor is not None:
        raise ValueError("only one of size or scale_factor should be defined")
    if size is None and scale_factor is None:
        raise ValueError("either size or scale_factor should be defined")
    rank = len(space)
    if size is not None:
        size = tuple(size) if isinstance(size, (list, tuple)) else (size,) * rank
        if len(size) != rank:
            raise ValueError(
                "Input and output must have the same number of spatial dimensions, but got input with spatial "
                f"dimensions of {list(space)} and output size of {size}. Please provide input tensor in (N, C, d1, d2, "
                "...,dK) format and output size in (o1, o2, ...,oK) format."
            )
        return size, (None,) * rank
    scales = tuple(scale_factor) if isinstance(scale_factor, (list, tuple)) else (scale_factor,) * rank
    if len(scales) != rank:
        raise ValueError(
            "Input and scale_factor must have the same number of spatial dimensions, but got input with spatial "
            f"dimensions of {list(space)} and scale_factor of shape {scales}. Please provide input tensor in (N, C, "
            "d1, d2, ...,dK) format and scale_factor in (s1, s2, ...,sK) format."
        )
    size = tuple(int(n * s) for n, s in zip(space, scales, strict=True))
    return size, (None,) * rank if recompute else tuple(map(float, scales))


def upsample(input, size=None, scale_factor=None, mode="nearest", align_corners=None):
    """interpolate under its old name."""
    warnings.warn("`nn.functional.upsample` is deprecated. Use `nn.functional.interpolate` instead.", stacklevel=2)
    return interpolate(input, size, scale_factor, mode, align_corners)


def upsample_nearest(input, size=None, scale_factor=None):
    """interpolate to the nearest element, under its old name."""
    _warn_of_old("upsample_nearest")
    return interpolate(input, size, scale_factor, mode="nearest")


def upsample_bilinear(input, size=None, scale_factor=None):
    """interpolate linearly between the corners, under its old name."""
    _warn_of_old("upsample_bilinear")
    return interpolate(input, size, scale_factor, mode="bilinear", align_corners=True)


def _warn_of_old(name):
    warnings.warn(f"`nn.functional.{name}` is deprecated. Use `nn.functional.interpolate` instead.", stacklevel=3)


_MODES = ("bilinear", "nearest", "bicubic")
_PADDINGS = ("zeros", "border", "reflection")


def grid_sample(input, grid, mode="bilinear", padding_mode="zeros", align_corners=None):
    """input at the places of a grid in [-1, 1], x first. Shape: (N, C, *in), (N, *out, dims) -> (N, C, *out).

    mode: bilinear, nearest or bicubic. padding_mode: zeros, border or reflection. Raises ValueError for others.
    """
    if mode not in _MODES:
        raise ValueError(
            f"nn.functional.grid_sample(): expected mode to be 'bilinear', 'nearest' or 'bicubic', but got: '{mode}'"
        )
    if padding_mode not in _PADDINGS:
        raise ValueError(
            "nn.functional.grid_sample(): expected padding_mode to be 'zeros', 'border', or 'reflection', but got: "
            f"'{padding_mode}'"
        )
    if align_corners is None:
        _warn_of_corners()
    attrs = (_MODES.index(mode), _PADDINGS.index(padding_mode), bool(align_corners))
    return apply(TABLE["grid_sampler"], (input, grid), attrs)


def _warn_of_corners():
    warnings.warn(
        "Default grid_sample and affine_grid behavior has changed to align_corners=False since 1.3.0. Please specify "
        "align_corners=True if the old behavior is desired. See the documentation of grid_sample for details.",
        stacklevel=3,
    )


def affine_grid(theta, size, align_corners=None):
    """The places that affine maps send a regular grid to. Shape: (N, dims, dims + 1) -> (N, *size[2:], dims).

    size: of the images, (N, C, *). Raises ValueError and NotImplementedError as torch does.
    """
    if align_corners is None:
        _warn_of_corners()
    a = aval(theta)
    if not a.dtype.is_floating_point:
        raise ValueError(f"Expected theta to have floating point type, but got {a.dtype}")
    rank = len(size) - 2
    if rank not in (1, 2, 3) or rank == 1:
        raise NotImplementedError(
            "affine_grid only supports 4D and 5D sizes, for 2D and 3D affine transforms, respectively. "
            f"Got size {size}."
        )
    if a.ndim != 3 or a.shape[-2:] != (rank, rank + 1):
        raise ValueError(
            f"Expected a batch of {rank}D affine matrices of shape Nx{rank}x{rank + 1} for size {size}. "
            f"Got {Size(a.shape)}."
        )
    if min(size) <= 0:
        raise ValueError(f"Expected non-zero, positive output size. Got {size}")
    return apply(TABLE["affine_grid_generator"], (theta,), (tuple(size), bool(align_corners)))


def _pair(value):
    return (value, value) if isinstance(value, int) else tuple(value)


def _check_blocks(space, kernel_size, dilation, padding, stride):
    """Raise RuntimeError where no window fits."""
    spans = zip(space, kernel_size, dilation, padding, stride, strict=True)
    blocks = [(n + 2 * p - d * (k - 1) - 1) // s + 1 for n, k, d, p, s in spans]
    if min(blocks) < 1:
        named = ", ".join(
            f"{name}={value[0], value[1]}"
            for name, value in (("kernel_size", kernel_size), ("dilation", dilation), ("padding", padding))
        )
        raise RuntimeError(
            f"Given input with spatial size {tuple(space)}, {named}, calculated shape of the array of sliding blocks "
            f"as {tuple(blocks)}, but its components must be at least one."
        )


def unfold(input, kernel_size, dilation=1, padding=0, stride=1):
    """The windows of images as columns. Shape: (N, C, H, W) or (C, H, W) -> (N, C · KH · KW, L)."""
    shapes.normalize_dim(2, aval(input).ndim)
    batched = aval(input).ndim == 4
    attrs = (_pair(kernel_size), _pair(dilation), _pair(padding), _pair(stride))
    _check_blocks(aval(input).shape[-2:], *attrs)
    out = apply(TABLE["im2col"], (input if batched else input.unsqueeze(0),), attrs)
    return out if batched else out.squeeze(0)


def fold(input, output_size, kernel_size, dilation=1, padding=0, stride=1):
    """Columns added back into images. Shape: (N, C · KH · KW, L) or without N -> (N, C, *output_size)."""
    batched = aval(input).ndim == 3
    attrs = (_pair(output_size), _pair(kernel_size), _pair(dilation), _pair(padding), _pair(stride))
    rows, kernel = aval(input).shape[-2], attrs[1]
    if rows % (kernel[0] * kernel[1]):
        raise RuntimeError(
            "Expected size of input's dimension 1 to be divisible by the product of kernel_size, but got "
            f"input.size(1)={rows} and kernel_size={kernel}."
        )
    out = apply(TABLE["col2im"], (input if batched else input.unsqueeze(0),), attrs)
    return out if batched else out.squeeze(0)
