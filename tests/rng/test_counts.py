"""Poisson and binomial numbers: torch's, and in step with its generator."""

import numpy as np
import pytest
import torch

from jtorch import dtypes
from jtorch.rng import samplers
from tests.rng.draws import Pair, array, assert_same_bits


def spread(dtype, scale):
    """Rates or counts of all sizes, from 0 on."""
    values = torch.rand(900, generator=torch.Generator().manual_seed(1)) * scale
    values[::7] = 0
    values[1::7] *= 40
    return values.to(getattr(torch, dtype))


@pytest.mark.parametrize("dtype", ["float32", "float64", "float16", "bfloat16"])
def test_poisson(dtype):
    for seed in (0, 5):
        pair, rates = Pair(seed), spread(dtype, 30)
        theirs = torch.poisson(rates, pair.torch)
        assert_same_bits(samplers.poisson(pair.mine, rates.shape, dtypes.by_name(dtype), array(rates)), theirs)
        pair.assert_in_step()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_binomial(dtype):
    for seed in (0, 5):
        pair, count, prob = Pair(seed), spread(dtype, 100).round(), spread(dtype, 1)
        prob[2::7], prob[3::7] = 1, 1e-3
        prob = prob.clamp(max=1.5)
        theirs = torch.binomial(count, prob, pair.torch)
        mine = samplers.binomial(pair.mine, count.shape, dtypes.by_name(dtype), array(count), array(prob))
        assert_same_bits(mine, theirs)
        pair.assert_in_step()


def test_numbers_drawn_ahead_are_given_back():
    """The generator goes on from what was used, also where it was seeded just before."""
    pair = Pair(3)
    none = np.zeros(4, np.float32)
    samplers.poisson(pair.mine, none.shape, dtypes.float32, none)
    torch.poisson(torch.zeros(4), pair.torch)
    pair.assert_in_step()
