"""The LKJ distribution of correlation matrices' Cholesky factors (Lewandowski, Kurowicka & Joe 2009)."""

import math

from jtorch.api.creation import arange
from jtorch.api.settings import finfo
from jtorch.api.size import Size
from jtorch.autograd.apply import call
from jtorch.distributions import constraints
from jtorch.distributions.beta import Beta
from jtorch.distributions.distribution import Distribution
from jtorch.distributions.utils import _standard_normal

__all__ = ["LKJCholesky"]


class LKJCholesky(Distribution):
    """The lower Cholesky factor of a (dim, dim) correlation matrix M, whose density is ∝ det(M)^(concentration - 1).

    Sampled by the onion method.
    """

    arg_constraints = {"concentration": constraints.positive}
    support = constraints.corr_cholesky
    _expands = ("concentration", "_beta")
    _keeps = ("dim",)

    def __init__(self, dim, concentration=1.0, validate_args=None):
        if dim < 2:
            raise ValueError(f"Expected dim to be an integer greater than or equal to 2. Found dim={dim}.")
        self.dim = dim
        shape = self._take(concentration=concentration)
        rows = arange(dim - 1, dtype=self.concentration.dtype, device=self.concentration.device)
        rows = call("cat", [rows.new_zeros((1,)), rows])
        marginal = self.concentration + 0.5 * (dim - 2)
        self._beta = self._part(Beta, rows + 0.5, marginal.unsqueeze(-1) - 0.5 * rows)
        super().__init__(shape, Size((dim, dim)), validate_args)

    def sample(self, sample_shape=()):
        y = self._beta.sample(sample_shape).unsqueeze(-1)
        u = _standard_normal(self._extended_shape(sample_shape), y.dtype, y.device).tril(-1)
        u = u / u.norm(dim=-1, keepdim=True)
        u[..., 0, :].fill_(0.0)
        w = y.sqrt() * u
        rest = (1 - (w**2).sum(dim=-1)).clamp(min=finfo(w.dtype).tiny)
        return w + rest.sqrt().diag_embed()

    def log_prob(self, value):
        self._check_value(value)
        diagonal = value.diagonal(dim1=-1, dim2=-2)[..., 1:]
        order = arange(2, self.dim + 1, device=self.concentration.device)
        order = 2 * (self.concentration - 1).unsqueeze(-1) + self.dim - order
        n = self.dim - 1
        alpha = self.concentration + 0.5 * n
        normalizer = 0.5 * n * math.log(math.pi) + (alpha - 0.5).mvlgamma(n) - alpha.lgamma() * n
        return (order * diagonal.log()).sum(dim=-1) - normalizer
