"""Optimizer: groups, hooks, state_dict, pickling, errors, as torch has them."""

import copy
import importlib
import io
import pickle

import numpy as np
import pytest
import torch as real

import jtorch
from tests.oracle import same, same_error, same_print, same_warnings, to_numpy


def weight(torch):
    return torch.ones(2, requires_grad=True)


@pytest.mark.parametrize(
    "params",
    [
        lambda torch: [],
        lambda torch: weight(torch),
        lambda torch: [weight(torch) * 2],
        lambda torch: [3],
        lambda torch: ["a"],
        lambda torch: [{"params": {weight(torch)}}],
        lambda torch: [{"params": [weight(torch)]}, 3],
        lambda torch: [{"params": p} for p in [weight(torch)] * 2],
        lambda torch: [("a", weight(torch)), weight(torch)],
        lambda torch: [{"params": [("a", weight(torch))]}, {"params": [weight(torch)]}],
    ],
)
def test_errors_of_params(params):
    same_error(lambda torch: torch.optim.SGD(params(torch)))


def test_params_may_be_a_generator_and_named():
    def run(torch):
        first = torch.optim.SGD(w for w in [weight(torch), weight(torch)])
        named = torch.optim.Adam([("a", weight(torch)), ("b", weight(torch))])
        return len(first.param_groups[0]["params"]), named.param_groups, named.state_dict()

    same(run)


def test_warning_of_a_repeated_parameter():
    same_warnings(lambda torch: torch.optim.SGD([weight(torch)] * 2))


@pytest.mark.parametrize("name", ["SGD", "Adam", "AdamW"])
def test_repr(name):
    same_print(lambda torch: getattr(torch.optim, name)([{"params": [weight(torch)], "lr": 1}, {"params": []}]))


def test_add_param_group_takes_the_defaults():
    def run(torch):
        optimizer = torch.optim.SGD([weight(torch)], lr=0.5, momentum=0.9)
        optimizer.add_param_group({"params": weight(torch), "lr": 0.1})
        return optimizer.param_groups, optimizer.defaults

    same(run)


@pytest.mark.parametrize("set_to_none", [True, False])
def test_zero_grad(set_to_none):
    def run(torch):
        params = [weight(torch), weight(torch)]
        (params[0] * 3).sum().backward()
        optimizer = torch.optim.SGD(params)
        grad = params[0].grad
        optimizer.zero_grad(set_to_none=set_to_none)
        return [p.grad for p in params], grad

    same(run)


def test_closure_is_called_with_grad_mode_on():
    def run(torch):
        w = weight(torch)
        optimizer = torch.optim.SGD([w], lr=0.1)

        def closure():
            optimizer.zero_grad()
            loss = (w * w).sum()
            loss.backward()
            return loss

        with torch.no_grad():
            loss = optimizer.step(closure)
        return float(loss), w, torch.is_grad_enabled()

    same(run)


def test_hooks_are_called_in_order():
    def run(torch):
        calls = []
        w = weight(torch)
        w.grad = torch.ones(2)
        optimizer = torch.optim.SGD([w])
        from_module = importlib.import_module(f"{torch.__name__}.optim.optimizer")
        handles = [
            from_module.register_optimizer_step_pre_hook(lambda o, a, k: calls.append("global pre")),
            from_module.register_optimizer_step_post_hook(lambda o, a, k: calls.append("global post")),
            optimizer.register_step_pre_hook(lambda o, a, k: calls.append(("pre", len(a), k))),
            optimizer.register_step_post_hook(lambda o, a, k: calls.append(("post", len(a), k))),
        ]
        optimizer.register_state_dict_pre_hook(lambda o: calls.append("state pre"))
        optimizer.register_state_dict_post_hook(lambda o, s: calls.append(sorted(s)))
        optimizer.register_state_dict_pre_hook(lambda o: calls.append("first"), prepend=True)
        optimizer.register_load_state_dict_pre_hook(lambda o, s: calls.append("load pre"))
        optimizer.register_load_state_dict_post_hook(lambda o: calls.append("load post"))
        optimizer.step()
        optimizer.load_state_dict(optimizer.state_dict())
        for handle in handles:
            handle.remove()
        optimizer.step()
        return calls

    same(run)


def test_step_pre_hook_may_change_the_arguments():
    def run(torch):
        optimizer = torch.optim.SGD([weight(torch)])
        optimizer.register_step_pre_hook(lambda o, a, k: ((a[0], lambda: 7), {}))
        return optimizer.step(lambda: 3)

    same(run)


