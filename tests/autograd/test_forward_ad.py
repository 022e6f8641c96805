"""Forward-mode gradients: tangents through calls, views, in-place ops, Functions; and their errors."""

import pytest

import jtorch
from tests.oracle import both, same, same_error

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
        nested,
    ],
)
def test_errors(fn):
    same_error(fn)
