"""The `_foreach_` functions."""

import pytest
import torch

from jtorch.api import foreach
from tests.oracle import same, same_error


def lists(torch):
    return [torch.tensor([0.25, 0.5]), torch.tensor([[0.75], [0.125]])], [torch.ones(2), torch.full((2, 1), 2.0)]


@pytest.mark.parametrize("part", [0, 1, 2])
def test_of_one_list(part):
    def run(torch):
        made = []
        for name in foreach._UNARY[part::3]:
            a, _ = lists(torch)
            made += [getattr(torch, f"_foreach_{name}")(a), getattr(torch, f"_foreach_{name}_")(a), a]
        return made

    same(run)


def test_of_two_lists_and_numbers():
    def run(torch):
        made = []
        for name in ("add", "sub", "mul", "div", "pow", "clamp_min", "clamp_max", "maximum", "minimum"):
            a, b = lists(torch)
            fn, written = getattr(torch, f"_foreach_{name}"), getattr(torch, f"_foreach_{name}_")
            made += [fn(a, b), fn(a, 0.5), fn(a, [2.0, 3.0]), written(a, 0.5), a]
        return made

    same(run)


def test_those_of_optimizers():
    def run(torch):
        a, b = lists(torch)
        made = [
            torch._foreach_add(a, b, alpha=3), torch._foreach_lerp(a, b, 0.5), torch._foreach_lerp(a, b, b),
            torch._foreach_addcmul(a, b, b, value=2.0), torch._foreach_addcdiv(a, a, b, [1.0, 2.0]),
            torch._foreach_norm(a), torch._foreach_norm(a, 1), torch._foreach_max(a),
        ]  # fmt: skip
        torch._foreach_mul_(a, 2)
        torch._foreach_add_(a, b, alpha=-1)
        torch._foreach_addcmul_(a, b, b, value=0.5)
        torch._foreach_addcdiv_(a, b, b)
        torch._foreach_lerp_(a, b, 0.25)
        made += [torch._foreach_copy_(b, a), torch._foreach_zero_(a)]
        return made, a, b

    same(run)


def test_refusals():
    same_error(lambda torch: torch._foreach_add([], 1))
    same_error(lambda torch: torch._foreach_add([torch.ones(1)], [torch.ones(1)] * 2))


def test_torch_has_them_all():
    assert {f"_foreach_{name}" for name in foreach._UNARY} <= set(dir(torch))
