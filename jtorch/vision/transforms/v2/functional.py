"""torchvision.transforms.v2.functional: the functions of `transforms.functional`, and those that only v2 has."""

import numpy as np

from jtorch import dtypes
from jtorch._tensor import Tensor, aval
from jtorch.utils.data._utils.collate import host_array
from jtorch.vision.pillow import is_image
from jtorch.vision.transforms import functional as v1
from jtorch.vision.transforms._functional_tensor import convert_image_dtype as _scaled
from jtorch.vision.transforms._functional_tensor import max_value, on_host
from jtorch.vision.transforms._modes import InterpolationMode, mode_of

_SHARED = [name for name in v1.__all__ if name != "pil_modes_mapping"]
__all__ = _SHARED + [
    "elastic", "get_num_channels", "get_size", "grayscale_to_rgb", "horizontal_flip", "to_dtype", "to_image",
    "vertical_flip",
]  # fmt: skip

globals().update({name: getattr(v1, name) for name in _SHARED})
horizontal_flip, vertical_flip, elastic = v1.hflip, v1.vflip, v1.elastic_transform
get_num_channels = v1.get_image_num_channels


def get_size(inpt):
    """[height, width]."""
    return v1.get_dimensions(inpt)[1:]


def to_image(inpt):
    """An array (H, W, C), a Pillow image or a tensor as a tensor (C, H, W) of the same dtype.

    Raises TypeError for anything else.
    """
    if isinstance(inpt, np.ndarray):
        return on_host(np.atleast_3d(inpt).transpose(2, 0, 1))
    if is_image(inpt):
        return v1.pil_to_tensor(inpt)
    if isinstance(inpt, Tensor):
        return inpt
    raise TypeError(f"Input can either be a pure Tensor, a numpy array, or a PIL image, but got {type(inpt)} instead.")


def to_dtype(inpt, dtype=dtypes.float32, scale=False):
    """A tensor in another dtype. scale: whether white stays white, as in `convert_image_dtype`."""
    have = aval(inpt).dtype
    if not scale or have is dtype:
        return inpt.to(dtype)
    if have.is_floating_point:
        return _scaled(inpt, dtype)
    if dtype.is_floating_point:
        array = host_array(inpt) if dtype in (dtypes.float32, dtypes.float64) else None
        if array is None:
            return inpt.to(dtype).mul_(1.0 / max_value(have))
        return on_host(array.astype(dtype.numpy) * dtype.numpy.type(1.0 / max_value(have)))
    shift = max_value(have).bit_length() - max_value(dtype).bit_length()
    return (inpt >> shift).to(dtype) if shift > 0 else inpt.to(dtype) << -shift


def grayscale_to_rgb(inpt):
    """A grey image in three channels; any other as it is."""
    if v1.get_image_num_channels(inpt) >= 3:
        return inpt
    return inpt.expand(*inpt.shape[:-3], 3, -1, -1) if isinstance(inpt, Tensor) else inpt.convert("RGB")


def resize(inpt, size, interpolation="bilinear", max_size=None, antialias=True):
    """The image in another size: (height, width), or the shorter edge's. torchvision: bytes in whole numbers."""
    return v1._resize(inpt, size, _mode(interpolation), max_size, antialias, whole=True)


def resized_crop(inpt, top, left, height, width, size, interpolation="bilinear", antialias=True):
    """A part of the image, resized."""
    return resize(v1.crop(inpt, top, left, height, width), size, interpolation, antialias=antialias)


def _mode(interpolation):
    """A mode of its name too."""
    return InterpolationMode(interpolation) if isinstance(interpolation, str) else mode_of(interpolation)
