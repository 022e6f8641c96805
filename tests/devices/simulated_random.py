"""Random numbers on accelerators: their own generators and states, and a new draw in every step of one program."""

import numpy as np
import pytest

import jtorch as torch
from jtorch.engine import stats
from jtorch.nn import functional as F

HALF = {"size": (64,), "fill_value": 0.5, "device": "cuda"}
DRAWS = {
    "rand": lambda: torch.rand(64, dtype=torch.complex64, device="cuda"),
    "randperm": lambda: torch.randperm(64, device="cuda"),
    "bernoulli_": lambda: torch.full(**HALF).bernoulli_(torch.full(**HALF)),
    "rrelu": lambda: F.rrelu(-torch.full(**HALF), training=True),
}


@pytest.mark.parametrize("name", DRAWS)
def test_seeds_and_states(name):
    """The same again from a seed and from a state, something else in between, and nothing of the CPU's generator."""
    torch.manual_seed(5)
    before, state = torch.get_rng_state(), torch.cuda.get_rng_state()
    first, second = DRAWS[name]().tolist(), DRAWS[name]().tolist()
    torch.cuda.set_rng_state(state)
    third = DRAWS[name]()
    torch.manual_seed(5)
    assert first == third.tolist() == DRAWS[name]().tolist() != second
    assert str(third.device) == "cuda:0"
    assert torch.equal(torch.get_rng_state(), before)


def test_distributions():
    torch.manual_seed(0)
    n = 4000
    half = torch.full((n,), 0.5, device="cuda")
    cases = [
        (torch.poisson(half * 8), 4.0, 2.0),
        (torch.multinomial(torch.tensor([0.5, 0.0, 0.5], device="cuda"), n, True), 1.0, 1.0),
        (torch.normal(half, half * 4), 0.5, 2.0),
        (F.dropout(half, 0.2), 0.5, 0.25),
    ]
    rows = torch.multinomial(torch.tensor([[1.0, 0.0, 2.0, 3.0]] * 50, device="cuda"), 3)
    for drawn, mean, spread in cases:
        values = np.array(drawn.tolist())
        assert abs(values.mean() - mean) < 5 * spread / n**0.5
        assert abs(values.std() - spread) < 0.1 * spread
    assert all(sorted(row) == [0, 2, 3] for row in rows.tolist())


def test_default_generators():
    generators = torch.cuda.default_generators
    assert [str(g.device) for g in generators] == ["cuda:0", "cuda:1"]
    torch.manual_seed(7)
    assert [g.initial_seed() for g in generators] == [7, 7] == [torch.cuda.initial_seed()] * 2
    torch.cuda.manual_seed(8)
    assert [g.initial_seed() for g in generators] == [8, 7] and torch.initial_seed() == 7
    torch.cuda.manual_seed_all(9)
    assert [g.initial_seed() for g in generators] == [9, 9]
    torch.cuda.seed_all()
    assert generators[0].initial_seed() == generators[1].initial_seed() != 9
    torch.cuda.seed()
    assert generators[0].initial_seed() != generators[1].initial_seed()
    states = torch.cuda.get_rng_state_all()
    drawn = [torch.rand(3, device=f"cuda:{i}").tolist() for i in range(2)]
    torch.cuda.set_rng_state_all(states)
    assert [torch.rand(3, device=f"cuda:{i}").tolist() for i in range(2)] == drawn


def test_a_generator_of_ones_own():
    g = torch.Generator("cuda").manual_seed(4)
    a = torch.rand(3, device="cuda", generator=g)
    assert g.get_offset() == 4
    g.set_offset(0)
    assert torch.equal(torch.rand(3, device="cuda", generator=g), a)
    with pytest.raises(RuntimeError, match="Expected a 'cpu' device type for generator but found 'cuda'"):
        torch.rand(3, generator=g)
    with pytest.raises(RuntimeError, match="RNG state is wrong size"):
        g.set_state(torch.get_rng_state())
    other = g.clone_state()
    assert torch.equal(torch.rand(3, device="cuda", generator=g), torch.rand(3, device="cuda", generator=other))


def test_fork_rng():
    torch.manual_seed(1)
    with torch.random.fork_rng(devices=[0]):
        torch.rand(3, device="cuda:0"), torch.rand(3, device="cuda:1"), torch.rand(3)
    found = torch.rand(3, device="cuda:0"), torch.rand(3, device="cuda:1"), torch.rand(3)
    torch.manual_seed(1)
    fresh = torch.rand(3, device="cuda:0"), torch.rand(3, device="cuda:1"), torch.rand(3)
    assert [torch.equal(a, b) for a, b in zip(found, fresh, strict=True)] == [True, False, True]


def test_a_step_with_dropout_is_one_program_with_a_new_mask_each_time():
    torch.manual_seed(0)
    weight = torch.ones(64, device="cuda", requires_grad=True)
    optimizer = torch.optim.SGD([weight], lr=0.0)
    x, masks, seen = torch.ones(64, device="cuda"), [], []
    for _ in range(6):
        before = stats.programs, stats.compiles
        optimizer.zero_grad()
        dropped = F.dropout(x * weight, 0.5)
        dropped.sum().backward()
        optimizer.step()
        masks.append(weight.grad.tolist())
        seen.append((stats.programs - before[0], stats.compiles - before[1]))
    assert len({tuple(mask) for mask in masks}) == 6
    assert {value for mask in masks for value in mask} == {0.0, 2.0}
    assert seen[2:] == [(1, 0)] * 4
