"""The functions of `transforms.functional` on tensors (..., C, H, W): colours, blur and sharpness."""

import numpy as np

from jtorch import dtypes
from jtorch._tensor import Tensor, aval, host
from jtorch.api.construct import as_tensor
from jtorch.api.elementwise import where
from jtorch.autograd.apply import call
from jtorch.nn import functional as nnF
from jtorch.utils.data._utils.collate import host_array
from jtorch.vision.transforms._functional_tensor import (
    as_batch,
    as_was,
    check_3d,
    check_channels,
    check_image,
    convert_image_dtype,
    get_dimensions,
    max_value,
    on_host,
)


def _real(img):
    """The dtype to compute in: the image's own, float32 for ints."""
    dtype = aval(img).dtype
    return dtype if dtype.is_floating_point else dtypes.float32


def _check_factor(name, factor):
    if factor < 0:
        raise ValueError(f"{name} ({factor}) is not non-negative.")


# The formulas, for arrays on the host (where torch's roundings are NumPy's) and for tensors.


def _by(formula, img, *args):
    """formula(image, its dtype, the dtype to compute in, ...) of an array where the image lies on the host."""
    dtype, real = aval(img).dtype, _real(img)
    array = host_array(img) if real in (dtypes.float32, dtypes.float64) else None
    if array is None:
        return formula(img, dtype, real, *args)
    with np.errstate(divide="ignore", invalid="ignore"):
        return on_host(formula(array, dtype, real, *args))


def _cast(x, dtype):
    return x.astype(dtype.numpy, copy=False) if isinstance(x, np.ndarray) else x.to(dtype)


def _clamp(x, low, high):
    return np.clip(x, low, high) if isinstance(x, np.ndarray) else x.clamp(low, high)


def _where(mask, x, other):
    return np.where(mask, x, other) if isinstance(mask, np.ndarray) else where(mask, x, other)


def _stack(parts):
    return np.stack(parts, -3) if isinstance(parts[0], np.ndarray) else call("stack", list(parts), -3)


def _inverse(x):
    """torch: a number over a tensor is the number times this."""
    return np.reciprocal(x) if isinstance(x, np.ndarray) else x.reciprocal()


def _mean(x):
    """The mean of each image. Shape: (..., C, H, W) -> (..., 1, 1, 1)."""
    if not isinstance(x, np.ndarray):
        return x.mean(dim=(-3, -2, -1), keepdim=True)
    count = x.dtype.type(x.shape[-3] * x.shape[-2] * x.shape[-1])
    return x.sum((-3, -2, -1), keepdims=True, dtype=np.float64).astype(x.dtype) / count


def _channels(x):
    return [x[..., i, :, :] for i in range(3)]


def _blend(img, dtype, real, other, ratio):
    """ratio · img + (1 - ratio) · other, within the range of the image's dtype."""
    ratio = float(ratio)
    other = host(other) if isinstance(img, np.ndarray) and isinstance(other, Tensor) else other
    mixed = ratio * _cast(img, real) + (1.0 - ratio) * _cast(other, real)
    return _cast(_clamp(mixed, 0, max_value(dtype)), dtype)


def _grey(img, dtype, real):
    if img.shape[-3] == 1:
        return img
    r, g, b = (_cast(x, real) for x in _channels(img))
    return _cast(0.2989 * r + 0.587 * g + 0.114 * b, dtype)[..., None, :, :]


def _greyed(img, dtype, real, num_output_channels):
    grey = _grey(img, dtype, real)
    if num_output_channels == 3:  # torchvision: as many as the image has
        return np.broadcast_to(grey, img.shape) if isinstance(grey, np.ndarray) else grey.expand(img.shape)
    return grey if isinstance(grey, np.ndarray) or grey is not img else grey.clone()


def _darker(img, dtype, real, ratio):
    return _cast(_clamp(float(ratio) * _cast(img, real), 0, max_value(dtype)), dtype)


def _flatter(img, dtype, real, ratio):
    mean = _mean(_cast(_grey(img, dtype, real), real))
    return _blend(img, dtype, real, mean, ratio)


def _paler(img, dtype, real, ratio):
    return _blend(img, dtype, real, _grey(img, dtype, real), ratio)


