"""The multivariate normal distribution whose covariance is of low rank plus a diagonal."""

import math

from jtorch.api.viewing import broadcast_tensors
from jtorch.distributions import constraints
from jtorch.distributions.distribution import Distribution
from jtorch.distributions.multivariate_normal import _batch_mahalanobis, _batch_mv, _half_log_det
from jtorch.distributions.utils import _standard_normal, lazy_property
from jtorch.linalg import cholesky, solve_triangular

__all__ = ["LowRankMultivariateNormal"]


def _plus_one(matrix):
    """A batch of matrices with 1 added along their diagonals."""
    return matrix + matrix.new_ones(matrix.size(-1)).diag()


def _batch_capacitance_tril(W, D):
    """The Cholesky factor of I + Wᵀ D⁻¹ W. Shape: (*, n, m), (*, n) -> (*, m, m)."""
    return cholesky(_plus_one((W.mT / D.unsqueeze(-2)).matmul(W)))


def _batch_lowrank_logdet(W, D, capacitance_tril):
    """log det(W Wᵀ + D), by the matrix determinant lemma. Shape: (*)."""
    return 2 * _half_log_det(capacitance_tril) + D.log().sum(-1)


def _batch_lowrank_mahalanobis(W, D, x, capacitance_tril):
    """xᵀ (W Wᵀ + D)⁻¹ x, by the Woodbury identity. Shape: (*)."""
    inner = _batch_mv(W.mT / D.unsqueeze(-2), x)
    return (x.pow(2) / D).sum(-1) - _batch_mahalanobis(capacitance_tril, inner)


class LowRankMultivariateNormal(Distribution):
    """Mean `loc` and covariance cov_factor · cov_factorᵀ + diag(cov_diag).

    Shape: loc and cov_diag (*, n), cov_factor (*, n, m) -> batch (*), event (n,).
    """

    arg_constraints = {
        "loc": constraints.real_vector,
        "cov_factor": constraints.independent(constraints.real, 2),
        "cov_diag": constraints.independent(constraints.positive, 1),
    }
    support = constraints.real_vector
    has_rsample = True
    _expands = ("loc", "cov_factor", "cov_diag")
    _keeps = ("_unbroadcasted_cov_factor", "_unbroadcasted_cov_diag", "_capacitance_tril")

    def __init__(self, loc, cov_factor, cov_diag, validate_args=None):
        if loc.dim() < 1:
            raise ValueError("loc must be at least one-dimensional.")
        event_shape = loc.shape[-1:]
        if cov_factor.dim() < 2:
            raise ValueError("cov_factor must be at least two-dimensional, with optional leading batch dimensions")
        if cov_factor.shape[-2:-1] != event_shape:
            raise ValueError(f"cov_factor must be a batch of matrices with shape {event_shape[0]} x m")
        if cov_diag.shape[-1:] != event_shape:
            raise ValueError(f"cov_diag must be a batch of vectors with shape {event_shape}")
        try:
            whole = broadcast_tensors(loc.unsqueeze(-1), cov_factor, cov_diag.unsqueeze(-1))
        except RuntimeError as error:
            raise ValueError(
                f"Incompatible batch shapes: loc {loc.shape}, cov_factor {cov_factor.shape}, cov_diag {cov_diag.shape}"
            ) from error
        self.loc, self.cov_factor, self.cov_diag = whole[0][..., 0], whole[1], whole[2][..., 0]
        self._unbroadcasted_cov_factor = cov_factor
        self._unbroadcasted_cov_diag = cov_diag
        self._capacitance_tril = _batch_capacitance_tril(cov_factor, cov_diag)
        super().__init__(self.loc.shape[:-1], event_shape, validate_args=validate_args)

    @property
    def _parts(self):
        return self._unbroadcasted_cov_factor, self._unbroadcasted_cov_diag

    def _whole(self, matrix):
        return matrix.expand(self._batch_shape + self._event_shape + self._event_shape)

    @property
    def mean(self):
        return self.loc

    @property
    def mode(self):
        return self.loc

    @lazy_property
    def variance(self):
        W, D = self._parts
        return (W.pow(2).sum(-1) + D).expand(self._batch_shape + self._event_shape)

    @lazy_property
    def scale_tril(self):
        """The lower Cholesky factor of the covariance. Shape: batch + (n, n)."""
        W, D = self._parts
        root = D.sqrt().unsqueeze(-1)
        scaled = W / root
        return self._whole(root * cholesky(_plus_one(scaled.matmul(scaled.mT))))

    @lazy_property
    def covariance_matrix(self):
        """The covariance. Shape: batch + (n, n)."""
        W, D = self._parts
        return self._whole(W.matmul(W.mT) + D.diag_embed())

    @lazy_property
    def precision_matrix(self):
        """The inverse of the covariance. Shape: batch + (n, n)."""
        W, D = self._parts
        A = solve_triangular(self._capacitance_tril, W.mT / D.unsqueeze(-2), upper=False)
        return self._whole(D.reciprocal().diag_embed() - A.mT @ A)

    def rsample(self, sample_shape=()):
        W, D = self._parts
        shape = self._extended_shape(sample_shape)
        kind = {"dtype": self.loc.dtype, "device": self.loc.device}
        eps_W = _standard_normal(shape[:-1] + self.cov_factor.shape[-1:], **kind)
        eps_D = _standard_normal(shape, **kind)
        return self.loc + _batch_mv(W, eps_W) + D.sqrt() * eps_D

    def log_prob(self, value):
        self._check_value(value)
        M = _batch_lowrank_mahalanobis(*self._parts, value - self.loc, self._capacitance_tril)
        log_det = _batch_lowrank_logdet(*self._parts, self._capacitance_tril)
        return -0.5 * (self._event_shape[0] * math.log(2 * math.pi) + log_det + M)

    def entropy(self):
        log_det = _batch_lowrank_logdet(*self._parts, self._capacitance_tril)
        H = 0.5 * (self._event_shape[0] * (1.0 + math.log(2 * math.pi)) + log_det)
        return H.expand(self._batch_shape) if self._batch_shape else H
