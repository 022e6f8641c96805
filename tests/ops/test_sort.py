"""sort, argsort, topk, kthvalue, msort beside torch: order of equals, nan, dims, errors."""

import numpy as np
import pytest

from tests.edges import cases, ordinary, reduction
from tests.oracle import check

X = ordinary((3, 4), "float32")
SCALAR = np.array(1.5, np.float32)
EMPTY = np.zeros((0, 3), np.float32)
ODD = np.array([np.nan, 1.0, np.inf, -np.inf, 0.0, 3.0], np.float32)


@pytest.mark.parametrize("x", cases(reduction, "float32", "int64", "bfloat16", "bool"))
@pytest.mark.parametrize("descending", [False, True])
def test_stable_sort(x, descending):
    check("sort", x, stable=True, descending=descending)
    check("argsort", x, stable=True, descending=descending)


@pytest.mark.parametrize("x", [X, SCALAR, EMPTY, ordinary((2, 3, 4), "float32"), ordinary((3, 4), "complex64")])
@pytest.mark.parametrize("dim", [0, -1, 1, 9])
def test_dims(x, dim):
    check("sort", x, dim)
    check("Tensor.sort", x, dim=dim, descending=True)
    check("argsort", x, dim)
    for k in (0, 1, 3, 9, -1):
        check("topk", x, k, dim)
        check("topk", x, k, dim, largest=False)
        check("kthvalue", x, k, dim)
    check("Tensor.kthvalue", x, 2, dim, keepdim=True)


def test_msort():
    check("msort", X)
    check("Tensor.msort", SCALAR)
    check("msort", X, out=np.zeros((3, 4), np.float32))


@pytest.mark.parametrize("dtype", ["int64", "uint8", "bfloat16", "float16", "float64", "bool"])
def test_topk_of_other_dtypes(dtype):
    x = np.array([3, 1, 2, 7, 0]).astype(ordinary((1,), dtype).dtype)
    check("topk", x, 2)
    check("topk", x, 2, largest=False)
    check("Tensor.topk", x, 5, sorted=True)


def test_nan_is_the_largest():
    for k in (1, 3, 6):
        check("topk", ODD, k)
        check("topk", ODD, k, largest=False)
        check("kthvalue", ODD, k)
    check("sort", ODD)
    check("sort", ODD, descending=True)


def test_result_has_names():
    check(lambda torch, x: (x.sort().values, x.topk(2).indices, x.kthvalue(1).values), X)
    check(lambda torch, x: torch.sort(x), X, printed=True)


def test_out():
    values, indices = np.zeros((3, 4), np.float32), np.zeros((3, 4), np.int64)
    check(lambda torch, x, v, i: tuple(torch.sort(x, out=(v, i))), X, values, indices, grad=False)
    check(lambda torch, x, v, i: tuple(torch.topk(x, 2, out=(v, i))), X, values, indices, grad=False)
