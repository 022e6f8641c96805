"""devices.copied: what is written to the given array afterwards does not show in the copy."""

import jax.numpy as jnp
import numpy as np

from jtorch import devices


def test_copies_are_made_at_once():
    for _ in range(10):
        given = np.zeros(1_000_000, np.float32)
        copy = devices.copied(given, devices.CPU)
        given[:] = 1
        assert not np.asarray(copy).any()


def test_a_jax_array_is_copied_too():
    given = jnp.arange(6.0)
    copy = devices.copied(given, devices.CPU)
    assert copy.unsafe_buffer_pointer() != given.unsafe_buffer_pointer()
    given.delete()
    assert copy.tolist() == list(range(6))
