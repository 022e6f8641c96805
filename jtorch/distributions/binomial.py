"""The binomial distribution: how many of some trials succeed."""

from jtorch.api.creation import arange
from jtorch.api.sampling import binomial
from jtorch.autograd.grad_mode import no_grad
from jtorch.distributions import constraints
from jtorch.distributions.distribution import Distribution
from jtorch.distributions.odds import Odds
from jtorch.engine import host

__all__ = ["Binomial"]


def _clamp_by_zero(x):
    # torch: like clamp(min=0), but with the slope 1/2 at 0.
    return (x.clamp(min=0) + x - x.clamp(max=0)) / 2


class Binomial(Odds, Distribution):
    """How many of `total_count` trials succeed, each with probability `probs` (or of log odds `logits`)."""

    arg_constraints = {
        "total_count": constraints.nonnegative_integer,
        "probs": constraints.unit_interval,
        "logits": constraints.real,
    }
    has_enumerate_support = True
    _expands = ("total_count", *Odds._expands)

    def __init__(self, total_count=1, probs=None, logits=None, validate_args=None):
        shape = self._take_odds(probs, logits, total_count=total_count)
        self.total_count = self.total_count.type_as(self._param)
        super().__init__(shape, validate_args=validate_args)

    @constraints.dependent_property(is_discrete=True, event_dim=0)
    def support(self):
        return constraints.integer_interval(0, self.total_count)

    @property
    def mean(self):
        return self.total_count * self.probs

    @property
    def mode(self):
        return ((self.total_count + 1) * self.probs).floor().clamp(max=self.total_count)

    @property
    def variance(self):
        return self.total_count * self.probs * (1 - self.probs)

    def sample(self, sample_shape=()):
        shape = self._extended_shape(sample_shape)
        with no_grad():
            return binomial(self.total_count.expand(shape), self.probs.expand(shape))

    def log_prob(self, value):
        self._check_value(value)
        n, logits = self.total_count, self.logits
        ways = [(x + 1).lgamma() for x in (n, value, n - value)]
        normalizer = n * _clamp_by_zero(logits) + n * (-logits.abs()).exp().log1p() - ways[0]
        return value * logits - ways[1] - ways[2] - normalizer

    def _count(self, name):
        """The one count of trials. Raises NotImplementedError where there are several."""
        with host.aside():
            most = int(self.total_count.max())
            if not self.total_count.min() == most:
                raise NotImplementedError(f"Inhomogeneous total count not supported by `{name}`.")
        return most

    def entropy(self):
        self._count("entropy")
        log_prob = self.log_prob(self.enumerate_support(False))
        return -(log_prob.exp() * log_prob).sum(0)

    def enumerate_support(self, expand=True):
        count = 1 + self._count("enumerate_support")
        return self._enumerated(arange(count, dtype=self._param.dtype, device=self._param.device), expand)
