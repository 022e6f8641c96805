"""Transforms of samples made of others: in a row, in random order, one of several, all or none."""

from collections.abc import Sequence

import numpy as np

from jtorch import dtypes
from jtorch.rng import generator as rng
from jtorch.rng import samplers
from jtorch.vision.transforms import _draws
from jtorch.vision.transforms.v2._sample import Transform


class _Several(Transform):
    """Transforms one after the other on the same sample. Raises: TypeError for what is no list of them."""

    def __init__(self, transforms):
        super().__init__()
        if not isinstance(transforms, Sequence):
            raise TypeError("Argument transforms should be a sequence of callables")
        self.transforms = transforms

    def _through(self, transforms, inputs):
        sample = inputs if len(inputs) > 1 else inputs[0]
        for transform in transforms:
            sample = transform(*inputs)
            inputs = sample if len(inputs) > 1 else (sample,)
        return sample


class Compose(_Several):
    """Transforms one after the other."""

    def __init__(self, transforms):
        super().__init__(transforms)
        if not transforms:
            raise ValueError("Pass at least one transform")

    def extra_repr(self):
        return "\n".join(f"    {t}" for t in self.transforms)

    def forward(self, *inputs):
        return self._through(self.transforms, inputs)


class RandomApply(Compose):
    """Transforms one after the other, all with probability p or none."""

    def __init__(self, transforms, p=0.5):
        super().__init__(transforms)
        if not 0.0 <= p <= 1.0:
            raise ValueError("`p` should be a floating point value in the interval [0.0, 1.0].")
        self.p = p

    def forward(self, *inputs):
        return self._through(self.transforms if _draws.chance(self.p) else (), inputs)


class RandomChoice(_Several):
    """One of several transforms, with probabilities p."""

    def __init__(self, transforms, p=None):
        super().__init__(transforms)
        p = [1] * len(transforms) if p is None else p
        if len(p) != len(transforms):
            raise ValueError(f"Length of p doesn't match the number of transforms: {len(p)} != {len(transforms)}")
        self.p = [share / sum(p) for share in p]

    def forward(self, *inputs):
        drawn = samplers.multinomial(rng.default, np.array(self.p, dtypes.float32.numpy), 1)
        return self._through([self.transforms[int(drawn[0])]], inputs)


class RandomOrder(_Several):
    """Transforms in random order."""

    def forward(self, *inputs):
        return self._through([self.transforms[i] for i in _draws.randperm(len(self.transforms))], inputs)
