"""LU beside torch: factors, inverses, linear systems, determinants; singular matrices; refusals."""

import numpy as np
import pytest

from tests.edges import ordinary
from tests.oracle import check

SQUARE = ordinary((2, 3, 3), "float64") + 3 * np.eye(3)[[1, 2, 0]]
TALL, WIDE = ordinary((4, 3), "float64"), ordinary((3, 4), "float64")
SINGULAR = np.array([[1.0, 2.0], [2.0, 4.0]])
BATCH = np.stack([np.eye(2), SINGULAR])
WRONG = [np.zeros(3), np.zeros((2, 3)), np.zeros((2, 2), np.int64), np.zeros((2, 2), np.float16)]


@pytest.mark.parametrize("x", [SQUARE, TALL, WIDE])
def test_factors(x):
    check("linalg.lu", x)
    check("linalg.lu_factor_ex", x)
    check(lambda torch, x: torch.lu_unpack(*torch.linalg.lu_factor(x)), x)


def solved(torch, a, b):
    linalg = torch.linalg
    return linalg.inv_ex(a)[0], linalg.solve_ex(a, b)[0], linalg.det(a), *linalg.slogdet(a)


@pytest.mark.parametrize("dtype", ["float64", "float32", "complex128"])
def test_solved(dtype):
    check(solved, SQUARE.astype(dtype), TALL[:3].astype(dtype), grad=2 if dtype == "float64" else True)


def test_sides_of_a_system():
    check("linalg.solve_ex", SQUARE, WIDE, left=True)
    check("linalg.solve", SQUARE, WIDE[:, :3].T.copy(), left=False)
    check("linalg.solve", SQUARE, TALL[:2, :3])  # a batch of vectors
    check("linalg.solve", SQUARE, TALL[:3, 0].copy())
    check("linalg.solve", SQUARE, TALL[:3, 0].copy(), left=False)


@pytest.mark.parametrize("adjoint", [False, True])
@pytest.mark.parametrize("left", [False, True])
def test_lu_solve(left, adjoint):
    def solve(torch, a, b):
        return torch.linalg.lu_solve(*torch.linalg.lu_factor(a), b, left=left, adjoint=adjoint)

    check(solve, SQUARE.astype(np.complex128), (WIDE if left else TALL).astype(np.complex128))


def test_empty():
    for x in (np.zeros((0, 0)), np.zeros((2, 0, 0)), np.zeros((0, 2, 2))):
        for name in ("linalg.inv", "linalg.det", "linalg.slogdet", "linalg.lu", "linalg.lu_factor"):
            check(name, x)
    check("linalg.solve", np.zeros((0, 0)), np.zeros((0, 2)))


@pytest.mark.parametrize("x", [SINGULAR, BATCH])
def test_singular(x):
    for name in ("linalg.inv", "inverse", "linalg.lu_factor", "linalg.det", "det", "logdet"):
        check(name, x, grad=False)
    check("linalg.solve", x, x)
    for name in ("linalg.inv_ex", "linalg.lu_factor_ex"):
        check(name, x, check_errors=True)
        check(lambda torch, x, name=name: getattr(torch.linalg, name[7:])(x).info, x)
    check("linalg.solve_ex", x, x, check_errors=True)


@pytest.mark.parametrize("x", WRONG)
def test_refusals(x):
    for name in ("inv", "det", "slogdet", "lu", "lu_factor", "lu_factor_ex"):
        check(f"linalg.{name}", x, grad=False)
    check("linalg.solve", x, x)


def test_solve_refuses():
    check("linalg.solve", SQUARE, np.zeros((2, 4, 1)))
    check("linalg.solve", SQUARE, TALL[:3].astype(np.float32))
    check("lu_unpack", TALL, np.zeros(3))
    check("linalg.lu", TALL, pivot=False)


def test_older_names():
    check("lu", SQUARE, get_infos=True)
    check("Tensor.lu", SQUARE, get_infos=True, grad=False)
    check(lambda torch, a, b: torch.lu_solve(b, *torch.lu(a)), SQUARE, TALL[:3])
    check("logdet", SQUARE @ SQUARE)
    check("slogdet", SQUARE)
    check("Tensor.inverse", SQUARE)
    check("Tensor.det", SQUARE)
