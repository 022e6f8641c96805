"""Training in mixed precision: torch's losses, and one program a step."""

import numpy as np
import pytest
import torch

import jtorch
from jtorch.engine import program
from tests.engine.loops import assert_steady, turns

IMAGES = np.random.default_rng(0).standard_normal((4, 8, 1, 8, 8)).astype(np.float32)
LABELS = np.random.default_rng(1).integers(0, 4, (4, 8))


def trainer(module, lower, optimizer, clip=True):
    """step(i) of a small network under autocast and GradScaler, which returns the loss; and the scaler."""
    module.manual_seed(0)
    nn = module.nn
    net = nn.Sequential(
        nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.LayerNorm(36),
        nn.Linear(36, 4),
    )  # fmt: skip
    steps = getattr(module.optim, optimizer)(net.parameters(), lr=0.05)
    scaler = module.amp.GradScaler("cpu", init_scale=1024.0, growth_interval=2)
    data = [(module.tensor(x), module.tensor(y)) for x, y in zip(IMAGES, LABELS, strict=True)]

    def step(i):
        x, y = data[i % len(data)]
        steps.zero_grad()
        with module.autocast("cpu", dtype=getattr(module, lower)):
            loss = nn.functional.cross_entropy(net(x), y)
        scaler.scale(loss).backward()
        if clip:
            scaler.unscale_(steps)
            nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        scaler.step(steps)
        scaler.update()
        return loss.detach()

    return step, scaler


@pytest.mark.parametrize(("lower", "optimizer"), [("bfloat16", "AdamW"), ("float16", "SGD")])
def test_losses_and_programs(lower, optimizer):
    expected, scale = trainer(torch, lower, optimizer)
    actual, own = trainer(jtorch, lower, optimizer)
    losses = []
    program.clear()
    found = turns(lambda i: losses.append(actual(i)), 8)
    # Each step runs when the next one begins.
    assert_steady(found, warm=3)
    # A rounding that falls the other way is one of 2^8 or 2^11 in one of many values.
    tolerance = {"bfloat16": 2e-2, "float16": 2e-3}[lower]
    np.testing.assert_allclose([float(x) for x in losses], [float(expected(i)) for i in range(8)], rtol=tolerance)
    assert own.state_dict() == scale.state_dict()
