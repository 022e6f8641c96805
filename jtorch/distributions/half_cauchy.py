"""The half Cauchy distribution."""

import math

from jtorch._tensor import Tensor
from jtorch.api.construct import as_tensor
from jtorch.api.creation import full
from jtorch.distributions.cauchy import Cauchy
from jtorch.distributions.halves import Half

__all__ = ["HalfCauchy"]


class HalfCauchy(Half):
    """|x| for x of Cauchy(0, scale)."""

    _whole = Cauchy
    _expands = ()

    @property
    def mean(self):
        return full(self._extended_shape(), math.inf, dtype=self.scale.dtype, device=self.scale.device)

    @property
    def variance(self):
        return self.base_dist.variance

    def log_prob(self, value):
        if isinstance(value, Tensor) or not self._validate_args:
            value = as_tensor(value, dtype=self.scale.dtype, device=self.scale.device)
        return super().log_prob(value)
