"""Distributions p(x; θ) = exp(⟨t(x), θ⟩ - F(θ) + k(x)), whose entropy is had from F alone (Nielsen & Nock 2010)."""

from typing import Any

from jtorch.autograd.backward import grad
from jtorch.distributions.distribution import Distribution
from jtorch.distributions.utils import required

__all__ = ["ExponentialFamily"]


class ExponentialFamily(Distribution):
    """A distribution with natural parameters θ, log normalizer F and the mean of its carrier measure k."""

    _natural_params: Any = required("θ.")
    _mean_carrier_measure: Any = required("The mean of k.")

    def _log_normalizer(self, *natural_params):
        raise NotImplementedError

    def _normalized(self):
        """(θ as new leaves, F(θ), ∇F(θ))."""
        params = [p.detach().requires_grad_() for p in self._natural_params]
        log_normalizer = self._log_normalizer(*params)
        return params, log_normalizer, grad(log_normalizer.sum(), params, create_graph=True)

    def entropy(self):
        """F(θ) - ⟨θ, ∇F(θ)⟩ less the mean of k. Shape: batch."""
        result = -self._mean_carrier_measure
        params, log_normalizer, gradients = self._normalized()
        result += log_normalizer
        for param, slope in zip(params, gradients, strict=True):
            result -= (param * slope).reshape(self._batch_shape + (-1,)).sum(-1)
        return result
