"""Functions on single elements that are written by hand: what they refuse in place."""

import numpy as np
import pytest

from tests.oracle import check

X = np.array([0.5, 2.0, 3.0], np.float32)


@pytest.mark.parametrize("name", ["abs_", "absolute_"])
def test_lengths_in_place(name):
    check(f"Tensor.{name}", -X, grad_fn=False)
    check(f"Tensor.{name}", X.astype(np.complex64), grad=False)


@pytest.mark.parametrize("exponent", [2, 2j, X, X.astype(np.complex64)])
def test_powers_in_place(exponent):
    for x in (X, X.astype(np.float64), X.astype(np.complex128)):
        check("Tensor.float_power_", x, exponent, grad=False)
