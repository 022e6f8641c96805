"""KL divergences between distributions of two families."""

import math
from math import inf

from jtorch.api.elementwise import where
from jtorch.distributions.bernoulli import Bernoulli
from jtorch.distributions.beta import Beta
from jtorch.distributions.binomial import Binomial
from jtorch.distributions.continuous_bernoulli import ContinuousBernoulli
from jtorch.distributions.exponential import Exponential
from jtorch.distributions.gamma import Gamma
from jtorch.distributions.gumbel import Gumbel
from jtorch.distributions.kl import register_kl
from jtorch.distributions.laplace import Laplace
from jtorch.distributions.normal import Normal
from jtorch.distributions.pareto import Pareto
from jtorch.distributions.poisson import Poisson
from jtorch.distributions.uniform import Uniform
from jtorch.distributions.utils import euler_constant

_WIDE = Beta, ContinuousBernoulli, Exponential, Gamma, Pareto, Uniform

# p: (a parameter whose shape and dtype the divergence has, the families whose support does not hold all of p's).
_INFINITE = {
    Beta: ("concentration1", (Pareto,)),
    ContinuousBernoulli: ("probs", (Pareto,)),
    Exponential: ("rate", (Beta, ContinuousBernoulli, Pareto, Uniform)),
    Gamma: ("concentration", (Beta, ContinuousBernoulli, Pareto, Uniform)),
    Gumbel: ("loc", _WIDE),
    Laplace: ("loc", _WIDE),
    Normal: ("loc", _WIDE),
    Pareto: ("scale", (Beta, ContinuousBernoulli, Uniform)),
    Poisson: ("rate", (Bernoulli, Binomial)),
}


def _register_infinite(kind, name, others):
    def infinite(p, q):
        like = getattr(p, name)
        return like.new_full(like.shape, inf)

    for other in others:
        register_kl(kind, other)(infinite)


for _kind, (_name, _others) in _INFINITE.items():
    _register_infinite(_kind, _name, _others)


def _x_log_x(x):
    return x.xlogy(x)


def _log_gamma_scale(q):
    """The logarithm of a gamma distribution's normalizer."""
    return q.concentration.lgamma() - q.concentration * q.rate.log()


@register_kl(Bernoulli, Poisson)
def _bernoulli_poisson(p, q):
    return -p.entropy() - (p.probs * q.rate.log() - q.rate)


@register_kl(Beta, ContinuousBernoulli)
def _beta_continuous_bernoulli(p, q):
    return -p.entropy() - p.mean * q.logits - (-q.probs).log1p() - q._cont_bern_log_norm()


@register_kl(Beta, Exponential)
def _beta_exponential(p, q):
    return -p.entropy() - q.rate.log() + q.rate * p.mean


@register_kl(Beta, Gamma)
def _beta_gamma(p, q):
    a, total = p.concentration1, p.concentration1 + p.concentration0
    t3 = (q.concentration - 1) * (a.digamma() - total.digamma())
    return -p.entropy() + _log_gamma_scale(q) - t3 + q.rate * a / total


@register_kl(Beta, Normal)
def _beta_normal(p, q):
    mean, variance = p.mean, q.scale.pow(2)
    square = mean * (1 - mean) / (p.concentration1 + p.concentration0 + 1) + mean.pow(2)
    t2 = 0.5 * (variance * 2 * math.pi).log()
    return -p.entropy() + t2 + (square * 0.5 - q.loc * mean + q.loc.pow(2) * 0.5) / variance


@register_kl(Beta, Uniform)
def _beta_uniform(p, q):
    result = -p.entropy() + (q.high - q.low).log()
    return result.masked_fill((q.low > p.support.lower_bound) | (q.high < p.support.upper_bound), inf)


@register_kl(ContinuousBernoulli, Exponential)
def _continuous_bernoulli_exponential(p, q):
    return -p.entropy() - q.rate.log() + q.rate * p.mean


