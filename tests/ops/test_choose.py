"""where, masked_fill, clamp, maximum and kin beside torch: nan, ties, bounds that cross, dtypes, refusals."""

import numpy as np
import pytest

from tests.edges import binary, ordinary, values
from tests.oracle import check, const

MASK = np.array([True, False, True])
X = np.array([1.0, 2.0, 3.0], np.float32)
EDGE = np.array([0.0, -0.0, 1.0, -1.0, 0.5, 2.0, -2.0, np.inf, -np.inf, np.nan], np.float32)


@pytest.mark.parametrize("name", ["maximum", "minimum", "fmax", "fmin", "clamp_min", "clamp_max"])
@pytest.mark.parametrize("dtype", ["float32", "int64", "uint8", "bool"])
def test_larger_and_smaller(name, dtype):
    check(name, *binary(dtype)["values"])
    check(name, *binary(dtype)["broadcast"])


@pytest.mark.parametrize("name", ["maximum", "minimum", "fmax", "fmin"])
def test_larger_and_smaller_refuse(name):
    check(name, X.astype(np.complex64), X.astype(np.complex64))
    check(name, X, 2)
    check(name, X, X.astype(np.float64))
    check(name, X, np.array([1, 2, 3]))


BOUNDS = [
    (0, 1), (0.5, None), (None, 0.5), (2, 1), (-np.inf, 0.0), (0, np.nan), (1, 1), (None, None),
    (np.array(0.0), None), (EDGE[:, None], None), (None, EDGE[::-1].copy()), (np.zeros(10, np.float32), EDGE),
]  # fmt: skip


@pytest.mark.parametrize(("low", "high"), BOUNDS)
def test_clamp(low, high):
    check("clamp", EDGE, low, high)
    check("Tensor.clip", EDGE, min=low, max=high)


@pytest.mark.parametrize("dtype", ["int64", "uint8", "bool", "float64", "bfloat16"])
def test_clamp_promotes(dtype):
    check("clamp", ordinary((5,), dtype), 0, 2)
    check("clamp", ordinary((5,), dtype), 0.5)
    check("clamp", ordinary((5,), dtype), max=1)


@pytest.mark.parametrize("name", ["clamp", "clamp_min", "clamp_max"])
def test_clamp_with_numbers(name):
    check(name, EDGE, 0.5)
    check(name, np.array([1, 5]), 2.5)
    check(f"Tensor.{name}_", EDGE, 1)
    check(f"Tensor.{name}_", np.array([1, 5]), 2.5, text=False)


WHERE = [
    (X, X + 1), (X, 0), (0.0, X), (1, 0), (1.5, 0), (X, np.array([1, 2, 3])), (X, np.array(1.0)), (X, -np.inf),
    (np.array([1, 2, 3]), 0.5), (X, X.astype(np.float64)), (X[:, None], X), (X, X[:2]), (X.astype(np.complex64), X),
    (np.array([np.nan, 1, np.inf], np.float32), 0.0),
]  # fmt: skip


@pytest.mark.parametrize(("a", "b"), WHERE)
def test_where(a, b):
    check("where", MASK, a, b, grad=not np.iscomplexobj(a))


def test_where_wants_a_bool_condition():
    check("where", np.array([1, 0, 1]), X, X)
    check("where", X, X, X)
    check("where", MASK[:2], X, X)
    check("where", MASK, X)
    check("where", MASK, X, "a")


def test_where_as_a_method():
    check("Tensor.where", X, MASK, X + 1)
    check("Tensor.where", X, MASK, 0)


FILLS = [0, 1.5, True, const(np.array(2.0, np.float32)), np.array(2), const(np.array([2.0], np.float32))]


@pytest.mark.parametrize("value", FILLS)
def test_masked_fill(value):
    check("masked_fill", X, MASK, value)
    check("masked_fill", np.array([1, 2, 3]), MASK, value)
    check("Tensor.masked_fill_", X, MASK, value)


def test_masked_fill_with_infinity():
    check("masked_fill", X, MASK, -np.inf)
    check("masked_fill", X, MASK, np.array(2.0, np.float32))


@pytest.mark.parametrize("size", [2, 3, 4, 5])
def test_masked_fill_refuses_what_the_dtype_cannot_hold(size):
    kind, value = [(np.int64, -np.inf), (np.float32, 1e39), (np.float16, -1e9), (np.float32, 2j)][size - 2]
    check("masked_fill", np.ones((size, 7), kind), np.ones(7, bool), value)


def test_masked_fill_shapes_and_masks():
    check("masked_fill", X, MASK[:, None], 0)
    check("masked_fill", X, MASK[:2], 0)
    check("Tensor.masked_fill_", X, MASK[:, None], 0)
    check("masked_fill", X, np.array([1, 0, 1]), 0)
    check("masked_fill", X, X, 0)


def test_heaviside():
    check("heaviside", EDGE, np.array(0.5, np.float32), grad=False)
    check("heaviside", EDGE, EDGE)
    check("heaviside", EDGE, np.array(0.5), grad=False)


@pytest.mark.parametrize("dtype", ["float32", "float64", "int64"])
def test_complex_from_parts(dtype):
    x = ordinary((3,), dtype)
    for name in ("complex", "polar"):
        check(name, x, x + 1)
        check(name, x[:, None], x)
        check(name, x, x.astype(np.float64))


def test_values_next_to_each_other():
    line = values("float32")
    check(lambda torch, x: torch.where(x > 0, x, -x).clamp(max=3), line)
