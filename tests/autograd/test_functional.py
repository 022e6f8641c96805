"""autograd.functional: jacobian, hessian, vjp, jvp, vhp, hvp; values, forms of the results, strict mode, errors."""

import pytest

import jtorch
from tests.oracle import same, same_error

X, W = [0.5, 1.5, 2.5], [1.0, -2.0, 0.25]


def inputs(torch, requires_grad=False):
    return tuple(torch.tensor(v, dtype=torch.float64, requires_grad=requires_grad) for v in (X, W))


def elementwise(x):
    return x.exp() * x


def pair(x, w):
    return x * w, (x**2).sum() * w


def number(x, w):
    return (x**3 * w).sum() + (x * x).sum()


def of_x(x):
    return (x**3).sum()


@pytest.mark.parametrize("options", [{}, {"vectorize": True}, {"vectorize": True, "strategy": "forward-mode"}])
def test_jacobian(options):
    def fn(torch):
        x, w = inputs(torch)
        jacobian = torch.autograd.functional.jacobian
        return (
            jacobian(elementwise, x, **options), jacobian(pair, (x, w), **options), jacobian(number, (x, w), **options),
            jacobian(lambda x: (x * 2,), x, **options), jacobian(lambda x: x.sum() * x.view(3, 1), (x,), **options),
            jacobian(lambda x, w: x * 2, (x, w), **options), jacobian(lambda x: torch.ones(2).double(), x, **options),
        )  # fmt: skip

    same(fn)


@pytest.mark.parametrize(
    "options", [{}, {"vectorize": True}, {"vectorize": True, "outer_jacobian_strategy": "forward-mode"}]
)
def test_hessian(options):
    def fn(torch):
        x, w = inputs(torch)
        hessian = torch.autograd.functional.hessian
        return hessian(number, (x, w), **options), hessian(of_x, x, **options), hessian(of_x, (x,), **options)

    same(fn)


@pytest.mark.parametrize("name", ["vjp", "jvp"])
def test_products_with_the_jacobian(name):
    def fn(torch):
        x, w = inputs(torch)
        product = getattr(torch.autograd.functional, name)
        v = torch.tensor([1.0, 2.0, 3.0], dtype=torch.float64)
        return (
            product(elementwise, x, v), product(pair, (x, w), (v, v * 2)), product(lambda x: (x * 2,), x, v),
            product(lambda x, w: x * 2, (x, w), v if name == "vjp" else (v, v)),
            product(of_x if name == "vjp" else elementwise, x if name == "vjp" else x[0]),
        )  # fmt: skip

    same(fn)


@pytest.mark.parametrize("name", ["vhp", "hvp"])
def test_products_with_the_hessian(name):
    def fn(torch):
        x, w = inputs(torch)
        product = getattr(torch.autograd.functional, name)
        v = torch.tensor([1.0, 2.0, 3.0], dtype=torch.float64)
        return product(number, (x, w), (v, v * 2)), product(of_x, x, v), product(of_x, x[0])

    same(fn)


@pytest.mark.parametrize("name", ["jacobian", "hessian", "vjp", "jvp", "vhp", "hvp"])
def test_graphs_of_results(name):
    def fn(torch):
        x, _ = inputs(torch, requires_grad=True)
        v = torch.ones(3, dtype=torch.float64)
        run = getattr(torch.autograd.functional, name)
        func = of_x if name in ("hessian", "vhp", "hvp") else elementwise
        args = (func, x) if name in ("jacobian", "hessian") else (func, x, v)
        plain, found = run(*args), run(*args, create_graph=True)
        last = [r[1] if isinstance(r, tuple) else r for r in (plain, found)]
        (g,) = torch.autograd.grad(last[1].sum(), x)
        return [r.requires_grad for r in last], g

    same(fn)


def test_the_functions_inputs_are_new_tensors():
    def fn(torch):
        x, _ = inputs(torch, requires_grad=True)
        seen = []

        def look(y):
            seen.append((y is x, y.is_leaf, y.requires_grad, torch.is_grad_enabled()))
            return y * 2

        with torch.no_grad():
            torch.autograd.functional.jacobian(look, x)
        torch.autograd.functional.vjp(look, x, torch.ones(3).double(), create_graph=True)
        return seen

    same(fn)


def test_hooks_run_for_every_row():
    def fn(torch):
        x, _ = inputs(torch)
        log = []

        def watched(x):
            y = x * 2
            y.register_hook(lambda g: log.append(g.tolist()))
            return y * x

        return torch.autograd.functional.jacobian(watched, x), log

    same(fn)


