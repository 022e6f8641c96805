"""The half normal distribution."""

import math

from jtorch.distributions.halves import Half
from jtorch.distributions.normal import Normal

__all__ = ["HalfNormal"]


class HalfNormal(Half):
    """|x| for x of Normal(0, scale)."""

    _whole = Normal
    _expands = ()

    @property
    def mean(self):
        return self.scale * math.sqrt(2 / math.pi)

    @property
    def variance(self):
        return self.scale.pow(2) * (1 - 2 / math.pi)
