"""Forward-mode gradients: tangents through calls, views, in-place ops, Functions; and their errors."""

import pytest

import jtorch
from tests.oracle import both, same, same_error, same_print

X, T = [0.5, 1.5, 2.5], [1.0, -2.0, 3.0]


def dual(torch, requires_grad=False):
    x = torch.tensor(X, dtype=torch.float64, requires_grad=requires_grad)
    return torch.autograd.forward_ad.make_dual(x, torch.tensor(T, dtype=torch.float64))


PROGRAMS = {
    "arithmetic": lambda torch, x: x * x + 3 * x - 1,
    "elementwise": lambda torch, x: x.sin() * x.exp() / x,
    "override: abs": lambda torch, x: (x - 1).abs(),
    "override: tanh": lambda torch, x: x.tanh(),
    "override: sigmoid": lambda torch, x: x.sigmoid(),
    "override: clamp": lambda torch, x: x.clamp(1, 2),
    "power": lambda torch, x: x**2.5,
    "sum": lambda torch, x: (x * x).sum(),
    "views": lambda torch, x: x.view(3, 1).t()[0, 1:] * 2,
    "several outputs": lambda torch, x: x.unbind()[1] * x.split(1)[0],
    "a constant": lambda torch, x: torch.ones(3).double() * 2,
    "with a constant": lambda torch, x: torch.ones(3).double() * x,
    "where": lambda torch, x: torch.where(x > 1, x * x, x),
    "detached": lambda torch, x: x.detach() * 2,
    "in place": lambda torch, x: (x * 1).mul_(x).add_(1),
    "a view written to": lambda torch, x: (y := x * 1, y[1:].mul_(x[:2]), y)[2],
    "copied into a constant": lambda torch, x: (y := torch.zeros(3).double(), y.copy_(x), y)[2],
    "a comparison": lambda torch, x: x > 1,
    "under no_grad": lambda torch, x: torch.no_grad()(lambda: x * x)(),
    "cat": lambda torch, x: torch.cat([x, x * 2]),
    "clone": lambda torch, x: x.clone(),
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_tangents(name):
    def fn(torch):
        with torch.autograd.forward_ad.dual_level():
            y = PROGRAMS[name](torch, dual(torch))
            value, tangent = torch.autograd.forward_ad.unpack_dual(y)
            return value.detach(), None if tangent is None else tangent.detach()

    same(fn)


def test_forward_over_reverse():
    def fn(torch):
        with torch.autograd.forward_ad.dual_level():
            x = dual(torch, requires_grad=True)
            y = (x**3).sum()
            (g,) = torch.autograd.grad(y, x, create_graph=True)
            return torch.autograd.forward_ad.unpack_dual(g).tangent.detach()

    same(fn)


def matrix(x):
    """A symmetric positive matrix of three numbers."""
    return x[:, None] * x + x.diag() + 1


# Ops whose gradient reads the result.
SAVING = {
    "exp": lambda torch, x: x.exp() * x,
    "exp2": lambda torch, x: x.exp2(),
    "expm1": lambda torch, x: x.expm1(),
    "exp_": lambda torch, x: (x * 2).exp_() * x,
    "exp_ on a view": lambda torch, x: (y := x * 1, y[1:].exp_(), y)[2],
    "sqrt": lambda torch, x: x.sqrt() * x,
    "rsqrt": lambda torch, x: x.rsqrt(),
    "reciprocal": lambda torch, x: x.reciprocal(),
    "tan": lambda torch, x: x.tan(),
    "tanh": lambda torch, x: x.tanh(),
    "sigmoid": lambda torch, x: x.sigmoid(),
    "relu": lambda torch, x: x.relu() * x,
    "softmax": lambda torch, x: x.softmax(0),
    "log_softmax": lambda torch, x: x.log_softmax(0) * x,
    "i0e": lambda torch, x: torch.special.i0e(x),
    "i1": lambda torch, x: torch.special.i1(x),
    "i1e": lambda torch, x: torch.special.i1e(x),
    "ndtri": lambda torch, x: torch.special.ndtri(x / 4),
    "sort": lambda torch, x: x.sort(descending=True)[0] * x,
    "topk": lambda torch, x: x.topk(2)[0] ** 2,
    "kthvalue": lambda torch, x: x.kthvalue(2)[0] ** 2,
    "cholesky": lambda torch, x: torch.linalg.cholesky(matrix(x)),
    "a Function": lambda torch, x: exponential(torch).apply(x * 2),
    "hooks on what is saved": lambda torch, x: hooked(torch, lambda: x.exp() * x.sin()),
    "lstsq": lambda torch, x: torch.linalg.lstsq(x.diag()[:, :2], x[:, None])[0],
}


def exponential(torch):
    class Exp(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            y = x.exp()
            ctx.save_for_backward(x, y)
            ctx.save_for_forward(y)
            return y

        @staticmethod
        def backward(ctx, grad):
            return grad * ctx.saved_tensors[1]

        @staticmethod
        def jvp(ctx, tangent):
            return tangent * ctx.saved_tensors[0]

    return Exp


def hooked(torch, fn):
    with torch.autograd.graph.saved_tensors_hooks(lambda x: x.detach().clone(), lambda x: x):
        return fn()


def tangents_of_gradients(torch, name, create_graph):
    """A result's tangent, its gradient, the gradient's tangent."""
    x = dual(torch, requires_grad=True)
    y = SAVING[name](torch, x)
    (g,) = torch.autograd.grad((y * y).sum(), x, create_graph=create_graph)
    unpack = torch.autograd.forward_ad.unpack_dual
    return unpack(y).tangent.detach(), g.detach(), unpack(g).tangent.detach()


def test_tangents_of_gradients():
    def fn(torch):
        with torch.autograd.forward_ad.dual_level():
            return {name: tangents_of_gradients(torch, name, create_graph=True) for name in SAVING}

    same(fn)


def test_tangents_of_gradients_without_graph():
    def fn(torch):
        names = ("exp", "tanh", "exp_ on a view", "a Function", "hooks on what is saved")
        with torch.autograd.forward_ad.dual_level():
            return {name: tangents_of_gradients(torch, name, create_graph=False) for name in names}

    same(fn)


def test_gradgradcheck_forward_over_reverse():
    def fn(torch):
        x = torch.tensor(X, dtype=torch.float64, requires_grad=True)
        return torch.autograd.gradgradcheck(lambda x: x.exp() * x, (x,), check_fwd_over_rev=True)

    same(fn)


def test_forward_over_reverse_of_a_scattered_product():
    # torch's tangents are wrong here (not those of finite differences): ours are compared with ours by double backward.
    x, t = jtorch.tensor(X, dtype=jtorch.float64), jtorch.tensor(T, dtype=jtorch.float64)

    def fn(x):
        return x.scatter_reduce(0, jtorch.tensor([0, 0, 2]), x, "prod").square().sum()

    pushed = jtorch.func.jvp(jtorch.func.grad(fn), (x,), (t,))[1]
    pulled = jtorch.func.grad(lambda x: (jtorch.func.grad(fn)(x) * t).sum())(x)
    jtorch.testing.assert_close(pushed, pulled)


def test_tangents_in_grad():
    def fn(torch):
        ad = torch.autograd.forward_ad
        found = []
        with ad.dual_level():
            x = torch.tensor(X, requires_grad=True)
            y = ad.make_dual(x, torch.tensor(T))
            for create_graph in (False, False, True, False):
                y.exp().sum().backward(create_graph=create_graph)
                tangent = ad.unpack_dual(x.grad).tangent
                found += [x.grad.detach().clone(), None if tangent is None else tangent.detach().clone()]
                if create_graph:
                    x.grad = None
        return found

    same(fn)


def test_shapes_changed_in_place():
    def fn(torch):
        with torch.autograd.forward_ad.dual_level():
            x = dual(torch)
            made = [(x * 2).unsqueeze_(0), (x * 3).t_(), (x * 1).as_strided_((2, 2), (1, 1))]
            made += [(x * 2).as_strided((2,), (2,)), x.as_strided_scatter(x[:2] * 3, (2,), (1,))]
            return [torch.autograd.forward_ad.unpack_dual(y).tangent for y in made]

    same(fn)


def test_printed():
    def fn(torch):
        ad = torch.autograd.forward_ad
        with ad.dual_level():
            x = dual(torch, requires_grad=True)
            made = [ad.make_dual(torch.ones(2, 2), torch.ones(2, 2) * 1.5)]
            made.append(ad.make_dual(torch.tensor(2.0), torch.tensor(1.0)))
            return [str(t) for t in (x, x.sum(), x.detach(), ad.unpack_dual(x), *made)]

    same_print(fn)


def test_reverse_over_forward():
    def fn(torch):
        x = torch.tensor(X, dtype=torch.float64, requires_grad=True)
        with torch.autograd.forward_ad.dual_level():
            y = torch.autograd.forward_ad.make_dual(x, torch.tensor(T, dtype=torch.float64)) ** 3
            tangent = torch.autograd.forward_ad.unpack_dual(y).tangent
            return torch.autograd.grad(tangent.sum(), x)

    same(fn)


def test_complex_tangents():
    def fn(torch):
        x = torch.tensor([1 + 2j, 3 - 1j], dtype=torch.complex128)
        t = torch.tensor([0.5j, 1 + 1j], dtype=torch.complex128)
        with torch.autograd.forward_ad.dual_level():
            y = torch.autograd.forward_ad.make_dual(x, t)
            return torch.autograd.forward_ad.unpack_dual(y * y * 2j).tangent

    same(fn)


def test_what_overwrites_a_dual_tensor():
    writes = {
        "zero": lambda torch, x: x.zero_(), "fill": lambda torch, x: x.fill_(2.0), "draw": lambda torch, x: x.normal_(),
        "compare": lambda torch, x: x.eq_(1), "copy": lambda torch, x: x.copy_(torch.ones_like(x)),
        "set": lambda torch, x: x.__setitem__(..., 3.0),
    }  # fmt: skip

    def fn(torch):
        torch.manual_seed(0)
        unpack = torch.autograd.forward_ad.unpack_dual
        with torch.autograd.forward_ad.dual_level():
            made = [dual(torch) for _ in writes], [dual(torch).clone() for _ in writes]
            for duals in made:
                for write, x in zip(writes.values(), duals, strict=True):
                    write(torch, x)
            return [[tuple(unpack(x)) for x in duals] for duals in made]

    same(fn)


def test_a_function_with_a_jvp():
    def fn(torch):
        class Square(torch.autograd.Function):
            @staticmethod
            def forward(x, n):
                return x * x

            @staticmethod
            def setup_context(ctx, inputs, output):
                ctx.save_for_forward(inputs[0])

            @staticmethod
            def jvp(ctx, t, _):
                (x,) = ctx.saved_tensors
                return 20 * x * t

        with torch.autograd.forward_ad.dual_level():
            y = Square.apply(dual(torch), 3)
            return torch.autograd.forward_ad.unpack_dual(y).tangent

    same(fn)


def test_tangents_end_with_the_level():
    def fn(torch):
        ad = torch.autograd.forward_ad
        with ad.dual_level():
            y = dual(torch) * 2
            first = ad.unpack_dual(y).tangent is None
        outside = ad.unpack_dual(y).tangent is None
        with ad.dual_level():
            return first, outside, ad.unpack_dual(y).tangent is None

    expected, actual = both(fn)
    assert actual == expected
    assert jtorch.modes.rare == 0


def test_levels_by_hand():
    def fn(torch):
        ad = torch.autograd.forward_ad
        level = ad.enter_dual_level()
        y = ad.make_dual(torch.ones(2), torch.ones(2), level=level)
        found = ad.unpack_dual(y * 3, level=level).tangent
        ad.exit_dual_level(level=level)
        return level, found

    same(fn)


def nested(torch):
    with torch.autograd.forward_ad.dual_level(), torch.autograd.forward_ad.dual_level():
        pass


def inside(fn):
    def run(torch):
        with torch.autograd.forward_ad.dual_level():
            return fn(torch, torch.autograd.forward_ad)

    return run


@pytest.mark.parametrize(
    "fn",
    [
        lambda torch: dual(torch),
        inside(lambda torch, ad: ad.make_dual(torch.ones(2).int(), torch.ones(2))),
        inside(lambda torch, ad: ad.make_dual(torch.ones(2), torch.ones(2).int())),
        inside(lambda torch, ad: ad.make_dual(torch.ones(2), torch.ones(3))),
        inside(lambda torch, ad: ad.make_dual(dual(torch), torch.ones(3).double())),
        inside(lambda torch, ad: ad.exit_dual_level(level=3)),
        inside(lambda torch, ad: dual(torch).resize_(1)),
        nested,
    ],
)
def test_errors(fn):
    same_error(fn)
