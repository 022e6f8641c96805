"""Student's t distribution."""

import math
from math import inf, nan

from jtorch.api.elementwise import where
from jtorch.distributions import constraints
from jtorch.distributions.chi2 import Chi2
from jtorch.distributions.distribution import Distribution
from jtorch.distributions.utils import _standard_normal

__all__ = ["StudentT"]


class StudentT(Distribution):
    """loc + scale · t for a t of `df` degrees of freedom."""

    arg_constraints = {"df": constraints.positive, "loc": constraints.real, "scale": constraints.positive}
    support = constraints.real
    has_rsample = True
    _expands = ("df", "loc", "scale", "_chi2")

    def __init__(self, df, loc=0.0, scale=1.0, validate_args=None):
        shape = self._take(df=df, loc=loc, scale=scale)
        self._chi2 = self._part(Chi2, self.df)
        super().__init__(shape, validate_args=validate_args)

    @property
    def mean(self):
        return self.loc.masked_fill(self.df <= 1, nan)

    @property
    def mode(self):
        return self.loc

    @property
    def variance(self):
        df = where(self.df > 2, self.df, 3.0)
        variance = where(self.df > 2, self.scale.pow(2) * df / (df - 2), self.df)
        return variance.masked_fill((self.df <= 2) & (self.df > 1), inf).masked_fill(self.df <= 1, nan)

    def rsample(self, sample_shape=()):
        x = _standard_normal(self._extended_shape(sample_shape), dtype=self.df.dtype, device=self.df.device)
        z = self._chi2.rsample(sample_shape)
        return self.loc + self.scale * (x * (z / self.df).rsqrt())

    def _log_beta(self):
        return (0.5 * self.df).lgamma() - (0.5 * (self.df + 1.0)).lgamma()

    def log_prob(self, value):
        self._check_value(value)
        y = (value - self.loc) / self.scale
        normalizer = self.scale.log() + 0.5 * self.df.log() + 0.5 * math.log(math.pi) + self._log_beta()
        return -0.5 * (self.df + 1.0) * (y**2.0 / self.df).log1p() - normalizer

    def entropy(self):
        half, more = 0.5 * self.df, 0.5 * (self.df + 1)
        slope = more * (more.digamma() - half.digamma())
        return self.scale.log() + slope + 0.5 * self.df.log() + (self._log_beta() + math.lgamma(0.5))
