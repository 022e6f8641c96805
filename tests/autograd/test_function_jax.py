"""autograd.Function inside JAX transforms: the same class is a jax.custom_vjp, with the tape's numbers."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jtorch as torch
from jtorch import _tensor
from jtorch.engine import stats
from jtorch.interop import as_jax, export_module
from tests.autograd import functions

X = np.array([[0.5, -1.5, 2.5], [1.0, 2.0, -0.25]], np.float32)


def on_the_tape(fn, *arrays):
    leaves = [torch.tensor(a, requires_grad=True) for a in arrays]
    fn(*leaves).backward()
    return [leaf.grad.numpy() for leaf in leaves]


def total(function, *args):
    """A scalar function of one Tensor through a Function."""

    def fn(x):
        outs = function.apply(x, *args)
        outs = outs if isinstance(outs, tuple) else (outs,)
        floats = [o for o in outs if isinstance(o, torch.Tensor) and o.is_floating_point()]
        return sum((o * o.detach().cos()).sum() for o in floats)

    return fn


CASES = {
    "a saved result": total(functions.Exp),
    "setup_context": total(functions.Cube),
    "a number": total(functions.Scale, 3.0),
    "a wrong gradient": total(functions.Doubled),
    "two outputs": total(functions.SinCos),
    "one of two outputs": lambda x: functions.SinCos.apply(x)[1].sum(),
    "no materialized gradients": lambda x: functions.Either.apply(x)[0].sum(),
    "an output without gradient": total(functions.Sign),
    "a tensor on ctx": total(functions.OnContext),
    "a straight-through estimator": total(functions.StraightThrough),
    "in place": lambda x: functions.DoubledInPlace.apply(x * 1).sum(),
    "the input again": total(functions.Reversed),
    "other outputs": total(functions.Labelled),
    "None for an input": lambda x: functions.Masked.apply(x, x > 0).sum(),
    "inside another": lambda x: functions.Exp.apply(functions.Cube.apply(x)).sum(),
}


@pytest.mark.parametrize("name", CASES)
def test_jax_has_the_tapes_gradients(name):
    fn = CASES[name]
    (expected,) = on_the_tape(fn, X)
    np.testing.assert_allclose(jax.grad(as_jax(fn))(X), expected, rtol=1e-6)
    np.testing.assert_allclose(jax.jit(jax.grad(as_jax(fn)))(X), expected, rtol=1e-6)
    rows = jax.vmap(jax.grad(as_jax(fn)))(X)
    np.testing.assert_allclose(rows, [on_the_tape(fn, row)[0] for row in X], rtol=1e-5)


@pytest.mark.parametrize("name", CASES)
def test_values(name):
    fn = CASES[name]
    expected = fn(torch.tensor(X)).item()
    np.testing.assert_allclose(jax.jit(as_jax(fn))(X), expected, rtol=1e-6)


@pytest.mark.parametrize("name", CASES)
def test_an_exported_module_has_the_tapes_gradients(name):
    class Layer(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.w = torch.nn.Parameter(torch.tensor(X))

        def forward(self, shift):
            return CASES[name](self.w + shift)

    model = Layer()
    fn, params = export_module(model)
    model(torch.ones(1)).backward()
    grads = jax.jit(jax.grad(lambda p: fn(p, jnp.ones(1, np.float32))))(params)
    np.testing.assert_allclose(grads["w"], model.w.grad, rtol=1e-5)


def test_a_step_with_all_of_them_is_one_program():
    w = torch.tensor(X, requires_grad=True)
    optimizer = torch.optim.SGD([w], lr=1e-4)
    for _ in range(4):
        before = stats.programs, stats.compiles
        optimizer.zero_grad()
        loss = sum(fn(w) for fn in CASES.values())
        loss.backward()
        optimizer.step()
        loss.item()
    assert (stats.programs - before[0], stats.compiles - before[1]) == (1, 0)


def test_a_jvp_alone_is_a_custom_jvp():
    class Pushed(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x, factor):
            ctx.save_for_forward(x)
            ctx.factor = factor
            return x * factor, x > 0

        @staticmethod
        def jvp(ctx, t, _):
            (x,) = ctx.saved_tensors
            return t * x * ctx.factor * 10, None

    fn = as_jax(lambda x: Pushed.apply(x, 2.0)[0].sum())
    assert "custom_jvp_call" in str(jax.make_jaxpr(fn)(X))
    np.testing.assert_allclose(jax.jit(jax.grad(fn))(X), 20 * X)
    np.testing.assert_allclose(jax.jvp(fn, (X,), (X,))[1], (20 * X * X).sum(), rtol=1e-6)


def test_it_is_a_custom_vjp():
    text = str(jax.make_jaxpr(as_jax(CASES["a saved result"]))(X))
    assert "custom_vjp_call" in text


def test_second_derivatives():
    fn = as_jax(lambda x: functions.Cube.apply(x).sum())
    second = jax.grad(lambda x: jax.grad(fn)(x).sum())(X)
    np.testing.assert_allclose(second, 6 * X, rtol=1e-6)


def test_several_inputs():
    fn = lambda x, w: functions.Product.apply(x, 2.0, w).sum()  # noqa: E731
    expected = on_the_tape(fn, X, X + 1)
    found = jax.grad(as_jax(fn), (0, 1))(X, X + 1)
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-6)


def test_a_tracer_among_constants():
    w = torch.tensor(X + 1)
    fn = as_jax(lambda x: functions.Product.apply(x, 2.0, w).sum())
    np.testing.assert_allclose(jax.grad(fn)(X), 2 * (X + 1), rtol=1e-6)


def test_needs_input_grad_says_what_jax_may_ask_for():
    seen = []

    class Asks(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x, i):
            seen.append(ctx.needs_input_grad)
            return x * i

        @staticmethod
        def backward(ctx, g):
            return g, None

    jax.grad(as_jax(lambda x: Asks.apply(x, torch.tensor([1, 2, 3])).sum()))(X)
    assert set(seen) == {(True, False)}


def test_backward_inside_a_jitted_function():
    @jax.jit
    def step(array):
        x = _tensor.from_array(array).requires_grad_()
        functions.Cube.apply(x).sum().backward()
        return _tensor.value(x.grad)

    np.testing.assert_allclose(step(X), 3 * X**2, rtol=1e-6)
