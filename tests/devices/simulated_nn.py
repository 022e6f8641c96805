"""Modules, clipping and parameter vectors on several devices (run by test_simulated.py)."""

import pytest

import jtorch as torch
from jtorch import nn


def model():
    """A model with parameters and buffers, and a batch for it."""
    return nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3), nn.Linear(3, 1)), torch.ones(4, 2)


def places(m):
    """The devices of everything in a module's state dict."""
    return {str(t.device) for t in m.state_dict().values()}


@pytest.mark.parametrize("move", [lambda m: m.cuda(), lambda m: m.to("cuda"), lambda m: m.to(torch.ones(1).cuda())])
def test_a_module_moves_in_place_with_its_gradients(move):
    m, x = model()
    m(x).sum().backward()
    parameter, gradient = m[0].weight, m[0].weight.grad
    assert move(m) is m
    assert m[0].weight is parameter and parameter.grad is gradient
    assert places(m) == {"cuda:0"} and str(gradient.device) == "cuda:0"
    m.cuda(1)
    assert places(m) == {"cuda:1"}
    assert places(m.cpu()) == {"cpu"}


def test_training_goes_on_after_the_move():
    m, x = model()
    optimizer = torch.optim.SGD(m.parameters(), lr=0.1, momentum=0.9)
    m.cuda()
    losses = []
    for _ in range(3):
        optimizer.zero_grad()
        loss = (m(x.cuda()) - 1).square().mean()
        loss.backward()
        nn.utils.clip_grad_norm_(m.parameters(), 1.0)
        optimizer.step()
        losses.append(loss.item())
    assert losses[2] < losses[0] and places(m) == {"cuda:0"}


def test_inputs_must_be_where_the_weights_are():
    m, x = model()
    with pytest.raises(RuntimeError, match="Expected all tensors to be on the same device"):
        m.cuda()(x)


def test_layers_are_made_on_a_device():
    for made in (nn.Linear(2, 3, device="cuda"), nn.Conv2d(1, 1, 1, device="cuda:0"), nn.BatchNorm2d(3, device="cuda")):
        assert places(made) == {"cuda:0"}


def test_the_same_seed_gives_the_same_weights_on_any_device():
    torch.manual_seed(3)
    here = nn.Linear(2, 3)
    torch.manual_seed(3)
    there = nn.Linear(2, 3).cuda()
    assert torch.equal(here.weight, there.weight.cpu())


def test_loading_keeps_the_device():
    m, _ = model()
    other, _ = model()
    m.cuda().load_state_dict(other.state_dict())
    assert places(m) == {"cuda:0"} and torch.equal(m[0].weight.cpu(), other[0].weight)


def test_norm_over_two_devices():
    a, b = nn.Parameter(torch.ones(3)), nn.Parameter(torch.ones(1, device="cuda"))
    a.grad, b.grad = torch.ones(3), torch.ones(1, device="cuda")
    norm = nn.utils.clip_grad_norm_([a, b], 1.0)
    assert norm.item() == 2.0 and norm.device == a.device
    assert torch.allclose(a.grad, torch.full((3,), 0.5)) and torch.allclose(b.grad.cpu(), torch.tensor([0.5]))
    with pytest.raises(TypeError, match="Found two parameters on different devices"):
        nn.utils.parameters_to_vector([a, b])


def test_parameter_lists_name_the_device():
    assert "(cuda:0)" in repr(nn.ParameterList([torch.ones(2, device="cuda")]))
