"""The functions of `transforms.functional` on tensors (..., C, H, W) that look up each pixel at a place of a grid."""

import warnings

import numpy as np

from jtorch import dtypes
from jtorch._tensor import aval
from jtorch.api.construct import as_tensor
from jtorch.api.elementwise import where
from jtorch.autograd.apply import call
from jtorch.nn import functional as nnF
from jtorch.vision.transforms._functional_tensor import as_batch, as_was, check_image, get_dimensions


def _check(img, interpolation, fill):
    """Raise TypeError and ValueError for what cannot be looked up."""
    check_image(img)
    if fill is not None and not isinstance(fill, (int, float, tuple, list)):
        warnings.warn("Argument fill should be either int, float, tuple or list", stacklevel=4)
    channels = get_dimensions(img)[0]
    if isinstance(fill, (tuple, list)) and len(fill) > 1 and len(fill) != channels:
        raise ValueError(
            "The number of elements in 'fill' cannot broadcast to match the number of channels of the image "
            f"({len(fill)} != {channels})"
        )
    if interpolation not in ("nearest", "bilinear"):
        raise ValueError(f"Interpolation mode '{interpolation}' is unsupported with Tensor input")


def _work(img):
    """The NumPy dtype of a grid for an image."""
    return np.dtype(np.float64 if aval(img).dtype is dtypes.float64 else np.float32)


def _centres(width, height, dtype, left, top):
    """The middles of pixels, as rows (x, y, 1). Shape: (height · width, 3)."""
    x = np.linspace(left, left + width - 1, width, dtype=dtype)
    y = np.linspace(top, top + height - 1, height, dtype=dtype)
    out = np.ones((height, width, 3), dtype)
    out[..., 0], out[..., 1] = x, y[:, None]
    return out.reshape(-1, 3)


def _affine_grid(matrix, size, out_size, dtype):
    """The grid of an affine map. matrix: 6 numbers; sizes: (width, height). Shape: (1, *out, 2)."""
    width, height = out_size
    theta = np.array(matrix, dtype).reshape(2, 3).T / np.array([0.5 * size[0], 0.5 * size[1]], dtype)
    centres = _centres(width, height, dtype, 0.5 - width * 0.5, 0.5 - height * 0.5)
    return (centres @ theta).reshape(1, height, width, 2)


def _looked_up(img, grid, mode, fill):
    """The pixels at the places of a grid, `fill` outside."""
    dtype = dtypes.from_numpy(grid.dtype) if isinstance(grid, np.ndarray) else aval(grid).dtype
    if aval(img).dtype.is_floating_point and isinstance(grid, np.ndarray):
        dtype = aval(img).dtype
    img, before = as_batch(img, (dtype,))
    grid = as_tensor(grid, dtype=dtype, device=aval(img).device)
    n, _, h, w = aval(img).shape
    if n > 1:
        grid = grid.expand(n, *aval(grid).shape[1:])
    if fill is None:
        return as_was(nnF.grid_sample(img, grid, mode, "zeros", align_corners=False), before)
    # One more channel says how much of each pixel lies inside.
    img = call("cat", [img, img.new_ones((n, 1, h, w))], 1)
    seen = nnF.grid_sample(img, grid, mode, "zeros", align_corners=False)
    inside, img = seen[:, -1:], seen[:, :-1]
    values = fill if isinstance(fill, (tuple, list)) else [float(fill)]
    filled = as_tensor(values, dtype=dtype, device=aval(img).device).view(1, -1, 1, 1)
    if mode == "nearest":
        return as_was(where(inside < 0.5, filled, img), before)
    return as_was(img * inside + (1.0 - inside) * filled, before)


def affine(img, matrix, interpolation="nearest", fill=None):
    """The image under an affine map, given as the first two rows of its inverse, about the middle."""
    _check(img, interpolation, fill)
    height, width = aval(img).shape[-2:]
    grid = _affine_grid(matrix, (width, height), (width, height), _work(img))
    return _looked_up(img, grid, interpolation, fill)


def _turned_size(matrix, width, height):
    """The (width, height) that holds all of a turned image."""
    f32 = np.float32
    corners = np.array(
        [[x * width, y * height, 1] for x, y in ((-0.5, -0.5), (-0.5, 0.5), (0.5, 0.5), (0.5, -0.5))], f32
    )
    moved = corners @ np.array(matrix, f32).reshape(2, 3).T
    half, fine = np.array([width * 0.5, height * 0.5], f32), f32(1e-4)
    low, high = (np.trunc((edge + half) / fine) * fine for edge in (moved.min(0), moved.max(0)))
    size = np.ceil(high) - np.floor(low)
    return int(size[0]), int(size[1])


def rotate(img, matrix, interpolation="nearest", expand=False, fill=None):
    """The image turned. expand: whether all of it stays in sight."""
    _check(img, interpolation, fill)
    height, width = aval(img).shape[-2:]
    out = _turned_size(matrix, width, height) if expand else (width, height)
    return _looked_up(img, _affine_grid(matrix, (width, height), out, _work(img)), interpolation, fill)


def perspective(img, perspective_coeffs, interpolation="bilinear", fill=None):
    """The image seen from another side, by the eight coefficients of the inverse map."""
    if len(perspective_coeffs) != 8:
        raise ValueError("Argument coeffs should have 8 float values")
    _check(img, interpolation, fill)
    height, width = aval(img).shape[-2:]
    dtype = _work(img)
    a, b, c, d, e, f, g, h = perspective_coeffs
    above = np.array([[a, b, c], [d, e, f]], dtype).T / np.array([0.5 * width, 0.5 * height], dtype)
    below = np.array([[g, h, 1.0], [g, h, 1.0]], dtype).T
    centres = _centres(width, height, dtype, 0.5, 0.5)
    grid = (centres @ above) / (centres @ below) - dtype.type(1)
    return _looked_up(img, grid.reshape(1, height, width, 2), interpolation, fill)


def elastic_transform(img, displacement, interpolation="bilinear", fill=None):
    """The image with each pixel looked up some way off. Shape: displacement (1, H, W, 2)."""
    height, width = aval(img).shape[-2:]
    axes = [np.linspace((1 - n) / n, (n - 1) / n, n, dtype=np.float32) for n in (height, width)]
    y, x = np.meshgrid(*axes, indexing="ij")
    device = aval(img).device
    grid = as_tensor(np.stack([x, y], -1)[None], device=device) + displacement.to(device)
    return _looked_up(img, grid, interpolation, fill)


__all__ = ["affine", "elastic_transform", "perspective", "rotate"]
