"""Tensors filled in place: torch's numbers in the order of their memory, its errors, its nodes in the graph."""

import pytest
import torch

import jtorch
from tests.rng.draws import avx2_roundings, drawn_alike

pytestmark = avx2_roundings

FILLS = [
    lambda m, t: t.uniform_(),
    lambda m, t: t.normal_(),
    lambda m, t: t.random_(),
    lambda m, t: t.random_(7),
    lambda m, t: t.random_(-3, 9),
    lambda m, t: t.exponential_(),
    lambda m, t: t.geometric_(0.3),
    lambda m, t: t.log_normal_(),
    lambda m, t: t.cauchy_(),
    lambda m, t: t.bernoulli_(0.3),
    lambda m, t: t.bernoulli_(m.tensor(0.3)),
]
PLACES = [
    lambda m: m.zeros(6, 7).t(),
    lambda m: m.zeros(6, 7)[:, ::2],
    lambda m: m.zeros(40, 7)[:, 2],
    lambda m: m.zeros(2, 3, 4, 5).permute(3, 1, 0, 2),
    lambda m: m.zeros(6, 7).as_strided((5, 5), (1, 7)),
    lambda m: m.zeros(6, 7)[::2].t(),
    lambda m: m.zeros(3).expand(5, 3),
]


@pytest.mark.parametrize("dtype", "float64 float16 bfloat16 complex64 int64 int16 uint8 bool uint16".split())
def test_dtypes(dtype):
    drawn_alike(*(lambda m, g, fill=fill: fill(m, m.zeros(6, 5, dtype=getattr(m, dtype))) for fill in FILLS))
    drawn_alike(*(lambda m, g, fill=fill: fill(m, m.zeros(0, 3, dtype=getattr(m, dtype))) for fill in FILLS[:-1]))


@pytest.mark.parametrize("place", range(len(PLACES)))
def test_views(place):
    """What is filled is seen through the base; elements that share memory are refused before anything is drawn."""

    def run(m, g, fill):
        view = PLACES[place](m)
        return fill(m, view), view._base

    drawn_alike(*(lambda m, g, fill=fill: run(m, g, fill) for fill in FILLS))


def test_arguments():
    def chances(m):
        return m.tensor([0.1, 0.9, 0.5])

    drawn_alike(
        lambda m, g: m.zeros(3).uniform_(1, 2),
        lambda m, g: m.zeros(3).uniform_(**{"from": 1, "to": 2}),
        lambda m, g: m.zeros(3).uniform_(0.0, m.tensor(2.0), generator=g),
        lambda m, g: m.zeros(3).uniform_(2, 1),
        lambda m, g: m.zeros(3).normal_(mean=1, std=2),
        lambda m, g: m.zeros(3).normal_(m.tensor(1.0), m.tensor(2.0), generator=g),
        lambda m, g: m.zeros(3).normal_(1, -2),
        lambda m, g: m.zeros(3).exponential_(lambd=2),
        lambda m, g: m.zeros(3).exponential_(-2),
        lambda m, g: m.zeros(3).geometric_(p=0.5, generator=g),
        lambda m, g: m.zeros(3).geometric_(1.5),
        lambda m, g: m.zeros(3).log_normal_(0, 1, generator=g),
        lambda m, g: m.zeros(3).cauchy_(median=1, sigma=2),
        lambda m, g: m.zeros(3).random_(to=5),
        lambda m, g: m.zeros(3).random_(**{"from": 2, "to": 5}, generator=g),
        lambda m, g: m.zeros(3).random_(3, None),
        lambda m, g: m.zeros(3).random_(m.tensor(5)),
        lambda m, g: m.zeros(3).random_(-5),
        lambda m, g: m.zeros(3).random_(5, 5),
        lambda m, g: m.zeros(3, dtype=m.int64).random_(2**40),
        lambda m, g: m.zeros(3, dtype=m.int64).random_(-(2**63), None),
        lambda m, g: chances(m).bernoulli_(chances(m), generator=g),
        lambda m, g: chances(m).bernoulli_(p=chances(m).double()),
        lambda m, g: chances(m).bernoulli_(m.tensor([[0.1], [0.9]])),
        lambda m, g: chances(m).bernoulli_(m.tensor([1, 0, 1])),
        lambda m, g: chances(m).bernoulli_(1),
    )


@pytest.mark.parametrize(
    "call",
    [
        lambda t: t.uniform_("a"), lambda t: t.uniform_(1, 2, 3), lambda t: t.uniform_(a=1),
        lambda t: t.uniform_(from_=1), lambda t: t.normal_(1, 2, 3), lambda t: t.geometric_(),
        lambda t: t.random_(2, 5, 6), lambda t: t.random_(2.5), lambda t: t.random_("a"), lambda t: t.bernoulli_("a"),
    ],
)  # fmt: skip
def test_refusals(call):
    """The words are those of torch's argument parser; here only that there is a TypeError."""
    for module in (torch, jtorch):
        with pytest.raises(TypeError):
            call(module.zeros(3))


def test_graph():
    """A leaf refuses; a result forgets what it was made of; a view's base remembers."""

    def leaf(m, g, fill):
        return fill(m, m.full((3,), 0.5, requires_grad=True))

    def result(m, g, fill):
        x = m.full((3,), 0.5, requires_grad=True)
        y = fill(m, x * 2)
        y.sum().backward()
        return y, x.grad

    drawn_alike(*(lambda m, g, fill=fill, run=run: run(m, g, fill) for fill in FILLS for run in (leaf, result)))

    def part(m, g):
        x = m.full((3, 4), 0.5, requires_grad=True)
        y = x * 2
        y.t()[0].bernoulli_(0.5)
        y.sum().backward()
        return y.detach(), x.grad

    drawn_alike(part)
