"""Ops that say how draws move with their parameters: implicit reparameterization (arXiv:1805.08498)."""

import functools

import jax
import jax.numpy as jnp
from jax import lax
from jax.scipy.special import digamma

from jtorch.ops.op import Array, op

_TERMS = 200  # of the continued fraction: enough for parameters up to about 10⁴


@op("_standard_gamma_grad", differentiable=False)
def _standard_gamma_grad(self: Array, output: Array):
    """The slope of gamma numbers of rate 1 in their shape parameter. Shape: broadcast."""
    return lax.random_gamma_grad(*jnp.broadcast_arrays(self, output))


@op("_dirichlet_grad", differentiable=False)
def _dirichlet_grad(x: Array, alpha: Array, total: Array):
    """dx/dα / (1 - x) for a beta number x of parameters alpha and total - alpha. Shape: broadcast."""
    dtype = jnp.result_type(x, alpha, total)
    x, a, total = (v.astype(jnp.float64) for v in jnp.broadcast_arrays(x, alpha, total))
    b = total - a
    # -∂F/∂α over the density and 1 - x, F being the cdf: x^α (1-x)^β / (α B(α, β)) · fraction, or 1 less its mirror.
    near = x < (a + 1) / (total + 2)
    below = jax.jvp(functools.partial(_log_fraction, x=x, b=b), (a,), (jnp.ones_like(a),))
    above = jax.jvp(lambda a: _log_fraction(b, x=1 - x, b=a), (a,), (jnp.ones_like(a),))
    slope = jnp.log(x) - digamma(a) + digamma(total)
    low = -x / a * jnp.exp(below[0]) * (slope - 1 / a + below[1])
    high = x / b * jnp.exp(above[0]) * (slope + above[1])
    return jnp.where(near, low, high).astype(dtype)


def _log_fraction(a, x, b):
    """The logarithm of the continued fraction of the incomplete beta function (DLMF 8.17.22), by Lentz's method."""

    def step(m, state):
        c, d, log_value = state
        even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        for term in (even, odd):
            d = 1 / _off_zero(1 + term * d)
            c = _off_zero(1 + term / c)
            log_value = log_value + jnp.log(jnp.abs(c * d))
        return c, d, log_value

    d = 1 / _off_zero(1 - (a + b) * x / (a + 1))
    return lax.fori_loop(1, _TERMS + 1, step, (jnp.ones_like(d), d, jnp.log(jnp.abs(d))))[2]


def _off_zero(value):
    return jnp.where(jnp.abs(value) < 1e-300, 1e-300, value)
