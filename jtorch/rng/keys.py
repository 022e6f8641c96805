"""Draws inside JAX transforms: they come from a JAX key that the caller gave, never from a constant of the program."""

import contextlib

import jax
import jax.numpy as jnp
import numpy as np

from jtorch import modes


class Keys:
    """The key that draws are made from, and how many there were. key: None refuses them."""

    def __init__(self, key):
        self._key = key
        self._count = 0

    def advance(self):
        """Seed (two words) and counter of the next draw, as 0-d float64 arrays. Raises RuntimeError without a key."""
        if self._key is None:
            raise RuntimeError(
                "a random number is drawn inside a JAX transform, where it would be a constant of the program. Give a "
                "key to draw from: fn(..., rng=jax.random.key(0)), another one for each call."
            )
        typed = jnp.issubdtype(self._key.dtype, jax.dtypes.prng_key)
        words = jax.random.key_data(self._key) if typed else self._key
        high, low = (words[..., i].astype(jnp.float64) for i in (-2, -1))
        self._count += 1
        return high, low, np.float64(self._count - 1)


@contextlib.contextmanager
def drawing_from(key, traced):
    """Context manager: draws come from a key; without one they are refused where traced, else left as they are."""
    if key is None and (not traced or modes.local.keys is not None):
        yield
        return
    before, modes.local.keys = modes.local.keys, Keys(key)
    modes.enter_rare()
    try:
        yield
    finally:
        modes.leave_rare()
        modes.local.keys = before
