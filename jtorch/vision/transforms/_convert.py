"""Between Pillow images, NumPy arrays and tensors."""

import sys

import numpy as np

from jtorch import dtypes
from jtorch._tensor import Tensor, from_array, host
from jtorch.vision.pillow import Image, is_image, of_array

_WORDS = "I;16" if sys.byteorder == "little" else "I;16B"
_KINDS = {"I": np.int32, _WORDS: np.int16, "F": np.float32}


def _check(pic, fits, words):
    if not fits:
        if not Image.here:
            Image.Image  # noqa: B018  (says what is missing)
        raise TypeError(f"{words}. Got {type(pic)}")


def _first(pixels):
    """Channels first. Shape: (H, W) or (H, W, C) -> (C, H, W)."""
    return (pixels[:, :, None] if pixels.ndim == 2 else pixels).transpose(2, 0, 1)


def to_tensor(pic):
    """An image, or an array (H, W) or (H, W, C), as a tensor (C, H, W); bytes become floats in [0, 1].

    Raises TypeError for anything else, ValueError for arrays of other dims.
    """
    array = isinstance(pic, np.ndarray)
    _check(pic, array or is_image(pic), "pic should be PIL Image or ndarray")
    if array and pic.ndim not in (2, 3):
        raise ValueError(f"pic should be 2/3 dimensional. Got {pic.ndim} dimensions.")
    pixels = pic if array else np.asarray(pic, _KINDS.get(pic.mode, np.uint8))
    if not array and pic.mode == "1":
        pixels = pixels * np.uint8(255)
    pixels = _first(pixels)
    if pixels.dtype != np.uint8:
        dtypes.from_numpy(pixels.dtype)
        return from_array(np.array(pixels, order="C"))
    kind = dtypes.Default.float
    if kind.numpy in (np.float32, np.float64):
        floats = np.divide(pixels, kind.numpy.type(255), dtype=kind.numpy, order="C")
        return from_array(floats)
    return from_array(np.array(pixels, order="C")).to(kind).div(255)


def pil_to_tensor(pic):
    """A Pillow image as a tensor of the same dtype. Shape: (C, H, W). Raises TypeError for anything else."""
    _check(pic, is_image(pic), "pic should be PIL Image")
    return from_array(np.array(_first(np.asarray(pic)), order="C"))


_PERMITTED = {2: ["LA"], 4: ["RGBA", "CMYK", "RGBX"], 3: ["RGB", "YCbCr", "HSV"]}
_OF_DTYPE = {"uint8": "L", "int16": _WORDS, "int32": "I", "float32": "F"}


def to_pil_image(pic, mode=None):
    """A tensor (C, H, W) or an array (H, W, C) as a Pillow image; floats in [0, 1] become bytes.

    Raises TypeError for other things and dtypes, ValueError for other dims, channels and modes.
    """
    if isinstance(pic, Tensor):
        pixels = host(pic)
        pixels = pixels.transpose(1, 2, 0) if pixels.ndim == 3 else pixels
    elif isinstance(pic, np.ndarray):
        pixels = pic
    else:
        raise TypeError(f"pic should be Tensor or ndarray. Got {type(pic)}.")
    if pixels.ndim == 2:
        pixels = pixels[:, :, None]
    if pixels.ndim != 3:
        raise ValueError(f"pic should be 2/3 dimensional. Got {pixels.ndim} dimensions.")
    if pixels.shape[-1] > 4:
        raise ValueError(f"pic should not have > 4 channels. Got {pixels.shape[-1]} channels.")
    if np.issubdtype(pixels.dtype, np.floating) and mode != "F":
        pixels = (pixels * 255).astype(np.uint8)
    mode = _mode(pixels, mode)
    return of_array(pixels[:, :, 0] if pixels.shape[2] == 1 else pixels, mode)


def _mode(pixels, mode):
    """The mode of an image of these pixels."""
    channels = pixels.shape[2]
    if channels == 1:
        fitting = _OF_DTYPE.get(pixels.dtype.name)
        if mode is not None and mode != fitting:
            raise ValueError(f"Incorrect mode ({mode}) supplied for input type {np.dtype}. Should be {fitting}")
        mode = fitting
    else:
        permitted = _PERMITTED.get(channels, _PERMITTED[3])
        if mode is not None and mode not in permitted:
            raise ValueError(f"Only modes {permitted} are supported for {min(channels, 4)}D inputs")
        if mode is None and pixels.dtype == np.uint8:
            mode = permitted[0]
    if mode is None:
        raise TypeError(f"Input type {pixels.dtype} is not supported")
    return mode
