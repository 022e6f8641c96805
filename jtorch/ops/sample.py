"""Dropout in its forms: masks from a JAX key made of (seed_hi, seed_lo, counter), so that backward draws the same."""

import jax.numpy as jnp

from jtorch.ops.op import Array, Input, op
from jtorch.rng.device import bernoulli, key


def _kept(shape, seeds, p):
    return bernoulli(key(*seeds), 1 - p, shape)


@op("dropout_train", door=None, grad_name=("MulBackward0", 0, None))
def dropout_train(input: Array, seed_hi: Input, seed_lo: Input, counter: Input, *, p, dims):
    """Elements zeroed with probability p, the others scaled by 1 / (1 - p). Shape: any -> the same.

    dims: how many leading dims are drawn for; the others share one draw (whole channels are dropped).
    """
    if p == 1:
        return jnp.zeros_like(input)
    shape = input.shape[:dims] + (1,) * (input.ndim - dims)
    kept = _kept(shape, (seed_hi, seed_lo, counter), p)
    return jnp.where(kept, input / jnp.asarray(1 - p, input.dtype), 0)


_ALPHA = -1.7580993408473766  # the value that selu tends to: -scale · alpha


@op("alpha_dropout_train", door=None, grad_name="AddBackward0")
def alpha_dropout_train(input: Array, seed_hi: Input, seed_lo: Input, counter: Input, *, p, dims):
    """Elements set to selu's lower bound with probability p, scaled to keep mean and variance (arXiv:1706.02515)."""
    if p == 1:
        return jnp.zeros_like(input)
    shape = input.shape[:dims] + (1,) * (input.ndim - dims)
    kept = _kept(shape, (seed_hi, seed_lo, counter), p)
    scale = 1 / ((_ALPHA**2 * p + 1) * (1 - p)) ** 0.5
    shift = -scale * _ALPHA * p
    return jnp.where(kept, input, jnp.asarray(_ALPHA, input.dtype)) * scale + shift
