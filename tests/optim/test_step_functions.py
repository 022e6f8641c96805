"""Steps as functions on lists: torch's signatures, and one step and another beside torch's."""

import importlib
import inspect

import numpy as np
import pytest
import torch

import jtorch
from jtorch.engine import flush, stats
from tests.oracle import same, same_error

SHAPES = ((4, 3), (3, 2))
# For each: what lies at a parameter to begin with, by shape; what numbers it takes; what more is tried.
FUNCTIONS = {
    "adadelta": ("like like step", {"lr": 0.5, "rho": 0.9, "eps": 1e-6, "weight_decay": 0.1}, {}),
    "adagrad": ("like step", {"lr": 0.1, "weight_decay": 0.1, "lr_decay": 0.1, "eps": 1e-10}, {"fused": True}),
    "adam": ("like like like step", {"beta1": 0.9, "beta2": 0.99, "lr": 0.1, "weight_decay": 0.1, "eps": 1e-8},
             {"amsgrad": True, "fused": True}),
    "adamw": ("like like like step", {"beta1": 0.9, "beta2": 0.99, "lr": 0.1, "weight_decay": 0.1, "eps": 1e-8},
              {"amsgrad": False, "foreach": True}),
    "adamax": ("like like step", {"eps": 1e-8, "beta1": 0.9, "beta2": 0.99, "lr": 0.1, "weight_decay": 0.1}, {}),
    "asgd": ("like one tenth step", {"lambd": 1e-4, "lr": 0.1, "t0": 1.0, "alpha": 0.75, "weight_decay": 0.1}, {}),
    "nadam": ("like like one step",
              {"beta1": 0.9, "beta2": 0.99, "lr": 0.1, "weight_decay": 0.1, "momentum_decay": 4e-3, "eps": 1e-8}, {}),
    "radam": ("like like step", {"beta1": 0.9, "beta2": 0.99, "lr": 0.1, "weight_decay": 0.1, "eps": 1e-8}, {}),
    "rmsprop": ("like like like step", {"lr": 0.1, "alpha": 0.9, "eps": 1e-8, "weight_decay": 0.1, "momentum": 0.9},
                {"centered": True}),
    "rprop": ("like tenths step", {"step_size_min": 1e-6, "step_size_max": 50.0, "etaminus": 0.5, "etaplus": 1.2}, {}),
    "sgd": ("none", {"weight_decay": 0.1, "momentum": 0.9, "lr": 0.1, "dampening": 0.5}, {"nesterov": False}),
    "_adafactor": ("row column none step",
                   {"d": 1.0, "lr": 0.1, "beta2_decay": -0.8, "weight_decay": 0.1, "eps1": 1e-7, "eps2": 1e-3}, {}),
    "_muon": ("like", {"lr": 0.1, "weight_decay": 0.1, "momentum": 0.9, "ns_coefficients": (3.4, -4.7, 2.0),
                       "ns_steps": 5, "eps": 1e-7}, {"nesterov": True, "adjust_lr_fn": None, "has_complex": False}),
}  # fmt: skip


def function(module, name):
    return getattr(importlib.import_module(f"{module.__name__}.optim.{name}"), name.strip("_"))


def begun(torch, kind, shape):
    """A state of a kind for a parameter."""
    if kind == "none":
        return None
    if kind in ("row", "column"):
        return torch.zeros(shape[0], 1) if kind == "row" else torch.zeros(1, shape[1])
    value = {"like": 0.0, "step": 0.0, "one": 1.0, "tenth": 0.1, "tenths": 0.1}[kind]
    return torch.full(shape if kind in ("like", "tenths") else (), value)


def given(torch, name):
    """Parameters, gradients and states of a function, and its options."""
    kinds, numbers, more = FUNCTIONS[name]
    draw = np.random.default_rng(0)
    params, grads = ([torch.tensor(draw.standard_normal(s), dtype=torch.float32) for s in SHAPES] for _ in range(2))
    lists = [[begun(torch, kind, shape) for shape in SHAPES] for kind in kinds.split()]
    if name == "_muon":
        return (params, grads, *lists), numbers | more
    return (params, grads, *lists), {"maximize": True} | numbers | more


@pytest.mark.parametrize("name", FUNCTIONS)
def test_signatures(name):
    one, other = (inspect.signature(function(module, name)) for module in (torch, jtorch))
    facts = [[(p.name, p.kind, p.default) for p in s.parameters.values()] for s in (one, other)]
    assert facts[0] == facts[1]


def test_steps():
    def run(torch):
        found = []
        for name in FUNCTIONS:
            lists, options = given(torch, name)
            for _ in range(3):
                assert function(torch, name)(*lists, **options) is None
            found.append(lists)
        return found

    same(run)


