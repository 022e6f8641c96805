"""The generalized Pareto distribution: what lies beyond a threshold."""

from math import inf, nan

from jtorch.api.elementwise import where
from jtorch.autograd.apply import call
from jtorch.distributions import constraints
from jtorch.distributions.distribution import Distribution
from jtorch.distributions.utils import _uniform

__all__ = ["GeneralizedPareto"]


class GeneralizedPareto(Distribution):
    """P(X > x) = (1 + concentration · z)^(-1 / concentration) with z = (x - loc) / scale; e^-z for concentration 0."""

    arg_constraints = {
        "loc": constraints.real,
        "scale": constraints.positive,
        "concentration": constraints.real,
    }
    has_rsample = True
    _expands = ("loc", "scale", "concentration")

    def __init__(self, loc, scale, concentration, validate_args=None):
        shape = self._take(loc=loc, scale=scale, concentration=concentration)
        super().__init__(shape, validate_args=validate_args)

    def rsample(self, sample_shape=()):
        return self.icdf(_uniform(self._extended_shape(sample_shape), self.loc))

    def _z(self, x):
        return (x - self.loc) / self.scale

    def _shape_parameter(self):
        """(where the concentration is about 0, the concentration with 1 in these places)."""
        flat = call("isclose", self.concentration, self.concentration.new_zeros(()))
        return flat, self.concentration.masked_fill(flat, 1)

    def log_prob(self, value):
        self._check_value(value)
        z, (flat, c) = self._z(value), self._shape_parameter()
        power = 1 / c + 1
        return -self.scale.log() - where(flat, z, where(power == 0, power, power * (c * z).log1p()))

    def log_survival_function(self, value):
        """The logarithm of the probability of what lies above `value`. Shape: batch."""
        self._check_value(value)
        z, (flat, c) = self._z(value), self._shape_parameter()
        return where(flat, -z, -(c * z).log1p() / c)

    def log_cdf(self, value):
        """The logarithm of the cdf. Shape: batch."""
        return (-self.log_survival_function(value).exp()).log1p()

    def cdf(self, value):
        return self.log_cdf(value).exp()

    def icdf(self, value):
        log_rest, (flat, c) = (-value).log1p(), self._shape_parameter()
        steep = self.loc + self.scale / c * (-c * log_rest).expm1()
        return where(flat, self.loc - self.scale * log_rest, steep)

    @property
    def mean(self):
        valid = self.concentration < 1
        c = where(valid, self.concentration, 0.5)
        return where(valid, self.loc + self.scale / (1 - c), nan)

    @property
    def variance(self):
        valid = self.concentration < 0.5
        c = where(valid, self.concentration, 0.25)
        return where(valid, self.scale**2 / ((1 - c) ** 2 * (1 - 2 * c)), nan)

    @property
    def mode(self):
        return self.loc

    def entropy(self):
        return (self.scale.log() + self.concentration + 1).broadcast_to(self._batch_shape)

    @constraints.dependent_property(is_discrete=False, event_dim=0)
    def support(self):
        upper = where(self.concentration < 0, self.loc - self.scale / self.concentration, inf)
        return constraints.interval(self.loc, upper)
