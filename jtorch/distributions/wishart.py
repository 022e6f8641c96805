"""The Wishart distribution of positive definite matrices."""

import math
import warnings
from math import nan

from jtorch.api.construct import tensor
from jtorch.api.creation import arange, eye
from jtorch.api.functions import broadcast_shapes
from jtorch.api.settings import finfo
from jtorch.api.size import Size
from jtorch.distributions import constraints
from jtorch.distributions.chi2 import Chi2
from jtorch.distributions.exp_family import ExponentialFamily
from jtorch.distributions.multivariate_normal import _half_log_det, _scale_tril
from jtorch.distributions.utils import NUMBER, _standard_normal, _triangle, lazy_property
from jtorch.engine import host
from jtorch.linalg import slogdet

__all__ = ["Wishart"]

_log_2 = math.log(2)


def _mvdigamma(x, p):
    """The slope of the logarithm of the multivariate gamma function. Shape: any -> the same.

    Raises: AssertionError unless x > (p - 1) / 2.
    """
    with host.aside():
        inside = bool(x.gt((p - 1) / 2).all())
    if not inside:
        raise AssertionError("Wrong domain for multivariate digamma function.")
    return (x.unsqueeze(-1) - arange(p, dtype=x.dtype, device=x.device) / 2).digamma().sum(-1)


