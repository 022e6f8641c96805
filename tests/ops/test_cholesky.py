"""The Cholesky factorization beside torch: both triangles, gradients, and what is solved with it."""

import numpy as np
import pytest

from tests.edges import ordinary
from tests.oracle import check


def positive(shape, dtype="float64"):
    """Well-conditioned positive-definite matrices."""
    x = ordinary(shape, dtype)
    return (x @ np.conj(x.swapaxes(-1, -2)) + 2 * np.eye(shape[-1])).astype(dtype)


A = positive((2, 3, 3))
L = np.tril(ordinary((3, 3), "float64")) + 2 * np.eye(3)
B = ordinary((3, 2), "float64")
NOT = np.array([[1.0, 2.0], [2.0, 1.0]])


@pytest.mark.parametrize("upper", [False, True])
def test_factor(upper):
    check("linalg.cholesky_ex", A, upper=upper, grad=2)
    check("linalg.cholesky", positive((3, 3), "complex64"), upper=upper)
    check("cholesky", A, upper)


@pytest.mark.parametrize("upper", [False, True])
def test_solve(upper):
    factor = L.T.copy() if upper else L
    check("cholesky_solve", B, factor, upper, grad=2)
    check("cholesky_inverse", factor, upper)
    check("cholesky_solve", B.astype(np.complex64), factor.astype(np.complex64), upper)


def test_empty():
    check("linalg.cholesky", np.zeros((2, 0, 0)))
    check("cholesky_solve", np.zeros((0, 2)), np.zeros((0, 0)))


@pytest.mark.parametrize("x", [NOT, np.stack([np.eye(2), NOT]), np.full((2, 2), np.nan)])
def test_not_positive_definite(x):
    for name in ("linalg.cholesky", "cholesky"):
        check(name, x)
    check(lambda torch, x: torch.linalg.cholesky_ex(x).info, x)
    check("linalg.cholesky_ex", x, check_errors=True)


@pytest.mark.parametrize("x", [np.zeros(3), np.zeros((2, 3)), np.zeros((2, 2), np.int64), np.zeros((2, 2), np.float16)])
def test_refusals(x):
    for name in ("linalg.cholesky", "cholesky", "cholesky_inverse"):
        check(name, x)


def test_solve_refuses():
    check("cholesky_solve", np.zeros(3), np.eye(3))
    check("cholesky_solve", np.zeros((2, 1)), np.eye(3))
    check("cholesky_solve", np.zeros((3, 1), np.float32), np.eye(3))
