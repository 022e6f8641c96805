"""The Gumbel distribution: of maxima."""

import math

from jtorch.api.settings import finfo
from jtorch.distributions import constraints
from jtorch.distributions.transformed_distribution import TransformedDistribution
from jtorch.distributions.transforms import AffineTransform, ExpTransform
from jtorch.distributions.uniform import Uniform
from jtorch.distributions.utils import euler_constant

__all__ = ["Gumbel"]


class Gumbel(TransformedDistribution):
    """loc - scale · log(-log(u)) for a uniform u."""

    arg_constraints = {"loc": constraints.real, "scale": constraints.positive}
    support = constraints.real
    _expands = ("loc", "scale")

    def __init__(self, loc, scale, validate_args=None):
        self._take(loc=loc, scale=scale)
        info = finfo(self.loc.dtype)
        ends = (self.loc.new_full(self.loc.shape, end) for end in (info.tiny, 1 - info.eps))
        minus = AffineTransform(loc=0, scale=-self.scale.new_ones(self.scale.shape))
        steps = [ExpTransform().inv, minus, ExpTransform().inv, AffineTransform(loc=loc, scale=-self.scale)]
        super().__init__(self._part(Uniform, *ends, validate_args=validate_args), steps, validate_args=validate_args)

    def log_prob(self, value):
        self._check_value(value)
        y = (self.loc - value) / self.scale
        return y - y.exp() - self.scale.log()

    @property
    def mean(self):
        return self.loc + self.scale * euler_constant

    @property
    def mode(self):
        return self.loc

    @property
    def stddev(self):
        return math.pi / math.sqrt(6) * self.scale

    @property
    def variance(self):
        return self.stddev.pow(2)

    def entropy(self):
        return self.scale.log() + (1 + euler_constant)
