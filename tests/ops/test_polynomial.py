"""Orthogonal polynomials beside torch: orders from -1 on, at ±1, inside and outside."""

import numpy as np
import pytest

from tests.oracle import check

NAMES = [f"{moved}chebyshev_polynomial_{kind}" for kind in "tuvw" for moved in ("", "shifted_")] + [
    "hermite_polynomial_h", "hermite_polynomial_he", "laguerre_polynomial_l", "legendre_polynomial_p",
]  # fmt: skip
X = np.array([-1.5, -1.0, -0.7, 0.0, 0.2, 0.5, 0.99, 1.0, 1.3])[:, None]
N = np.array([-1.0, 0.0, 1.0, 2.0, 3.7, 5.0, 9.0, 20.0, 600.0])


@pytest.mark.parametrize("name", NAMES)
def test_values(name):
    def values(torch, x, n, narrow):
        polynomial = getattr(torch.special, name)
        return polynomial(x, n), polynomial(narrow, 4), polynomial(2, n[:6].long())

    check(values, X, N, X.astype(np.float32))  # have no gradients
    check(f"special.{name}", X.astype(np.float16), 2, grad=False)
    check(f"special.{name}", 2, 3)
