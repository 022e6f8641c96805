"""The relaxed Bernoulli distribution (Maddison et al., arXiv:1611.00712; Jang et al., arXiv:1611.01144)."""

from jtorch.distributions import constraints
from jtorch.distributions.distribution import Distribution
from jtorch.distributions.odds import Odds
from jtorch.distributions.transformed_distribution import TransformedDistribution
from jtorch.distributions.transforms import SigmoidTransform
from jtorch.distributions.utils import _uniform, broadcast_all, clamp_probs

__all__ = ["LogitRelaxedBernoulli", "RelaxedBernoulli"]


class LogitRelaxedBernoulli(Odds, Distribution):
    """The logit of a relaxed Bernoulli number."""

    arg_constraints = {"probs": constraints.unit_interval, "logits": constraints.real}
    support = constraints.real
    _expands = Odds._expands
    _keeps = ("temperature",)

    def __init__(self, temperature, probs=None, logits=None, validate_args=None):
        self.temperature = temperature
        super().__init__(self._take_odds(probs, logits), validate_args=validate_args)

    def rsample(self, sample_shape=()):
        shape = self._extended_shape(sample_shape)
        p = clamp_probs(self.probs.expand(shape))
        u = clamp_probs(_uniform(shape, p))
        return (u.log() - (-u).log1p() + p.log() - (-p).log1p()) / self.temperature

    def log_prob(self, value):
        self._check_value(value)
        logits, value = broadcast_all(self.logits, value)
        diff = logits - value.mul(self.temperature)
        return self.temperature.log() + diff - 2 * diff.exp().log1p()


class OfBase:
    """The parameters of a relaxed distribution, which are those of what it transforms."""

    def _checks(self):
        return [] if self.base_dist._validate_args else super()._checks()  # they would be the same

    @property
    def temperature(self):
        """The nearer to 0, the nearer the samples are to 0 and 1."""
        return self.base_dist.temperature

    @property
    def logits(self):
        """The logits before the relaxation."""
        return self.base_dist.logits

    @property
    def probs(self):
        """The probabilities before the relaxation."""
        return self.base_dist.probs


class RelaxedBernoulli(OfBase, TransformedDistribution):
    """Numbers in (0, 1) that stand for those of Bernoulli, reparameterized, at a `temperature`."""

    arg_constraints = {"probs": constraints.unit_interval, "logits": constraints.real}
    support = constraints.unit_interval
    has_rsample = True
    _expands = ()

    def __init__(self, temperature, probs=None, logits=None, validate_args=None):
        base = self._part(LogitRelaxedBernoulli, temperature, probs, logits)
        super().__init__(base, SigmoidTransform(), validate_args=validate_args)