def _rgb_to_hsv(img):
    """(hue, saturation, value), each without the channel dim, as Pillow works them out."""
    r, g, b = _channels(img)
    most = _where(r > g, r, g)
    most = _where(most > b, most, b)
    least = _where(r < g, r, g)
    least = _where(least < b, least, b)
    grey, width = most == least, most - least
    saturation = width / _where(grey, most * 0 + 1, most)
    divisor = _where(grey, most * 0 + 1, width)
    red, green, blue = ((most - x) / divisor for x in (r, g, b))
    hue = _where(most == r, blue - green, _where(most == g, 2.0 + red - blue, 4.0 + green - red))
    hue = hue / 6.0 + 1.0
    return hue - _cast(hue >= 1.0, dtypes.float32), saturation, most


def _hsv_to_rgb(hue, saturation, value):
    sector = hue * 6.0 // 1
    rest = hue * 6.0 - sector
    sector = sector % 6
    p = _clamp(value * (1.0 - saturation), 0.0, 1.0)
    q = _clamp(value * (1.0 - saturation * rest), 0.0, 1.0)
    t = _clamp(value * (1.0 - saturation * (1.0 - rest)), 0.0, 1.0)
    wheel = ((value, q, p, p, t, value), (t, value, value, q, p, p), (p, p, t, value, value, q))
    return _stack([_chosen(sector, each) for each in wheel])


def _chosen(sector, values):
    """Of six arrays, the element of the one that `sector` says."""
    out = values[0]
    for i, value in enumerate(values[1:], 1):
        out = _where(sector == i, value, out)
    return out


def _turned(img, dtype, real, hue_factor):
    hue, saturation, value = _rgb_to_hsv(img)
    return _hsv_to_rgb((hue + hue_factor) % 1.0, saturation, value)


def _powered(img, dtype, real, gamma, gain):
    return _clamp(gain * img**gamma, 0, 1)


def _inverted(img, dtype, real):
    return max_value(dtype) - img


def _solarized(img, dtype, real, threshold):
    return _where(img >= threshold, max_value(dtype) - img, img)


def _stretched(img, dtype, real):
    """Each channel from its least and most to the whole range; one of equal values stays."""
    white, dims = max_value(dtype), (-2, -1)
    if isinstance(img, np.ndarray):
        least, most = img.min(dims, keepdims=True), img.max(dims, keepdims=True)
    else:
        least, most = img.amin(dim=dims, keepdim=True), img.amax(dim=dims, keepdim=True)
    least, most = _cast(least, real), _cast(most, real)
    scale = white * _inverse(most - least)
    flat = ~((scale < float("inf")) & (scale > -float("inf")))
    least, scale = _where(flat, least * 0, least), _where(flat, least * 0 + 1, scale)
    return _cast(_clamp((_cast(img, real) - least) * scale, 0, white), dtype)


# The functions.


def rgb_to_grayscale(img, num_output_channels=1):
    """Black and white, in 1 channel or 3. Raises TypeError for other images, ValueError for other numbers."""
    check_3d(img)
    check_channels(img, [1, 3])
    if num_output_channels not in (1, 3):
        raise ValueError("num_output_channels should be either 1 or 3")
    return _by(_greyed, img, num_output_channels)


def adjust_brightness(img, brightness_factor):
    """Between black (0) and the image (1), and beyond."""
    _check_factor("brightness_factor", brightness_factor)
    check_image(img)
    check_channels(img, [1, 3])
    return _by(_darker, img, brightness_factor)


def adjust_contrast(img, contrast_factor):
    """Between grey (0) and the image (1), and beyond."""
    _check_factor("contrast_factor", contrast_factor)
    check_image(img)
    check_channels(img, [3, 1])
    return _by(_flatter, img, contrast_factor)


def adjust_saturation(img, saturation_factor):
    """Between black and white (0) and the image (1), and beyond."""
    _check_factor("saturation_factor", saturation_factor)
    check_image(img)
    check_channels(img, [1, 3])
    return img if get_dimensions(img)[0] == 1 else _by(_paler, img, saturation_factor)


def adjust_hue(img, hue_factor):
    """Hues turned by a part of the circle. Raises ValueError outside [-0.5, 0.5]."""
    if not (-0.5 <= hue_factor <= 0.5):
        raise ValueError(f"hue_factor ({hue_factor}) is not in [-0.5, 0.5].")
    check_image(img)
    check_channels(img, [1, 3])
    if get_dimensions(img)[0] == 1:
        return img
    dtype = aval(img).dtype
    return convert_image_dtype(_by(_turned, convert_image_dtype(img, dtypes.float32), hue_factor), dtype)


