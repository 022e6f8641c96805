"""Calls in an order of arguments that torch once had: they work, and torch's warning is given."""

import pytest

from tests.oracle import same, same_error, same_warnings

CALLS = {
    "add_": lambda x, y, torch: x.add_(0.5, y),
    "add": lambda x, y, torch: torch.add(x, 0.5, y),
    "sub_": lambda x, y, torch: x.sub_(0.5, y),
    "addcmul_": lambda x, y, torch: x.addcmul_(0.5, y, y),
    "addcmul": lambda x, y, torch: torch.addcmul(x, 0.5, y, y),
    "addcdiv": lambda x, y, torch: x.addcdiv(0.5, y, y),
    "addmm": lambda x, y, torch: torch.addmm(0.5, x, 2.0, y, y),
    "addmm of four": lambda x, y, torch: torch.addmm(0.5, x, y, y),
    "addmm_": lambda x, y, torch: x.addmm_(0.5, 2.0, y, y),
    "addmv": lambda x, y, torch: torch.addmv(0.5, x[0], 2.0, y, y[0]),
    "addr": lambda x, y, torch: torch.addr(0.5, x, 2.0, y[0], y[1]),
    "baddbmm": lambda x, y, torch: torch.baddbmm(0.5, x[None], 2.0, y[None], y[None]),
    "addbmm": lambda x, y, torch: torch.addbmm(0.5, x, 2.0, y[None], y[None]),
}


def values(torch):
    return torch.arange(4.0).reshape(2, 2) + 1, torch.arange(4.0).reshape(2, 2) * 3 - 2


@pytest.mark.filterwarnings("ignore:This overload")
@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_values(call):
    same(lambda torch: call(*values(torch), torch))


@pytest.mark.parametrize("name", ["add_", "addcmul", "addmm"])
def test_warnings(name):
    same_warnings(lambda torch: CALLS[name](*values(torch), torch))


@pytest.mark.filterwarnings("ignore:This overload")
def test_errors_are_about_what_was_given():
    same_error(lambda torch: torch.ones(2).add_(0.5, torch.ones(3)))
    same_error(lambda torch: torch.ones(2).add_("a", torch.ones(2)))
