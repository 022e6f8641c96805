"""A run that is begun in one library, saved, and resumed in the other goes on as it would have gone."""

import numpy as np
import pytest
import torch

import jtorch
from tests.serialization.test_formats import through

STEPS = 20


def residual(torch):
    """A narrow net with ResNet-18's parts: a stem, blocks with and without a strided shortcut, a head."""
    nn = torch.nn

    class Block(nn.Module):
        def __init__(self, wide, out, stride):
            super().__init__()
            self.conv1, self.bn1 = nn.Conv2d(wide, out, 3, stride, 1, bias=False), nn.BatchNorm2d(out)
            self.conv2, self.bn2 = nn.Conv2d(out, out, 3, 1, 1, bias=False), nn.BatchNorm2d(out)
            self.downsample = None
            if stride > 1:
                self.downsample = nn.Sequential(nn.Conv2d(wide, out, 1, stride, bias=False), nn.BatchNorm2d(out))

        def forward(self, x):
            y = self.bn2(self.conv2(torch.relu(self.bn1(self.conv1(x)))))
            return torch.relu(y + (x if self.downsample is None else self.downsample(x)))

    stem = [nn.Conv2d(3, 4, 3, 1, 1, bias=False), nn.BatchNorm2d(4), nn.ReLU()]
    return nn.Sequential(*stem, Block(4, 4, 1), Block(4, 8, 2), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, 5))


def gpt(torch):
    """A GPT of one layer over 8 positions, its output weights tied to the embedding."""
    nn = torch.nn

    class GPT(nn.Module):
        def __init__(self):
            super().__init__()
            self.token, self.place = nn.Embedding(11, 8), nn.Embedding(8, 8)
            self.block = nn.TransformerEncoderLayer(8, 2, 16, dropout=0.0, batch_first=True, norm_first=True)
            self.head = nn.Linear(8, 11, bias=False)
            self.head.weight = self.token.weight
            self.register_buffer("mask", torch.triu(torch.full((8, 8), -torch.inf), 1))

        def forward(self, x):
            y = self.token(x) + self.place(torch.arange(8))
            return self.head(self.block(y, self.mask)).transpose(1, 2)

    return GPT()


def batches(name):
    """The data of all steps."""
    rng = np.random.default_rng(0)
    for _ in range(2 * STEPS):
        if name == "residual":
            yield rng.standard_normal((6, 3, 6, 6), np.float32), rng.integers(0, 5, 6)
        else:
            tokens = rng.integers(0, 11, (4, 9))
            yield tokens[:, :-1].copy(), tokens[:, 1:].copy()


MAKE = {"residual": residual, "gpt": gpt}


def setup(torch, name):
    """A model, its optimizer and schedule from one seed."""
    torch.manual_seed(0)
    model = MAKE[name](torch)
    if name == "gpt":
        optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2, weight_decay=0.1)
        schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 2 * STEPS)
    else:
        optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
        schedule = torch.optim.lr_scheduler.StepLR(optimizer, 15, 0.5)
    return model, optimizer, schedule


def train(torch, run, data):
    """The losses of a part of the run."""
    model, optimizer, schedule = run
    losses = []
    for x, y in data:
        optimizer.zero_grad()
        loss = torch.nn.functional.cross_entropy(model(torch.from_numpy(x)), torch.from_numpy(y))
        loss.backward()
        optimizer.step()
        schedule.step()
        losses.append(loss.item())
    return losses


@pytest.mark.parametrize("name", MAKE)
@pytest.mark.parametrize("way", [(torch, jtorch), (jtorch, torch)], ids=["from torch", "to torch"])
def test_the_losses_go_on(name, way):
    source, target = way
    data = list(batches(name))
    run = setup(torch, name)
    expected = train(torch, run, data)
    begun = setup(source, name)
    first = train(source, begun, data[:STEPS])
    parts = ("model", "optimizer", "schedule")
    checkpoint = {part: thing.state_dict() for part, thing in zip(parts, begun, strict=True)}
    loaded = through(source, target, checkpoint)
    resumed = setup(target, name)
    for thing, part in zip(resumed, parts, strict=True):
        thing.load_state_dict(loaded[part])
    second = train(target, resumed, data[STEPS:])
    np.testing.assert_allclose(first + second, expected, rtol=1e-4, atol=1e-4)
