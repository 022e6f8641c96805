"""Norms and distances beside torch: every order, sub-gradients at 0 and at ties, dims, refusals."""

import numpy as np
import pytest

from tests.edges import ordinary
from tests.oracle import check

X = ordinary((3, 4), "float64")
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
    check("dist", X, X[::-1].copy(), p, grad=p != 0)
    check("dist", X, X[0] + 1, p, grad=p != 0)


def test_dist_refuses():
    check("dist", X, X[:, :2].copy())
    check("dist", np.array([1, 2]), np.array([1, 2]))


@pytest.mark.parametrize("p", [1, 2, 3])
def test_renorm(p):
    check("renorm", X, p, 0, 1.0, grad_fn=False)
    check("renorm", X, p, 1, 2.0, grad_fn=False)


@pytest.mark.parametrize("args", [(2, 0, -1.0), (-1, 0, 1.0), (2j, 0, 1.0), (2, 5, 1.0)])
def test_renorm_refuses(args):
    check("renorm", X, *args)
    check("renorm", X[0], *args)
