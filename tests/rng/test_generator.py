"""Generator: torch's seeds, torch's bytes of state, one stream per generator."""

import copy
import pickle
import threading

import numpy as np
import pytest
import torch

from jtorch import devices, dtypes
from jtorch.rng import generator as generators
from jtorch.rng import samplers
from jtorch.rng.generator import Generator
from tests.rng.draws import Pair, same_error


def drawn(generator, count=5):
    return samplers.normal(generator, (count,), dtypes.float64).tolist()


@pytest.mark.parametrize("seed", [0, 1, 2**31, 2**32 - 1, 2**32, 2**63, 2**64 - 1, -1, -(2**63)])
def test_seeds(seed):
    pair = Pair(seed)
    assert pair.mine.initial_seed() == pair.torch.initial_seed()
    pair.assert_in_step()


@pytest.mark.parametrize("seed", [2**64, -(2**63) - 1, 1.5, True, "a", None, np.int64(3)])
def test_seeds_that_are_none(seed):
    same_error(lambda: Generator().manual_seed(seed), lambda: torch.Generator().manual_seed(seed))


def test_a_new_generator_has_torchs_seed():
    assert Generator().initial_seed() == torch.Generator().initial_seed()
    assert Generator().manual_seed(3).device == devices.CPU


def test_seed_starts_anew():
    g = Generator()
    first, second = g.seed(), g.seed()
    assert first != second
    assert g.initial_seed() == second


@pytest.mark.parametrize("words", [0, 1, 623, 624, 625, 1300])
@pytest.mark.parametrize("odd", [False, True])
def test_states_travel_both_ways(words, odd):
    """A state saved here goes on in torch, and one saved in torch goes on here; a kept normal included."""
    pair = Pair(17)
    pair.fill("random", (words,), "int32")
    if odd:
        pair.fill("normal", (3,), "float32")
    pair.assert_in_step()
    theirs = torch.Generator()
    theirs.set_state(torch.from_numpy(pair.mine.save()))
    mine = Generator().load(pair.torch.get_state().numpy())
    expected = torch.empty(5, dtype=torch.float64).normal_(generator=pair.torch).tolist()
    assert drawn(mine) == expected
    assert drawn(pair.mine) == expected
    assert torch.empty(5, dtype=torch.float64).normal_(generator=theirs).tolist() == expected
    assert mine.initial_seed() == 17


@pytest.mark.parametrize("size", [0, 3, 5055, 5057])
def test_states_of_wrong_size(size):
    same_error(
        lambda: Generator().load(np.zeros(size, np.uint8)),
        lambda: torch.Generator().set_state(torch.zeros(size, dtype=torch.uint8)),
    )


def test_states_that_are_none():
    state = torch.Generator().get_state()
    state[8:12] = 0
    same_error(lambda: Generator().load(state.numpy()), lambda: torch.Generator().set_state(state))


@pytest.mark.parametrize(
    "duplicate", [Generator.clone_state, copy.copy, copy.deepcopy, lambda g: pickle.loads(pickle.dumps(g))]
)
def test_a_copy_goes_on_from_the_same_state_on_its_own(duplicate):
    g = Generator().manual_seed(4)
    drawn(g, 3)
    other = duplicate(g)
    assert other is not g
    expected = drawn(g)
    assert drawn(other) == expected


def test_offsets_are_for_accelerators():
    same_error(Generator().get_offset, torch.Generator().get_offset)
    same_error(lambda: Generator().set_offset(3), lambda: torch.Generator().set_offset(3))
    same_error(Generator().graphsafe_get_state, torch.Generator().graphsafe_get_state)
    same_error(
        lambda: Generator().graphsafe_set_state(Generator()),
        lambda: torch.Generator().graphsafe_set_state(torch.Generator()),
    )


def test_devices():
    for device in ("foo", "meta", "cuda"):
        same_error(lambda device=device: Generator(device), lambda device=device: torch.Generator(device))
    assert Generator(devices.Device("cpu")).device == devices.CPU


def test_default_generators():
    assert generators.default_for(devices.CPU) is generators.default
    generators.seed_all(12)
    assert generators.default.initial_seed() == 12


def test_threads_never_share_a_number():
    """Eight threads draw from one generator: together they hold exactly the numbers that one thread would draw."""
    g, found = Generator().manual_seed(1), []

    def work():
        for _ in range(50):
            found.append(samplers.uniform(g, (20001,), dtypes.float64)[::4000])

    threads = [threading.Thread(target=work) for _ in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    alone = Generator().manual_seed(1)
    expected = [samplers.uniform(alone, (20001,), dtypes.float64)[::4000] for _ in range(200)]
    assert sorted(x.tolist() for x in found) == sorted(x.tolist() for x in expected)
