"""The functions of `transforms.functional` on tensors (..., C, H, W): cutting, padding, resizing; dtypes.

An image on the host that is off the tape is worked on with NumPy: sizes and places change from image to image, and
each new one would be a program to compile.
"""

import numpy as np

from jtorch import dtypes
from jtorch._tensor import Tensor, aval, from_array
from jtorch.api.construct import as_tensor, tensor
from jtorch.autograd.apply import call
from jtorch.nn import functional as nnF
from jtorch.ops.resize import shares, whole_shares
from jtorch.utils.data._utils.collate import host_array

_INTS = (dtypes.uint8, dtypes.int8, dtypes.int16, dtypes.int32, dtypes.int64)
_MAX = {**{d: int(np.iinfo(d.numpy).max) for d in _INTS}, dtypes.uint16: 65535}
_WORDS = {"constant": "constant", "edge": "edge", "reflect": "reflect", "symmetric": "symmetric"}


def on_host(array):
    """A CPU tensor of an array."""
    return from_array(np.asarray(array, order="C"))


def check_image(img):
    """Raise TypeError for what has less than two dims."""
    if img.ndim < 2:
        raise TypeError("Tensor is not a torch image.")


def check_channels(img, permitted):
    """Raise TypeError for another number of channels."""
    channels = get_dimensions(img)[0]
    if channels not in permitted:
        raise TypeError(f"Input image tensor permitted channel values are {permitted}, but found {channels}")


def check_3d(img):
    """Raise TypeError for what has less than three dims."""
    if img.ndim < 3:
        raise TypeError(f"Input image tensor should have at least 3 dimensions, but found {img.ndim}")


def get_dimensions(img):
    """[channels, height, width]."""
    check_image(img)
    *lead, height, width = aval(img).shape
    return [lead[-1] if lead else 1, height, width]


def get_image_size(img):
    """[width, height]."""
    return get_dimensions(img)[:0:-1]


def get_image_num_channels(img):
    """How many channels."""
    return get_dimensions(img)[0]


def max_value(dtype):
    """The value that stands for white: the largest of an int dtype, 1 of a float."""
    return _MAX.get(dtype, 1)


# Dtypes.


def convert_image_dtype(image, dtype=dtypes.float32):
    """Another dtype, scaled so that white stays white. Raises RuntimeError where a float can't hold all ints."""
    have = aval(image).dtype
    if have is dtype:
        return image
    if not have.is_floating_point:
        return _from_int(image, have, dtype)
    if dtype.is_floating_point:
        return image.to(dtype)
    if (have, dtype) in (
        (dtypes.float32, dtypes.int32), (dtypes.float32, dtypes.int64), (dtypes.float64, dtypes.int64)
    ):  # fmt: skip
        raise RuntimeError(f"The cast from {have} to {dtype} cannot be performed safely.")
    # torch: a little less than max + 1, so that each int stands for an equal part of [0, 1].
    return image.mul(max_value(dtype) + 1.0 - 1e-3).to(dtype)


