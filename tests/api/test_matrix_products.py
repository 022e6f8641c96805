"""Products, powers and rearrangements of matrices beside torch."""

import numpy as np
import pytest

from tests.edges import ordinary
from tests.oracle import check

A, B, C = ordinary((3, 4), "float64"), ordinary((4, 5), "float64"), ordinary((5, 2), "float64")
SQUARE = ordinary((2, 3, 3), "float64") + np.eye(3)


@pytest.mark.parametrize("n", [0, 1, 2, 3, 5, -1, -2])
def test_matrix_power(n):
    check("linalg.matrix_power", SQUARE, n)


def test_multi_dot():
    check("linalg.multi_dot", [A, B, C])
    check("linalg.multi_dot", [A[0], B, C[:, 0].copy()])
    check("linalg.multi_dot", [A[0], A[1]])
    check("chain_matmul", A, B, C)
    for chain in ([A], [A, SQUARE, C], [SQUARE, A], [A, B[0], C], [A, C], [A, B.astype(np.float32)]):
        check("linalg.multi_dot", chain)


def test_vecdot():
    z = ordinary((3, 4), "complex128")
    check("linalg.vecdot", z, z[::-1].copy())
    check("linalg.vecdot", A, A[0], dim=1)
    check("linalg.vecdot", z[0], z[1])
    check("linalg.vecdot", A, z)
    check("linalg.vecdot", np.arange(3), np.arange(3))


def test_vander():
    check("linalg.vander", A)
    check("linalg.vander", np.arange(3), N=4)
    check("linalg.vander", A, N=1)
    check("linalg.vander", np.array(3.0), N=3)


def test_tensors_as_matrices():
    x = ordinary((2, 3, 6), "float64")
    check("linalg.tensorinv", x, ind=2, grad_fn=False)
    check("linalg.tensorinv", x.transpose(2, 0, 1).copy(), ind=1, grad_fn=False)
    check("linalg.tensorsolve", x, x[..., 0].copy())
    check("linalg.tensorsolve", ordinary((2, 6, 3), "float64"), x[..., 0].copy(), (1,))
    check("linalg.tensorinv", x, ind=1)
    check("linalg.tensorinv", x, ind=0)
    check("linalg.tensorsolve", x, np.zeros(2))


def test_others():
    check("linalg.matmul", A, B)
    check("linalg.diagonal", SQUARE, offset=1, strides=True)
    check("matrix_exp", SQUARE)
    check("linalg.matrix_power", A, 2)
    check("linalg.matrix_power", A[0], 2)
