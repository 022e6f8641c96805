"""The geometric distribution: how many trials fail before the first that succeeds."""

from functools import partial

from jtorch.api.settings import finfo
from jtorch.autograd.grad_mode import no_grad
from jtorch.distributions import constraints
from jtorch.distributions.distribution import Distribution
from jtorch.distributions.odds import Odds
from jtorch.distributions.utils import _uniform, broadcast_all
from jtorch.nn.functional import binary_cross_entropy_with_logits

__all__ = ["Geometric"]


class Geometric(Odds, Distribution):
    """How many trials fail before the first success, of probability `probs` (or of log odds `logits`)."""

    arg_constraints = {"probs": constraints.unit_interval, "logits": constraints.real}
    support = constraints.nonnegative_integer
    _expands = Odds._expands

    def __init__(self, probs=None, logits=None, validate_args=None):
        super().__init__(self._take_odds(probs, logits), validate_args=validate_args)

    def _checks(self):
        checks = super()._checks()
        if "probs" in self.__dict__:
            checks.append((constraints.positive, self.probs, partial(self._refused_zeros, self.probs)))
        return checks

    def _refused_zeros(self, value):
        return (
            f"Expected parameter probs ({type(value).__name__} of shape {tuple(value.shape)}) of distribution {self!r} "
            f"to be positive but found invalid values:\n{value.data[~(value > 0)]}"
        )

    @property
    def mean(self):
        return 1.0 / self.probs - 1.0

    @property
    def mode(self):
        return self.probs.new_zeros(self.probs.shape)

    @property
    def variance(self):
        return (1.0 / self.probs - 1.0) / self.probs

    def sample(self, sample_shape=()):
        shape, tiny = self._extended_shape(sample_shape), finfo(self.probs.dtype).tiny
        with no_grad():
            return (_uniform(shape, self.probs, tiny, 1.0).log() / (-self.probs).log1p()).floor()

    def log_prob(self, value):
        self._check_value(value)
        value, probs = broadcast_all(value, self.probs)
        probs = probs.masked_fill((probs == 1) & (value == 0), 0)
        return value * (-probs).log1p() + self.probs.log()

    def entropy(self):
        return binary_cross_entropy_with_logits(self.logits, self.probs, reduction="none") / self.probs
