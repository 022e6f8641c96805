"""What transforms are made of: functions on Pillow images and on tensors (..., C, H, W).

https://docs.pytorch.org/vision/stable/transforms.html#functional-transforms
"""

import math
import numbers
import warnings

import numpy as np

from jtorch import dtypes
from jtorch._tensor import Tensor
from jtorch.api.size import Size
from jtorch.vision.pillow import is_image
from jtorch.vision.transforms import _colors, _functional_pil, _functional_tensor, _grids
from jtorch.vision.transforms._convert import pil_to_tensor, to_pil_image, to_tensor
from jtorch.vision.transforms._modes import InterpolationMode, mode_of, pil_modes_mapping
from jtorch.vision.transforms._sizes import output_size

__all__ = [
    "InterpolationMode", "adjust_brightness", "adjust_contrast", "adjust_gamma", "adjust_hue", "adjust_saturation",
    "adjust_sharpness", "affine", "autocontrast", "center_crop", "convert_image_dtype", "crop", "elastic_transform",
    "equalize", "erase", "five_crop", "gaussian_blur", "get_dimensions", "get_image_num_channels", "get_image_size",
    "hflip", "invert", "normalize", "pad", "perspective", "pil_modes_mapping", "pil_to_tensor", "posterize", "resize",
    "resized_crop", "rgb_to_grayscale", "rotate", "solarize", "ten_crop", "to_grayscale", "to_pil_image", "to_tensor",
    "vflip",
]  # fmt: skip


def _both(name, tensors):
    """A function of this name that goes by the kind of image: a module's for tensors, ours for Pillow's."""
    of_tensor, of_pil = getattr(tensors, name), getattr(_functional_pil, name)

    def function(img, *args, **kwargs):
        return (of_tensor if isinstance(img, Tensor) else of_pil)(img, *args, **kwargs)

    function.__name__ = function.__qualname__ = name
    function.__wrapped__ = of_tensor  # so that help() and inspect show its arguments
    function.__doc__ = of_tensor.__doc__
    return function


get_dimensions = _both("get_dimensions", _functional_tensor)
get_image_size = _both("get_image_size", _functional_tensor)
get_image_num_channels = _both("get_image_num_channels", _functional_tensor)
pad = _both("pad", _functional_tensor)
crop = _both("crop", _functional_tensor)
hflip = _both("hflip", _functional_tensor)
vflip = _both("vflip", _functional_tensor)
adjust_brightness = _both("adjust_brightness", _colors)
adjust_contrast = _both("adjust_contrast", _colors)
adjust_saturation = _both("adjust_saturation", _colors)
adjust_hue = _both("adjust_hue", _colors)
adjust_gamma = _both("adjust_gamma", _colors)
adjust_sharpness = _both("adjust_sharpness", _colors)
invert = _both("invert", _colors)
solarize = _both("solarize", _colors)
autocontrast = _both("autocontrast", _colors)
equalize = _both("equalize", _colors)


def convert_image_dtype(image, dtype=dtypes.float32):
    """A tensor in another dtype, scaled so that white stays white: uint8 255 is float 1.

    Raises TypeError for what is no tensor, RuntimeError where a float can't hold all ints.
    """
    if not isinstance(image, Tensor):
        raise TypeError("Input img should be Tensor Image")
    return _functional_tensor.convert_image_dtype(image, dtype)


def normalize(tensor, mean, std, inplace=False):
    """(x - mean) / std, channel by channel. Shape: (..., C, H, W). Raises TypeError for ints, ValueError for std 0."""
    if not isinstance(tensor, Tensor):
        raise TypeError(f"img should be Tensor Image. Got {type(tensor)}")
    return _functional_tensor.normalize(tensor, mean, std, inplace)


def resize(img, size, interpolation=InterpolationMode.BILINEAR, max_size=None, antialias=True):
    """The image in another size: (height, width), or the shorter edge's, the longer at most max_size.

    antialias: of tensors; Pillow always does it. Raises TypeError and ValueError as torchvision does.
    """
    return _resize(img, size, mode_of(interpolation), max_size, antialias)


