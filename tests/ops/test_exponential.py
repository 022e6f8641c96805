"""The matrix exponential beside torch: small and large matrices, its gradients, tangents, refusals."""

import numpy as np
import pytest

from tests.edges import ordinary
from tests.oracle import check, same


@pytest.mark.parametrize("dtype", ["float64", "complex128"])
def test_gradients(dtype):
    check("linalg.matrix_exp", ordinary((2, 3, 3), dtype), grad=2)


def test_sizes():
    x = ordinary((3, 3), "float64")
    check("matrix_exp", np.stack([1e-9 * x, 1e-3 * x, 0.1 * x, x, 8 * x, 20 * x, 0 * x]))
    check("matrix_exp", x.astype(np.float32))
    check("matrix_exp", x.astype(np.complex64))


def test_tangents():
    def fn(torch):
        x, v = (torch.tensor(ordinary((3, 3), "float64", seed), dtype=torch.float64) for seed in (0, 1))
        return torch.func.jvp(torch.matrix_exp, (x,), (v,)), torch.func.vmap(torch.matrix_exp)(torch.stack([x, 9 * v]))

    same(fn)


def test_others():
    for x in (np.zeros((0, 0)), np.zeros((2, 3)), np.zeros((2, 2), np.int64), np.zeros(3)):
        check("linalg.matrix_exp", x, grad=False)
    check("linalg.matrix_exp", np.full((2, 2), np.nan), grad=False)
