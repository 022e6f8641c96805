"""Transforms that are applied, or chosen, at random."""

import random
from collections.abc import Sequence

from jtorch.nn.modules.module import Module
from jtorch.vision.transforms import _draws
from jtorch.vision.transforms import functional as F
from jtorch.vision.transforms._plain import listed


class RandomTransforms:
    """Base of transforms that choose among others. Raises: TypeError for what is no sequence of them."""

    def __init__(self, transforms):
        if not isinstance(transforms, Sequence):
            raise TypeError("Argument transforms should be a sequence")
        self.transforms = transforms

    def __call__(self, *args, **kwargs):
        raise NotImplementedError(f"{type(self).__name__} does not say how it chooses among its transforms")

    def __repr__(self):
        return listed(type(self).__name__, self.transforms)


class RandomApply(Module):
    """Transforms applied one after the other, all with probability p or none."""

    def __init__(self, transforms, p=0.5):
        super().__init__()
        self.transforms = transforms
        self.p = p

    def forward(self, img):
        if _draws.rounded(self.p) < _draws.rand():
            return img
        for transform in self.transforms:
            img = transform(img)
        return img

    def __repr__(self):
        return listed(type(self).__name__, [f"p={self.p}", *self.transforms])


class RandomOrder(RandomTransforms):
    """Transforms in random order, by Python's generator."""

    def __call__(self, img):
        order = list(range(len(self.transforms)))
        random.shuffle(order)
        for i in order:
            img = self.transforms[i](img)
        return img


class RandomChoice(RandomTransforms):
    """One of several transforms, with probabilities p, by Python's generator."""

    def __init__(self, transforms, p=None):
        super().__init__(transforms)
        if p is not None and not isinstance(p, Sequence):
            raise TypeError("Argument p should be a sequence")
        self.p = p

    def __call__(self, *args):
        return random.choices(self.transforms, weights=self.p)[0](*args)

    def __repr__(self):
        return f"{super().__repr__()}(p={self.p})"


class _WithChance(Module):
    """A transform that is applied with probability p."""

    def __init__(self, p=0.5):
        super().__init__()
        self.p = p

    def __repr__(self):
        return f"{type(self).__name__}(p={self.p})"


class RandomHorizontalFlip(_WithChance):
    """Left and right changed with probability p."""

    def forward(self, img):
        return F.hflip(img) if _draws.chance(self.p) else img


class RandomVerticalFlip(_WithChance):
    """Top and bottom changed with probability p."""

    def forward(self, img):
        return F.vflip(img) if _draws.chance(self.p) else img


class RandomGrayscale(_WithChance):
    """Black and white, in as many channels, with probability p."""

    def __init__(self, p=0.1):
        super().__init__(p)

    def forward(self, img):
        channels, _, _ = F.get_dimensions(img)
        return F.rgb_to_grayscale(img, channels) if _draws.chance(self.p) else img


class RandomInvert(_WithChance):
    """The negative with probability p."""

    def forward(self, img):
        return F.invert(img) if _draws.rand() < self.p else img


class RandomAutocontrast(_WithChance):
    """Stretched to the whole range of values with probability p."""

    def forward(self, img):
        return F.autocontrast(img) if _draws.rand() < self.p else img


class RandomEqualize(_WithChance):
    """Stretched so that all values are equally frequent, with probability p."""

    def forward(self, img):
        return F.equalize(img) if _draws.rand() < self.p else img


class RandomPosterize(_WithChance):
    """With only so many bits per channel, with probability p."""

    def __init__(self, bits, p=0.5):
        super().__init__(p)
        self.bits = bits

    def forward(self, img):
        return F.posterize(img, self.bits) if _draws.rand() < self.p else img

    def __repr__(self):
        return f"{type(self).__name__}(bits={self.bits},p={self.p})"


class RandomSolarize(_WithChance):
    """Pixels from a threshold on inverted, with probability p."""

    def __init__(self, threshold, p=0.5):
        super().__init__(p)
        self.threshold = threshold

    def forward(self, img):
        return F.solarize(img, self.threshold) if _draws.rand() < self.p else img

    def __repr__(self):
        return f"{type(self).__name__}(threshold={self.threshold},p={self.p})"


class RandomAdjustSharpness(_WithChance):
    """Another sharpness with probability p: 0 is blurred, 1 the image, 2 twice as sharp."""

    def __init__(self, sharpness_factor, p=0.5):
        super().__init__(p)
        self.sharpness_factor = sharpness_factor

    def forward(self, img):
        return F.adjust_sharpness(img, self.sharpness_factor) if _draws.rand() < self.p else img

    def __repr__(self):
        return f"{type(self).__name__}(sharpness_factor={self.sharpness_factor},p={self.p})"
