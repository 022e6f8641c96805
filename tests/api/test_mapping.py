"""Python functions on each element."""

import pytest

from tests.oracle import same, same_error

CALLS = {
    "apply_": lambda torch, x: x.apply_(lambda v: v * v + 1),
    "apply_ on ints": lambda torch, x: x.to(torch.int64).apply_(lambda v: v + 1.9),
    "apply_ on a view": lambda torch, x: (x[:, 1].apply_(abs), x),
    "apply_ on a transposed view": lambda torch, x: (x.T.apply_(lambda v: -v), x),
    "map_": lambda torch, x: x.map_(x * 2, lambda a, b: a + b),
    "map_ broadcasts": lambda torch, x: x.map_(x[0].clone(), max),
    "map2_": lambda torch, x: x.map2_(x + 1, x + 2, lambda a, b, c: a * b - c),
}
ERRORS = {
    "apply_ that requires grad": lambda torch, x: x.requires_grad_().apply_(abs),
    "map_ that requires grad": lambda torch, x: x.map_(x.clone().requires_grad_(), max),
    "apply_ gives nothing": lambda torch, x: x.apply_(lambda v: None),
    "the function raises": lambda torch, x: x.apply_(lambda v: {}[v]),
}


@pytest.mark.parametrize("name", CALLS)
def test_calls(name):
    same(lambda torch: CALLS[name](torch, torch.arange(-3.0, 3.0).view(2, 3)))


@pytest.mark.parametrize("name", ERRORS)
def test_refusals(name):
    same_error(lambda torch: ERRORS[name](torch, torch.arange(-3.0, 3.0).view(2, 3)))