class Wishart(ExponentialFamily):
    """The sum of `df` outer products of normal vectors of a covariance.

    The covariance is given by itself, its inverse or its lower Cholesky factor, the cheapest.
    Shape: df (*), matrices (*, n, n) -> batch (*), event (n, n).
    """

    support = constraints.positive_definite
    has_rsample = True
    _mean_carrier_measure = 0
    _expands = ("df", "covariance_matrix", "scale_tril", "precision_matrix", "_unbroadcasted_scale_tril")

    @property
    def arg_constraints(self):
        return {
            "covariance_matrix": constraints.positive_definite,
            "precision_matrix": constraints.positive_definite,
            "scale_tril": constraints.lower_cholesky,
            "df": constraints.greater_than(self.event_shape[-1] - 1),
        }

    def __init__(self, df, covariance_matrix=None, precision_matrix=None, scale_tril=None, validate_args=None):
        matrices = {
            "covariance_matrix": covariance_matrix,
            "precision_matrix": precision_matrix,
            "scale_tril": scale_tril,
        }
        given = {name: matrix for name, matrix in matrices.items() if matrix is not None}
        if len(given) != 1:
            raise AssertionError("Exactly one of covariance_matrix or precision_matrix or scale_tril may be specified.")
        ((name, matrix),) = given.items()
        if matrix.dim() < 2:
            raise ValueError("scale_tril must be at least two-dimensional, with optional leading batch dimensions")
        batch_shape, event_shape = self._take_df(df, matrix), matrix.shape[-2:]
        setattr(self, name, matrix.expand((*batch_shape, -1, -1)))
        self._need_df(df, event_shape[-1])
        super().__init__(batch_shape, event_shape, validate_args=validate_args)
        self._unbroadcasted_scale_tril = _scale_tril(
            covariance_matrix, precision_matrix, scale_tril, self._validate_args
        )
        self._dist_chi2 = self._chi2()

    def _take_df(self, df, matrix):
        if isinstance(df, NUMBER):
            self.df = tensor(df, dtype=matrix.dtype, device=matrix.device)
            return Size(matrix.shape[:-2])
        shape = broadcast_shapes(matrix.shape[:-2], df.shape)
        self.df = df.expand(shape)
        return shape

    def _need_df(self, df, n):
        """Raise ValueError unless df > n - 1; warn unless df ≥ n."""
        with host.aside():
            least = self.df.le(n - 1).any(), self.df.lt(n).any()
            outside, low = map(bool, least)
        if outside:
            raise ValueError(f"Value of df={df} expected to be greater than ndim - 1 = {n - 1}.")
        if low:
            warnings.warn(
                "Low df values detected. Singular samples are highly likely to occur for ndim - 1 < df < ndim.",
                stacklevel=3,
            )

    def _chi2(self):
        L = self._unbroadcasted_scale_tril
        places = arange(self._event_shape[-1], dtype=L.dtype, device=L.device)
        return Chi2(df=self.df.unsqueeze(-1) - places.expand((*self._batch_shape, -1)))

    def expand(self, batch_shape, _instance=None):
        new, batch_shape = self._begin_expand(batch_shape, _instance)
        new._unbroadcasted_scale_tril = self._unbroadcasted_scale_tril.expand(batch_shape + self.event_shape)
        self._end_expand(new, batch_shape)
        new._dist_chi2 = new._chi2()
        return new

    @property
    def _batch_dims(self):
        return [-(i + 1) for i in range(len(self._batch_shape))]

    def _whole(self, matrix):
        return matrix.expand(self._batch_shape + self._event_shape)

    @lazy_property
    def scale_tril(self):
        """The lower Cholesky factor of the covariance. Shape: batch + (n, n)."""
        return self._whole(self._unbroadcasted_scale_tril)

    @lazy_property
    def covariance_matrix(self):
        """The covariance. Shape: batch + (n, n)."""
        L = self._unbroadcasted_scale_tril
        return self._whole(L @ L.transpose(-2, -1))

    @lazy_property
    def precision_matrix(self):
        """The inverse of the covariance. Shape: batch + (n, n)."""
        L = self._unbroadcasted_scale_tril
        return self._whole(eye(self._event_shape[-1], device=L.device, dtype=L.dtype).cholesky_solve(L))

    def _of_each(self, number):
        return number.view((*self._batch_shape, 1, 1))

    @property
    def mean(self):
        return self._of_each(self.df) * self.covariance_matrix

    @property
    def mode(self):
        factor = self.df - self.covariance_matrix.shape[-1] - 1
        return self._of_each(factor.masked_fill(factor <= 0, nan)) * self.covariance_matrix

    @property
    def variance(self):
        V = self.covariance_matrix
        diagonal = V.diagonal(dim1=-2, dim2=-1)
        return self._of_each(self.df) * (V.pow(2) + diagonal.unsqueeze(-1) * diagonal.unsqueeze(-2))

    def _bartlett_sampling(self, sample_shape=()):
        """Samples by Bartlett's decomposition: chi numbers along the diagonal, normal ones below it."""
        n, roots = self._event_shape[-1], self._dist_chi2.rsample(sample_shape).sqrt()
        noise = roots.clamp(min=finfo(roots.dtype).eps).diag_embed(dim1=-2, dim2=-1)
        rows, columns = _triangle(n, -1, noise.device)
        shape = Size(sample_shape) + self._batch_shape + (n * (n - 1) // 2,)
        noise[..., rows, columns] = _standard_normal(shape, noise.dtype, noise.device)
        chol = self._unbroadcasted_scale_tril @ noise
        return chol @ chol.transpose(-2, -1)

    def _of_batch(self, verdicts):
        return verdicts.amax(self._batch_dims) if self._batch_shape else verdicts

    def rsample(self, sample_shape=(), max_try_correction=None):
        tries, sample = max_try_correction or 10, self._bartlett_sampling(Size(sample_shape))
        # torch: takes the samples that are well for the singular ones, and so warns and draws anew at every call.
        again = self._of_batch(self.support.check(sample))
        if not again.any():
            return sample
        warnings.warn("Singular sample detected.", stacklevel=2)
        for _ in range(tries):
            new = self._bartlett_sampling(again[again].shape)
            sample[again] = new
            again[again.clone()] = self._of_batch(~self.support.check(new))
            if not again.any():
                break
        return sample

    def log_prob(self, value):
        self._check_value(value)
        nu, p, L = self.df, self._event_shape[-1], self._unbroadcasted_scale_tril
        trace = value.cholesky_solve(L).diagonal(dim1=-2, dim2=-1).sum(dim=-1)
        normalizer = -nu * (p * _log_2 / 2 + _half_log_det(L)) - (nu / 2).mvlgamma(p)
        return normalizer + (nu - p - 1) / 2 * slogdet(value).logabsdet - trace / 2

    def entropy(self):
        nu, p = self.df, self._event_shape[-1]
        scale = (p + 1) * (p * _log_2 / 2 + _half_log_det(self._unbroadcasted_scale_tril))
        return scale + (nu / 2).mvlgamma(p) - (nu - p - 1) / 2 * _mvdigamma(nu / 2, p=p) + nu * p / 2

    @property
    def _natural_params(self):
        return -self.precision_matrix / 2, (self.df - self._event_shape[-1] - 1) / 2

    def _log_normalizer(self, x, y):
        p = self._event_shape[-1]
        more = y + (p + 1) / 2
        return more * (-slogdet(-2 * x).logabsdet + _log_2 * p) + more.mvlgamma(p)
