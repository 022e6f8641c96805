"""Norms and distances beside torch: every order, sub-gradients at 0 and at ties, dims, refusals."""

import numpy as np
import pytest

from tests.edges import ordinary
from tests.oracle import check, const, same

X = ordinary((3, 4), "float64")
NAN, INF = np.nan, np.inf
ORDERS = [2, 1, 0, 3, 0.5, np.inf, -np.inf, -1, 2.5]


@pytest.mark.parametrize("p", ORDERS)
def test_orders(p):
    for args in ((), (1,), ((0, 1), True)):
        check("norm", X, p, *args)


@pytest.mark.parametrize("p", [2, 1, 3, np.inf])
def test_slopes_at_0(p):
    check("norm", np.zeros((2, 3)), p)
    check("norm", np.array([[0.0, 0.0], [0.0, 2.0]]), p, 1)


@pytest.mark.parametrize("p", [np.inf, -np.inf])
def test_ties(p):
    check("norm", np.array([[2.0, -2.0, 1.0], [1.0, 1.0, -1.0]]), p, 1)


@pytest.mark.parametrize("p", [2, 1, np.inf, 3])
@pytest.mark.parametrize("dtype", ["float32", "bfloat16", "complex64"])
def test_dtypes(p, dtype):
    check("norm", ordinary((3, 4), dtype), p, 0, grad=dtype != "bfloat16")


ARGS = [
    ((), {}), (("fro",), {}), (("fro", 0), {}), (("fro", (0, 1)), {"keepdim": True}), ((None,), {}), (("x",), {}),
    ((2, 5), {}), ((), {"dim": 0}), ((), {"p": 1, "dim": [0]}), (("nuc",), {}),
]  # fmt: skip


@pytest.mark.parametrize(("args", "kwargs"), ARGS)
def test_arguments(args, kwargs):
    check("norm", X, *args, **kwargs, grad_fn=args != ("nuc",))
    check("Tensor.norm", X, *args, **kwargs, grad=False)


def test_dtype():
    torch = pytest.importorskip("torch")
    check("norm", X.astype(np.float32), dtype=torch.float64)
    check("norm", X, dtype=torch.float32)


def test_refusals():
    check("norm", np.array([1, 2]))
    check("norm", np.zeros((0, 3)), np.inf)
    check("norm", np.zeros((0, 3)), 2)


def test_second_gradient():
    check("norm", X, grad=2)
    check("norm", X, 3, 1, grad=2)


@pytest.mark.parametrize("p", [2, 1, 0, 3, np.inf])
def test_dist(p):
    check("dist", X, const(X[::-1].copy()), p)
    check("dist", X, X[0] + 1, p, grad=p != 0)  # torch fails where other is to get the undefined gradient


def test_dist_refuses():
    check("dist", X, X[:, :2].copy())
    check("dist", np.array([1, 2]), np.array([1, 2]))


def test_tangent_of_order_0():
    same(lambda torch: torch.func.jvp(lambda x: x / torch.norm(x, 0), (torch.ones(3),), (torch.ones(3),)))


@pytest.mark.parametrize("p", [1, 2, 3])
def test_renorm(p):
    check("renorm", X, p, 0, 1.0, grad_fn=False)
    check("renorm", X, p, 1, 2.0, grad_fn=False)


def test_slopes_at_nan_and_infinities():
    rows = [[1, NAN, 2], [NAN, NAN, 1], [0, 0, 0], [INF, 1, INF], [-INF, INF, 1]]

    def fn(torch):
        def slope(given, norm, *args):
            x = torch.tensor(given, dtype=torch.float64, requires_grad=True)
            norm(x, *args).sum().backward()
            return x.grad

        orders = (INF, 1, 2, 3)
        return [(slope(rows, torch.norm, p, 1), slope(rows[:3], torch.renorm, p, 0, 0.5)) for p in orders]

    same(fn)


@pytest.mark.parametrize("args", [(2, 0, -1.0), (-1, 0, 1.0), (2j, 0, 1.0), (2, 5, 1.0)])
def test_renorm_refuses(args):
    check("renorm", X, *args)
    check("renorm", X[0], *args)
