"""Transforms that take, or wipe out, a part of the image."""

import math
import numbers
import warnings
from collections.abc import Sequence

import numpy as np

from jtorch.nn.modules.module import Module
from jtorch.vision.transforms import _draws
from jtorch.vision.transforms import functional as F
from jtorch.vision.transforms._functional_tensor import on_host
from jtorch.vision.transforms._modes import InterpolationMode, maybe_mode
from jtorch.vision.transforms._sizes import setup_size


class CenterCrop(Module):
    """The middle of the image, (height, width) or a square."""

    def __init__(self, size):
        super().__init__()
        self.size = setup_size(size)

    def forward(self, img):
        return F.center_crop(img, self.size)

    def __repr__(self):
        return f"{type(self).__name__}(size={self.size})"


class FiveCrop(Module):
    """The four corners and the middle, as a tuple."""

    def __init__(self, size):
        super().__init__()
        self.size = setup_size(size)

    def forward(self, img):
        return F.five_crop(img, self.size)

    def __repr__(self):
        return f"{type(self).__name__}(size={self.size})"


class TenCrop(Module):
    """The four corners and the middle, of the image and of its mirror image, as a tuple."""

    def __init__(self, size, vertical_flip=False):
        super().__init__()
        self.size = setup_size(size)
        self.vertical_flip = vertical_flip

    def forward(self, img):
        return F.ten_crop(img, self.size, self.vertical_flip)

    def __repr__(self):
        return f"{type(self).__name__}(size={self.size}, vertical_flip={self.vertical_flip})"


class RandomCrop(Module):
    """A part of the image at a random place, after padding. Raises: ValueError at call for an image too small."""

    @staticmethod
    def get_params(img, output_size):
        """(top, left, height, width), drawn."""
        _, h, w = F.get_dimensions(img)
        height, width = output_size
        if h < height or w < width:
            raise ValueError(f"Required crop size {(height, width)} is larger than input image size {(h, w)}")
        if (w, h) == (width, height):
            return 0, 0, h, w
        top = _draws.randint(0, h - height + 1)
        return top, _draws.randint(0, w - width + 1), height, width

    def __init__(self, size, padding=None, pad_if_needed=False, fill=0, padding_mode="constant"):
        super().__init__()
        self.size = tuple(setup_size(size))
        self.padding = padding
        self.pad_if_needed = pad_if_needed
        self.fill = fill
        self.padding_mode = padding_mode

    def forward(self, img):
        if self.padding is not None:
            img = F.pad(img, self.padding, self.fill, self.padding_mode)
        _, h, w = F.get_dimensions(img)
        height, width = self.size
        if self.pad_if_needed and w < width:
            img = F.pad(img, [width - w, 0], self.fill, self.padding_mode)
        if self.pad_if_needed and h < height:
            img = F.pad(img, [0, height - h], self.fill, self.padding_mode)
        return F.crop(img, *self.get_params(img, self.size))

    def __repr__(self):
        return f"{type(self).__name__}(size={self.size}, padding={self.padding})"


def _check_ranges(scale, ratio):
    if not isinstance(scale, Sequence):
        raise TypeError("Scale should be a sequence")
    if not isinstance(ratio, Sequence):
        raise TypeError("Ratio should be a sequence")
    if scale[0] > scale[1] or ratio[0] > ratio[1]:
        warnings.warn("Scale and ratio should be of kind (min, max)", stacklevel=3)


