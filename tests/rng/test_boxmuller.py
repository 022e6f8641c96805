"""Normal numbers of whole pieces are the same bits whether NumPy or XLA transforms them."""

import collections

import jax
import pytest
import torch

import jtorch
from jtorch.rng import boxmuller


@pytest.mark.parametrize("warm", [False, True])
def test_many_normal_numbers(warm, monkeypatch):
    monkeypatch.setattr(boxmuller._Warm, "seen", collections.defaultdict(lambda: boxmuller._COLD if warm else 0))
    for lib in (jtorch, torch):
        lib.manual_seed(11)
    for count in (2 * boxmuller._PIECE + 21, 3000, 16):
        for ours, theirs in (
            (jtorch.randn(count), torch.randn(count)),
            (jtorch.empty(count).normal_(0.5, 3.0), torch.empty(count).normal_(0.5, 3.0)),
            (jtorch.randn(count, dtype=jtorch.bfloat16), torch.randn(count, dtype=torch.bfloat16)),
        ):
            assert ours.float().numpy().tobytes() == theirs.float().numpy().tobytes()
    assert (max(boxmuller._Warm.seen.values()) > boxmuller._COLD) is warm


def test_xla_draws_inside_somebodys_trace(monkeypatch):
    monkeypatch.setattr(boxmuller._Warm, "seen", collections.defaultdict(lambda: boxmuller._COLD))
    found = []

    def inside(x):
        found.append(jtorch.randn(100).numpy())
        return x

    jtorch.manual_seed(3)
    jax.jit(inside)(1.0)
    torch.manual_seed(3)
    assert found[0].tobytes() == torch.randn(100).numpy().tobytes()
