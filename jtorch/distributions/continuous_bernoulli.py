"""The continuous Bernoulli distribution (Loaiza-Ganem & Cunningham, arXiv:1907.06845)."""

import math

from jtorch.api.elementwise import where
from jtorch.autograd.grad_mode import no_grad
from jtorch.distributions import constraints
from jtorch.distributions.exp_family import ExponentialFamily
from jtorch.distributions.odds import Odds
from jtorch.distributions.utils import _uniform, broadcast_all, clamp_probs, lazy_property, logits_to_probs
from jtorch.engine import host
from jtorch.nn.functional import binary_cross_entropy_with_logits

__all__ = ["ContinuousBernoulli"]


class ContinuousBernoulli(Odds, ExponentialFamily):
    """Density ∝ probs^x · (1 - probs)^(1 - x) on [0, 1]. Between `lims`, around 1/2, Taylor series stand in."""

    arg_constraints = {"probs": constraints.unit_interval, "logits": constraints.real}
    support = constraints.unit_interval
    _mean_carrier_measure = 0
    has_rsample = True
    _expands = Odds._expands
    _keeps = ("_lims",)

    def __init__(self, probs=None, logits=None, lims=(0.499, 0.501), validate_args=None):
        shape = self._take_odds(probs, logits)
        if probs is not None:
            # torch: what is given is looked at only where validate_args is given, be it False.
            if validate_args is not None:
                with host.aside():
                    valid = bool(self.arg_constraints["probs"].check(self.probs).all())
                if not valid:
                    raise ValueError("The parameter probs has invalid values")
            self.probs = self._param = clamp_probs(self.probs)
        self._lims = lims
        super().__init__(shape, validate_args=validate_args)

    @lazy_property
    def probs(self):
        return clamp_probs(logits_to_probs(self.logits, is_binary=True))

    def _outside_unstable_region(self):
        return self.probs.le(self._lims[0]) | self.probs.gt(self._lims[1])

    def _cut_probs(self):
        return where(self._outside_unstable_region(), self.probs, self.probs.new_full((), self._lims[0]))

    def _cont_bern_log_norm(self):
        """The logarithm of the normalizer: 2 artanh(1 - 2p) / (1 - 2p)."""
        p = self._cut_probs()
        low, high = p.masked_fill(p.gt(0.5), 0), p.masked_fill(p.lt(0.5), 1)
        odds = ((-p).log1p() - p.log()).abs().log()
        log_norm = odds - where(p.le(0.5), (-2.0 * low).log1p(), (2.0 * high - 1.0).log())
        x = (self.probs - 0.5).pow(2)
        return where(self._outside_unstable_region(), log_norm, math.log(2.0) + (4.0 / 3.0 + 104.0 / 45.0 * x) * x)

    @property
    def mean(self):
        p, x = self._cut_probs(), self.probs - 0.5
        mean = p / (2.0 * p - 1.0) + 1.0 / ((-p).log1p() - p.log())
        return where(self._outside_unstable_region(), mean, 0.5 + (1.0 / 3.0 + 16.0 / 45.0 * x.pow(2)) * x)

    @property
    def variance(self):
        p, x = self._cut_probs(), (self.probs - 0.5).pow(2)
        variance = p * (p - 1.0) / (1.0 - 2.0 * p).pow(2) + 1.0 / ((-p).log1p() - p.log()).pow(2)
        return where(self._outside_unstable_region(), variance, 1.0 / 12.0 - (1.0 / 15.0 - 128.0 / 945.0 * x) * x)

    def sample(self, sample_shape=()):
        with no_grad():
            return self.rsample(sample_shape)

    def rsample(self, sample_shape=()):
        return self.icdf(_uniform(self._extended_shape(sample_shape), self.probs))

    def log_prob(self, value):
        self._check_value(value)
        logits, value = broadcast_all(self.logits, value)
        return -binary_cross_entropy_with_logits(logits, value, reduction="none") + self._cont_bern_log_norm()

    def cdf(self, value):
        self._check_value(value)
        p = self._cut_probs()
        inside = (p.pow(value) * (1.0 - p).pow(1.0 - value) + p - 1.0) / (2.0 * p - 1.0)
        inside = where(self._outside_unstable_region(), inside, value)
        return where(value.le(0.0), value.new_zeros(()), where(value.ge(1.0), value.new_ones(()), inside))

    def icdf(self, value):
        p = self._cut_probs()
        found = ((-p + value * (2.0 * p - 1.0)).log1p() - (-p).log1p()) / (p.log() - (-p).log1p())
        return where(self._outside_unstable_region(), found, value)

    def entropy(self):
        log0, log1 = (-self.probs).log1p(), self.probs.log()
        return self.mean * (log0 - log1) - self._cont_bern_log_norm() - log0

    @property
    def _natural_params(self):
        return (self.logits,)

    def _log_normalizer(self, x):
        """log((e^x - 1) / x)."""
        low, high = (limit - 0.5 for limit in self._lims)
        outside = x.le(low) | x.gt(high)
        cut = where(outside, x, x.new_full((), low))
        log_norm = cut.expm1().abs().log() - cut.abs().log()
        return where(outside, log_norm, 0.5 * x + x.pow(2) / 24.0 - x.pow(4) / 2880.0)
