"""KL divergences between two distributions of one family."""

from math import inf

from jtorch.api.functions import broadcast_shapes
from jtorch.distributions.bernoulli import Bernoulli
from jtorch.distributions.beta import Beta
from jtorch.distributions.binomial import Binomial
from jtorch.distributions.categorical import Categorical
from jtorch.distributions.cauchy import Cauchy
from jtorch.distributions.continuous_bernoulli import ContinuousBernoulli
from jtorch.distributions.dirichlet import Dirichlet
from jtorch.distributions.exp_family import ExponentialFamily
from jtorch.distributions.exponential import Exponential
from jtorch.distributions.gamma import Gamma
from jtorch.distributions.geometric import Geometric
from jtorch.distributions.gumbel import Gumbel
from jtorch.distributions.half_normal import HalfNormal
from jtorch.distributions.independent import Independent
from jtorch.distributions.kl import kl_divergence, register_kl
from jtorch.distributions.laplace import Laplace
from jtorch.distributions.lowrank_multivariate_normal import (
    LowRankMultivariateNormal,
    _batch_lowrank_logdet,
    _batch_lowrank_mahalanobis,
)
from jtorch.distributions.multivariate_normal import MultivariateNormal, _batch_mahalanobis, _half_log_det
from jtorch.distributions.normal import Normal
from jtorch.distributions.one_hot_categorical import OneHotCategorical
from jtorch.distributions.pareto import Pareto
from jtorch.distributions.poisson import Poisson
from jtorch.distributions.transformed_distribution import TransformedDistribution
from jtorch.distributions.uniform import Uniform
from jtorch.distributions.utils import _sum_rightmost, euler_constant
from jtorch.engine import host
from jtorch.linalg import solve_triangular
from jtorch.nn.functional import softplus


@register_kl(Bernoulli, Bernoulli)
def _bernoulli(p, q):
    def part(mine, theirs, sign):
        term = mine * (softplus(sign * q.logits) - softplus(sign * p.logits))
        return term.masked_fill(theirs == 0, inf).masked_fill(mine == 0, 0)

    return part(p.probs, q.probs, -1) + part(1 - p.probs, 1 - q.probs, 1)


@register_kl(Beta, Beta)
def _beta(p, q):
    a, b, c, d = p.concentration1, p.concentration0, q.concentration1, q.concentration0
    mine, theirs = a + b, c + d
    t1 = c.lgamma() + d.lgamma() + mine.lgamma()
    t2 = a.lgamma() + b.lgamma() + theirs.lgamma()
    return t1 - t2 + (a - c) * a.digamma() + (b - d) * b.digamma() + (theirs - mine) * mine.digamma()


@register_kl(Binomial, Binomial)
def _binomial(p, q):
    with host.aside():
        fewer = bool((p.total_count < q.total_count).any())
    if fewer:
        raise NotImplementedError("KL between Binomials where q.total_count > p.total_count is not implemented")
    kl = p.total_count * (p.probs * (p.logits - q.logits) + (-p.probs).log1p() - (-q.probs).log1p())
    return kl.masked_fill(p.total_count > q.total_count, inf)


@register_kl(Categorical, Categorical)
def _categorical(p, q):
    t = p.probs * (p.logits - q.logits)
    return t.masked_fill(q.probs == 0, inf).masked_fill(p.probs == 0, 0).sum(-1)


@register_kl(Cauchy, Cauchy)
def _cauchy(p, q):
    return ((p.scale + q.scale).pow(2) + (p.loc - q.loc).pow(2)).log() - (4 * p.scale * q.scale).log()


@register_kl(ContinuousBernoulli, ContinuousBernoulli)
def _continuous_bernoulli(p, q):
    t1 = p.mean * (p.logits - q.logits)
    t2 = p._cont_bern_log_norm() + (-p.probs).log1p()
    return t1 + t2 + (-q._cont_bern_log_norm() - (-q.probs).log1p())


@register_kl(Dirichlet, Dirichlet)
def _dirichlet(p, q):
    a, b = p.concentration, q.concentration
    total, other = a.sum(-1), b.sum(-1)
    t1 = total.lgamma() - other.lgamma()
    t2 = (a.lgamma() - b.lgamma()).sum(-1)
    return t1 - t2 + ((a - b) * (a.digamma() - total.digamma().unsqueeze(-1))).sum(-1)


@register_kl(Exponential, Exponential)
def _exponential(p, q):
    ratio = q.rate / p.rate
    return -ratio.log() + ratio - 1


@register_kl(ExponentialFamily, ExponentialFamily)
def _expfamily(p, q):
    if type(p) is not type(q):
        words = "The cross KL-divergence between different exponential families cannot", "be computed using Bregman"
        raise NotImplementedError((" " * 29).join(words) + " divergences")
    params, log_normalizer, gradients = p._normalized()
    others = q._natural_params
    result = q._log_normalizer(*others) - log_normalizer
    for mine, theirs, slope in zip(params, others, gradients, strict=True):
        result -= _sum_rightmost((theirs - mine) * slope, len(q.event_shape))
    return result


@register_kl(Gamma, Gamma)
def _gamma(p, q):
    a, b = p.concentration, q.concentration
    t1 = b * (p.rate / q.rate).log() + (b.lgamma() - a.lgamma())
    return t1 + (a - b) * a.digamma() + (q.rate - p.rate) * (a / p.rate)


@register_kl(Geometric, Geometric)
def _geometric(p, q):
    return -p.entropy() - (-q.probs).log1p() / p.probs - q.logits


