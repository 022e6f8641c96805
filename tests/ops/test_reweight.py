"""Weight normalization and the power method beside torch."""

import numpy as np
import pytest
import torch

from jtorch import from_numpy
from jtorch.autograd.apply import call
from tests.oracle import check, same

DRAW = np.random.default_rng(0)
V = DRAW.normal(size=(4, 3, 2))


def test_norms_over_all_dims_but_one():
    for dim in (0, 1, 2, -1, -2):
        for p in (1, 2, 3):
            check("norm_except_dim", V, p, dim, dtypes=("float64", "float32"), grad=2)
    check("norm_except_dim", V, 2, 0, dtypes=("float16", "bfloat16"))
    check("norm_except_dim", V, 2, 3)


@pytest.mark.parametrize(("dim", "shape"), [(0, (4, 1, 1)), (1, (1, 3, 1)), (2, (1, 1, 2)), (-1, ())])
def test_weight_norm(dim, shape):
    # torch's gradients of gradients fail its own gradgradcheck for the first and the last dim.
    depth = 2 if dim in (1, -1) else True
    check("_weight_norm", V, DRAW.normal(size=shape), dim, dtypes=("float64", "float32"), grad=depth)


def test_weight_norm_of_zeros():
    check("_weight_norm", np.zeros((2, 2)), np.ones((2, 1)))


@pytest.mark.parametrize("kind", ["float64", "complex128"])
@pytest.mark.parametrize("times", [1, 4])
def test_power_method(kind, times):
    turn = 1j if kind == "complex128" else 0
    w, u, v = (DRAW.normal(size=s) + turn * DRAW.normal(size=s) for s in ((4, 3), (4,), (3,)))

    def run(module):
        if module is not torch:
            return call("power_method", from_numpy(w), from_numpy(u), from_numpy(v), times, 1e-12)
        a, b = torch.from_numpy(u), torch.from_numpy(v)
        for _ in range(times):
            a = torch.nn.functional.normalize(torch.from_numpy(w) @ b, dim=0)
            b = torch.nn.functional.normalize(torch.from_numpy(w).mH @ a, dim=0)
        return a, b

    same(run, grad_fn=False)
