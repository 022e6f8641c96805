"""Ops that draw random numbers on accelerators, from a JAX key made of (seed_hi, seed_lo, counter)."""

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from jtorch.ops.op import Array, DType, Input, op
from jtorch.rng.device import bernoulli, key


def _work(dtype):
    """The float dtype to draw in: half types are drawn in float32."""
    return dtype if dtype in (np.dtype(np.float32), np.dtype(np.float64)) else np.dtype(np.float32)


def _drawn(draw, key, size, dtype, shift, scale):
    """draw(key, size, float dtype) · scale + shift; of complex numbers both parts are drawn, and shifted."""
    if np.issubdtype(dtype, np.complexfloating):
        real = np.zeros((), dtype).real.dtype
        parts = draw(key, (*size, 2), real) * scale.astype(real) + shift.astype(real)
        return lax.complex(parts[..., 0], parts[..., 1])
    work = _work(dtype)
    return (draw(key, size, work) * scale.astype(work) + shift.astype(work)).astype(dtype)


@op("draw_uniform", door=None, differentiable=False)
def draw_uniform(seed_hi: Input, seed_lo: Input, counter: Input, low: Input = 0.0, high: Input = 1.0, *, size,
                 dtype: DType):  # fmt: skip
    """Uniform numbers in [low, high). Shape: size."""
    return _drawn(jax.random.uniform, key(seed_hi, seed_lo, counter), size, dtype, low, high - low)


@op("draw_normal", door=None, differentiable=False)
def draw_normal(seed_hi: Input, seed_lo: Input, counter: Input, mean: Input = 0.0, std: Input = 1.0, *, size,
                dtype: DType):  # fmt: skip
    """Normal numbers; real and imaginary part of complex ones share the variance. Shape: size."""
    std = std * 0.5**0.5 if np.issubdtype(dtype, np.complexfloating) else std
    return _drawn(jax.random.normal, key(seed_hi, seed_lo, counter), size, dtype, mean, std)


@op("draw_randint", door=None, differentiable=False)
def draw_randint(seed_hi: Input, seed_lo: Input, counter: Input, low: Input, high: Input, *, size, dtype: DType):
    """Whole numbers in [low, high). Shape: size."""
    drawn = jax.random.randint(key(seed_hi, seed_lo, counter), size, low.astype(jnp.int64), high.astype(jnp.int64))
    return drawn.astype(dtype)


@op("draw_exponential", door=None, differentiable=False)
def draw_exponential(seed_hi: Input, seed_lo: Input, counter: Input, lambd: Input, *, size, dtype: DType):
    """Exponential numbers of rate lambd. Shape: size."""
    work = _work(dtype)
    return (jax.random.exponential(key(seed_hi, seed_lo, counter), size, work) / lambd.astype(work)).astype(dtype)


@op("draw_cauchy", door=None, differentiable=False)
def draw_cauchy(seed_hi: Input, seed_lo: Input, counter: Input, median: Input, sigma: Input, *, size, dtype: DType):
    """Cauchy numbers. Shape: size."""
    work = _work(dtype)
    drawn = jax.random.cauchy(key(seed_hi, seed_lo, counter), size, work)
    return (drawn * sigma.astype(work) + median.astype(work)).astype(dtype)


@op("draw_log_normal", door=None, differentiable=False)
def draw_log_normal(seed_hi: Input, seed_lo: Input, counter: Input, mean: Input, std: Input, *, size, dtype: DType):
    """Numbers whose logarithm is normal. Shape: size."""
    work = _work(dtype)
    drawn = jax.random.normal(key(seed_hi, seed_lo, counter), size, work)
    return jnp.exp(drawn * std.astype(work) + mean.astype(work)).astype(dtype)


@op("draw_bernoulli", door=None, differentiable=False)
def draw_bernoulli(seed_hi: Input, seed_lo: Input, counter: Input, p: Input, *, size, dtype: DType):
    """1 with probability p, else 0. Shape: size."""
    return bernoulli(key(seed_hi, seed_lo, counter), p, size).astype(dtype)


@op("draw_bernoulli_each", door=None, differentiable=False)
def draw_bernoulli_each(seed_hi: Input, seed_lo: Input, counter: Input, p: Array, *, size, dtype: DType):
    """1 with the probability that stands in p, else 0. Shape: size, to which p broadcasts."""
    return (jax.random.uniform(key(seed_hi, seed_lo, counter), size, _work(p.dtype)) < p).astype(dtype)


