"""SGD: 50 steps as torch's, in every variant."""

import pytest
import torch

import jtorch
from tests.labels import label
from tests.optim.stepping import error_of_half, stepped
from tests.oracle import same, same_error

pytestmark = pytest.mark.usefixtures("quick_compiles")


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"lr": 0.1, "momentum": 0.9},
        {"lr": 0.1, "momentum": 0.9, "nesterov": True, "weight_decay": 0.01},
        {"lr": 0.1, "momentum": 0.9, "dampening": 0.5},
        {"lr": 0.1, "momentum": 0.5, "dampening": 0.1, "weight_decay": 0.1, "maximize": True},
        {"lr": 0.1, "weight_decay": 0.1},
        {"lr": 1, "momentum": 1},
        {"lr": 0.1, "momentum": 0.9, "foreach": True},
        {"lr": 0.1, "momentum": 0.9, "fused": True},
    ],
    ids=label,
)
def test_steps(options):
    same(lambda torch: stepped(torch, lambda params: torch.optim.SGD(params, **options)))


@pytest.mark.parametrize("dtype", ["float64", "complex64"])
def test_dtypes(dtype):
    same(lambda torch: stepped(torch, lambda params: torch.optim.SGD(params, 0.1, 0.9, weight_decay=0.1), dtype=dtype))


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_half_precision_is_as_close_to_float64_as_torch_is(dtype):
    def make(torch, params):
        return torch.optim.SGD(params, 0.1, 0.9)

    assert error_of_half(jtorch, make, dtype) <= 1.02 * error_of_half(torch, make, dtype)


def test_dampening_spares_the_first_gradient_of_each_parameter():
    def late(step, number):
        return number == 1 and step < 3

    same(lambda torch: stepped(torch, lambda p: torch.optim.SGD(p, 0.1, 0.9, dampening=0.5), steps=8, skip=late))


def test_groups_with_options_of_their_own():
    def make(torch, params):
        groups = [{"params": params[:1], "lr": 0.5, "momentum": 0.9}, {"params": params[1:], "weight_decay": 0.3}]
        return torch.optim.SGD(groups, lr=0.01)

    same(lambda torch: stepped(torch, lambda params: make(torch, params)))


def test_repeated_parameter_steps_twice():
    def run(torch):
        param = torch.ones(3, requires_grad=True)
        optimizer = torch.optim.SGD([param, param], lr=0.1, weight_decay=0.1)
        for _ in range(3):
            param.grad = param.detach().clone()
            optimizer.step()
        return param, optimizer.state_dict()

    with pytest.warns(UserWarning, match="duplicate parameters"):
        same(run)


def test_learning_rate_as_a_tensor():
    def run(torch):
        lr = torch.tensor(0.5)
        param = torch.ones(3, requires_grad=True)
        optimizer = torch.optim.SGD([param], lr=lr)
        for _ in range(4):
            param.grad = torch.ones(3)
            optimizer.step()
            lr.mul_(0.5)
        return param

    same(run)


@pytest.mark.parametrize(
    "options",
    [
        {"lr": -1},
        {"momentum": -0.5},
        {"weight_decay": -0.1},
        {"nesterov": True},
        {"nesterov": True, "momentum": 0.9, "dampening": 0.1},
        {"fused": True, "foreach": True},
        {"fused": True, "differentiable": True},
    ],
    ids=label,
)
def test_errors(options):
    same_error(lambda torch: torch.optim.SGD([torch.ones(2, requires_grad=True)], **options))


def test_error_for_a_learning_rate_of_several_elements():
    same_error(lambda torch: torch.optim.SGD([torch.ones(2, requires_grad=True)], lr=torch.ones(2)))


def test_error_for_fused_steps_of_complex_parameters():
    def run(torch):
        param = torch.ones(2, dtype=torch.complex64, requires_grad=True)
        param.grad = torch.ones(2, dtype=torch.complex64)
        torch.optim.SGD([param], fused=True).step()

    same_error(run)


def test_differentiable_steps_stay_on_the_tape():
    def run(torch):
        start = torch.tensor([1.0, 2.0], requires_grad=True)
        param = start.clone()
        param.retain_grad()
        optimizer = torch.optim.SGD([param], lr=0.5, weight_decay=0.1, differentiable=True)
        param.grad = start * start
        optimizer.step()
        param.sum().backward()
        return start.grad

    same(run)


def test_differentiable_step_of_a_leaf():
    def run(torch):
        param = torch.ones(2, requires_grad=True)
        param.grad = torch.ones(2)
        torch.optim.SGD([param], differentiable=True).step()

    same_error(run)
