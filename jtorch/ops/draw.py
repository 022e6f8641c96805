"""Ops that draw random numbers on accelerators, from a JAX key made of (seed_hi, seed_lo, counter)."""

import jax
import jax.numpy as jnp
import numpy as np

from jtorch.ops.op import DType, Input, op
from jtorch.rng.device import key


def _work(dtype):
    """The float dtype to draw in: half types are drawn in float32."""
    return dtype if dtype in (np.dtype(np.float32), np.dtype(np.float64)) else np.dtype(np.float32)


@op("draw_uniform", door=None, differentiable=False)
def draw_uniform(seed_hi: Input, seed_lo: Input, counter: Input, low: Input = 0.0, high: Input = 1.0, *, size,
                 dtype: DType):  # fmt: skip
    """Uniform numbers in [low, high). Shape: size."""
    work = _work(dtype)
    drawn = jax.random.uniform(key(seed_hi, seed_lo, counter), size, work)
    return (drawn * (high - low).astype(work) + low.astype(work)).astype(dtype)


@op("draw_normal", door=None, differentiable=False)
def draw_normal(seed_hi: Input, seed_lo: Input, counter: Input, mean: Input = 0.0, std: Input = 1.0, *, size,
                dtype: DType):  # fmt: skip
    """Normal numbers. Shape: size."""
    work = _work(dtype)
    drawn = jax.random.normal(key(seed_hi, seed_lo, counter), size, work)
    return (drawn * std.astype(work) + mean.astype(work)).astype(dtype)


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


@op("draw_geometric", door=None, differentiable=False)
def draw_geometric(seed_hi: Input, seed_lo: Input, counter: Input, p: Input, *, size, dtype: DType):
    """How many tries until the first success of probability p. Shape: size."""
    return jax.random.geometric(key(seed_hi, seed_lo, counter), p.astype(jnp.float32), size).astype(dtype)
