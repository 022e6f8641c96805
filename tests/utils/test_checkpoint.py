"""utils.checkpoint: gradients, masks and errors as torch's, and less memory in a recorded step."""

import pytest

import jtorch
from jtorch.engine import program
from tests.oracle import same, same_error, same_warnings


def inputs(torch):
    return (torch.arange(12.0).view(3, 4) / 10).requires_grad_()


def net(torch):
    torch.manual_seed(0)
    nn = torch.nn
    return nn.Sequential(nn.Linear(4, 4), nn.Tanh(), nn.Dropout(0.5), nn.Linear(4, 4), nn.Sigmoid(), nn.Linear(4, 2))


@pytest.mark.parametrize("use_reentrant", [True, False])
def test_gradients_and_masks(use_reentrant):
    def fn(torch):
        found = []
        for preserve in (True, False):
            for run in (
                lambda m, x, **o: torch.utils.checkpoint.checkpoint(m, x, **o),
                lambda m, x, **o: torch.utils.checkpoint.checkpoint_sequential(m, 3, x, **o),
            ):
                model, x = net(torch), inputs(torch)
                out = run(model, x, use_reentrant=use_reentrant, preserve_rng_state=preserve)
                out.sum().backward()
                grads = [p.grad for p in model.parameters()] if preserve else []
                found += [out, torch.rand(1), *([x.grad] if preserve else []), *grads]
        return found

    same(fn)


def test_nested_keywords_double_backward_and_contexts():
    def fn(torch):
        check, entered = torch.utils.checkpoint.checkpoint, []
        x = inputs(torch)

        def inner(y, *, scale):
            entered.append(scale)
            return (y * scale).sin() * y

        def outer(y):
            return check(inner, y.exp(), scale=2.0, use_reentrant=False).cos()

        (g,) = torch.autograd.grad(check(outer, x.double(), use_reentrant=False).sum(), x, create_graph=True)
        (gg,) = torch.autograd.grad((g * g).sum(), x)
        with torch.no_grad():
            out = check(outer, x, use_reentrant=False)
        saved = check(torch.sin, x, use_reentrant=False).grad_fn._saved_self
        return g.detach(), gg, out, saved.detach()

    same(fn)


def test_errors_and_warnings():
    def call(*given, back=True, **options):
        def fn(torch):
            out = torch.utils.checkpoint.checkpoint(lambda x: x.sin(), inputs(torch), **options)
            out.sum().backward()

        return fn

    for options in (
        {"use_reentrant": True, "debug": True}, {"use_reentrant": True, "scale": 2},
        {"use_reentrant": False, "determinism_check": "no"},
        {"use_reentrant": False, "debug": True, "context_fn": lambda: None},
    ):  # fmt: skip
        same_error(call(**options))
    same_warnings(call())
    same_warnings(lambda torch: torch.utils.checkpoint.checkpoint_sequential([torch.sin, torch.cos], 2, inputs(torch)))

    def under_grad(torch):
        x = inputs(torch)
        torch.autograd.grad(torch.utils.checkpoint.checkpoint(torch.sin, x, use_reentrant=True).sum(), x)

    same_error(under_grad)


@pytest.mark.parametrize("way", ["fewer", "shape"])
def test_a_second_computation_that_differs(way):
    def fn(torch):
        calls = []

        def function(x):
            calls.append(1)
            if way == "fewer":
                return x.sin().cos() if len(calls) == 1 else x.sin()
            return (x if len(calls) == 1 else x[:2]).sin().sum()

        torch.utils.checkpoint.checkpoint(function, inputs(torch), use_reentrant=False).sum().backward()

    same_error(fn)


def test_a_step_takes_less_memory(monkeypatch):
    sizes, compile = [], program._compile

    def measured(lowered, options):
        made = compile(lowered, options)
        sizes.append(made.memory_analysis().temp_size_in_bytes)
        return made

    def step(layers, x, **options):
        def part(x, k):
            for layer in layers[k : k + 4]:
                x = layer(x).tanh()
            return x

        for k in range(0, len(layers), 4):
            x = jtorch.utils.checkpoint.checkpoint(part, x, k, **options) if options else part(x, k)
        x.sum().backward()

    monkeypatch.setattr(program, "_compile", measured)
    found = []
    for options in ({}, {"use_reentrant": True}, {"use_reentrant": False}):
        layers = [jtorch.nn.Linear(32, 32) for _ in range(16)]
        x = jtorch.ones(4096, 32, requires_grad=True)
        (x.sum() + layers[-1].weight.sum()).item()
        del sizes[:]
        step(layers, x, **options)
        float(x.grad[0, 0])
        found.append(max(sizes))
    assert max(found[1:]) < 0.75 * found[0], found
