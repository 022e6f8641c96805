"""JAX keys from seed and counter: the same inside and outside a program, another one for every draw."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jtorch.rng.device import bernoulli, key
from jtorch.rng.generator import Generator
from tests.labels import label

SHAPE = (300, 333)


def mask(numbers, p=0.7):
    return np.asarray(bernoulli(key(*numbers), p, SHAPE))


def test_the_same_inside_a_program_with_numbers_as_inputs():
    program = jax.jit(lambda hi, lo, counter: bernoulli(key(hi, lo, counter), 0.7, SHAPE))
    for seed in (0, -1, 2**63 + 12345):
        g = Generator().manual_seed(seed)
        for _ in range(2):
            numbers = g.advance()
            np.testing.assert_array_equal(program(*(jnp.float64(x) for x in numbers)), mask(numbers))


@pytest.mark.parametrize(
    "other", [(1, 2, 4), (1, 3, 3), (2, 2, 3), (1, 2, 3 + 2**32), (1, 2, 3 + 2**52), (2, 1, 3)], ids=label
)
def test_another_number_another_mask(other):
    agree = (mask((1, 2, 3)) == mask(other)).mean()
    assert abs(agree - (0.7**2 + 0.3**2)) < 0.01


@pytest.mark.parametrize("p", [1e-3, 0.004, 0.1, 0.5, 0.9, 0.999, np.float32(0.25)])
def test_share_of_ones(p):
    """Within five standard deviations, and so for every residue of the place: all bits of a hash are sound."""
    n = 1 << 20
    drawn = np.asarray(bernoulli(key(3, 4, 5), p, (n,)))
    for part in (drawn, *(drawn[i::4] for i in range(4))):
        assert abs(part.mean() - p) < 5 * np.sqrt(p * (1 - p) / len(part))


@pytest.mark.parametrize("p", [0.5, 0.9])
def test_neighbours_are_independent(p):
    drawn = np.asarray(bernoulli(key(3, 4, 5), p, (1 << 20,))) - p
    for step in (1, 2, 3, 4, 8):
        assert abs((drawn[step:] * drawn[:-step]).mean()) < 5 * p * (1 - p) / np.sqrt(len(drawn))


def test_certainty():
    assert mask((0, 0, 0), 1.0).all()
    assert not mask((0, 0, 0), 0.0).any()


@pytest.mark.parametrize("shape", [(), (0,), (1,), (5,), (3, 0, 2)])
def test_shapes(shape):
    drawn = bernoulli(key(0, 0, 0), 0.5, shape)
    assert drawn.shape == shape
    assert drawn.dtype == bool


def test_a_probability_may_be_an_input_of_the_program():
    program = jax.jit(lambda p: bernoulli(key(0, 0, 0), p, (1 << 16,)))
    assert abs(float(program(0.3).mean()) - 0.3) < 0.01
    assert bool(program(1.0).mean() > 0.9999)
