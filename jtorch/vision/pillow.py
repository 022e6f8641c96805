"""Pillow, where it is installed: `jtorch.vision` can be imported without it, and asks for it at its first use."""

import numpy as np

try:
    from PIL import Image, ImageColor, ImageDraw, ImageEnhance, ImageFont, ImageOps

    HERE = True
except ImportError:
    HERE = False

    class _Missing:
        """Stands for a module of Pillow. Raises: ImportError at every use."""

        def __getattr__(self, name):
            raise ImportError(
                "images need Pillow, which is not installed: pip install 'jtorch-jax[vision]', or pip install pillow"
            )

    Image = ImageColor = ImageDraw = ImageEnhance = ImageFont = ImageOps = _Missing()


def is_image(value):
    """Whether a value is a Pillow image. False where Pillow is missing, for then nothing is."""
    return HERE and isinstance(value, Image.Image)


def of_array(array, mode):
    """A Pillow image on a copy of an array's pixels. Shape: (H, W) or (H, W, bands)."""
    size = (array.shape[1], array.shape[0])
    return Image.frombuffer(mode, size, np.ascontiguousarray(array).tobytes(), "raw", mode, 0, 1)


__all__ = [
    "HERE", "Image", "ImageColor", "ImageDraw", "ImageEnhance", "ImageFont", "ImageOps", "is_image", "of_array",
]  # fmt: skip
