"""Policies that choose what is done to an image: AutoAugment, RandAugment, TrivialAugment, AugMix."""

import math
from enum import Enum

import numpy as np

from jtorch._tensor import Tensor, aval, host
from jtorch.nn.modules.module import Module
from jtorch.utils.data._utils.collate import host_array
from jtorch.vision.transforms import _draws
from jtorch.vision.transforms import functional as F
from jtorch.vision.transforms._functional_tensor import on_host
from jtorch.vision.transforms._maps import fill_of
from jtorch.vision.transforms._modes import InterpolationMode

__all__ = ["AutoAugmentPolicy", "AutoAugment", "RandAugment", "TrivialAugmentWide", "AugMix"]

# Pairs of (what, with which probability, how much of ten levels).
_IMAGENET = """
Posterize 0.4 8 + Rotate 0.6 9
Solarize 0.6 5 + AutoContrast 0.6
Equalize 0.8 + Equalize 0.6
Posterize 0.6 7 + Posterize 0.6 6
Equalize 0.4 + Solarize 0.2 4
Equalize 0.4 + Rotate 0.8 8
Solarize 0.6 3 + Equalize 0.6
Posterize 0.8 5 + Equalize 1.0
Rotate 0.2 3 + Solarize 0.6 8
Equalize 0.6 + Posterize 0.4 6
Rotate 0.8 8 + Color 0.4 0
Rotate 0.4 9 + Equalize 0.6
Equalize 0.0 + Equalize 0.8
Invert 0.6 + Equalize 1.0
Color 0.6 4 + Contrast 1.0 8
Rotate 0.8 8 + Color 1.0 2
Color 0.8 8 + Solarize 0.8 7
Sharpness 0.4 7 + Invert 0.6
ShearX 0.6 5 + Equalize 1.0
Color 0.4 0 + Equalize 0.6
Equalize 0.4 + Solarize 0.2 4
Solarize 0.6 5 + AutoContrast 0.6
Invert 0.6 + Equalize 1.0
Color 0.6 4 + Contrast 1.0 8
Equalize 0.8 + Equalize 0.6
"""
_CIFAR10 = """
Invert 0.1 + Contrast 0.2 6
Rotate 0.7 2 + TranslateX 0.3 9
Sharpness 0.8 1 + Sharpness 0.9 3
ShearY 0.5 8 + TranslateY 0.7 9
AutoContrast 0.5 + Equalize 0.9
ShearY 0.2 7 + Posterize 0.3 7
Color 0.4 3 + Brightness 0.6 7
Sharpness 0.3 9 + Brightness 0.7 9
Equalize 0.6 + Equalize 0.5
Contrast 0.6 7 + Sharpness 0.6 5
Color 0.7 7 + TranslateX 0.5 8
Equalize 0.3 + AutoContrast 0.4
TranslateY 0.4 3 + Sharpness 0.2 6
Brightness 0.9 6 + Color 0.2 8
Solarize 0.5 2 + Invert 0.0
Equalize 0.2 + AutoContrast 0.6
Equalize 0.2 + Equalize 0.6
Color 0.9 9 + Equalize 0.6
AutoContrast 0.8 + Solarize 0.2 8
Brightness 0.1 3 + Color 0.7 0
Solarize 0.4 5 + AutoContrast 0.9
TranslateY 0.9 9 + TranslateY 0.7 9
AutoContrast 0.9 + Solarize 0.8 3
Equalize 0.8 + Invert 0.1
TranslateY 0.7 9 + AutoContrast 0.9
"""
_SVHN = """
ShearX 0.9 4 + Invert 0.2
ShearY 0.9 8 + Invert 0.7
Equalize 0.6 + Solarize 0.6 6
Invert 0.9 + Equalize 0.6
Equalize 0.6 + Rotate 0.9 3
ShearX 0.9 4 + AutoContrast 0.8
ShearY 0.9 8 + Invert 0.4
ShearY 0.9 5 + Solarize 0.2 6
Invert 0.9 + AutoContrast 0.8
Equalize 0.6 + Rotate 0.9 3
ShearX 0.9 4 + Solarize 0.3 3
ShearY 0.8 8 + Invert 0.7
Equalize 0.9 + TranslateY 0.6 6
Invert 0.9 + Equalize 0.6
Contrast 0.3 3 + Rotate 0.8 4
Invert 0.8 + TranslateY 0.0 2
ShearY 0.7 6 + Solarize 0.4 8
Invert 0.6 + Rotate 0.8 4
ShearY 0.3 7 + TranslateX 0.9 3
ShearX 0.1 6 + Invert 0.6
Solarize 0.7 2 + TranslateY 0.6 7
ShearY 0.8 4 + Invert 0.8
ShearX 0.7 9 + TranslateY 0.8 3
ShearY 0.8 5 + AutoContrast 0.7
ShearX 0.7 2 + Invert 0.1
"""


