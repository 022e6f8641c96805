"""Special functions beside torch, at points where both are exact enough to be compared."""

import numpy as np
import pytest

from tests.oracle import check

POINTS = np.array([-2.7, -1.3, -0.5, 0.1, 0.5, 1.0, 1.7, 3.0, 8.5])
EDGES = np.array([0.0, -0.0, 1.0, -1.0, np.inf, -np.inf, np.nan])


@pytest.mark.parametrize("name", ["erf", "erfc", "sigmoid", "lgamma", "digamma", "sinc", "i0"])
def test_one_operand(name):
    check(name, POINTS)
    check(name, POINTS.astype(np.float32), grad=False)
    check(name, np.arange(1, 5))


@pytest.mark.parametrize("name", ["erf", "erfc", "erfinv", "sigmoid", "lgamma", "digamma", "logit"])
def test_edges(name):
    check(name, EDGES if name != "logit" else EDGES[2:], grad=name not in ("digamma", "lgamma"))


def test_erfinv():
    check("erfinv", np.linspace(-0.9, 0.9, 7))


@pytest.mark.parametrize("eps", [None, 0.1, 0.3])
def test_logit(eps):
    check("logit", np.array([0.0, 0.05, 0.1, 0.3, 0.5, 0.7, 0.9, 1.0, 1.5, -0.5]), eps)


@pytest.mark.parametrize("n", [0, 1, 2, 3])
def test_polygamma(n):
    check("polygamma", n, POINTS[POINTS > 0])
    check("polygamma", -1, POINTS)


def test_mvlgamma():
    check("mvlgamma", np.array([2.5, 4.0]), 3)
    check("mvlgamma", np.array([2.5, 4.0]), 0)


@pytest.mark.parametrize("name", ["igamma", "igammac"])
def test_incomplete_gamma(name):
    check(name, np.array([0.5, 1.0, 3.0]), np.array([0.2, 2.0, 2.5]), grad=False)


def test_xlogy():
    x, y = np.array([0.0, 0.0, 2.0, -1.0, 0.0]), np.array([0.0, 3.0, 0.5, 2.0, np.nan])
    check("xlogy", x, y)
    check("xlogy", x, 2)
    check("xlogy", 2, y)
    check("xlogy", np.array([1, 0]), np.array([2, 0]))


def test_zeros_of_lgamma():
    for dtype in ("float32", "float64"):
        check("lgamma", np.array([1, 2], dtype), exact=True, grad=False)


def test_second_derivatives_of_gamma():
    x = np.array([-3.2, -0.5, 0.4, 2.5])
    check("lgamma", x, grad=2)
    check("digamma", x, grad=2)
