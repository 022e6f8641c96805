"""Triangular systems beside torch: both sides, both triangles, unit diagonals, gradients, refusals."""

import numpy as np
import pytest

from tests.edges import ordinary
from tests.oracle import check

A = ordinary((2, 3, 3), "complex128") + 2 * np.eye(3)
B = ordinary((3, 2), "complex128")


@pytest.mark.parametrize("upper", [False, True])
@pytest.mark.parametrize("left", [False, True])
def test_solve_triangular(left, upper):
    b = B if left else B.T.copy()
    check("linalg.solve_triangular", A, b, upper=upper, left=left, unitriangular=not upper)
    check("linalg.solve_triangular", A.real.copy(), b.real.copy(), upper=upper, left=left, grad=2)


@pytest.mark.parametrize("transpose", [False, True])
def test_triangular_solve(transpose):
    check("triangular_solve", B, A, transpose=transpose)
    check("triangular_solve", B.real.copy(), A[0].real.copy(), False, transpose, True)


def test_refusals():
    check("linalg.solve_triangular", A, B[:2], upper=True)
    check("linalg.solve_triangular", A[:, :2], B, upper=True)
    check("triangular_solve", B[0], A)
    check("triangular_solve", B[:2], A)
    check("linalg.solve_triangular", np.zeros((0, 0)), np.zeros((0, 2)), upper=True)
