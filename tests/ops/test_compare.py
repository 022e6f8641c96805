"""Comparisons and logic beside torch."""

import numpy as np
import pytest

from tests.edges import binary, ordinary, values
from tests.oracle import check

ORDER = ["eq", "ne", "lt", "le", "gt", "ge"]
LOGIC = ["logical_and", "logical_or", "logical_xor"]


@pytest.mark.parametrize("name", [*ORDER, *LOGIC])
@pytest.mark.parametrize("dtype", ["float32", "int64", "uint8", "bool"])
def test_two_tensors(name, dtype):
    check(name, *binary(dtype)["values"])


@pytest.mark.parametrize("name", ORDER)
@pytest.mark.parametrize("number", [0, 2, -1, 2.5, True, float("nan"), float("inf")])
def test_numbers(name, number):
    for dtype in ("float32", "int64", "uint8", "bfloat16"):
        check(name, values(dtype) if dtype != "bfloat16" else ordinary((5,), dtype), number)


@pytest.mark.parametrize("name", [*ORDER, *LOGIC])
def test_mixed_dtypes_and_sizes(name):
    check(name, ordinary((3,), "float32"), ordinary((3,), "int64"))
    check(name, ordinary((3,), "float32"), ordinary((4,), "float32"))
    check(name, ordinary((3,), "float32"), np.array(1.0))


@pytest.mark.parametrize("name", ["eq", "ne", *LOGIC])
def test_complex(name):
    check(name, values("complex64")[:, None], values("complex64"))


OPERATORS = [
    lambda torch, a, b: (a == b, a != b, a < b, a <= b, a > b, a >= b),
    lambda torch, a, b: (1 < a, 1 <= a, 1 > a, 1 >= a, 1 == a, 1 != a),
]


@pytest.mark.parametrize("operators", OPERATORS)
def test_operators(operators):
    check(operators, ordinary((4,), "int64"), ordinary((4,), "int64", 1))


def test_in_place_keeps_the_dtype():
    check("Tensor.eq_", ordinary((4,), "float32"), ordinary((4,), "float32"), grad=False)
    check("Tensor.logical_not_", ordinary((4,), "int64"))


def test_aliases():
    for name in ("greater", "greater_equal", "less", "less_equal", "not_equal"):
        check(name, ordinary((4,), "int64"), 0)


TOLERANCES = [{}, {"rtol": 0.5}, {"atol": 1.0}, {"rtol": 0, "atol": 0}, {"equal_nan": True}, {"rtol": -1}, {"atol": -1}]


@pytest.mark.parametrize("tolerances", TOLERANCES)
def test_isclose(tolerances):
    edge = np.array([0.0, 1.0, 1.00001, 2.0, np.nan, np.inf, -np.inf], np.float32)
    for dtype in ("float32", "float64", "int64", "bool", "complex64"):
        a = edge.astype(dtype) if dtype not in ("int64", "bool") else ordinary((7,), dtype)
        check("isclose", a[:, None], a, **tolerances)
        check("allclose", a, a.copy(), **tolerances)


def test_isclose_wants_one_dtype():
    check("isclose", ordinary((3,), "float32"), ordinary((3,), "float64"))
    check("allclose", ordinary((3,), "float32"), ordinary((4,), "float32"))


def test_equal():
    x = ordinary((3,), "float32")
    check("equal", x, x.copy())
    check("equal", x, x + 1)
    check("equal", x, x[:2])
    check("equal", np.array([np.nan]), np.array([np.nan]))
