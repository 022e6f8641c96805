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
        {"use_reentrant": False, "debug": True, "determinism_check": "no", "context_fn": lambda: None},
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
        loss = x.sum()
        loss.backward()
        return loss

    monkeypatch.setattr(program, "_compile", measured)
    found = []
    for options in ({}, {"use_reentrant": True}, {"use_reentrant": False}):
        layers = [jtorch.nn.Linear(32, 32) for _ in range(16)]
        x = jtorch.ones(4096, 32, requires_grad=True)
        (x.sum() + layers[-1].weight.sum()).item()
        del sizes[:]
        for _ in range(4):  # among many new paths, one is compiled only when it has come a few times
            before = jtorch.engine.stats.programs
            loss = step(layers, x, **options)  # held: otherwise nobody asks for the forward
            float(x.grad[0, 0])
            programs = jtorch.engine.stats.programs - before
            assert loss.item()
            for leaf in (x, *(p for layer in layers for p in layer.parameters())):
                leaf.grad = None
        found.append((programs, max(sizes, default=0)))
    assert [programs for programs, _ in found] == [1, 1, 1]
    (_, whole), (_, again), (_, none) = found
    assert 0 < again < 0.5 * whole, found
    assert not none, "both variants are the same program"


def test_nested_checkpoints_keep_nothing_of_their_own():
    def fn(torch):
        check, calls, x = torch.utils.checkpoint.checkpoint, [], inputs(torch)

        def inner(y):
            calls.append("inner")
            return y.sin().exp()

        def outer(x):
            calls.append("outer")
            return check(inner, check(inner, x * 2, use_reentrant=False), use_reentrant=False)

        check(outer, x, use_reentrant=False).sum().backward()
        return calls, x.grad

    same(fn)


def test_arguments_are_saved_tensors():
    def fn(torch):
        x, log = inputs(torch), []

        def pack(t):
            log.append(tuple(t.shape))
            return t

        with torch.autograd.graph.saved_tensors_hooks(pack, lambda t: log.append("unpacked") or t):
            out = torch.utils.checkpoint.checkpoint(
                lambda x, y: (x.sin() * y).exp(), x, torch.ones(4), use_reentrant=False
            )
        out.sum().backward()
        return log, x.grad

    same(fn)


@pytest.mark.parametrize("use_reentrant", [True, False])
@pytest.mark.parametrize("leaf", [True, False])
def test_an_argument_that_was_written_to(use_reentrant, leaf):
    def fn(torch):
        x = inputs(torch) if leaf else inputs(torch) * 2
        out = torch.utils.checkpoint.checkpoint(lambda x: x.sin().exp(), x, use_reentrant=use_reentrant)
        with torch.no_grad():
            x.add_(1)
        out.sum().backward()

    same_error(fn)


def test_debugging_names_the_calls_of_both_computations():
    calls = []

    def function(x):
        calls.append(1)
        return x.sin().cos() if len(calls) == 1 else x.sin()

    out = jtorch.utils.checkpoint.checkpoint(function, inputs(jtorch), use_reentrant=False, debug=True)
    with pytest.raises(jtorch.utils.checkpoint.CheckpointError) as caught:
        out.sum().backward()
    first, second = str(caught.value).split("Calls of the forward:")[1].split("Calls of the recomputation:")
    assert "aten.sin.default" in first and "aten.cos.default" in first and "test_checkpoint.py" in first
    assert "aten.sin.default" in second and "aten.cos.default" not in second


def test_the_default_device_is_that_of_the_forward():
    def fn(torch):
        x, seen = inputs(torch), []

        def function(x):
            seen.append(torch.zeros(3).device.type)
            return x.sin().exp()

        with torch.device("meta"):
            out = torch.utils.checkpoint.checkpoint(function, x, use_reentrant=False)
        out.sum().backward()
        return seen, x.grad, torch.zeros(3)

    same(fn)


def test_device_states_without_devices():
    def fn(torch):
        checkpoint = torch.utils.checkpoint
        states = checkpoint.get_device_states(torch.ones(2), 3, [torch.ones(1)])
        return states, checkpoint.set_device_states(*states), checkpoint.DefaultDeviceType.get_device_type()

    same(fn)