@register_kl(ContinuousBernoulli, Normal)
def _continuous_bernoulli_normal(p, q):
    t2 = 0.5 * (math.log(2.0 * math.pi) + (q.loc / q.scale).square()) + q.scale.log()
    t3 = (p.variance + p.mean.square() - 2.0 * q.loc * p.mean) / (2.0 * q.scale.square())
    return -p.entropy() + t2 + t3


@register_kl(ContinuousBernoulli, Uniform)
def _continuous_bernoulli_uniform(p, q):
    result = -p.entropy() + (q.high - q.low).log()
    # torch: infinite also where the support just fits.
    return where(q.low.ge(p.support.lower_bound) | q.high.le(p.support.upper_bound), inf, result)


@register_kl(Exponential, Gamma)
def _exponential_gamma(p, q):
    a, ratio = q.concentration, q.rate / p.rate
    return -a * ratio.log() + ratio + a.lgamma() + a * euler_constant - (1 + euler_constant)


@register_kl(Exponential, Gumbel)
def _exponential_gumbel(p, q):
    product, shift = p.rate * q.scale, q.loc / q.scale
    t2 = shift.exp() * product / (product + 1)
    return product.log() - 1 - shift + t2 + product.reciprocal()


@register_kl(Exponential, Normal)
def _exponential_normal(p, q):
    variance, square = q.scale.pow(2), p.rate.pow(2)
    t1 = 0.5 * (square * variance * 2 * math.pi).log()
    return t1 - 1 + (square.reciprocal() - q.loc / p.rate + q.loc.pow(2) * 0.5) / variance


@register_kl(Gamma, Exponential)
def _gamma_exponential(p, q):
    return -p.entropy() - q.rate.log() + q.rate * p.concentration / p.rate


@register_kl(Gamma, Gumbel)
def _gamma_gumbel(p, q):
    a, product, shift = p.concentration, p.rate * q.scale, q.loc / q.scale
    t1 = (a - 1) * a.digamma() - a.lgamma() - a
    t3 = shift.exp() * (1 + product.reciprocal()).pow(-a) - shift
    return t1 + (product.log() + a / product) + t3


@register_kl(Gamma, Normal)
def _gamma_normal(p, q):
    a, variance, square = p.concentration, q.scale.pow(2), p.rate.pow(2)
    t1 = 0.5 * (square * variance * 2 * math.pi).log() - a - a.lgamma()
    t2 = 0.5 * (a.pow(2) + a) / square
    return t1 + (a - 1) * a.digamma() + (t2 - q.loc * a / p.rate + 0.5 * q.loc.pow(2)) / variance


@register_kl(Gumbel, Normal)
def _gumbel_normal(p, q):
    ratio = p.scale / q.scale
    t1 = (ratio / math.sqrt(2 * math.pi)).log()
    t2 = (math.pi * ratio * 0.5).pow(2) / 3
    t3 = ((p.mean - q.loc) / q.scale).pow(2) * 0.5
    return -t1 + t2 + t3 - (euler_constant + 1)


@register_kl(Laplace, Normal)
def _laplace_normal(p, q):
    variance = q.scale.pow(2)
    ratio = p.scale.pow(2) / variance
    t1 = 0.5 * (2 * ratio / math.pi).log()
    return -t1 + ratio + (0.5 * p.loc.pow(2) - p.loc * q.loc + 0.5 * q.loc.pow(2)) / variance - 1


@register_kl(Normal, Gumbel)
def _normal_gumbel(p, q):
    mine, theirs, ratio = p.loc / q.scale, q.loc / q.scale, (p.scale / q.scale).pow(2)
    t3 = (-mine + 0.5 * ratio + theirs).exp()
    return -(ratio.log() * 0.5) + (mine - theirs) + t3 - 0.5 * (1 + math.log(2 * math.pi))


@register_kl(Normal, Laplace)
def _normal_laplace(p, q):
    apart = p.loc - q.loc
    steps = apart / p.scale
    t2 = math.sqrt(2 / math.pi) * p.scale * (-0.5 * steps.pow(2)).exp()
    t3 = apart * (math.sqrt(0.5) * steps).erf()
    return -(p.scale / q.scale).log() + (t2 + t3) / q.scale - 0.5 * (1 + math.log(0.5 * math.pi))


