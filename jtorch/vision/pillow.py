"""Pillow, where it is installed: `jtorch.vision` can be imported without it, and asks for it at its first use."""

import numpy as np

from jtorch.optional import Package

_MISSING = "images need Pillow, which is not installed: pip install 'jtorch-jax[vision]', or pip install pillow"

Image, ImageColor, ImageDraw, ImageEnhance, ImageFont, ImageOps = (
    Package(f"PIL.{name}", _MISSING)
    for name in ("Image", "ImageColor", "ImageDraw", "ImageEnhance", "ImageFont", "ImageOps")
)


def is_image(value):
    """Whether a value is a Pillow image. False where Pillow is missing, for then nothing is."""
    return Image.here and isinstance(value, Image.Image)


def of_array(array, mode):
    """A Pillow image on a copy of an array's pixels. Shape: (H, W) or (H, W, bands)."""
    size = (array.shape[1], array.shape[0])
    return Image.frombuffer(mode, size, np.ascontiguousarray(array).tobytes(), "raw", mode, 0, 1)


__all__ = [
    "Image", "ImageColor", "ImageDraw", "ImageEnhance", "ImageFont", "ImageOps", "is_image", "of_array",
]  # fmt: skip