def test_a_function_inside():
    def fn(torch):
        class Square(torch.autograd.Function):
            @staticmethod
            def forward(ctx, x):
                ctx.save_for_backward(x)
                return x * x

            @staticmethod
            def backward(ctx, g):
                return 2 * g * ctx.saved_tensors[0]

        x, _ = inputs(torch)
        return torch.autograd.functional.hessian(lambda x: (Square.apply(x) * x).sum(), x)

    same(fn)


F = "autograd.functional"
STRICT = {
    "jacobian": lambda f, x, w, v: f.jacobian(lambda x, w: x * 2, (x, w), strict=True),
    "jacobian of a constant": lambda f, x, w, v: f.jacobian(lambda x: w * 2, x, strict=True),
    "jacobian, linear": lambda f, x, w, v: f.jacobian(lambda x: x * 2, x, strict=True, create_graph=True),
    "hessian": lambda f, x, w, v: f.hessian(lambda x: (x * 2).sum(), x, strict=True),
    "vjp": lambda f, x, w, v: f.vjp(lambda x, w: x * 2, (x, w), v, strict=True),
    "vjp of a constant": lambda f, x, w, v: f.vjp(lambda x: w * 2, x, v, strict=True),
    "jvp": lambda f, x, w, v: f.jvp(lambda x, w: x * 2, (x, w), (v, v), strict=True),
    "vhp": lambda f, x, w, v: f.vhp(lambda x: (x * 2).sum(), x, v, strict=True),
    "hvp": lambda f, x, w, v: f.hvp(lambda x: (x * 2).sum(), x, v, strict=True),
}
WRONG = {
    "inputs": lambda f, x, w, v: f.jacobian(elementwise, 3),
    "an input": lambda f, x, w, v: f.vjp(elementwise, (x, 3), v),
    "a list": lambda f, x, w, v: f.jvp(elementwise, [x], v),
    "outputs": lambda f, x, w, v: f.jacobian(lambda x: 3, x),
    "an output": lambda f, x, w, v: f.jacobian(lambda x: (x, 3), x),
    "strategy": lambda f, x, w, v: f.jacobian(elementwise, x, strategy="sideways"),
    "outer strategy": lambda f, x, w, v: f.hessian(of_x, x, outer_jacobian_strategy="sideways"),
    "forward mode alone": lambda f, x, w, v: f.jacobian(elementwise, x, strategy="forward-mode"),
    "forward mode, strict": lambda f, x, w, v: f.jacobian(
        elementwise, x, strict=True, vectorize=True, strategy="forward-mode"),
    "forward mode, graph": lambda f, x, w, v: f.jacobian(
        elementwise, x, create_graph=True, vectorize=True, strategy="forward-mode"),
    "vectorized, strict": lambda f, x, w, v: f.jacobian(elementwise, x, strict=True, vectorize=True),
    "no v": lambda f, x, w, v: f.vjp(elementwise, x),
    "no v in jvp": lambda f, x, w, v: f.jvp(elementwise, x),
    "no v in vhp": lambda f, x, w, v: f.vhp(of_x, x),
    "no v in hvp": lambda f, x, w, v: f.hvp(of_x, x),
    "v of another size": lambda f, x, w, v: f.vjp(elementwise, x, v[:2]),
    "v of another size in a tuple": lambda f, x, w, v: f.jvp(pair, (x, w), (v, v[:2])),
    "too many v": lambda f, x, w, v: f.vjp(elementwise, x, (v, v)),
    "too few v": lambda f, x, w, v: f.jvp(pair, (x, w), v),
    "hessian of several": lambda f, x, w, v: f.hessian(lambda x: (x.sum(), x.sum()), x),
    "hessian of a vector": lambda f, x, w, v: f.hessian(elementwise, x),
    "vhp of several": lambda f, x, w, v: f.vhp(lambda x: (x.sum(), x.sum()), x, v),
    "hvp of a vector": lambda f, x, w, v: f.hvp(elementwise, x, v),
}  # fmt: skip


@pytest.mark.parametrize("name", [*STRICT, *WRONG])
def test_errors(name):
    def fn(torch):
        return {**STRICT, **WRONG}[name](torch.autograd.functional, *inputs(torch), torch.ones(3).double())

    same_error(fn)


def test_a_jacobian_is_one_batched_pass():
    x = jtorch.ones(50, dtype=jtorch.float64)
    jtorch.engine.flush.flush()
    before = jtorch.engine.stats.ops
    found = jtorch.autograd.functional.jacobian(lambda x: x.exp() * x.sum(), x)
    assert found.shape == (50, 50) and found[0, 1].item() == pytest.approx(2.718281828)
    assert jtorch.engine.stats.ops - before < 40
