"""Adam and AdamW: 50 steps as torch's, in every variant."""

import pytest
import torch

import jtorch
from tests.labels import label
from tests.optim.stepping import error_of_half, stepped
from tests.oracle import same, same_error

pytestmark = pytest.mark.usefixtures("quick_compiles")
VARIANTS = [
    {},
    {"lr": 0.01},
    {"lr": 0.01, "weight_decay": 0.1},
    {"lr": 0.01, "betas": (0.5, 0.9), "eps": 1e-4},
    {"lr": 0.01, "betas": (0.3, 0.9)},
    {"lr": 0.01, "amsgrad": True},
    {"lr": 0.01, "amsgrad": True, "maximize": True, "weight_decay": 0.1},
    {"lr": 0.01, "foreach": True},
    {"lr": 0.01, "fused": True},
]


@pytest.mark.parametrize("options", VARIANTS, ids=label)
@pytest.mark.parametrize("name", ["Adam", "AdamW"])
def test_steps(name, options):
    same(lambda torch: stepped(torch, lambda params: getattr(torch.optim, name)(params, **options)))


@pytest.mark.parametrize("dtype", ["float64", "complex64"])
@pytest.mark.parametrize("name", ["Adam", "AdamW"])
def test_dtypes(name, dtype):
    options = {"lr": 0.01, "weight_decay": 0.1, "amsgrad": True}
    same(lambda torch: stepped(torch, lambda p: getattr(torch.optim, name)(p, **options), dtype=dtype))


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_half_precision_is_as_close_to_float64_as_torch_is(dtype):
    def make(torch, params):
        return torch.optim.AdamW(params, 0.01, eps=1e-4)

    assert error_of_half(jtorch, make, dtype) <= 1.02 * error_of_half(torch, make, dtype)


def test_decoupled_decay_of_adam_is_adamw():
    same(
        lambda torch: stepped(torch, lambda p: torch.optim.Adam(p, 0.1, weight_decay=0.1, decoupled_weight_decay=True))
    )


@pytest.mark.parametrize("name", ["Adam", "AdamW"])
def test_each_parameter_counts_its_own_steps(name):
    def sometimes(step, number):
        return (number == 1 and step % 3 == 1) or (number == 2 and step < 4)

    same(lambda torch: stepped(torch, lambda p: getattr(torch.optim, name)(p, 0.1), steps=12, skip=sometimes))


def test_state_appears_with_the_first_gradient():
    def run(torch):
        params = [torch.ones(2, requires_grad=True), torch.ones(3, requires_grad=True)]
        optimizer = torch.optim.Adam(params)
        seen = [len(optimizer.state)]
        optimizer.step()
        seen.append(len(optimizer.state))
        params[1].grad = torch.ones(3)
        optimizer.step()
        return seen, len(optimizer.state), optimizer.state_dict()

    same(run)


def test_a_step_read_and_kept_moves_on():
    def run(torch):
        param = torch.ones(2, requires_grad=True)
        optimizer = torch.optim.Adam([param])
        steps = []
        for _ in range(3):
            param.grad = torch.ones(2)
            optimizer.step()
            steps.append(optimizer.state[param]["step"])
        return steps, steps[0] is steps[2]

    same(run)


@pytest.mark.parametrize("replace", [True, False])
def test_a_step_may_be_written(replace):
    def run(torch):
        params = [torch.ones(2, requires_grad=True), torch.ones(3, requires_grad=True)]
        optimizer = torch.optim.Adam(params, lr=0.1)
        for turn in range(6):
            for param in params:
                param.grad = param.detach() * 0.5
            optimizer.step()
            if turn == 2 and replace:
                optimizer.state[params[0]]["step"] = torch.tensor(10.0)
            elif turn == 2:
                optimizer.state[params[0]]["step"].zero_()
        return params, optimizer.state_dict()

    same(run)


def test_numbers_as_tensors():
    def run(torch):
        params = [torch.ones(2, requires_grad=True)]
        betas = torch.tensor(0.9), torch.tensor(0.99)
        optimizer = torch.optim.Adam(params, lr=torch.tensor(0.1), betas=betas)
        for _ in range(3):
            params[0].grad = params[0].detach() * 0.5
            optimizer.step()
        return params

    same(run)


@pytest.mark.parametrize(
    "options",
    [
        {"lr": -1.0},
        {"eps": -1.0},
        {"betas": (1.0, 0.9)},
        {"betas": (0.9, -0.1)},
        {"betas": (0, 0.9)},
        {"weight_decay": -1},
        {"fused": True, "foreach": True},
        {"fused": True, "differentiable": True},
    ],
    ids=label,
)
@pytest.mark.parametrize("name", ["Adam", "AdamW"])
def test_errors(name, options):
    same_error(lambda torch: getattr(torch.optim, name)([torch.ones(2, requires_grad=True)], **options))


@pytest.mark.parametrize(
    "options",
    [
        lambda torch: {"lr": torch.tensor(0.1), "foreach": True},
        lambda torch: {"lr": torch.ones(2)},
        lambda torch: {"betas": (torch.tensor(0.1), torch.tensor(0.1)), "foreach": True},
        lambda torch: {"betas": (torch.ones(1), torch.ones(2) * 0)},
    ],
)
def test_errors_of_tensor_numbers(options):
    same_error(lambda torch: torch.optim.Adam([torch.ones(2, requires_grad=True)], **options(torch)))


@pytest.mark.parametrize("foreach", [None, True])
def test_error_for_capturable_on_the_cpu(foreach):
    def run(torch):
        param = torch.ones(2, requires_grad=True)
        param.grad = torch.ones(2)
        torch.optim.Adam([param], capturable=True, foreach=foreach).step()

    same_error(run)