def _sheared(img, x, y, interpolation, fill):
    """torchvision: about the top left corner, as the paper's program does it."""
    shear = [math.degrees(math.atan(x)), math.degrees(math.atan(y))]
    return F.affine(img, 0.0, [0, 0], 1.0, shear, interpolation, fill, center=[0, 0])


def _moved(img, x, y, interpolation, fill):
    return F.affine(img, 0.0, [int(x), int(y)], 1.0, [0.0, 0.0], interpolation, fill)


_OPS = {
    "Identity": lambda img, m, *how: img,
    "ShearX": lambda img, m, *how: _sheared(img, m, 0.0, *how),
    "ShearY": lambda img, m, *how: _sheared(img, 0.0, m, *how),
    "TranslateX": lambda img, m, *how: _moved(img, m, 0, *how),
    "TranslateY": lambda img, m, *how: _moved(img, 0, m, *how),
    "Rotate": lambda img, m, mode, fill: F.rotate(img, m, mode, fill=fill),
    "Brightness": lambda img, m, *how: F.adjust_brightness(img, 1.0 + m),
    "Color": lambda img, m, *how: F.adjust_saturation(img, 1.0 + m),
    "Contrast": lambda img, m, *how: F.adjust_contrast(img, 1.0 + m),
    "Sharpness": lambda img, m, *how: F.adjust_sharpness(img, 1.0 + m),
    "Posterize": lambda img, m, *how: F.posterize(img, int(m)),
    "Solarize": lambda img, m, *how: F.solarize(img, m),
    "AutoContrast": lambda img, m, *how: F.autocontrast(img),
    "Equalize": lambda img, m, *how: F.equalize(img),
    "Invert": lambda img, m, *how: F.invert(img),
}


