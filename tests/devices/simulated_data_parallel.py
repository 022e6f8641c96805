"""DataParallel on cuda devices. Run by test_simulated.py."""

import pytest

import jtorch as torch
from jtorch._tensor import value
from jtorch.engine import program, stats


def test_inputs_are_brought_to_the_module_and_results_to_the_output_device():
    model = torch.nn.DataParallel(torch.nn.Linear(3, 2).to("cuda:0"), output_device=1)
    assert model.device_ids == [0, 1]
    out = model(torch.ones(4, 3))
    assert out.shape == (4, 2) and str(out.device) == "cuda:1"
    expected = model.module(torch.ones(4, 3, device="cuda:0"))
    assert out.tolist() == expected.tolist()


def test_one_device_takes_the_module():
    model = torch.nn.DataParallel(torch.nn.Linear(3, 2), device_ids=[1])
    assert str(model.module.weight.device) == "cuda:1" and str(model(torch.ones(1, 3)).device) == "cuda:1"


def test_a_module_elsewhere_is_refused():
    model = torch.nn.DataParallel(torch.nn.Linear(3, 2))
    with pytest.raises(RuntimeError, match="module must have its parameters and buffers on device cuda:0"):
        model(torch.ones(1, 3))


def _train(wrap, seen, batches=(8, 8, 8, 3)):
    torch.manual_seed(0)
    nn = torch.nn
    module = nn.Sequential(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(), nn.Linear(16, 3))
    model = wrap(module.to("cuda:0"))
    optimizer = torch.optim.Adam(model.parameters(), 1e-2)
    losses = []
    data = [(torch.randn(size, 1, 4, 4).to("cuda:0"), (torch.arange(size) % 3).to("cuda:0")) for size in batches]
    for x, y in data:
        loss = nn.functional.cross_entropy(model(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss)
        stats.reset()
    seen += [loss.item() for loss in losses]
    return model


def test_a_step_is_one_program_on_all_devices_with_the_losses_of_one():
    one, several = [], []
    _train(lambda module: module, one)
    model = _train(torch.nn.DataParallel, several)
    assert several == pytest.approx(one, rel=1e-5)
    assert list(model.state_dict())[0] == "module.0.weight"
    model = _train(torch.nn.DataParallel, [], (8, 8, 8))
    torch.cuda.synchronize()
    text = program.most_recent().executable.as_text()
    assert stats.programs == 1 and stats.compiles == 0
    assert "all-reduce(" in text and "all-gather(" not in text, text
    weight = model.module[0].weight
    assert len(value(weight).sharding.device_set) == 2 and weight.device == torch.device("cuda:0")


def test_one_batch_is_seen_by_forward_and_nested_arguments_are_split():
    class Model(torch.nn.Module):
        def forward(self, pair, *, scale, name):
            assert name == "name" and pair[0].shape == (4, 2)
            return {"sum": (pair[0] + pair[1]) * scale}

    model = torch.nn.DataParallel(Model())
    out = model((torch.ones(4, 2), torch.arange(4.0).view(4, 1)), scale=torch.tensor(2.0), name="name")
    assert out["sum"].tolist() == [[2, 2], [4, 4], [6, 6], [8, 8]]