@op("draw_poisson_each", door=None, differentiable=False)
def draw_poisson_each(seed_hi: Input, seed_lo: Input, counter: Input, rate: Array, *, size, dtype: DType):
    """Poisson numbers. Shape: size, that of rate."""
    return jax.random.poisson(key(seed_hi, seed_lo, counter), rate.astype(_work(rate.dtype)), size).astype(dtype)


@op("draw_binomial_each", door=None, differentiable=False)
def draw_binomial_each(seed_hi: Input, seed_lo: Input, counter: Input, count: Array, prob: Array, *, size,
                       dtype: DType):  # fmt: skip
    """How many of count trials succeed. Shape: size, that of count and prob."""
    return jax.random.binomial(key(seed_hi, seed_lo, counter), count, prob, size, dtype=_work(dtype)).astype(dtype)


@op("draw_standard_gamma_each", door=None, differentiable=False)
def draw_standard_gamma_each(seed_hi: Input, seed_lo: Input, counter: Input, alpha: Array, *, size, dtype: DType):
    """Gamma numbers of rate 1. Shape: size, that of alpha."""
    return jax.random.gamma(key(seed_hi, seed_lo, counter), alpha, size, dtype=_work(dtype)).astype(dtype)


@op("draw_dirichlet_each", door=None, differentiable=False)
def draw_dirichlet_each(seed_hi: Input, seed_lo: Input, counter: Input, alpha: Array, *, size, dtype: DType):
    """Points of the simplex. Shape: size, that of alpha."""
    return jax.random.dirichlet(key(seed_hi, seed_lo, counter), alpha, dtype=_work(dtype)).astype(dtype)


@op("standard_gamma_drawn", door=None, grad_name=("StandardGammaBackward0", 0), saves=("alpha", "drawn"))
def standard_gamma_drawn(alpha: Array, drawn: Array):
    """Gamma numbers, differentiable in alpha: implicit reparameterization (arXiv:1805.08498). Shape: of both."""
    return drawn


@standard_gamma_drawn.gradient
def _(grad, result, alpha, drawn):
    return grad * lax.random_gamma_grad(alpha, drawn), None


@op("draw_choice_each", door=None, differentiable=False)
def draw_choice_each(seed_hi: Input, seed_lo: Input, counter: Input, weights: Array, *, size, dtype: DType):
    """Places drawn by weight with replacement. Shape: (*, n) -> size, (*, k)."""
    total = jnp.cumsum(weights.astype(_work(weights.dtype)), -1)
    wanted = jax.random.uniform(key(seed_hi, seed_lo, counter), size, total.dtype) * total[..., -1:]
    found = jnp.vectorize(lambda row, at: jnp.searchsorted(row, at, side="right"), signature="(n),(k)->(k)")
    return jnp.minimum(found(total, wanted), weights.shape[-1] - 1).astype(dtype)


@op("draw_choice_once_each", door=None, differentiable=False)
def draw_choice_once_each(seed_hi: Input, seed_lo: Input, counter: Input, weights: Array, *, size, dtype: DType):
    """Places drawn by weight without replacement: those that win a race. Shape: (*, n) -> size, (*, k)."""
    race = jax.random.exponential(key(seed_hi, seed_lo, counter), weights.shape, _work(weights.dtype)) / weights
    return jnp.argsort(race, -1)[..., : size[-1]].astype(dtype)


@op("draw_randperm", door=None, differentiable=False)
def draw_randperm(seed_hi: Input, seed_lo: Input, counter: Input, *, size, dtype: DType):
    """A permutation of 0 .. n-1. Shape: size, (n,)."""
    return jax.random.permutation(key(seed_hi, seed_lo, counter), size[0]).astype(dtype)


@op("draw_geometric", door=None, differentiable=False)
def draw_geometric(seed_hi: Input, seed_lo: Input, counter: Input, p: Input, *, size, dtype: DType):
    """How many tries until the first success of probability p. Shape: size."""
    return jax.random.geometric(key(seed_hi, seed_lo, counter), p.astype(jnp.float32), size).astype(dtype)