def _resize(img, size, mode, max_size, antialias, whole=False):
    if isinstance(size, (list, tuple)):
        if len(size) not in (1, 2):
            raise ValueError(
                f"Size must be an int or a 1 or 2 element tuple/list, not a {len(size)} element tuple/list"
            )
        if max_size is not None and len(size) != 1:
            raise ValueError(
                "max_size should only be passed if size specifies the length of the smaller edge, "
                "i.e. size should be an int or a sequence of length 1 in torchscript mode."
            )
    _, *have = get_dimensions(img)
    size = output_size(have, [size] if isinstance(size, int) else size, max_size)
    if have == size:
        return img
    if isinstance(img, Tensor):
        return _functional_tensor.resize(img, size, mode.value, antialias, whole)
    if antialias is False:
        warnings.warn(
            "Anti-alias option is always applied for PIL Image input. Argument antialias is ignored.", stacklevel=3
        )
    return _functional_pil.resize(img, size, pil_modes_mapping[mode])


def _two(size):
    if isinstance(size, numbers.Number):
        return int(size), int(size)
    return (size[0], size[0]) if isinstance(size, (tuple, list)) and len(size) == 1 else size


def center_crop(img, output_size):
    """The middle of the image, with a black border where the image is smaller."""
    height, width = _two(output_size)
    _, h, w = get_dimensions(img)
    if width > w or height > h:
        x, y = max(width - w, 0), max(height - h, 0)
        img = pad(img, [x // 2, y // 2, (x + 1) // 2, (y + 1) // 2], fill=0)
        _, h, w = get_dimensions(img)
        if (width, height) == (w, h):
            return img
    return crop(img, int(round((h - height) / 2.0)), int(round((w - width) / 2.0)), height, width)


def resized_crop(img, top, left, height, width, size, interpolation=InterpolationMode.BILINEAR, antialias=True):
    """A part of the image, resized."""
    return resize(crop(img, top, left, height, width), size, interpolation, antialias=antialias)


def five_crop(img, size):
    """The four corners and the middle. Raises ValueError where the image is smaller."""
    size = _two(size)
    if len(size) != 2:
        raise ValueError("Please provide only two dimensions (h, w) for size.")
    height, width = size
    _, h, w = get_dimensions(img)
    if width > w or height > h:
        raise ValueError(f"Requested crop size {size} is bigger than input size {(h, w)}")
    corners = [crop(img, top, left, height, width) for top in (0, h - height) for left in (0, w - width)]
    return (*corners, center_crop(img, [height, width]))


def ten_crop(img, size, vertical_flip=False):
    """The five crops of an image and those of the flipped one."""
    size = _two(size)
    return five_crop(img, size) + five_crop(vflip(img) if vertical_flip else hflip(img), size)


# Maps of the plane.


def _get_perspective_coeffs(startpoints, endpoints):
    """The eight numbers of the map from end points back to start points. Raises ValueError unless there are four."""
    if len(startpoints) != 4 or len(endpoints) != 4:
        raise ValueError(
            f"Please provide exactly four corners, got {len(startpoints)} startpoints and {len(endpoints)} endpoints."
        )
    rows = []
    for (x, y), (u, v) in zip(endpoints, startpoints, strict=True):
        rows += [[x, y, 1, 0, 0, 0, -u * x, -u * y], [0, 0, 0, x, y, 1, -v * x, -v * y]]
    solved = np.linalg.lstsq(np.array(rows, np.float32).astype(float), np.array(startpoints, float).reshape(8), None)
    return solved[0].astype(np.float32).tolist()


def perspective(img, startpoints, endpoints, interpolation=InterpolationMode.BILINEAR, fill=None):
    """The image with four corners moved. points: four pairs [x, y]. Raises ValueError for another number of them."""
    coeffs, mode = _get_perspective_coeffs(startpoints, endpoints), mode_of(interpolation)
    if isinstance(img, Tensor):
        return _grids.perspective(img, coeffs, mode.value, fill)
    return _functional_pil.perspective(img, coeffs, pil_modes_mapping[mode], fill)


def _get_inverse_affine_matrix(center, angle, translate, scale, shear, inverted=True):
    """Rows [a, b, c, d, e, f] of move · to the centre · turn, shear and scale · back, or of its inverse."""
    turn, x, y = math.radians(angle), math.radians(shear[0]), math.radians(shear[1])
    (cx, cy), (tx, ty) = center, translate
    a = math.cos(turn - y) / math.cos(y)
    b = -math.cos(turn - y) * math.tan(x) / math.cos(y) - math.sin(turn)
    c = math.sin(turn - y) / math.cos(y)
    d = -math.sin(turn - y) * math.tan(x) / math.cos(y) + math.cos(turn)
    if inverted:
        p, q, r, s = (value / scale for value in (d, -b, -c, a))
        across, down = p * (-cx - tx) + q * (-cy - ty), r * (-cx - tx) + s * (-cy - ty)
        return [p, q, across + cx, r, s, down + cy]
    p, q, r, s = (value * scale for value in (a, b, c, d))
    return [p, q, p * -cx + q * -cy + cx + tx, r, s, r * -cx + s * -cy + cy + ty]


def _from_middle(center, img):
    """A centre counted from the middle of the image, where tensors have it."""
    if center is None:
        return [0.0, 0.0]
    _, height, width = get_dimensions(img)
    return [1.0 * (c - s * 0.5) for c, s in zip(center, (width, height), strict=True)]


def _check_angle(angle, center):
    if not isinstance(angle, (int, float)):
        raise TypeError("Argument angle should be int or float")
    if center is not None and not isinstance(center, (list, tuple)):
        raise TypeError("Argument center should be a sequence")


def rotate(img, angle, interpolation=InterpolationMode.NEAREST, expand=False, center=None, fill=None):
    """The image turned by degrees, counter-clockwise, about the middle or a centre (x, y).

    expand: whether the result grows so that all of it is in sight. fill: what stands outside.
    """
    mode = mode_of(interpolation)
    _check_angle(angle, center)
    if not isinstance(img, Tensor):
        return _functional_pil.rotate(img, angle, pil_modes_mapping[mode], expand, center, fill)
    matrix = _get_inverse_affine_matrix(_from_middle(center, img), -angle, [0.0, 0.0], 1.0, [0.0, 0.0])
    return _grids.rotate(img, matrix, mode.value, expand, fill)


def affine(img, angle, translate, scale, shear, interpolation=InterpolationMode.NEAREST, fill=None, center=None):
    """The image turned (degrees, clockwise), moved (x, y), scaled and sheared (degrees, x and y).

    Raises TypeError and ValueError as torchvision does.
    """
    mode = mode_of(interpolation)
    shear = _checked_affine(angle, translate, scale, shear)
    _check_angle(angle, center)
    if isinstance(img, Tensor):
        matrix = _get_inverse_affine_matrix(_from_middle(center, img), angle, translate, scale, shear)
        return _grids.affine(img, matrix, mode.value, fill)
    _, height, width = get_dimensions(img)
    center = [width * 0.5, height * 0.5] if center is None else center
    matrix = _get_inverse_affine_matrix(center, angle, translate, scale, shear)
    return _functional_pil.affine(img, matrix, pil_modes_mapping[mode], fill)


def _checked_affine(angle, translate, scale, shear):
    """The two angles of the shear."""
    _check_angle(angle, None)
    if not isinstance(translate, (list, tuple)):
        raise TypeError("Argument translate should be a sequence")
    if len(translate) != 2:
        raise ValueError("Argument translate should be a sequence of length 2")
    if scale <= 0.0:
        raise ValueError("Argument scale should be positive")
    if not isinstance(shear, (numbers.Number, list, tuple)):
        raise TypeError("Shear should be either a single value or a sequence of two values")
    if isinstance(shear, numbers.Number):
        return [shear, 0.0]
    shear = list(shear) * (2 if len(shear) == 1 else 1)
    if len(shear) != 2:
        raise ValueError(f"Shear should be a sequence containing two values. Got {shear}")
    return shear


def elastic_transform(img, displacement, interpolation=InterpolationMode.BILINEAR, fill=None):
    """The image with each pixel looked up some way off. displacement: (1, H, W, 2), in half widths and heights."""
    if isinstance(interpolation, int):
        warnings.warn(
            "Argument interpolation should be of type InterpolationMode instead of int. "
            "Please, use InterpolationMode enum.",
            stacklevel=2,
        )
    mode = mode_of(interpolation)
    if not isinstance(displacement, Tensor):
        raise TypeError("Argument displacement should be a Tensor")
    seen = _as_tensor(img)
    shape = Size((1, *seen.shape[-2:], 2))
    if shape != displacement.shape:
        raise ValueError(f"Argument displacement shape should be {shape}, but given {displacement.shape}")
    return _like(img, _grids.elastic_transform(seen, displacement, mode.value, fill))


def _as_tensor(img):
    if isinstance(img, Tensor):
        return img
    if not is_image(img):
        raise TypeError(f"img should be PIL Image or Tensor. Got {type(img)}")
    return pil_to_tensor(img)


def _like(img, result):
    """A tensor as an image, where the image that it was made of is one."""
    return result if isinstance(img, Tensor) else to_pil_image(result, mode=img.mode)


# Colours.


def to_grayscale(img, num_output_channels=1):
    """A Pillow image in black and white, in 1 band or 3. Raises TypeError for anything else."""
    if is_image(img):
        return _functional_pil.to_grayscale(img, num_output_channels)
    raise TypeError("Input should be PIL Image")


def rgb_to_grayscale(img, num_output_channels=1):
    """The image in black and white, in 1 channel or 3."""
    side = _colors.rgb_to_grayscale if isinstance(img, Tensor) else _functional_pil.to_grayscale
    return side(img, num_output_channels)


def posterize(img, bits):
    """With only so many bits per channel. Raises ValueError unless there are 0 to 8."""
    if not 0 <= bits <= 8:
        raise ValueError(f"The number if bits should be between 0 and 8. Got {bits}")
    return (_colors if isinstance(img, Tensor) else _functional_pil).posterize(img, bits)


def erase(img, i, j, h, w, v, inplace=False):
    """A tensor with v in the part that begins at (i, j), of size (h, w). Raises TypeError for what is no tensor."""
    if not isinstance(img, Tensor):
        raise TypeError(f"img should be Tensor Image. Got {type(img)}")
    return _functional_tensor.erase(img, i, j, h, w, v, inplace=inplace)


def gaussian_blur(img, kernel_size, sigma=None):
    """The image blurred with a Gaussian. kernel_size, sigma: one number or (x, y). Raises TypeError and ValueError."""
    if not isinstance(kernel_size, (int, list, tuple)):
        raise TypeError(f"kernel_size should be int or a sequence of integers. Got {type(kernel_size)}")
    kernel_size = [kernel_size] * 2 if isinstance(kernel_size, int) else kernel_size
    if len(kernel_size) != 2:
        raise ValueError(f"If kernel_size is a sequence its length should be 2. Got {len(kernel_size)}")
    if any(size % 2 == 0 or size < 0 for size in kernel_size):
        raise ValueError(f"kernel_size should have odd and positive integers. Got {kernel_size}")
    sigma = _sigmas(kernel_size, sigma)
    return _like(img, _colors.gaussian_blur(_as_tensor(img), kernel_size, sigma))


def _sigmas(kernel_size, sigma):
    if sigma is None:
        return [size * 0.15 + 0.35 for size in kernel_size]
    if not isinstance(sigma, (int, float, list, tuple)):
        raise TypeError(f"sigma should be either float or sequence of floats. Got {type(sigma)}")
    sigma = [float(sigma)] * 2 if isinstance(sigma, (int, float)) else sigma
    sigma = [sigma[0]] * 2 if len(sigma) == 1 else sigma
    if len(sigma) != 2:
        raise ValueError(f"If sigma is a sequence, its length should be 2. Got {len(sigma)}")
    if any(s <= 0.0 for s in sigma):
        raise ValueError(f"sigma should have positive values. Got {sigma}")
    return sigma
