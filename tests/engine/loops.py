"""Training loops that the engine's tests run and count programs for."""

from typing import NamedTuple

import numpy as np

import jtorch as torch
from bench import cases
from jtorch.engine import stats


class Turn(NamedTuple):
    """What the engine did in one turn of a loop."""

    programs: int
    compiles: int


def turns(step, count):
    """Run step(i) count times; what the engine did in each turn."""
    found = []
    for i in range(count):
        before = stats.programs, stats.compiles
        step(i)
        found.append(Turn(stats.programs - before[0], stats.compiles - before[1]))
    return found


def assert_steady(found, programs=1, warm=2):
    """From turn `warm` on, each is this many programs and compiles nothing."""
    assert found[warm:] == [Turn(programs, 0)] * len(found[warm:]), found


SMALL = cases.Shape(vocab=17, length=8, width=16, heads=2, layers=2)


def case(name):
    """A small training step of the benchmarks: mlp, lenet or gpt."""
    if name == "gpt":
        made = cases.CASES["gpt"]._replace(shape=SMALL, batches=cases.texts(4, 2, SMALL))
    elif name == "lenet":
        made = cases.CASES["lenet"]._replace(batches=cases.images(4, 4, 1, 28, 28))
    else:
        made = cases.CASES["mlp"]._replace(batches=cases.images(4, 8, 784))
    return made


def trainer(name):
    """(model, step) of a small case on jtorch."""
    return cases.trainer(torch, case(name))


def noise(*shape):
    """A tensor of noise that no loop changes."""
    return torch.tensor(np.random.default_rng(1).standard_normal(shape).astype(np.float32))
