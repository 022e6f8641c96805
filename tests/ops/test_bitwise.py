"""Operations on bits beside torch."""

import numpy as np
import pytest

from tests.edges import ordinary, values
from tests.oracle import check

PAIRS = ["bitwise_and", "bitwise_or", "bitwise_xor"]
SHIFTS = ["bitwise_left_shift", "bitwise_right_shift"]
INTEGERS = ["int64", "int32", "int16", "int8", "uint8"]


@pytest.mark.parametrize("name", PAIRS)
@pytest.mark.parametrize("dtype", [*INTEGERS, "bool"])
def test_pairs(name, dtype):
    check(name, values(dtype)[:, None], values(dtype))
    check(name, values(dtype), 3)
    check(name, values(dtype), True)
    check(name, 3, values(dtype))


@pytest.mark.parametrize("name", SHIFTS)
@pytest.mark.parametrize("dtype", INTEGERS)
def test_shifts(name, dtype):
    by = np.array([0, 1, 2, 7, 8, 15, 31, 32, 63, 64, 100], dtype)
    check(name, values(dtype)[:, None], by)
    check(name, values(dtype), 2)


@pytest.mark.parametrize("dtype", [*INTEGERS, "bool"])
def test_not(dtype):
    check("bitwise_not", values(dtype))
    check(lambda torch, x: ~x, values(dtype))


@pytest.mark.parametrize("name", [*PAIRS, *SHIFTS])
def test_mixtures(name):
    check(name, ordinary((3,), "int64"), np.array([1, 0, 2], np.uint8))
    check(name, np.array([True, False, True]), np.array([1, 2, 3]))
    check(name, ordinary((3,), "float32"), ordinary((3,), "float32"))
    check(name, ordinary((3,), "int64"), 1.5)
    check(name, ordinary((3,), "int64"), ordinary((4,), "int64"))


def test_operators():
    a, b = np.array([1, 6, 12]), np.array([3, 3, 1])
    check(lambda torch, a, b: (a & b, a | b, a ^ b, a << b, a >> b, ~a, 1 << b, 12 & a, 7 ^ a, 1 | a), a, b)
    check(lambda torch, a, b: ((a > 1) & (b > 1), (a > 1) | (b > 1), ~(a > 1)), a, b)
    check(lambda torch, x: ~x, ordinary((3,), "float32"))


def test_in_place():
    for name in ("bitwise_and_", "bitwise_or_", "bitwise_xor_"):
        check(f"Tensor.{name}", np.array([1, 6, 12]), np.array([3, 3, 1]))


def test_hashes():
    x = ordinary((2, 3), "float32")
    for value in (x, x.astype("float16"), x.astype("int64"), x > 0):
        check("hash_tensor", value)
        check("hash_tensor", value, 1, keepdim=True)
    check("hash_tensor", x, (0, 1))
    check("hash_tensor", x[:0], 0)
    check("hash_tensor", x, mode=1)