@register_kl(Gumbel, Gumbel)
def _gumbel(p, q):
    ratio, mine, theirs = p.scale / q.scale, p.loc / q.scale, q.loc / q.scale
    t1 = -ratio.log() - theirs + mine
    t3 = (theirs + (1 + ratio).lgamma() - mine).exp()
    return t1 + ratio * euler_constant + t3 - (1 + euler_constant)


@register_kl(HalfNormal, HalfNormal)
def _half_normal(p, q):
    return _normal(p.base_dist, q.base_dist)


@register_kl(Independent, Independent)
def _independent(p, q):
    if p.reinterpreted_batch_ndims != q.reinterpreted_batch_ndims:
        raise NotImplementedError
    return _sum_rightmost(kl_divergence(p.base_dist, q.base_dist), p.reinterpreted_batch_ndims)


@register_kl(Laplace, Laplace)
def _laplace(p, q):
    ratio, apart = p.scale / q.scale, (p.loc - q.loc).abs()
    return -ratio.log() + apart / q.scale + ratio * (-apart / p.scale).exp() - 1


def _same_events(p, q, kind):
    if p.event_shape != q.event_shape:
        words = f"KL-divergence between two {kind} with", "different event shapes cannot be computed"
        raise ValueError((" " * 26).join(words))


def _squares(matrix):
    """The trace of X Xᵀ. Shape: (*, n, m) -> (*)."""
    return matrix.pow(2).sum((-2, -1))


def _lowrank_logdet(d):
    return _batch_lowrank_logdet(*d._parts, d._capacitance_tril)


def _lowrank_distance(p, q):
    """The squared Mahalanobis distance of the means under q, of low rank, and q's factor of what Woodbury takes off."""
    W, D = q._parts
    A = solve_triangular(q._capacitance_tril, W.mT / D.unsqueeze(-2), upper=False)
    return _batch_lowrank_mahalanobis(W, D, q.loc - p.loc, q._capacitance_tril), A


@register_kl(LowRankMultivariateNormal, LowRankMultivariateNormal)
def _lowrank(p, q):
    _same_events(p, q, "Low Rank Multivariate Normals")
    log_det = _lowrank_logdet(q) - _lowrank_logdet(p)
    distance, A = _lowrank_distance(p, q)
    (W, D), (_, E) = p._parts, q._parts
    trace = (D / E).sum(-1) + _squares(W * E.rsqrt().unsqueeze(-1))
    trace = trace - _squares(A * D.sqrt().unsqueeze(-2)) - _squares(A.matmul(W))
    return 0.5 * (log_det + trace + distance - p.event_shape[0])


@register_kl(MultivariateNormal, LowRankMultivariateNormal)
def _full_lowrank(p, q):
    _same_events(p, q, "(Low Rank) Multivariate Normals")
    L = p._unbroadcasted_scale_tril
    log_det = _lowrank_logdet(q) - 2 * _half_log_det(L)
    distance, A = _lowrank_distance(p, q)
    trace = _squares(L * q._unbroadcasted_cov_diag.rsqrt().unsqueeze(-1)) - _squares(A.matmul(L))
    return 0.5 * (log_det + trace + distance - p.event_shape[0])


def _solved(L, matrix):
    """L⁻¹ X. Shape: (*, n, n), (*, n, m) -> broadcast (*, n, m)."""
    batch = broadcast_shapes(L.shape[:-2], matrix.shape[:-2])
    return solve_triangular(*(x.expand(batch + x.shape[-2:]) for x in (L, matrix)), upper=False)


@register_kl(LowRankMultivariateNormal, MultivariateNormal)
def _lowrank_full(p, q):
    _same_events(p, q, "(Low Rank) Multivariate Normals")
    L, (W, D) = q._unbroadcasted_scale_tril, p._parts
    log_det = 2 * _half_log_det(L) - _lowrank_logdet(p)
    distance = _batch_mahalanobis(L, q.loc - p.loc)
    trace = _squares(_solved(L, W)) + _squares(_solved(L, D.sqrt().diag_embed()))
    return 0.5 * (log_det + trace + distance - p.event_shape[0])


@register_kl(MultivariateNormal, MultivariateNormal)
def _full(p, q):
    _same_events(p, q, "Multivariate Normals")
    mine, theirs = p._unbroadcasted_scale_tril, q._unbroadcasted_scale_tril
    distance = _batch_mahalanobis(theirs, q.loc - p.loc)
    half_log_det = _half_log_det(theirs) - _half_log_det(mine)
    return half_log_det + 0.5 * (_squares(_solved(theirs, mine)) + distance - p.event_shape[0])


@register_kl(Normal, Normal)
def _normal(p, q):
    ratio = (p.scale / q.scale).pow(2)
    return 0.5 * (ratio + ((p.loc - q.loc) / q.scale).pow(2) - 1 - ratio.log())


@register_kl(OneHotCategorical, OneHotCategorical)
def _one_hot(p, q):
    return _categorical(p._categorical, q._categorical)


@register_kl(Pareto, Pareto)
def _pareto(p, q):
    ratio = q.alpha / p.alpha
    result = q.alpha * (p.scale / q.scale).log() + -ratio.log() + ratio - 1
    return result.masked_fill(p.support.lower_bound < q.support.lower_bound, inf)


@register_kl(Poisson, Poisson)
def _poisson(p, q):
    return p.rate * (p.rate.log() - q.rate.log()) - (p.rate - q.rate)


@register_kl(TransformedDistribution, TransformedDistribution)
def _transformed(p, q):
    if p.transforms != q.transforms or p.event_shape != q.event_shape:
        raise NotImplementedError
    return kl_divergence(p.base_dist, q.base_dist)


@register_kl(Uniform, Uniform)
def _uniform(p, q):
    result = ((q.high - q.low) / (p.high - p.low)).log()
    return result.masked_fill((q.low > p.low) | (q.high < p.high), inf)