def _levels(start, end, count):
    """Numbers from start to end in equal steps, as torch.linspace has them: multiplied and added with one rounding."""
    at, step = np.arange(count), float(np.float32(end - start) / np.float32(count - 1))
    numbers = np.where(at < count // 2, start + step * at, float(np.float32(end)) - step * (count - 1 - at))
    return numbers.astype(np.float32).tolist()


def _bits(most, count, steps):
    """Numbers of bits from `most` down."""
    return (most - np.round(np.arange(count) / ((count - 1) / steps)).astype(int)).tolist()


def _space(count, geometry, colours, bits, order):
    """{what: (its levels or None, whether either sign will do)}, in the order that the draws count.

    geometry: the most of (shear, translation along x, along y, rotation); bits: (the most, how many fewer).
    """
    shear, x, y, turn = (_levels(0.0, most, count) for most in geometry)
    shades = _levels(0.0, colours, count)
    levels = {
        "ShearX": shear, "ShearY": shear, "TranslateX": x, "TranslateY": y, "Rotate": turn, "Brightness": shades,
        "Color": shades, "Contrast": shades, "Sharpness": shades, "Posterize": _bits(bits[0], count, bits[1]),
        "Solarize": _levels(255.0, 0.0, count),
    }  # fmt: skip
    return {name: (levels.get(name), name in levels and name not in ("Posterize", "Solarize")) for name in order}


_MAPS = ("ShearX", "ShearY", "TranslateX", "TranslateY", "Rotate")
_SHADES = ("Brightness", "Color", "Contrast", "Sharpness")
_REST = ("Posterize", "Solarize", "AutoContrast", "Equalize")


class AutoAugmentPolicy(Enum):
    """The data sets that policies were found on."""

    IMAGENET = "imagenet"
    CIFAR10 = "cifar10"
    SVHN = "svhn"


_POLICIES = {
    AutoAugmentPolicy.IMAGENET: _IMAGENET,
    AutoAugmentPolicy.CIFAR10: _CIFAR10,
    AutoAugmentPolicy.SVHN: _SVHN,
}


def _parsed(text):
    def one(words):
        name, chance, *level = words.split()
        return name, float(chance), int(level[0]) if level else None

    return [tuple(one(words) for words in line.split("+")) for line in text.split("\n") if line]


class AutoAugment(Module):
    """One of 25 pairs of changes found for a data set (arXiv:1805.09501). Images: Pillow, or uint8 tensors."""

    def __init__(self, policy=AutoAugmentPolicy.IMAGENET, interpolation=InterpolationMode.NEAREST, fill=None):
        super().__init__()
        self.policy = policy
        self.interpolation = interpolation
        self.fill = fill
        self.policies = self._get_policies(policy)

    def _get_policies(self, policy):
        if policy not in _POLICIES:
            raise ValueError(f"The provided policy {policy} is not recognized.")
        return _parsed(_POLICIES[policy])

    @staticmethod
    def get_params(transform_num):
        """(which pair, two chances, two signs), drawn."""
        return _draws.randint(0, transform_num), _draws.rands(2), _draws.randints(2, 2)

    def forward(self, img):
        fill = fill_of(img, self.fill)
        _, height, width = F.get_dimensions(img)
        which, chances, signs = self.get_params(len(self.policies))
        far = (0.3, 150.0 / 331.0 * width, 150.0 / 331.0 * height, 30.0)
        space = _space(10, far, 0.9, (8, 4), (*_MAPS, *_SHADES, *_REST, "Invert"))
        for (name, p, level), chance, sign in zip(self.policies[which], chances, signs, strict=True):
            if chance <= np.float32(p):
                levels, signed = space[name]
                magnitude = 0.0 if level is None else float(levels[level])
                magnitude *= -1.0 if signed and sign == 0 else 1.0
                img = _OPS[name](img, magnitude, self.interpolation, fill)
        return img

    def __repr__(self):
        return f"{type(self).__name__}(policy={self.policy}, fill={self.fill})"


def _drawn(space, choose):
    """(what, how much), drawn. choose: which of its levels."""
    name = list(space)[_draws.randint(0, len(space))]
    levels, signed = space[name]
    magnitude = 0.0 if levels is None else float(levels[choose(len(levels))])
    return name, magnitude * (-1.0 if signed and _draws.randint(0, 2) else 1.0)


class RandAugment(Module):
    """num_ops changes drawn from 14, all of one magnitude (arXiv:1909.13719). Images: Pillow, or uint8 tensors."""

    def __init__(
        self, num_ops=2, magnitude=9, num_magnitude_bins=31, interpolation=InterpolationMode.NEAREST, fill=None
    ):
        super().__init__()
        self.num_ops = num_ops
        self.magnitude = magnitude
        self.num_magnitude_bins = num_magnitude_bins
        self.interpolation = interpolation
        self.fill = fill

    def forward(self, img):
        fill = fill_of(img, self.fill)
        _, height, width = F.get_dimensions(img)
        far = (0.3, 150.0 / 331.0 * width, 150.0 / 331.0 * height, 30.0)
        space = _space(self.num_magnitude_bins, far, 0.9, (8, 4), ("Identity", *_MAPS, *_SHADES, *_REST))
        for _ in range(self.num_ops):
            name, magnitude = _drawn(space, lambda count: self.magnitude)
            img = _OPS[name](img, magnitude, self.interpolation, fill)
        return img

    def __repr__(self):
        return (
            f"{type(self).__name__}(num_ops={self.num_ops}, magnitude={self.magnitude}, "
            f"num_magnitude_bins={self.num_magnitude_bins}, interpolation={self.interpolation}, fill={self.fill})"
        )


class TrivialAugmentWide(Module):
    """One change drawn from 14, of a magnitude drawn too (arXiv:2103.10158). Images: Pillow, or uint8 tensors."""

    def __init__(self, num_magnitude_bins=31, interpolation=InterpolationMode.NEAREST, fill=None):
        super().__init__()
        self.num_magnitude_bins = num_magnitude_bins
        self.interpolation = interpolation
        self.fill = fill

    def forward(self, img):
        fill = fill_of(img, self.fill)
        order = ("Identity", *_MAPS, *_SHADES, *_REST)
        space = _space(self.num_magnitude_bins, (0.99, 32.0, 32.0, 135.0), 0.99, (8, 6), order)
        name, magnitude = _drawn(space, lambda count: _draws.randint(0, count))
        return _OPS[name](img, magnitude, self.interpolation, fill)

    def __repr__(self):
        return (
            f"{type(self).__name__}(num_magnitude_bins={self.num_magnitude_bins}, "
            f"interpolation={self.interpolation}, fill={self.fill})"
        )


def _weighted(batch, weights, by_numpy):
    return weights * host(batch) if by_numpy else on_host(weights).to(aval(batch).device) * batch


class AugMix(Module):
    """The image mixed with several of its changed copies (arXiv:1912.02781). Images: Pillow, or uint8 tensors.

    severity: 1 to 10; chain_depth: how many changes a copy goes through, -1 for 1 to 3. Raises: ValueError for others.
    """

    _PARAMETER_MAX = 10

    def __init__(
        self,
        severity=3,
        mixture_width=3,
        chain_depth=-1,
        alpha=1.0,
        all_ops=True,
        interpolation=InterpolationMode.BILINEAR,
        fill=None,
    ):
        super().__init__()
        if not 1 <= severity <= self._PARAMETER_MAX:
            raise ValueError(f"The severity must be between [1, {self._PARAMETER_MAX}]. Got {severity} instead.")
        self.severity = severity
        self.mixture_width = mixture_width
        self.chain_depth = chain_depth
        self.alpha = alpha
        self.all_ops = all_ops
        self.interpolation = interpolation
        self.fill = fill

    def forward(self, orig_img):
        _, height, width = F.get_dimensions(orig_img)
        img = orig_img if isinstance(orig_img, Tensor) else F.pil_to_tensor(orig_img)
        fill = fill_of(orig_img, self.fill)
        far, order = (0.3, width / 3.0, height / 3.0, 30.0), (*_MAPS, *_REST, *(_SHADES if self.all_ops else ()))
        space = _space(self._PARAMETER_MAX, far, 0.9, (4, 4), order)
        shape = aval(img).shape
        batch = img.view([1] * max(4 - img.ndim, 0) + list(shape))
        rows = [batch.size(0)] + [1] * (batch.ndim - 1)
        kept = _draws.dirichlet([self.alpha, self.alpha], rows[0])
        weights = _draws.dirichlet([self.alpha] * self.mixture_width, rows[0]) * kept[:, 1:]
        # On the host NumPy rounds as torch does, and a later cast to bytes cuts off.
        by_numpy = host_array(batch) is not None
        mix = _weighted(batch, kept[:, 0].reshape(rows), by_numpy)
        for i in range(self.mixture_width):
            mix = mix + _weighted(self._changed(batch, space, fill), weights[:, i].reshape(rows), by_numpy)
        mix = (on_host(mix) if by_numpy else mix).view(shape).to(img.dtype)
        return mix if isinstance(orig_img, Tensor) else F.to_pil_image(mix)

    def _changed(self, batch, space, fill):
        """A copy that went through a few changes."""
        depth = self.chain_depth if self.chain_depth > 0 else _draws.randint(1, 4)
        for _ in range(depth):
            name, magnitude = _drawn(space, lambda count: _draws.randint(0, self.severity))
            batch = _OPS[name](batch, magnitude, self.interpolation, fill)
        return batch

    def __repr__(self):
        return (
            f"{type(self).__name__}(severity={self.severity}, mixture_width={self.mixture_width}, "
            f"chain_depth={self.chain_depth}, alpha={self.alpha}, all_ops={self.all_ops}, "
            f"interpolation={self.interpolation}, fill={self.fill})"
        )
