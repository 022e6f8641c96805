"""Gamma and Dirichlet numbers: torch's, and in step with its generator."""

import numpy as np
import pytest
import torch

from jtorch import dtypes
from jtorch.rng import samplers
from tests.rng.draws import Pair, array, assert_same_bits


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_gamma_and_dirichlet(dtype):
    alpha = torch.rand(900, generator=torch.Generator().manual_seed(1)) * 6
    alpha[::7] = 0
    alpha[1::7] *= 100
    alpha[2::7] *= 1e-3
    alpha[3:5] = torch.tensor([-1.0, float("nan")])
    alpha = alpha.to(getattr(torch, dtype))
    kind, pair = dtypes.by_name(dtype), Pair(4)
    theirs = torch._standard_gamma(alpha, pair.torch)
    assert_same_bits(samplers.standard_gamma(pair.mine, alpha.shape, kind, array(alpha)), theirs)
    pair.fill("normal", (3,), dtype)  # one of a pair is left over on both sides
    rows = alpha[7:].reshape(-1, 19)
    theirs = array(torch._sample_dirichlet(rows, pair.torch))
    mine = samplers.dirichlet(pair.mine, rows.shape, kind, array(rows))
    # The sum is added up in another order than on torch's side, which differs between processors.
    np.testing.assert_allclose(mine, theirs, rtol=4 * np.finfo(dtype).eps)
    pair.assert_in_step()