def adjust_gamma(img, gamma, gain=1):
    """gain times the image to a power. Raises ValueError for a negative one."""
    check_channels(img, [1, 3])
    if gamma < 0:
        raise ValueError("Gamma should be a non-negative real number")
    dtype = aval(img).dtype
    result = img if dtype.is_floating_point else convert_image_dtype(img, dtypes.float32)
    return convert_image_dtype(_by(_powered, result, gamma, gain), dtype)


def invert(img):
    """The negative."""
    check_image(img)
    check_3d(img)
    check_channels(img, [1, 3])
    return _by(_inverted, img)


def _check_bytes(img):
    if aval(img).dtype is not dtypes.uint8:
        raise TypeError(f"Only torch.uint8 image tensors are supported, but found {aval(img).dtype}")


def posterize(img, bits):
    """With only so many bits per channel. Raises TypeError for other dtypes than uint8."""
    check_image(img)
    check_3d(img)
    _check_bytes(img)
    check_channels(img, [1, 3])
    return _by(lambda img, *_: img & (256 - 2 ** (8 - int(bits))), img)


def solarize(img, threshold):
    """Pixels from a threshold on inverted."""
    check_image(img)
    check_3d(img)
    check_channels(img, [1, 3])
    if threshold > max_value(aval(img).dtype):
        raise TypeError("Threshold should be less than bound of img.")
    return _by(_solarized, img, threshold)


def autocontrast(img):
    """Each channel stretched to the whole range of values; one of equal values stays."""
    check_image(img)
    check_3d(img)
    check_channels(img, [1, 3])
    return _by(_stretched, img)


def equalize(img):
    """Each channel stretched so that all values are equally frequent. Raises TypeError for other dtypes than uint8."""
    check_image(img)
    if not 3 <= img.ndim <= 4:
        raise TypeError(f"Input image tensor should have 3 or 4 dimensions, but found {img.ndim}")
    _check_bytes(img)
    check_channels(img, [1, 3])
    array = host(img)  # how often a value occurs decides what is done
    flat = array.reshape(-1, *array.shape[-2:])
    out = np.stack([_equalized(channel) for channel in flat]) if len(flat) else flat
    return on_host(out.reshape(array.shape)).to(aval(img).device)


def _equalized(channel):
    counts = np.bincount(channel.reshape(-1), minlength=256)
    step = counts[counts != 0][:-1].sum() // 255
    if step == 0:
        return channel
    table = (np.cumsum(counts) + step // 2) // step
    return np.clip(np.concatenate([[0], table[:-1]]), 0, 255).astype(np.uint8)[channel]


# Convolutions.


def _convolved(img, kernel):
    """Every channel of a batch convolved with one kernel."""
    channels = aval(img).shape[-3]
    return nnF.conv2d(img, kernel.expand(channels, 1, *aval(kernel).shape), groups=channels)


def _bell(size, sigma, dtype):
    """The weights of a Gaussian, in the dtype of the computation."""
    half = (size - 1) * 0.5
    x = np.linspace(-half, half, size).astype(dtype)
    weights = np.exp(dtype.type(-0.5) * (x / dtype.type(sigma)) ** 2)
    return weights / weights.sum(dtype=dtype)


def gaussian_blur(img, kernel_size, sigma):
    """The image convolved with a Gaussian. kernel_size, sigma: (x, y)."""
    check_image(img)
    dtype = _real(img)
    work = np.dtype(np.float64 if dtype is dtypes.float64 else np.float32)
    across, down = (_bell(size, s, work) for size, s in zip(kernel_size, sigma, strict=True))
    kernel = as_tensor(np.outer(down, across), dtype=dtype, device=aval(img).device)
    img, before = as_batch(img, (dtype,))
    x, y = (size // 2 for size in kernel_size)
    return as_was(_convolved(nnF.pad(img, [x, x, y, y], mode="reflect"), kernel), before)


def adjust_sharpness(img, sharpness_factor):
    """Between blurred (0) and the image (1), and beyond."""
    _check_factor("sharpness_factor", sharpness_factor)
    check_image(img)
    check_channels(img, [1, 3])
    if min(aval(img).shape[-2:]) <= 2:
        return img
    return _by(_blend, img, _smoothed(img), sharpness_factor)


def _smoothed(img):
    """The image with each pixel but those of the edge mixed with its neighbours."""
    kernel = np.ones((3, 3), np.float32)
    kernel[1, 1] = 5.0
    dtype = _real(img)
    inside, before = as_batch(img, (dtype,))
    inside = as_was(_convolved(inside, as_tensor(kernel / 13, dtype=dtype, device=aval(img).device)), before)
    out = img.clone()
    out[..., 1:-1, 1:-1] = inside
    return out
