"""Norms, condition numbers, ranks and determinants of matrices beside torch."""

import math

import numpy as np
import pytest

from tests.edges import ordinary
from tests.oracle import check

X = ordinary((2, 3, 4), "float64")
SQUARE = ordinary((2, 3, 3), "float64")
ORDERS = ["fro", "nuc", 1, -1, 2, -2, math.inf, -math.inf]


@pytest.mark.parametrize("ord", ORDERS)
def test_orders(ord):
    def norms(torch, x):
        norm = torch.linalg.matrix_norm
        return norm(x, ord), norm(x, ord, (0, 2), True), norm(x.float(), ord, dtype=torch.float64)

    check(norms, X)
    check("linalg.cond", SQUARE, ord, grad=ord in ("nuc", 2))


def test_norm():
    def norms(torch, x):
        norm = torch.linalg.norm
        return (
            norm(x), norm(x, dim=1), norm(x[0], "fro"), norm(x[0], 1), norm(x, 3, 0), norm(x, 2, (0, 1), True),
            torch.frobenius_norm(x, (0, 1)), torch.nuclear_norm(x[0]), torch.norm(x[0], "nuc"),
        )  # fmt: skip

    check(norms, X, grad_fn=False)


@pytest.mark.parametrize(
    "args", [("x",), (3,), ("fro", 1), (1, (0, 0)), (1, (0, 1, 2)), (2, (0, 7)), ("nuc", (1,)), (1, 0)]
)
def test_refusals(args):
    check("linalg.matrix_norm", X, *args)
    if args != (1, (0, 1, 2)):
        check("linalg.norm", X, *args, grad=False)


def test_refusals_of_inputs():
    for x in (np.zeros(3), np.eye(2, dtype=np.int64), np.zeros((2, 3))):
        check("linalg.matrix_norm", x, 1, grad=False)
        check("linalg.cond", x, 1, grad=False)
        check("linalg.cond", x, "fro", grad=False)
        check("linalg.cond", x, "x", grad=False)
    check("linalg.norm", X, "fro")
    check("linalg.norm", X, dim=(0, 1, 2))
    check("linalg.cond", SQUARE, 1)  # torch: its gradient was written over
    check("linalg.cond", np.array([[1.0, 2.0], [2.0, 4.0]]), 1, grad=False)


def test_rank():
    low = X[0].T @ X[0]
    for args in ({}, {"atol": 1.0}, {"rtol": 0.5}, {"hermitian": True}, {"tol": 0.3}):
        check("linalg.matrix_rank", low, **args)
    check("linalg.matrix_rank", np.zeros((2, 0, 3)))
    check("linalg.matrix_rank", np.zeros(3))
    check("linalg.matrix_rank", np.eye(2, dtype=np.int64))


def test_determinants():
    check("logdet", SQUARE)
    check("logdet", SQUARE.astype(np.complex128))
    check("Tensor.slogdet", SQUARE)
