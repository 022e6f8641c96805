"""Cumulative sums, products and extremes beside torch."""

import numpy as np
import pytest

from tests.edges import ordinary
from tests.oracle import check, same

X = ordinary((3, 4), "float32")
ZEROS = np.array([[1.0, 0.0, 2.0, 3.0], [0.0, 1.0, 0.0, 2.0], [1.0, 2.0, 3.0, 4.0]], np.float32)
TIES = np.array([[1, 3, 3, 0], [2, 2, 2, 2], [0, 1, 1, 3]], np.float32)
NAN = np.array([[1, np.nan, 2, 3], [np.nan, np.nan, 5, 0], [np.inf, 1, -np.inf, 2]], np.float32)
NAMES = ["cumsum", "cumprod", "cummax", "cummin", "logcumsumexp"]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("dim", [0, -1, 3])
def test_floats(name, dim):
    check(name, X, dim)
    check(name, TIES, dim)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("dtype", ["int64", "int32", "uint8", "bool", "bfloat16", "float64"])
def test_other_dtypes(name, dtype):
    check(name, ordinary((3, 4), dtype), 1, grad=dtype != "bfloat16")


@pytest.mark.parametrize("name", NAMES)
def test_empty_and_0_d(name):
    check(name, np.zeros((0, 3), np.float32), 0, grad=False)
    check(name, np.array(3.0, np.float32), 0)


@pytest.mark.parametrize("name", ["cummax", "cummin"])
def test_nan(name):
    check(name, NAN, 1)
    check(name, NAN, 0)


def test_zeros_in_a_product():
    check("cumprod", ZEROS, 1)
    check("cumprod", ZEROS.astype(np.float64), 0, grad=2)


@pytest.mark.parametrize("name", ["cumsum", "cumprod"])
def test_dtype(name):
    torch = pytest.importorskip("torch")
    check(name, X, 0, dtype=torch.float64, grad=False)
    check(name, ordinary((3,), "int32"), 0, dtype=torch.float32)
    check(name, ordinary((3,), "complex64"), 0)


def test_in_place():
    check("Tensor.cumsum_", X, 0)
    check("Tensor.cumprod_", X, 1)


def test_long_sums():
    check("cumsum", np.full(100_000, 0.1, np.float32), 0, grad=False)
    check("logcumsumexp", np.array([-1e4, 0.0, 1e4, 5.0]), 0)


def test_sums_of_many():
    """By blocks, of blocks of blocks, and step by step where there is nan, inf or much beside each other."""
    draw = np.random.default_rng(3)
    rows = draw.standard_normal((5, 1000)).astype(np.float32)
    far = rows.copy()
    far[0, 500], far[1, [20, 900]], far[2, 999] = np.inf, (np.inf, -np.inf), np.nan
    broad = rows.reshape(50, 100)

    def run(torch):
        found = []
        for array, dim in ((rows, 1), (far, 1), (rows.T.astype(np.float64), 0), (rows.reshape(-1), 0), (broad, 0)):
            x = torch.tensor(array, requires_grad=True)
            out = x.cumsum(dim)
            found.append([out, torch.autograd.grad(out, [x], x.detach())])
        return found

    same(run)


def test_complex_logcumsumexp_goes_on_from_the_longer_one():
    z = np.array([[1 + 3j, 1 - 3j, -2 + 3j], [0.5 + 2j, 3 - 3j, 1 + 1j]])
    check("logcumsumexp", z, 0)
    check("logcumsumexp", z, 1, grad=2)
    check("logaddexp", z[0], z[1], grad=2)
