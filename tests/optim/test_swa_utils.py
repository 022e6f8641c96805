"""Averaged models, their schedule and their statistics beside torch's."""

import numpy as np
import pytest

import jtorch
from jtorch.engine import stats
from tests.oracle import same, same_error

X = np.random.default_rng(0).standard_normal((8, 4), np.float32)
WAYS = {
    "mean": lambda u: {},
    "ema": lambda u: {"multi_avg_fn": u.get_ema_multi_avg_fn(0.9)},
    "swa": lambda u: {"multi_avg_fn": u.get_swa_multi_avg_fn()},
    "own ema": lambda u: {"avg_fn": u.get_ema_avg_fn(0.8), "use_buffers": True},
    "own swa": lambda u: {"avg_fn": u.get_swa_avg_fn()},
    "own": lambda u: {"avg_fn": lambda a, x, n: a * 0.5 + x * 0.5},
    "buffers": lambda u: {"use_buffers": True},
}


def trained(torch, way):
    """An averaged model after some steps, and its model."""
    torch.manual_seed(0)
    model = torch.nn.Sequential(torch.nn.Linear(4, 3), torch.nn.BatchNorm1d(3), torch.nn.Tanh(), torch.nn.Linear(3, 2))
    average = torch.optim.swa_utils.AveragedModel(model, **WAYS[way](torch.optim.swa_utils))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    for _ in range(4):
        optimizer.zero_grad()
        model(torch.from_numpy(X)).square().sum().backward()
        optimizer.step()
        average.update_parameters(model)
    return average, model


@pytest.mark.parametrize("way", WAYS)
def test_averages(way):
    def act(torch):
        average, _ = trained(torch, way)
        state = average.state_dict()
        average.eval()
        return list(state), list(state.values()), average(torch.from_numpy(X))

    same(act)


def test_statistics_of_batch_normalization():
    def act(torch):
        average, _ = trained(torch, "mean")
        loader = [[torch.from_numpy(X[:4]), 0], [torch.from_numpy(X[4:]), 1]]
        average.eval()
        torch.optim.swa_utils.update_bn(loader, average)
        return average.training, average.module[1].momentum, list(average.state_dict().values())

    same(act)


def test_an_update_is_part_of_the_step():
    model = jtorch.nn.Linear(4, 2)
    average = jtorch.optim.swa_utils.AveragedModel(model, multi_avg_fn=jtorch.optim.swa_utils.get_ema_multi_avg_fn())
    optimizer = jtorch.optim.SGD(model.parameters(), lr=0.1)
    x = jtorch.from_numpy(X)
    for step in range(8):
        if step == 5:
            programs, compiles = stats.programs, stats.compiles
        optimizer.zero_grad()
        model(x).square().sum().backward()
        optimizer.step()
        average.update_parameters(model)
    optimizer.zero_grad()
    assert stats.compiles == compiles and stats.programs - programs == 3


@pytest.mark.parametrize("strategy", ["cos", "linear"])
@pytest.mark.parametrize("epochs", [0, 3, 10])
def test_learning_rates(strategy, epochs):
    def act(torch):
        layers = [torch.nn.Linear(1, 1), torch.nn.Linear(1, 1)]
        groups = [{"params": layers[0].parameters(), "lr": 0.1}, {"params": layers[1].parameters(), "lr": 0.5}]
        optimizer = torch.optim.SGD(groups)
        schedule = torch.optim.swa_utils.SWALR(optimizer, [0.05, 0.3], epochs, strategy)
        rates = []
        for step in range(14):
            optimizer.step()
            schedule.step()
            rates.append(schedule.get_last_lr())
            if step == 5:
                state = schedule.state_dict()
                schedule = torch.optim.swa_utils.SWALR(optimizer, [0.05, 0.3], epochs, "linear")
                schedule.load_state_dict(state)
        return rates, sorted(schedule.state_dict())

    same(act)


@pytest.mark.parametrize(
    "call",
    [
        lambda torch: torch.optim.swa_utils.get_ema_avg_fn(1.5),
        lambda torch: torch.optim.swa_utils.get_ema_multi_avg_fn(-1),
        lambda torch: torch.optim.swa_utils.AveragedModel(torch.nn.Linear(1, 1), avg_fn=max, multi_avg_fn=max),
        lambda torch: torch.optim.swa_utils.SWALR(torch.optim.SGD(torch.nn.Linear(1, 1).parameters()), 0.1, -1),
        lambda torch: torch.optim.swa_utils.SWALR(torch.optim.SGD(torch.nn.Linear(1, 1).parameters()), 0.1, 1, "log"),
        lambda torch: torch.optim.swa_utils.SWALR(torch.optim.SGD(torch.nn.Linear(1, 1).parameters()), [0.1, 0.2]),
    ],
)
def test_refusals(call):
    same_error(call)
