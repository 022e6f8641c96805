"""The multivariate normal distribution."""

import math

from jtorch.api.creation import eye
from jtorch.api.functions import broadcast_shapes
from jtorch.distributions import constraints
from jtorch.distributions.distribution import Distribution
from jtorch.distributions.utils import _standard_normal, lazy_property
from jtorch.linalg import cholesky, cholesky_ex, solve_triangular

__all__ = ["MultivariateNormal"]


def _batch_mv(bmat, bvec):
    """Matrices times vectors. Shape: (*, n, m), (*, m) -> (*, n)."""
    return bmat.matmul(bvec.unsqueeze(-1)).squeeze(-1)


def _batch_mahalanobis(bL, bx):
    """xᵀ (L Lᵀ)⁻¹ x. Shape: (*, n, n), (*, n) -> (*); each matrix meets all its vectors in one solve."""
    n, batch = bx.size(-1), bx.shape[:-1]
    outer = len(batch) - (bL.dim() - 2)
    splits = [(x // m, m) for m, x in zip(bL.shape[:-2], batch[outer:], strict=True)]
    x = bx.reshape(batch[:outer] + tuple(size for split in splits for size in split) + (n,))
    many = [outer + 2 * i for i in range(len(splits))]  # along these dims a matrix has several vectors
    order = [*range(outer), *many, *(dim + 1 for dim in many)]
    x = x.permute(*order, x.dim() - 1)
    flat_L = bL.reshape(-1, n, n)
    flat_x = x.reshape(-1, flat_L.size(0), n).permute(1, 2, 0)
    M = solve_triangular(flat_L, flat_x, upper=False).pow(2).sum(-2).t()
    back = sorted(range(len(order)), key=order.__getitem__)
    return M.reshape(x.shape[:-1]).permute(back).reshape(batch)


def _half_log_det(tril):
    """The logarithm of the determinant of a triangular matrix. Shape: (*, n, n) -> (*)."""
    return tril.diagonal(dim1=-2, dim2=-1).log().sum(-1)


def _factor(matrix, checked):
    """The lower Cholesky factor; checked: the matrix is known to have one, and nothing need be read."""
    return cholesky_ex(matrix).L if checked else cholesky(matrix)


def _precision_to_scale_tril(P, checked=False):
    """The lower Cholesky factor of P⁻¹. Shape: (*, n, n) -> the same."""
    upper = _factor(P.flip((-2, -1)), checked).flip((-2, -1)).transpose(-2, -1)
    return solve_triangular(upper, eye(P.shape[-1], dtype=P.dtype, device=P.device), upper=False)


def _scale_tril(covariance_matrix, precision_matrix, scale_tril, checked):
    """The lower Cholesky factor of the covariance, from the one of the three that is given."""
    if scale_tril is not None:
        return scale_tril
    if covariance_matrix is not None:
        return _factor(covariance_matrix, checked)
    return _precision_to_scale_tril(precision_matrix, checked)


class MultivariateNormal(Distribution):
    """Mean `loc` and a covariance, given by itself, its inverse or its lower Cholesky factor, the cheapest.

    Shape: loc (*, n), matrices (*, n, n) -> batch (*), event (n,).
    """

    arg_constraints = {
        "loc": constraints.real_vector,
        "covariance_matrix": constraints.positive_definite,
        "precision_matrix": constraints.positive_definite,
        "scale_tril": constraints.lower_cholesky,
    }
    support = constraints.real_vector
    has_rsample = True
    _expands = ("loc", "covariance_matrix", "scale_tril", "precision_matrix")
    _keeps = ("_unbroadcasted_scale_tril",)

    def __init__(self, loc, covariance_matrix=None, precision_matrix=None, scale_tril=None, validate_args=None):
        if loc.dim() < 1:
            raise ValueError("loc must be at least one-dimensional.")
        matrices = {
            "scale_tril": scale_tril,
            "covariance_matrix": covariance_matrix,
            "precision_matrix": precision_matrix,
        }
        given = {name: matrix for name, matrix in matrices.items() if matrix is not None}
        if len(given) != 1:
            raise ValueError("Exactly one of covariance_matrix or precision_matrix or scale_tril may be specified.")
        ((name, matrix),) = given.items()
        if matrix.dim() < 2:
            shown = "scale_tril matrix" if name == "scale_tril" else name
            raise ValueError(f"{shown} must be at least two-dimensional, with optional leading batch dimensions")
        batch_shape = broadcast_shapes(matrix.shape[:-2], loc.shape[:-1])
        setattr(self, name, matrix.expand((*batch_shape, -1, -1)))
        self.loc = loc.expand((*batch_shape, -1))
        super().__init__(batch_shape, self.loc.shape[-1:], validate_args=validate_args)
        self._unbroadcasted_scale_tril = _scale_tril(
            covariance_matrix, precision_matrix, scale_tril, self._validate_args
        )

    def _whole(self, matrix):
        return matrix.expand(self._batch_shape + self._event_shape + self._event_shape)

    @lazy_property
    def scale_tril(self):
        """The lower Cholesky factor of the covariance. Shape: batch + (n, n)."""
        return self._whole(self._unbroadcasted_scale_tril)

    @lazy_property
    def covariance_matrix(self):
        """The covariance. Shape: batch + (n, n)."""
        L = self._unbroadcasted_scale_tril
        return self._whole(L.matmul(L.mT))

    @lazy_property
    def precision_matrix(self):
        """The inverse of the covariance. Shape: batch + (n, n)."""
        return self._whole(self._unbroadcasted_scale_tril.cholesky_inverse())

    @property
    def mean(self):
        return self.loc

    @property
    def mode(self):
        return self.loc

    @property
    def variance(self):
        return self._unbroadcasted_scale_tril.pow(2).sum(-1).expand(self._batch_shape + self._event_shape)

    def rsample(self, sample_shape=()):
        eps = _standard_normal(self._extended_shape(sample_shape), dtype=self.loc.dtype, device=self.loc.device)
        return self.loc + _batch_mv(self._unbroadcasted_scale_tril, eps)

    def log_prob(self, value):
        self._check_value(value)
        M = _batch_mahalanobis(self._unbroadcasted_scale_tril, value - self.loc)
        half_log_det = _half_log_det(self._unbroadcasted_scale_tril)
        return -0.5 * (self._event_shape[0] * math.log(2 * math.pi) + M) - half_log_det

    def entropy(self):
        half_log_det = _half_log_det(self._unbroadcasted_scale_tril)
        H = 0.5 * self._event_shape[0] * (1.0 + math.log(2 * math.pi)) + half_log_det
        return H.expand(self._batch_shape) if self._batch_shape else H
