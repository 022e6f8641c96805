"""pow beside torch: exact small powers, slopes at 0, integers, numbers on either side."""

import numpy as np
import pytest

from tests.edges import ordinary, values
from tests.oracle import check

EXPONENTS = [0, 1, 2, 3, 4, 10, -1, -2, -3, 0.5, -0.5, 1.5, 2.5, 0.0, 2.0, True, float("inf"), float("nan")]


@pytest.mark.parametrize("exponent", EXPONENTS)
def test_numbers_above(exponent):
    check("pow", values("float64"), exponent)
    check("pow", np.array([0.0, 0.5, 1.0, -2.0, 3.0], np.float32), exponent)
    check("pow", ordinary((4,), "int64"), exponent)
    if np.isfinite(exponent):
        check("pow", ordinary((4,), "complex128"), exponent)


@pytest.mark.parametrize("exponent", [2, 3])
def test_small_whole_powers_are_exact(exponent):
    check("pow", ordinary((100,), "float32"), exponent, exact=True)
    check(lambda torch, x: 9 * x**2 == (3 * x) ** 2, np.array([2.0, 3.0], np.float32), grad=False)


@pytest.mark.parametrize("base", [2, 0, 0.5, 10.0, -2])
def test_numbers_below(base):
    check("pow", base, values("float64"), grad=base != -2)
    check("pow", base, np.array([0, 1, 2, 3]))


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_two_tensors(dtype):
    edge = np.array([0.0, 1.0, -1.0, 2.0, -2.0, 0.5, 3.0, np.inf, -np.inf, np.nan], dtype)
    check("pow", edge[:, None], edge)
    check("pow", np.abs(ordinary((2, 1, 3), dtype)), ordinary((4, 1), dtype, 1), grad=2)


@pytest.mark.parametrize("dtype", ["int64", "int32", "uint8"])
def test_integers(dtype):
    check("pow", ordinary((5, 1), dtype), np.arange(6).astype(dtype))
    check("pow", np.array([2, 3], dtype), np.array([2.5, -1.0], np.float32))
    check("pow", np.array([2, 3], dtype), -1)
    check("pow", np.array([2, 3], dtype), 0.5)


def test_integers_to_negative_tensors():
    check("pow", np.array([1, -1, 2, -2, 1, -1]), np.array([-1, -1, -1, -1, -2, -2]))


def test_bool():
    check("pow", np.array([True, False]), 2)
    check("pow", np.array([True, False]), -1)
    check("pow", 2, np.array([True, False]))


def test_operators():
    check(lambda torch, x: (x**2, x**-1, x**0.5, 2**x, x**x), np.array([0.5, 2.0, 3.0], np.float32))
    check("Tensor.pow_", np.array([0.5, 2.0], np.float32), 2)
    check(lambda torch, x: x.square(), np.array([0.5, -2.0], np.float32))


@pytest.mark.parametrize("exponent", [2, 0.5, np.array([2.0, 3.0], np.float32)])
def test_float_power(exponent):
    check("float_power", np.array([2.0, 3.0], np.float32), exponent, grad_fn=False)
    check("float_power", np.array([2, 3]), exponent, grad_fn=False)
    check("float_power", np.array([2j, 3], np.complex64), exponent, grad_fn=False)
