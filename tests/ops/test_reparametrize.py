"""Slopes of draws in their parameters: beside torch's approximations, and beside those of the cdf itself."""

import numpy as np
from scipy import special, stats

import jtorch
from tests.oracle import check

X = np.array([1e-3, 0.1, 0.5, 0.9, 0.999])
ALPHA = np.array([[0.3], [1.0], [4.0], [60.0]])
BETA = 2.5


def test_gamma_numbers():
    # torch: its approximations have three digits.
    check(lambda m, a, x: (m._standard_gamma_grad(a, x) * 50).round(), ALPHA + 0 * X, ALPHA * (X + 0.5), grad=False)


def test_beta_numbers():
    check(lambda m, x, a: (m._dirichlet_grad(x, a, a + BETA) * 50).round(), X + 0 * ALPHA, ALPHA + 0 * X, grad=False)


def test_beta_numbers_are_exact():
    step = 1e-5 * ALPHA
    below, above = (special.betainc(a, BETA, X) for a in (ALPHA + step, ALPHA - step))
    left, right = (special.betaincc(a, BETA, X) for a in (ALPHA - step, ALPHA + step))
    rise = np.where(X < 0.6, below - above, left - right) / (2 * step)
    expected = -rise / stats.beta.pdf(X, ALPHA, BETA) / (1 - X)
    x, alpha = jtorch.tensor(X + 0 * ALPHA), jtorch.tensor(ALPHA + 0 * X)
    np.testing.assert_allclose(jtorch._dirichlet_grad(x, alpha, alpha + BETA).numpy(), expected, rtol=1e-5)