def _from_int(image, have, dtype):
    white, other = max_value(have), max_value(dtype)
    if dtype.is_floating_point:
        array = host_array(image)
        if array is not None and dtype in (dtypes.float32, dtypes.float64):
            return on_host(array.astype(dtype.numpy) / dtype.numpy.type(white))
        return image.to(dtype) / float(white)
    if white > other:
        return call("div", image, int((white + 1.0) // (other + 1.0)), rounding_mode="floor").to(dtype)
    return image.to(dtype) * int((other + 1.0) // (white + 1.0))


def normalize(tensor, mean, std, inplace=False):
    """(x - mean) / std, channel by channel. Raises TypeError for ints, ValueError where std is 0."""
    check_image(tensor)
    dtype = aval(tensor).dtype
    if not dtype.is_floating_point:
        raise TypeError(f"Input tensor should be a float tensor. Got {dtype}.")
    if tensor.ndim < 3:
        raise ValueError(
            f"Expected tensor to be a tensor image of size (..., C, H, W). Got tensor.size() = {tensor.size()}"
        )
    array = None if inplace or dtype not in (dtypes.float32, dtypes.float64) else host_array(tensor)
    if array is not None and not (isinstance(mean, Tensor) or isinstance(std, Tensor)):
        mean, std = np.asarray(mean, array.dtype), np.asarray(std, array.dtype)
        _check_std(std.all(), dtype)
        out = np.subtract(array, _per_channel(mean), order="C")
        out /= _per_channel(std)
        return from_array(out)
    device = aval(tensor).device
    mean, std = (as_tensor(x, dtype=dtype, device=device) for x in (mean, std))
    _check_std(bool((std != 0).all()), dtype)
    out = tensor if inplace else tensor.clone()
    return out.sub_(_per_channel(mean)).div_(_per_channel(std))


def _check_std(fine, dtype):
    if not fine:
        raise ValueError(f"std evaluated to zero after conversion to {dtype}, leading to division by zero.")


def _per_channel(numbers):
    return numbers.reshape(-1, 1, 1) if numbers.ndim == 1 else numbers


# Cutting and padding.


def _flip(img, dim):
    check_image(img)
    array = host_array(img)
    if array is None:
        return img.flip(dim)
    return on_host(array[..., ::-1] if dim == -1 else array[..., ::-1, :])


def vflip(img):
    """Top and bottom changed."""
    return _flip(img, -2)


def hflip(img):
    """Left and right changed."""
    return _flip(img, -1)


def _cut(img, top, bottom, left, right):
    array = host_array(img)
    # torch: a view; on the host a copy.
    return img[..., top:bottom, left:right] if array is None else on_host(array[..., top:bottom, left:right])


def crop(img, top, left, height, width):
    """A part of the image; 0 where it reaches beyond."""
    _, h, w = get_dimensions(img)
    right, bottom = left + width, top + height
    if left >= 0 and top >= 0 and right <= w and bottom <= h:
        return _cut(img, top, bottom, left, right)
    borders = [
        max(-left + min(0, right), 0), max(-top + min(0, bottom), 0), max(right - max(w, left), 0),
        max(bottom - max(h, top), 0),
    ]  # fmt: skip
    return pad(_cut(img, max(top, 0), bottom, max(left, 0), right), borders)


def _check_pad(padding, fill, padding_mode):
    if not isinstance(padding, (int, tuple, list)):
        raise TypeError("Got inappropriate padding arg")
    if not isinstance(fill, (int, float)):
        raise TypeError("Got inappropriate fill arg")
    if not isinstance(padding_mode, str):
        raise TypeError("Got inappropriate padding_mode arg")
    if isinstance(padding, (tuple, list)) and len(padding) not in (1, 2, 4):
        raise ValueError(f"Padding must be an int or a 1, 2, or 4 element tuple, not a {len(padding)} element tuple")
    if padding_mode not in _WORDS:
        raise ValueError("Padding mode should be either constant, edge, reflect or symmetric")


def pad(img, padding, fill=0, padding_mode="constant"):
    """A border of one value, or of the image itself. Negative borders cut. Raises TypeError and ValueError."""
    check_image(img)
    fill = 0 if fill is None else fill
    _check_pad(padding, fill, padding_mode)
    sides = (padding,) if isinstance(padding, int) else tuple(padding)
    left, top, right, bottom = sides * (4 // len(sides))
    array = host_array(img)
    if padding_mode == "symmetric" and img.ndim not in (3, 4):
        raise RuntimeError("Symmetric padding of N-D tensors are not supported yet")
    if array is not None and (padding_mode != "reflect" or _has_room(array.shape, left, top, right, bottom)):
        return on_host(_padded(array, (top, bottom), (left, right), fill, padding_mode))
    if padding_mode == "symmetric":
        return _symmetric(img, (top, bottom), (left, right))
    return _padded_by_op(img, [left, right, top, bottom], fill, padding_mode)


def _has_room(shape, left, top, right, bottom):
    return max(left, right) < shape[-1] and max(top, bottom) < shape[-2]


def _padded(array, rows, columns, fill, padding_mode):
    """NumPy's padding, and cutting where a width is negative."""
    if rows[0] < 0 or rows[1] < 0 or columns[0] < 0 or columns[1] < 0:
        cut = (slice(max(-a, 0), n - max(-b, 0)) for n, (a, b) in zip(array.shape[-2:], (rows, columns), strict=True))
        array = array[..., *cut]
        rows, columns = ((max(a, 0), max(b, 0)) for a, b in (rows, columns))
    if padding_mode != "constant":
        return np.pad(array, [(0, 0)] * (array.ndim - 2) + [rows, columns], padding_mode)
    height, width = array.shape[-2:]
    kind = array.dtype
    value = np.array(int(fill) if kind.kind in "iub" else float(fill)).astype(kind)
    shape = (*array.shape[:-2], height + sum(rows), width + sum(columns))
    out = np.full(shape, value, kind) if value else np.zeros(shape, kind)
    out[..., rows[0] : rows[0] + height, columns[0] : columns[0] + width] = array
    return out


def _symmetric(img, rows, columns):
    """The image mirrored with its edges, by an index."""
    for dim, (before, after) in ((-2, rows), (-1, columns)):
        n = aval(img).shape[dim]
        places = np.pad(
            np.arange(n)[max(-before, 0) : n - max(-after, 0)], (max(before, 0), max(after, 0)), "symmetric"
        )
        img = img.index_select(dim, as_tensor(places, device=aval(img).device))
    return img


def _padded_by_op(img, borders, fill, padding_mode):
    dtype = aval(img).dtype
    if padding_mode == "constant":
        out = nnF.pad(img.unsqueeze(0) if img.ndim < 4 else img, borders, value=float(fill))
        return out.squeeze(0) if img.ndim < 4 else out
    out = img if dtype in (dtypes.float32, dtypes.float64) else img.to(dtypes.float32)
    out = nnF.pad(
        out.unsqueeze(0) if img.ndim < 4 else out, borders, "replicate" if padding_mode == "edge" else "reflect"
    )
    return (out.squeeze(0) if img.ndim < 4 else out).to(dtype)


def erase(img, i, j, h, w, v, inplace=False):
    """The image with a value, or other pixels, in a part of it."""
    check_image(img)
    array, value = None if inplace else host_array(img), host_array(v) if isinstance(v, Tensor) else v
    if array is not None and value is not None:
        out = array.copy()
        out[..., i : i + h, j : j + w] = value
        return on_host(out)
    out = img if inplace else img.clone()
    out[..., i : i + h, j : j + w] = v if isinstance(v, Tensor) else tensor(v, dtype=aval(img).dtype)
    return out


# Resizing.


def as_batch(img, wanted):
    """(the image as a batch of one of the dtypes, what `as_was` needs to undo it)."""
    dtype = aval(img).dtype
    out = img.unsqueeze(0) if img.ndim < 4 else img
    return (out if dtype in wanted else out.to(wanted[0])), (img.ndim < 4, dtype)


def as_was(img, before):
    """What `as_batch` changed undone; ints are rounded."""
    alone, dtype = before
    img = img.squeeze(0) if alone else img
    if aval(img).dtype is dtype:
        return img
    return (img.round() if dtype in _INTS else img).to(dtype)


def resize(img, size, interpolation="bilinear", antialias=True, whole=False):
    """The image in another size. size: [height, width]. whole: whether bytes are resized in whole numbers, as in v2."""
    check_image(img)
    antialias = bool(antialias) and interpolation in ("bilinear", "bicubic")
    array = host_array(img)
    if whole and aval(img).dtype is dtypes.uint8 and interpolation in ("bilinear", "bicubic"):
        return _resized_bytes(img, array, size, interpolation, antialias)
    if array is not None and interpolation in ("nearest", "nearest-exact", "bilinear", "bicubic"):
        return on_host(_resized(array, tuple(size), interpolation, antialias))
    dtype = aval(img).dtype
    img, before = as_batch(img, (dtypes.float32, dtypes.float64))
    corners = False if interpolation in ("bilinear", "bicubic") else None
    out = nnF.interpolate(img, size=list(size), mode=interpolation, align_corners=corners, antialias=antialias)
    if interpolation == "bicubic" and dtype is dtypes.uint8:
        out = out.clamp(min=0, max=255)
    return as_was(out, before)


def _resized(array, size, mode, antialias):
    """The same with NumPy: a matrix product for each of the two dims, or a look-up."""
    kind = array.dtype
    if mode.startswith("nearest"):
        rows, columns = (shares(n, out, mode, antialias) for n, out in zip(array.shape[-2:], size, strict=True))
        return array[..., rows[:, None], columns]
    real = kind if kind in (np.float32, np.float64) else np.dtype(np.float32)
    rows, columns = (
        shares(n, out, mode, antialias).astype(real) for n, out in zip(array.shape[-2:], size, strict=True)
    )
    out = rows.T @ (array.astype(real, copy=False) @ columns)
    if kind.kind not in "iu":
        return out.astype(kind, copy=False)
    return np.rint(np.clip(out, 0, 255) if mode == "bicubic" and kind == np.uint8 else out).astype(kind)


def _resized_bytes(img, array, size, mode, antialias):
    """Bytes by the resizing of bytes, columns first."""
    if array is None:
        img, before = as_batch(img, (dtypes.uint8,))
        return as_was(
            nnF.interpolate(img, size=list(size), mode=mode, align_corners=False, antialias=antialias), before
        )
    out = array
    for axis in (-1, -2):
        weights, bits = whole_shares(shares(out.shape[axis], size[axis], mode, antialias))
        # The sums are whole and small: in floats they are exact, and faster.
        total = np.moveaxis(out, axis, -1).astype(np.float64) @ weights.astype(np.float64)
        total = (total.astype(np.int64) + (1 << (bits - 1))) >> bits
        out = np.moveaxis(total.clip(0, 255).astype(np.uint8), -1, axis)
    return on_host(out)
