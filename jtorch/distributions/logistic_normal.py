"""The logistic-normal distribution: points of the simplex."""

from jtorch.distributions import constraints
from jtorch.distributions.normal import Normal
from jtorch.distributions.transformed_distribution import TransformedDistribution
from jtorch.distributions.transforms import StickBreakingTransform

__all__ = ["LogisticNormal"]


class LogisticNormal(TransformedDistribution):
    """The stick-breaking of a vector of Normal(loc, scale). Shape: (*, n) -> batch (*), event (n + 1,)."""

    arg_constraints = {"loc": constraints.real, "scale": constraints.positive}
    support = constraints.simplex
    has_rsample = True
    _expands = ()

    def __init__(self, loc, scale, validate_args=None):
        base = self._part(Normal, loc, scale, validate_args=validate_args)
        base = base if base.batch_shape else base.expand([1])
        super().__init__(base, StickBreakingTransform(), validate_args=validate_args)

    @property
    def loc(self):
        """The normal distribution's. Shape: (*, n)."""
        return self.base_dist.base_dist.loc

    @property
    def scale(self):
        """The normal distribution's. Shape: (*, n)."""
        return self.base_dist.base_dist.scale
