"""Randomness inside programs: JAX keys made of a generator's seed and counter, for accelerators."""

import math

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

IMPL = "threefry2x32"
_COARSE = 1 / 128  # from this probability on, and as far from 1, 16 random bits hold it to three digits


def key(seed_hi, seed_lo, counter):
    """The JAX key of one draw. The numbers (see `Generator.advance`) may be inputs of the program, also as float64.

    Shape: (), (), () -> a typed key of shape ().
    """
    counter = jnp.asarray(counter).astype(jnp.uint64)
    low, high = counter.astype(jnp.uint32), (counter >> 32).astype(jnp.uint32)
    words = jnp.stack([jnp.asarray(seed_hi).astype(jnp.uint32) ^ high, jnp.asarray(seed_lo).astype(jnp.uint32)])
    return jax.random.fold_in(jax.random.wrap_key_data(words, impl=IMPL), low)


def bernoulli(key, p, shape):
    """True with probability p. Shape: as given, bool. p: a number or a 0-d array.

    A hash of threefry gives 64 bits; all are used: for four elements when 16 bits do for p, else for two.
    """
    if isinstance(p, (int, float)):
        if p <= 0 or p >= 1:
            return jnp.full(shape, p >= 1)
        dtype = np.uint16 if _COARSE <= p <= 1 - _COARSE else np.uint32
    else:
        dtype = np.uint32
    top = 2.0 ** (8 * np.dtype(dtype).itemsize)
    threshold = jnp.clip(jnp.round(jnp.asarray(p, jnp.float64) * top), 0, top - 1).astype(dtype)
    return _bits(key, shape, dtype) < threshold


def _bits(key, shape, dtype):
    size = math.prod(shape)
    each = 8 // np.dtype(dtype).itemsize
    words = jax.random.bits(key, (-(-size // each),), jnp.uint64)
    return lax.bitcast_convert_type(words, dtype).reshape(-1)[:size].reshape(shape)
