"""The LDLᵀ factorization beside torch."""

import numpy as np
import pytest

from tests.edges import ordinary
from tests.oracle import check

X = ordinary((2, 4, 4), "complex128")


@pytest.mark.parametrize("hermitian", [False, True])
@pytest.mark.parametrize("dtype", ["float64", "complex64"])
def test_ldl(dtype, hermitian):
    x = X if dtype == "complex64" else X.real
    x = (x + (np.conj(x) if hermitian else x).swapaxes(-1, -2)).astype(dtype)

    def solved(torch, x, b):
        found = torch.linalg.ldl_factor(x, hermitian=hermitian)
        return *found, torch.linalg.ldl_solve(*found, b, hermitian=hermitian)

    check(solved, x, x[..., :2].copy(), grad=False)
    check("linalg.ldl_factor_ex", x, hermitian=hermitian, grad=False)


def test_refusals():
    for x in (np.zeros(3), np.zeros((2, 3)), np.zeros((2, 2), np.int64), np.zeros((2, 0, 0))):
        check("linalg.ldl_factor", x, grad=False)
        check("linalg.ldl_factor_ex", x, grad=False)
    check("linalg.ldl_solve", np.eye(2), np.zeros(2, np.int32), np.zeros(2), grad=False)
    check("linalg.ldl_solve", np.eye(2), np.zeros(3, np.int32), np.zeros((2, 1)), grad=False)
