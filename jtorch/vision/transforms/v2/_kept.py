"""Transforms of samples that are not quite those of images: bytes are resized in whole numbers, sizes kept as lists."""

from jtorch.vision.transforms import _crops, _pixels
from jtorch.vision.transforms.v2 import functional as F
from jtorch.vision.transforms.v2._sample import of_images


class Resize(of_images(_pixels.Resize)):
    """The image in another size: (height, width), or the shorter edge's, the longer at most max_size."""

    def __init__(self, size, interpolation="bilinear", max_size=None, antialias=True):
        super().__init__(size, interpolation, max_size, antialias)
        self.size = [size] if isinstance(size, int) else list(size)

    def _one(self, img):
        return F.resize(img, self.size, self.interpolation, self.max_size, self.antialias)


class RandomResizedCrop(of_images(_crops.RandomResizedCrop)):
    """A part of random area and shape, resized. scale: bounds of the area; ratio: of width to height."""

    def _one(self, img):
        part = self.get_params(img, self.scale, self.ratio)
        return F.resized_crop(img, *part, self.size, self.interpolation, antialias=self.antialias)


class Pad(of_images(_pixels.Pad)):
    """A border: one width, (left and right, top and bottom), or (left, top, right, bottom)."""

    def __init__(self, padding, fill=0, padding_mode="constant"):
        super().__init__(padding, fill, padding_mode)
        self.padding = padding if isinstance(padding, int) else list(padding)


class GaussianBlur(of_images(_pixels.GaussianBlur)):
    """The image blurred with a Gaussian whose sigma is drawn from (min, max), or is one number."""

    def __init__(self, kernel_size, sigma=(0.1, 2.0)):
        super().__init__(kernel_size, sigma)
        self.sigma = [float(s) for s in self.sigma]


class RandomErasing(of_images(_crops.RandomErasing)):
    """A part of a tensor wiped out with probability p (arXiv:1708.04896). value: a number, one a channel, "random"."""

    def __init__(self, p=0.5, scale=(0.02, 0.33), ratio=(0.3, 3.3), value=0.0, inplace=False):
        super().__init__(p, scale, ratio, value, inplace)
        several = value if isinstance(value, (tuple, list)) else [value]
        self.value = None if value == "random" else [float(v) for v in several]
