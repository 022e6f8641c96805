"""Every optimizer on torch's own database of them: the same steps, states, options and errors."""

import warnings

import numpy as np
import pytest
import torch
from torch.testing._internal.common_optimizers import optim_db

import jtorch
from tests.optim.stepping import SHAPES, stepped
from tests.oracle import same, same_error

INFOS = {info.optim_cls.__name__: info for info in optim_db}
# L-BFGS steps by a closure, SparseAdam takes sparse gradients only, which jtorch has not.
STEPPING = sorted(set(INFOS) - {"LBFGS", "SparseAdam"})
EXACT = (0.5, 0.75)  # torch takes differentiable powers of the betas in single precision, and those of these are exact


pytestmark = pytest.mark.usefixtures("quick_compiles")


def on(module, value):
    """A value of the database as `module` has it."""
    if isinstance(value, torch.Tensor):
        made = torch.nn.Parameter if isinstance(value, torch.nn.Parameter) else None
        out = module.tensor(value.detach().numpy(), requires_grad=value.requires_grad)
        return module.nn.Parameter(out) if made else out
    if isinstance(value, dict):
        return {key: on(module, item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(on(module, item) for item in value)
    return value


def inputs(name):
    """The options that the database tries on the CPU."""
    found = INFOS[name].optim_inputs_func(device="cpu", dtype=torch.float32)
    return [entry for entry in found if not entry.kwargs.get("capturable")]


@pytest.mark.parametrize("name", STEPPING)
def test_steps(name):
    shapes = ((4, 3), (3, 5), (6, 2)) if name == "Muon" else (*SHAPES, (2, 3, 2))
    for number, entry in enumerate(inputs(name)):

        def run(torch, kwargs=entry.kwargs, steps=6 if number else 50):
            def make(params):
                return getattr(torch.optim, name)(params, **on(torch, kwargs))

            return stepped(torch, make, steps, shapes=shapes)

        same(run)


def test_foreach_and_fused():
    def run(torch):
        found = []
        for name in STEPPING:
            for flag in {"foreach", "fused"} & {*INFOS[name].supported_impls}:
                kwargs = {**on(torch, inputs(name)[-1].kwargs), flag: True}
                kwargs.update({"lr": 0.01} if "lr" in kwargs else {})  # foreach takes no Tensor
                found.append(
                    stepped(torch, lambda p, n=name, k=kwargs: getattr(torch.optim, n)(p, **k), 2, shapes=((4, 3),))
                )
        return found

    same(run)


def learned(torch, name, options):
    """Gradients through steps of a parameter that is no leaf."""
    draw = np.random.default_rng(0)
    first, *grads, lr = (
        torch.tensor(draw.uniform(0.1, 1, shape), requires_grad=True) for shape in ((4, 3), (4, 3), (4, 3), ())
    )
    param = first * 1.0
    if options.get("lr") == "learned":
        options = options | {"lr": lr}
    optimizer = getattr(torch.optim, name)([param], **options, differentiable=True)
    for grad in (*grads, grads[0]):
        param.grad = grad * 1.0
        optimizer.step()
    kept = [t for t in optimizer.state[param].values() if t.requires_grad and t.ndim]
    total = sum((t**2).sum() for t in (param, *kept))
    return [param, *torch.autograd.grad(total, [first, *grads, lr], allow_unused=True)]


def test_differentiable():
    some = [
        ("Adam", {"lr": "learned", "betas": EXACT}), ("AdamW", {"weight_decay": 0.1, "betas": EXACT}),
        ("Adadelta", {"weight_decay": 0.1}), ("Adagrad", {"lr_decay": 0.1}), ("ASGD", {}), ("NAdam", {"betas": EXACT}),
        ("RAdam", {"betas": EXACT}), ("RMSprop", {"weight_decay": 0.1}),
        ("SGD", {"momentum": 0.9, "weight_decay": 0.1}), ("SGD", {"momentum": 0.9, "nesterov": True}),
        ("SGD", {"lr": "learned"}),
    ]  # fmt: skip

    def run(torch):
        return [learned(torch, *one) for one in some]

    same(run, grad_fn=False)


@pytest.mark.parametrize("name", sorted({*STEPPING} - {"Muon", "Adafactor"}))
def test_complex_parameters(name):
    same(lambda torch: stepped(torch, lambda params: getattr(torch.optim, name)(params, 0.01), 5, "complex64"))


@pytest.mark.parametrize("name", ["Adafactor", "Muon"])
def test_complex_parameters_are_refused(name):
    shapes = ((4, 3),)
    same_error(lambda torch: stepped(torch, lambda p: getattr(torch.optim, name)(p), 1, "complex64", shapes=shapes))


@pytest.mark.parametrize("name", STEPPING)
def test_a_state_dict_goes_on_where_it_was_saved(name):
    shapes = ((4, 3), (3, 5))
    _, whole = stepped(jtorch, lambda params: getattr(jtorch.optim, name)(params), 6, shapes=shapes)
    draw = np.random.default_rng(0)
    params = [jtorch.tensor(draw.standard_normal(shape), dtype=jtorch.float32).requires_grad_() for shape in shapes]
    optimizer = getattr(jtorch.optim, name)(params)
    for _ in range(6):
        for param in params:
            param.grad = jtorch.tensor(draw.standard_normal(tuple(param.shape)), dtype=jtorch.float32)
        optimizer.step()
        saved = optimizer.state_dict()
        optimizer = getattr(jtorch.optim, name)(params)
        optimizer.load_state_dict(saved)
    for number, state in whole["state"].items():
        for key, value in state.items():
            np.testing.assert_allclose(optimizer.state_dict()["state"][number][key].numpy(), value.numpy(), rtol=1e-6)


def refusals():
    for name, info in INFOS.items():
        for number, error in enumerate(info.optim_error_inputs_func(device="cpu", dtype=torch.float32)):
            if "Sparse params" not in str(error.error_regex):
                yield pytest.param(name, error, id=f"{name}-{number}")


@pytest.mark.parametrize(("name", "error"), list(refusals()))
def test_refusals(name, error):
    def run(torch):
        entry = error.optimizer_error_input
        optimizer = getattr(torch.optim, name)(on(torch, entry.params), **on(torch, entry.kwargs))
        if error.error_on.name == "STEP_ERROR":
            for group in optimizer.param_groups:
                for param in group["params"]:
                    param.grad = torch.ones_like(param)
            optimizer.step()
        return None

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            run(torch)
        except Exception:
            same_error(run)
        else:
            same(run)


@pytest.mark.parametrize("name", [name for name in STEPPING if "capturable" in str(INFOS[name].supported_impls)])
@pytest.mark.parametrize("foreach", [None, True])
def test_capturable_on_the_cpu_is_refused(name, foreach):
    def run(torch):
        param = torch.ones(2, requires_grad=True)
        param.grad = torch.ones(2)
        getattr(torch.optim, name)([param], capturable=True, foreach=foreach).step()

    same_error(run)


def fitted(torch, steps=3, **options):
    """Losses of L-BFGS on a curved problem, the parameters where it ends, and how often it asked for the loss."""
    draw = np.random.default_rng(0)
    a, b = (torch.tensor(draw.standard_normal(shape)) for shape in ((6, 4), (6,)))
    weights = torch.tensor(draw.standard_normal(4), requires_grad=True)
    shift = torch.tensor(0.3, dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.LBFGS([weights, shift], **options)

    def closure():
        optimizer.zero_grad()
        loss = (a @ weights - b).square().mean() + (shift - 1) ** 4 + 0.1 * (weights**4).sum()
        loss.backward()
        return loss

    losses = [optimizer.step(closure).item() for _ in range(steps)]
    state = optimizer.state_dict()["state"][0]
    return losses, weights, shift, sorted(state), state["func_evals"], state["n_iter"], state["d"]


@pytest.mark.parametrize(
    "options",
    [
        {"max_iter": 4}, {"max_iter": 4, "line_search_fn": "strong_wolfe"}, {"tolerance_grad": 1.0},
        {"lr": 0.1, "max_iter": 3, "history_size": 2},
        {"lr": 0.5, "max_iter": 6, "max_eval": 4, "line_search_fn": "strong_wolfe"},
    ],
)  # fmt: skip
def test_lbfgs(options):
    same(lambda torch: fitted(torch, **options))


def test_lbfgs_refuses_groups_and_other_searches():
    def groups(torch):
        torch.optim.LBFGS([{"params": [torch.ones(1, requires_grad=True)]}, {"params": [torch.ones(2)]}])

    same_error(groups)
    same_error(lambda torch: fitted(torch, line_search_fn="golden"))