@register_kl(Pareto, Exponential)
def _pareto_exponential(p, q):
    a, product = p.alpha, p.scale * q.rate
    result = (a / product).log() - a.reciprocal() + a * product / (a - 1) - 1
    return result.masked_fill(a <= 1, inf)


@register_kl(Pareto, Gamma)
def _pareto_gamma(p, q):
    a, log_mean = p.alpha, p.scale.log() + p.alpha.reciprocal()
    t1, t3 = a.log() - log_mean, (1 - q.concentration) * log_mean
    result = t1 + _log_gamma_scale(q) + t3 + q.rate * a * p.scale / (a - 1) - 1
    return result.masked_fill(a <= 1, inf)


@register_kl(Pareto, Normal)
def _pareto_normal(p, q):
    a, unit = p.alpha, p.scale / (p.alpha - 1)
    t1 = (math.sqrt(2 * math.pi) * q.scale * a / p.scale).log()
    squares = a * unit.pow(2) / (a - 2) + (a * unit - q.loc).pow(2)
    result = t1 - a.reciprocal() + squares / (2 * q.scale.pow(2)) - 1
    return result.masked_fill(a <= 2, inf)


@register_kl(Uniform, Beta)
def _uniform_beta(p, q):
    width = p.high - p.low
    a, b = q.concentration1, q.concentration0
    t2 = (a - 1) * (_x_log_x(p.high) - _x_log_x(p.low) - width) / width
    t3 = (b - 1) * (_x_log_x(1 - p.high) - _x_log_x(1 - p.low) + width) / width
    result = t3 + (a.lgamma() + b.lgamma() - (a + b).lgamma()) - width.log() - t2
    return result.masked_fill((p.high > q.support.upper_bound) | (p.low < q.support.lower_bound), inf)


@register_kl(Uniform, ContinuousBernoulli)
def _uniform_continuous_bernoulli(p, q):
    result = -p.entropy() - p.mean * q.logits - (-q.probs).log1p() - q._cont_bern_log_norm()
    # torch: infinite also where the support just fits.
    return where(p.high.ge(q.support.upper_bound) | p.low.le(q.support.lower_bound), inf, result)


@register_kl(Uniform, Exponential)
def _uniform_exponential(p, q):
    result = q.rate * (p.high + p.low) / 2 - ((p.high - p.low) * q.rate).log()
    return result.masked_fill(p.low < q.support.lower_bound, inf)


@register_kl(Uniform, Gamma)
def _uniform_gamma(p, q):
    width = p.high - p.low
    t3 = (1 - q.concentration) * (_x_log_x(p.high) - _x_log_x(p.low) - width) / width
    result = -width.log() + _log_gamma_scale(q) + t3 + q.rate * (p.high + p.low) / 2
    return result.masked_fill(p.low < q.support.lower_bound, inf)


@register_kl(Uniform, Gumbel)
def _uniform_gumbel(p, q):
    ratio, high, low = q.scale / (p.high - p.low), (p.high - q.loc) / q.scale, (p.low - q.loc) / q.scale
    return ratio.log() + 0.5 * (high + low) - ratio * ((-high).exp() - (-low).exp())


@register_kl(Uniform, Normal)
def _uniform_normal(p, q):
    width = p.high - p.low
    t1 = (math.sqrt(math.pi * 2) * q.scale / width).log()
    squares = width.pow(2) / 12 + ((p.high + p.low - 2 * q.loc) / 2).pow(2)
    return t1 + 0.5 * squares / q.scale.pow(2)


@register_kl(Uniform, Pareto)
def _uniform_pareto(p, q):
    width = p.high - p.low
    t1 = (q.alpha * q.scale.pow(q.alpha) * width).log()
    result = (_x_log_x(p.high) - _x_log_x(p.low) - width) / width * (q.alpha + 1) - t1
    return result.masked_fill(p.low < q.support.lower_bound, inf)
