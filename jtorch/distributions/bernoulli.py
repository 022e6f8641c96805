"""The Bernoulli distribution: 1 with a probability, else 0."""

from math import nan

from jtorch.api.creation import arange
from jtorch.api.sampling import bernoulli
from jtorch.autograd.apply import call
from jtorch.autograd.grad_mode import no_grad
from jtorch.distributions import constraints
from jtorch.distributions.exp_family import ExponentialFamily
from jtorch.distributions.odds import Odds
from jtorch.distributions.utils import broadcast_all
from jtorch.nn.functional import binary_cross_entropy_with_logits

__all__ = ["Bernoulli"]


class Bernoulli(Odds, ExponentialFamily):
    """1 with probability `probs` (or of log odds `logits`), else 0. Shape: of the one given."""

    arg_constraints = {"probs": constraints.unit_interval, "logits": constraints.real}
    support = constraints.boolean
    has_enumerate_support = True
    _mean_carrier_measure = 0
    _expands = Odds._expands

    def __init__(self, probs=None, logits=None, validate_args=None):
        super().__init__(self._take_odds(probs, logits), validate_args=validate_args)

    @property
    def mean(self):
        return self.probs

    @property
    def mode(self):
        # torch: nan where both are as likely.
        return (self.probs >= 0.5).to(self.probs).masked_fill(self.probs == 0.5, nan)

    @property
    def variance(self):
        return self.probs * (1 - self.probs)

    def sample(self, sample_shape=()):
        with no_grad():
            return bernoulli(self.probs.expand(self._extended_shape(sample_shape)))

    def log_prob(self, value):
        self._check_value(value)
        logits, value = broadcast_all(self.logits, value)
        return -binary_cross_entropy_with_logits(logits, value, reduction="none")

    def entropy(self):
        return binary_cross_entropy_with_logits(self.logits, self.probs, reduction="none")

    def enumerate_support(self, expand=True):
        return self._enumerated(arange(2, dtype=self._param.dtype, device=self._param.device), expand)

    @property
    def _natural_params(self):
        return (call("logit", self.probs),)

    def _log_normalizer(self, x):
        return x.exp().log1p()
