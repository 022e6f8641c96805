"""torch.random: seeds, states that torch can load, and forks."""

import numpy as np
import pytest
import torch

import jtorch
from tests.rng.draws import same_error


def numbers(module, count=5):
    return module.rand(count).tolist()


def test_manual_seed_gives_torchs_numbers():
    for seed in (0, 42, -7, 2**63, "13", 2.9):
        assert jtorch.manual_seed(seed) is jtorch.random.default_generator
        torch.manual_seed(seed)
        assert jtorch.initial_seed() == torch.initial_seed()
        assert numbers(jtorch) == numbers(torch)


@pytest.mark.parametrize("seed", [2**64, -(2**63) - 1, "a", None])
def test_seeds_that_are_none(seed):
    same_error(lambda: jtorch.manual_seed(seed), lambda: torch.manual_seed(seed))


def test_seed():
    assert jtorch.seed() == jtorch.initial_seed()
    assert jtorch.seed() != jtorch.seed()


def test_states_travel_both_ways():
    jtorch.manual_seed(5)
    torch.manual_seed(5)
    jtorch.randn(7)
    torch.randn(7)
    state = jtorch.get_rng_state()
    assert state.dtype is jtorch.uint8
    np.testing.assert_array_equal(state.numpy(), torch.get_rng_state().numpy())
    expected = numbers(torch)
    assert numbers(jtorch) == expected
    torch.set_rng_state(torch.from_numpy(state.numpy().copy()))
    jtorch.set_rng_state(state)
    assert numbers(torch) == numbers(jtorch) == expected


@pytest.mark.parametrize(
    "make",
    [
        lambda m: m.zeros(3, dtype=m.uint8),
        lambda m: m.zeros(5056),
        lambda m: 5,
        lambda m: m.zeros(10112, dtype=m.uint8)[::2],
    ],
)
def test_states_that_are_none(make):
    same_error(lambda: jtorch.Generator().set_state(make(jtorch)), lambda: torch.Generator().set_state(make(torch)))


def test_set_state_returns_the_generator():
    g = jtorch.Generator()
    assert g.set_state(g.get_state()) is g


def test_fork_rng():
    jtorch.manual_seed(1)
    before = numbers(jtorch)
    jtorch.manual_seed(1)
    with jtorch.random.fork_rng():
        numbers(jtorch, 100)
        jtorch.manual_seed(77)
    assert numbers(jtorch) == before
    jtorch.manual_seed(1)
    with jtorch.random.fork_rng(enabled=False):
        numbers(jtorch)
    assert numbers(jtorch) != before
    forked = jtorch.random.fork_rng(devices=(i for i in []))(lambda: numbers(jtorch))
    assert forked() == forked()


@pytest.mark.parametrize(
    "options", [{"device_type": "foo"}, {"enabled": False, "device_type": "foo"}, {"devices": [0]}, {"devices": 3}]
)
def test_forks_that_are_none(options):
    def fork(module):
        with module.random.fork_rng(**options):
            pass

    same_error(lambda: fork(jtorch), lambda: fork(torch))


def test_cuda_without_a_device():
    for name in ("get_rng_state", "initial_seed"):
        same_error(getattr(jtorch.cuda, name), getattr(torch.cuda, name))
    for module in (jtorch, torch):
        state = module.zeros(16, dtype=module.uint8)
        done = [
            module.cuda.get_rng_state_all(), module.cuda.set_rng_state(state), module.cuda.set_rng_state_all([]),
            module.cuda.manual_seed(3), module.cuda.manual_seed_all(3), module.cuda.seed(), module.cuda.seed_all(),
            module.cuda.default_generators,
        ]  # fmt: skip
        assert done == [[], None, None, None, None, None, None, ()]


def test_fork_rng_restores_after_an_error():
    jtorch.manual_seed(1)
    with pytest.raises(KeyError), jtorch.random.fork_rng(devices=[]):
        numbers(jtorch)
        raise KeyError
    torch.manual_seed(1)
    assert numbers(jtorch) == numbers(torch)


def test_public_names():
    assert set(torch.random.__all__) == set(jtorch.random.__all__)
    assert jtorch.default_generator is jtorch.random.default_generator
    assert jtorch.random.thread_safe_generator() is None
