"""torch.autograd.Variable, the name of tensors in old programs."""

import importlib

import pytest

from tests.oracle import same, same_error


def test_variables():
    def fn(torch):
        Variable = torch.autograd.Variable
        leaf = torch.ones(2, requires_grad=True)
        result = leaf * 2
        made = [Variable(result), Variable(result, True), Variable(data=leaf), Variable(torch.nn.Parameter(leaf))]
        made[1].mul(3).sum().backward()
        result.data.add_(1)
        kinds = [type(x) is torch.Tensor for x in made] + [isinstance(x, Variable) for x in (leaf, 3, made[0])]
        return made, made[1].grad, leaf.grad, Variable(), kinds, issubclass(torch.Tensor, Variable)

    same(fn)


def test_the_module():
    def fn(torch):
        module = importlib.import_module(f"{torch.__name__}.autograd.variable")
        return module.Variable is torch.autograd.Variable, type(module.Variable) is module.VariableMeta

    same(fn)


@pytest.mark.parametrize(
    "fn",
    [
        lambda torch: torch.autograd.Variable([1.0]),
        lambda torch: torch.autograd.Variable(torch.tensor([1]), requires_grad=True),
        lambda torch: torch.autograd.variable(torch.ones(1)),
    ],
)
def test_errors(fn):
    same_error(fn)
