"""autograd.Function: all of torch's contract, on the tape."""

import gc
import weakref

import numpy as np
import pytest

import jtorch
from tests.oracle import both, same, same_error, same_warnings


def leaf(module, *values):
    return module.tensor(values or (2.0, 3.0), requires_grad=True)


def made(torch, forward, backward=None, **members):
    """A Function of these static methods, called Fn."""
    methods = {"forward": forward, **({"backward": backward} if backward else {}), **members}
    return type("Fn", (torch.autograd.Function,), {name: staticmethod(fn) for name, fn in methods.items()})


def exp(torch):
    class Exp(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            result = x.exp()
            ctx.save_for_backward(result)
            return result

        @staticmethod
        def backward(ctx, grad):
            (result,) = ctx.saved_tensors
            return grad * result

    return Exp


def cube(torch):
    class Cube(torch.autograd.Function):
        @staticmethod
        def forward(x):
            return x**3

        @staticmethod
        def setup_context(ctx, inputs, output):
            (x,) = inputs
            ctx.save_for_backward(x)

        @staticmethod
        def backward(ctx, grad):
            (x,) = ctx.saved_tensors
            return grad * 3 * x**2

    return Cube


def scale(torch):
    def forward(ctx, x, factor):
        ctx.factor = factor
        return x * factor

    return made(torch, forward, lambda ctx, grad: (grad * ctx.factor, None))


def sort_in_numpy(torch):
    def forward(ctx, x):
        numbers = x.detach().numpy()
        ctx.order = np.argsort(-numbers)
        return torch.from_numpy(numbers[ctx.order].copy())

    def backward(ctx, grad):
        numbers = np.empty_like(grad.numpy())
        numbers[ctx.order] = grad.numpy()
        return torch.from_numpy(numbers)

    return made(torch, forward, backward)


def two_outputs(torch):
    def forward(ctx, x, w):
        ctx.save_for_backward(x, w)
        return x * w, x + w

    def backward(ctx, first, second):
        x, w = ctx.saved_tensors
        return first * w + second, first * x + second

    return made(torch, forward, backward)


FUNCTIONS = {
    "a saved result": lambda torch, x: exp(torch).apply(x),
    "setup_context": lambda torch, x: cube(torch).apply(x),
    "a number": lambda torch, x: scale(torch).apply(x, 4.0),
    "NumPy inside": lambda torch, x: sort_in_numpy(torch).apply(x),
    "two outputs": lambda torch, x: two_outputs(torch).apply(x, x * 2),
    "one of two outputs": lambda torch, x: two_outputs(torch).apply(x, x * 2)[0],
    "twice": lambda torch, x: exp(torch).apply(cube(torch).apply(x)),
    "between other calls": lambda torch, x: exp(torch).apply((x * 2)[1:]).sum() * x,
    "vjp": lambda torch, x: made(torch, lambda ctx, x: x * 2, vjp=lambda ctx, g: g * 7).apply(x),
    "the input again": lambda torch, x: made(torch, lambda ctx, x: x, lambda ctx, g: g * 5).apply(x * 1),
    "the leaf again": lambda torch, x: made(torch, lambda ctx, x: x, lambda ctx, g: g * 5).apply(x),
    "a view of the input": lambda torch, x: made(torch, lambda ctx, x: x[:1], lambda ctx, g: g.repeat(2)).apply(x * 1),
    "None": lambda torch, x: made(torch, lambda ctx, x: x * 2, lambda ctx, g: None).apply(x) + x,
    "a gradient to be summed": lambda torch, x: made(
        torch, lambda ctx, x: x * 2, lambda ctx, g: g.expand(3, 2)).apply(x),
    "a gradient to be cast": lambda torch, x: made(torch, lambda ctx, x: x * 2, lambda ctx, g: g.double()).apply(x),
    "more gradients than inputs": lambda torch, x: made(
        torch, lambda ctx, x: x * 2, lambda ctx, g: (g, None, None)).apply(x),
    "a keyword": lambda torch, x: scale(torch).apply(x, factor=3.0),
    "a tuple of one": lambda torch, x: made(torch, lambda ctx, x: (x * 2,), lambda ctx, g: g * 2).apply(x),
    "other outputs": lambda torch, x: made(torch, lambda ctx, x: (x * 2, 3, None, "a"), lambda ctx, *g: g[0]).apply(x),
    "a list": lambda torch, x: made(torch, lambda ctx, x: [x * 2, x], lambda ctx, *g: g[0]).apply(x),
    "an integer output": lambda torch, x: made(torch, lambda ctx, x: (x * 2).long(), lambda ctx, g: g).apply(x),
    "a constant input": lambda torch, x: exp(torch).apply(x.detach()),
    "a list of tensors": lambda torch, x: made(torch, lambda ctx, xs: xs[0] * 2, lambda ctx, g: None).apply([x]),
    "a subclass": lambda torch, x: type("Sub", (exp(torch),), {}).apply(x),
}  # fmt: skip


@pytest.mark.parametrize("name", FUNCTIONS)
def test_values_and_gradients(name):
    def fn(torch):
        x = leaf(torch)
        found = FUNCTIONS[name](torch, x)
        outs = [t for t in (found if isinstance(found, (tuple, list)) else [found]) if isinstance(t, torch.Tensor)]
        outs = [t for t in outs if t.requires_grad]
        if outs:
            torch.autograd.backward([t.sum() for t in outs])
        return found, x.grad

    same(fn)


@pytest.mark.parametrize("function", [exp, cube])
def test_higher_derivatives(function):
    def fn(torch):
        x = torch.tensor([1.5, -0.5], dtype=torch.float64, requires_grad=True)
        found, y = [], function(torch).apply(x)
        for _ in range(3):
            (y,) = torch.autograd.grad(y.sum(), x, create_graph=True)
            found.append(y.detach())
        return found

    same(fn)


def test_the_node():
    def fn(torch):
        x = leaf(torch)
        y = scale(torch).apply(x, 3.0)
        z = two_outputs(torch).apply(x, torch.ones(2))[1]
        node = y.grad_fn
        return (
            type(node).__name__, node.name(), repr(node).split(" at ")[0], node.factor, node.needs_input_grad,
            [(type(n).__name__, i) for n, i in z.grad_fn.next_functions], z.output_nr, len(node.next_functions),
            isinstance(node, torch.autograd.graph.Node), [t.tolist() for t in z.grad_fn.saved_tensors],
            isinstance(node, torch.autograd.function.FunctionCtx), repr(y),
        )  # fmt: skip

    expected, actual = both(fn)
    assert actual == expected


def test_what_ctx_knows():
    def fn(torch):
        log = []

        def forward(ctx, x, n, w):
            log.append((ctx.needs_input_grad, torch.is_grad_enabled(), x.requires_grad, w.requires_grad))
            ctx.save_for_backward(x, None)
            log.append(ctx.saved_tensors)
            return x * w

        def backward(ctx, g):
            log.append((ctx.needs_input_grad, torch.is_grad_enabled(), ctx.saved_tensors[0] is x, ctx.saved_tensors[1]))
            return g, None, None

        x = leaf(torch)
        function = made(torch, forward, backward)
        function.apply(x, 3, torch.ones(2)).sum().backward()
        with torch.no_grad():
            function.apply(x, 3, leaf(torch))
        torch.autograd.grad(function.apply(x, 3, torch.ones(2)).sum(), x, create_graph=True)
        return log

    expected, actual = both(fn)
    assert actual == expected


def test_needs_input_grad_of_several():
    def fn(torch):
        log = []

        def backward(ctx, g):
            log.append(ctx.needs_input_grad)
            return tuple(g if needed else None for needed in ctx.needs_input_grad)

        function = made(torch, lambda ctx, a, b, c: a + b + c, backward)
        a, b = leaf(torch), leaf(torch)
        function.apply(a, torch.ones(2), b).sum().backward()
        return log, a.grad, b.grad

    same(fn)


@pytest.mark.parametrize("materialize", [True, False])
def test_gradients_that_did_not_come(materialize):
    def fn(torch):
        log = []

        def forward(ctx, x):
            ctx.set_materialize_grads(materialize)
            flags = x > 2
            ctx.mark_non_differentiable(flags)
            return x * 2, x * 3, flags, "text"

        def backward(ctx, *grads):
            log.append([g if g is None else g.tolist() for g in grads])
            return grads[0]

        x = leaf(torch)
        outs = made(torch, forward, backward).apply(x)
        outs[0].sum().backward()
        return log, [t.requires_grad for t in outs[:3]], x.grad

    same(fn)


def test_a_function_behind_one_that_gives_none():
    def fn(torch):
        log = []
        inner = made(torch, lambda ctx, x: x * 2, lambda ctx, g: log.append(g.tolist()) or g)
        outer = made(torch, lambda ctx, x: x * 3, lambda ctx, g: None)
        x = leaf(torch)
        outer.apply(inner.apply(x)).sum().backward()
        return log, x.grad

    same(fn)


def doubled_in_place(torch):
    def forward(ctx, x):
        x.mul_(2)
        ctx.mark_dirty(x)
        return x

    return made(torch, forward, lambda ctx, g: g * 2)


def test_dirty_inputs():
    def fn(torch):
        x = leaf(torch)
        y = x * 1
        result = doubled_in_place(torch).apply(y)
        (result * 3).sum().backward()
        return result is y, y._version, y, x.grad

    same(fn)


def test_a_dirty_view():
    def fn(torch):
        x = leaf(torch)
        y = x * 1
        v = y[:1]
        doubled_in_place(torch).apply(v)
        names = type(y.grad_fn).__name__, type(v.grad_fn).__name__
        y.sum().backward()
        return names, y, v, x.grad

    same(fn)


def test_dirty_without_a_graph():
    def fn(torch):
        y = torch.ones(2)
        result = doubled_in_place(torch).apply(y)
        return result is y, result

    same(fn)


def test_a_mark_that_is_no_input_warns():
    def forward(ctx, x):
        y = x * 1
        ctx.mark_dirty(y)
        return y

    same_warnings(lambda torch: made(torch, forward, lambda ctx, g: g).apply(leaf(torch)))


def raises_in_backward(function):
    return lambda torch: function(torch).apply(leaf(torch)).sum().backward()


def wrong(backward):
    return lambda torch: made(torch, lambda ctx, x: x * 2, lambda ctx, g: backward(torch, g)).apply(leaf(torch))


def both_ways(torch):
    return made(torch, lambda ctx, x: x * 2, lambda ctx, g: g, vjp=lambda ctx, g: g)


def saved_twice(torch):
    y = exp(torch).apply(leaf(torch))
    y.sum().backward()
    return y


def modified(torch):
    x = leaf(torch) * 1
    y = cube(torch).apply(x)
    x.add_(1)
    y.sum().backward()


def modified_result(torch):
    y = exp(torch).apply(leaf(torch))
    y.add_(1)
    y.sum().backward()


@pytest.mark.parametrize(
    "fn",
    [
        lambda torch: made(torch, lambda ctx, x: x * 2).apply(leaf(torch)).sum().backward(),
        lambda torch: type("Fn", (torch.autograd.Function,), {}).apply(leaf(torch)),
        lambda torch: made(torch, lambda ctx, x, w: x * w, lambda ctx, g: g).apply(leaf(torch), 3).sum().backward(),
        lambda torch: wrong(lambda torch, g: (g, g))(torch).sum().backward(),
        lambda torch: wrong(lambda torch, g: ())(torch).sum().backward(),
        lambda torch: wrong(lambda torch, g: torch.ones(3))(torch).sum().backward(),
        lambda torch: wrong(lambda torch, g: torch.ones(()))(torch).sum().backward(),
        lambda torch: wrong(lambda torch, g: 3)(torch).sum().backward(),
        lambda torch: wrong(lambda torch, g: [g])(torch).sum().backward(),
        lambda torch: made(torch, lambda ctx, x, n: x, lambda ctx, g: (g, g)).apply(leaf(torch), 3).sum().backward(),
        lambda torch: made(torch, lambda ctx, x: x, lambda ctx, g: g).apply(leaf(torch)).add_(1),
        lambda torch: made(torch, lambda ctx, x: x[:1], lambda ctx, g: g).apply(leaf(torch) * 1).add_(1),
        lambda torch: doubled_in_place(torch).apply(leaf(torch)),
        lambda torch: made(torch, lambda ctx, x: ctx.mark_dirty(x) or x * 2, lambda ctx, g: g).apply(leaf(torch) * 1),
        lambda torch: made(torch, lambda ctx, x: ctx.mark_dirty(3) or x, lambda ctx, g: g).apply(leaf(torch) * 1),
        lambda torch: made(torch, lambda ctx, x: ctx.save_for_backward(x, 3) or x, lambda ctx, g: g).apply(leaf(torch)),
        lambda torch: saved_twice(torch).sum().backward(),
        lambda torch: saved_twice(torch).grad_fn.saved_tensors,
        modified,
        modified_result,
        lambda torch: both_ways(torch).apply(leaf(torch)).sum().backward(),
        lambda torch: exp(torch)()(leaf(torch)),
    ],
)  # fmt: skip
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_errors(fn):
    same_error(fn)


def test_instances_warn():
    def fn(module):
        class Fn(module.autograd.Function):
            pass

        Fn.__qualname__, Fn.__module__ = "Fn", "somewhere"
        Fn()

    same_warnings(fn)


@pytest.mark.parametrize("weight_needs_grad", [False, True])
def test_once_differentiable(weight_needs_grad):
    def fn(torch):
        once = torch.autograd.function.once_differentiable
        function = made(torch, lambda ctx, x: x**3, once(lambda ctx, g: g * 3))
        x = leaf(torch)
        weight = torch.ones(2, requires_grad=weight_needs_grad)
        (first,) = torch.autograd.grad(function.apply(x), x, weight, create_graph=True)
        first.sum().backward()

    same_error(fn)


def test_once_differentiable_is_plain_otherwise():
    def fn(torch):
        once = torch.autograd.function.once_differentiable
        x = leaf(torch)
        made(torch, lambda ctx, x: x**3, once(lambda ctx, g: g * 3)).apply(x).sum().backward()
        return x.grad

    same(fn)


def test_a_backward_that_calls_backward():
    def fn(torch):
        def forward(ctx, x):
            with torch.enable_grad():
                inner = x.detach().requires_grad_()
                ctx.inner, ctx.result = inner, (inner**2).sum()
            return ctx.result.detach()

        def backward(ctx, g):
            ctx.result.backward(g)
            return ctx.inner.grad

        x = leaf(torch)
        (made(torch, forward, backward).apply(x) * 2).backward()
        return x.grad

    same(fn)


def test_batched_gradients_call_backward_for_each():
    x = leaf(jtorch)
    y = exp(jtorch).apply(x)
    (rows,) = jtorch.autograd.grad(y, x, jtorch.eye(2), is_grads_batched=True)
    np.testing.assert_allclose(rows.numpy(), np.diag(np.exp([2.0, 3.0])), rtol=1e-6)


def test_a_step_with_a_function_is_one_program():
    x = leaf(jtorch)
    before = jtorch.engine.stats.programs
    for _ in range(2):
        cube(jtorch).apply(x).sum().backward()
    assert jtorch.engine.stats.programs <= before + 1  # the one that ends what made the leaf
    assert x.grad.tolist() == [24, 54]


def test_what_is_saved_goes_with_the_graph():
    x = leaf(jtorch)
    y = cube(jtorch).apply(x * 1)
    saved = weakref.ref(y.grad_fn.saved_tensors[0])
    gc.disable()
    try:
        y.sum().backward()
        assert saved() is None
        node = weakref.ref(y.grad_fn)
        del y
        assert node() is None
    finally:
        gc.enable()


def test_saved_tensor_hooks_see_what_is_saved():
    def fn(torch):
        log = []
        x = leaf(torch)
        with torch.autograd.graph.saved_tensors_hooks(
            lambda t: log.append("pack") or t * 2, lambda t: log.append("un") or t
        ):
            y = cube(torch).apply(x)
        y.sum().backward()
        return log, x.grad

    same(fn)