class RandomResizedCrop(Module):
    """A part of random area and shape, resized. scale: bounds of the area; ratio: of width to height."""

    def __init__(
        self,
        size,
        scale=(0.08, 1.0),
        ratio=(3.0 / 4.0, 4.0 / 3.0),
        interpolation=InterpolationMode.BILINEAR,
        antialias: bool | None = True,
    ):
        super().__init__()
        self.size = setup_size(size)
        _check_ranges(scale, ratio)
        self.scale = scale
        self.ratio = ratio
        self.interpolation = maybe_mode(interpolation)
        self.antialias = antialias

    @staticmethod
    def get_params(img, scale, ratio):
        """(top, left, height, width), drawn; after ten that do not fit, the middle."""
        _, height, width = F.get_dimensions(img)
        for _ in range(10):
            area = height * width * _draws.uniform(scale[0], scale[1])
            aspect = _draws.log_uniform(*ratio)
            w, h = int(round(math.sqrt(area * aspect))), int(round(math.sqrt(area / aspect)))
            if 0 < w <= width and 0 < h <= height:
                top = _draws.randint(0, height - h + 1)
                return top, _draws.randint(0, width - w + 1), h, w
        h, w = height, width
        if width / height < min(ratio):
            h = int(round(w / min(ratio)))
        elif width / height > max(ratio):
            w = int(round(h * max(ratio)))
        return (height - h) // 2, (width - w) // 2, h, w

    def forward(self, img):
        part = self.get_params(img, self.scale, self.ratio)
        return F.resized_crop(img, *part, self.size, self.interpolation, antialias=self.antialias)

    def __repr__(self):
        scale, ratio = (tuple(round(x, 4) for x in pair) for pair in (self.scale, self.ratio))
        return (
            f"{type(self).__name__}(size={self.size}, scale={scale}, ratio={ratio}, "
            f"interpolation={self.interpolation.value}, antialias={self.antialias})"
        )


class RandomErasing(Module):
    """A part of a tensor wiped out with probability p (arXiv:1708.04896). value: a number, one a channel, "random"."""

    def __init__(self, p=0.5, scale=(0.02, 0.33), ratio=(0.3, 3.3), value=0, inplace=False):
        super().__init__()
        if not isinstance(value, (numbers.Number, str, tuple, list)):
            raise TypeError("Argument value should be either a number or str or a sequence")
        if isinstance(value, str) and value != "random":
            raise ValueError("If value is str, it should be 'random'")
        _check_ranges(scale, ratio)
        if scale[0] < 0 or scale[1] > 1:
            raise ValueError("Scale should be between 0 and 1")
        if p < 0 or p > 1:
            raise ValueError("Random erasing probability should be between 0 and 1")
        self.p = p
        self.scale = scale
        self.ratio = ratio
        self.value = value
        self.inplace = inplace

    @staticmethod
    def get_params(img, scale, ratio, value=None):
        """(top, left, height, width, what to put there), drawn; after ten that do not fit, the image itself."""
        channels, height, width = img.shape[-3:]
        for _ in range(10):
            area = height * width * _draws.uniform(scale[0], scale[1])
            aspect = _draws.log_uniform(*ratio)
            h, w = int(round(math.sqrt(area * aspect))), int(round(math.sqrt(area / aspect)))
            if not (h < height and w < width):
                continue
            if value is None:
                v = on_host(_draws.normal((channels, h, w)))
            else:
                v = on_host(np.array(value, np.float32)[:, None, None])
            top = _draws.randint(0, height - h + 1)
            return top, _draws.randint(0, width - w + 1), h, w, v
        return 0, 0, height, width, img

    def forward(self, img):
        if not _draws.chance(self.p):
            return img
        value = self.value
        if isinstance(value, (int, float)):
            value = [float(value)]
        elif isinstance(value, (list, tuple)):
            value = [float(v) for v in value]
        else:
            value = None
        if value is not None and len(value) not in (1, img.shape[-3]):
            raise ValueError(
                "If value is a sequence, it should have either a single value or "
                f"{img.shape[-3]} (number of input channels)"
            )
        return F.erase(img, *self.get_params(img, self.scale, self.ratio, value), self.inplace)

    def __repr__(self):
        return (
            f"{type(self).__name__}(p={self.p}, scale={self.scale}, ratio={self.ratio}, value={self.value}, "
            f"inplace={self.inplace})"
        )