def adam_after(torch, steps, load=None):
    """An Adam with two groups after some steps, and its parameters."""
    draw = np.random.default_rng(0)
    params = [torch.tensor(draw.standard_normal(n), dtype=torch.float32, requires_grad=True) for n in (2, 3)]
    optimizer = torch.optim.Adam([{"params": params[:1]}, {"params": params[1:], "lr": 0.1}])
    if load is not None:
        optimizer.load_state_dict(load)
    for _ in range(steps):
        for param in params:
            param.grad = param.detach() * 0.5
        optimizer.step()
    return optimizer, params


def test_state_dict_goes_on_where_it_was_saved():
    def run(torch):
        saved = copy.deepcopy(adam_after(torch, 3)[0].state_dict())
        optimizer, params = adam_after(torch, 2, load=saved)
        return params, optimizer.state_dict()

    same(run)


@pytest.mark.parametrize("source, target", [(real, jtorch), (jtorch, real)])
def test_state_dict_of_the_other_side_can_be_loaded(source, target):
    def tensors(value):
        if isinstance(value, dict):
            return {k: tensors(v) for k, v in value.items()}
        return target.tensor(value) if isinstance(value, (np.ndarray, np.generic)) else value

    saved = to_numpy(source, adam_after(source, 3)[0].state_dict())
    loaded, params = adam_after(target, 2, load=tensors(saved))
    same_side, wanted = adam_after(target, 2, load=adam_after(target, 3)[0].state_dict())
    for a, b in zip(to_numpy(target, params), to_numpy(target, wanted), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5)
    assert float(loaded.state[params[0]]["step"]) == float(same_side.state[wanted[0]]["step"]) == 5


def test_loaded_state_is_cast_to_the_parameter():
    def run(torch):
        params = [torch.ones(2, dtype=torch.float64, requires_grad=True), torch.ones(3, requires_grad=True)]
        optimizer = torch.optim.Adam([{"params": params[:1]}, {"params": params[1:], "lr": 0.1}])
        optimizer.load_state_dict(adam_after(torch, 3)[0].state_dict())
        return optimizer.state_dict()

    same(run)


@pytest.mark.parametrize("groups", [[], [{"params": []}, {"params": [0]}]])
def test_errors_of_load_state_dict(groups):
    same_error(lambda torch: adam_after(torch, 0)[0].load_state_dict({"state": {}, "param_groups": groups}))


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda value: pickle.loads(pickle.dumps(value))])
def test_copies_go_on_by_themselves(copied):
    def run(torch):
        optimizer, params = adam_after(torch, 3)
        other = copied(optimizer)
        twins = [group["params"][0] for group in other.param_groups]
        for param in twins:
            param.grad = torch.ones_like(param)
        other.step()
        return params, twins, optimizer.state_dict(), other.state_dict()

    same(run)


def test_subclass_with_a_step_of_its_own():
    def run(torch):
        class Sign(torch.optim.Optimizer):
            def __init__(self, params, lr):
                super().__init__(params, {"lr": lr})

            @torch.no_grad()
            def step(self, closure=None):
                for group in self.param_groups:
                    for param in group["params"]:
                        state = self.state[param]
                        state["count"] = state.get("count", 0) + 1
                        param.add_(param.grad.sign(), alpha=-group["lr"])

        w = weight(torch)
        optimizer = Sign([w], 0.1)
        schedule = torch.optim.lr_scheduler.ExponentialLR(optimizer, 0.5)
        for _ in range(3):
            w.grad = torch.ones(2)
            optimizer.step()
            schedule.step()
        return w, optimizer.state_dict()

    same(run)


def test_required_option():
    def run(torch):
        from_module = importlib.import_module(f"{torch.__name__}.optim.optimizer")

        class Plain(torch.optim.Optimizer):
            def __init__(self, params):
                super().__init__(params, {"lr": from_module.required})

        Plain([weight(torch)])

    same_error(run)


def test_step_of_the_base():
    same_error(lambda torch: torch.optim.Optimizer([weight(torch)], {}).step())


def test_frozen_parameters_are_left_alone():
    def run(torch):
        params = [weight(torch), weight(torch)]
        params[0].requires_grad = False
        optimizer = torch.optim.AdamW(params, lr=0.1)
        (params[0] * params[1]).sum().backward()
        optimizer.step()
        return params, optimizer.state_dict()

    same(run)


def test_torch_save_and_load_of_a_state_dict():
    if not hasattr(jtorch, "save"):
        pytest.skip("jtorch.save comes with the serialization issue")

    def run(torch):
        optimizer, _ = adam_after(torch, 3)
        file = io.BytesIO()
        torch.save(optimizer.state_dict(), file)
        file.seek(0)
        return torch.load(file)

    same(run)