def test_all_of_them_in_one_place():
    names = [name for name in FUNCTIONS if name.strip("_") == name]
    both = [importlib.import_module(f"{module.__name__}.optim._functional") for module in (torch, jtorch)]
    assert all(hasattr(module, name) for module in both for name in names)
    assert both[1].adam is function(jtorch, "adam")


def test_scaled_gradients():
    def run(torch):
        found = []
        for name in ("adam", "sgd"):
            for inf in (0.0, 1.0):
                lists, options = given(torch, name)
                if name == "sgd":
                    lists[2][:] = map(torch.zeros_like, lists[0])
                options |= {"fused": True, "grad_scale": torch.tensor(4.0), "found_inf": torch.tensor(inf)}
                function(torch, name)(*lists, **options)
                found.append(lists)
        return found

    same(run)


@pytest.mark.parametrize(
    "change",
    [
        lambda torch, lists, options: options.update(grad_scale=torch.tensor(4.0), fused=False),
        lambda torch, lists, options: lists[-1].__setitem__(0, 3),
        lambda torch, lists, options: (
            options.update(fused=False, amsgrad=False) or [p.requires_grad_() for p in lists[0]]
        ),
        lambda torch, lists, options: options.pop("lr"),
    ],
    ids=["scale", "step", "leaf", "lacking"],
)
def test_refusals(change):
    def run(torch):
        lists, options = given(torch, "adam")
        change(torch, lists, options)
        function(torch, "adam")(*lists, **options)

    same_error(run)


def test_steps_are_one_program_and_read_nothing():
    lists, options = given(jtorch, "adam")
    seen = []
    flush.boundary()
    for _ in range(4):
        stats.reset()
        function(jtorch, "adam")(*lists, **options)
        flush.boundary()
        seen.append((stats.programs, stats.compiles))
    assert [programs for programs, _ in seen] == [1] * 4
    assert [compiles for _, compiles in seen[2:]] == [0] * 2


def swapped(torch, change=lambda state, params: None):
    """What an optimizer and what other parameters have become after a step of each, with their states."""
    draw = np.random.default_rng(0)
    made = [torch.tensor(draw.standard_normal(s), dtype=torch.float32, requires_grad=True) for s in SHAPES * 2]
    params, others = made[:2], dict(zip("ab", made[2:], strict=True))
    optimizer = torch.optim.Adam([{"params": params[:1]}, {"params": params[1:], "lr": 0.1}])
    for param in made:
        param.grad = param.detach() * 0.5
    optimizer.step()
    state = optimizer.state_dict()
    state = state | {
        "state": {k: {n: t.clone() for n, t in v.items()} for k, v in state["state"].items()},
        "param_groups": [dict(group, lr=0.5) for group in state["param_groups"]],
    }
    change(state, others)
    kept = optimizer.param_groups[0]["params"]
    with torch.optim.swap_in_optimizer_params_and_state(optimizer, others, state):
        optimizer.step()
        inside = [group["lr"] for group in optimizer.param_groups], len(optimizer.state)
        optimizer.param_groups[0]["lr"] = 7
    optimizer.step()
    return made, inside, state, optimizer.state_dict(), kept is optimizer.param_groups[0]["params"]


def test_other_parameters_for_a_while():
    same(swapped)


@pytest.mark.parametrize(
    "change",
    [
        lambda state, params: state.update(state=[]),
        lambda state, params: state["state"].update({0: 3}),
        lambda state, params: state["state"].update({next(iter(params.values())): {}}),
        lambda state, params: state["state"].update({9: {}}),
        lambda state, params: state.update(param_groups=()),
        lambda state, params: state["param_groups"].pop(),
        lambda state, params: state["param_groups"].__setitem__(0, 3),
        lambda state, params: state["param_groups"][0].update(params=["a"]),
        lambda state, params: state["param_groups"][1].update(params=[1, 2]),
        lambda state, params: state["param_groups"][1].update(more=1) or state["param_groups"][1].pop("eps"),
        lambda state, params: params.pop("b"),
    ],
    ids="no_dict no_state a_tensor unknown no_list fewer no_group names more_params keys fewer_params".split(),
)
def test_what_does_not_fit_is_not_swapped_in(change):
    same_error(lambda torch: swapped(torch, change))


def test_nothing_is_swapped_into_an_optimizer_without_state():
    def run(torch, state):
        optimizer = torch.optim.SGD([torch.ones(2, requires_grad=True)])
        optimizer.state.update({"a": 1} if state is None else {})
        with torch.optim.swap_in_optimizer_params_and_state(optimizer, {}, state):
            pass

    same_error(lambda torch: run(torch, {}))
    same_error(lambda torch: run(torch, None))
