"""diff, the trapezoidal rule, cov and corrcoef beside torch."""

import numpy as np
import pytest

from tests.edges import ordinary
from tests.oracle import check

X = np.array([1.0, 3.0, 6.0, 10.0])
M = ordinary((3, 4), "float64")


@pytest.mark.parametrize("kwargs", [{}, {"n": 2}, {"n": 9}, {"n": -1}, {"dim": 0}, {"dim": 3}])
def test_diff(kwargs):
    check("diff", M, **kwargs, grad=kwargs.get("n") != 9, grad_fn=False)
    check("diff", np.array([[1, 4, 9], [2, 2, 0]]), **kwargs)


def test_diff_at_edges():
    check("diff", np.array([True, False, False]))
    check("diff", X, prepend=np.zeros(1), append=np.ones(2), grad_fn=False)
    check("diff", X, prepend=np.array(0.0))
    check("diff", np.array(1.0))


@pytest.mark.parametrize("name", ["trapezoid", "cumulative_trapezoid"])
@pytest.mark.parametrize(
    "kwargs", [{}, {"dx": 2}, {"dx": 0.5, "dim": 0}, {"x": np.array([0.0, 1, 3, 6])}, {"x": X[:2]}]
)
def test_trapezoid(name, kwargs):
    check(name, M, **kwargs, grad_fn=False)


def test_trapezoid_at_edges():
    check("trapz", X, grad_fn=False)
    check("trapezoid", np.array([1, 2, 3]))
    check("trapezoid", np.array([True, False]))
    check("trapezoid", X[:0], grad=False)
    check("trapezoid", X[:1], grad_fn=False)


@pytest.mark.parametrize("kwargs", [{}, {"correction": 0}, {"fweights": np.array([1, 2, 3, 1])}])
def test_cov(kwargs):
    check("cov", M, **kwargs, grad_fn=False)
    check("cov", X, **kwargs, grad_fn=False)


def test_weighted_cov():
    weights = np.array([1.0, 2.0, 3.0, 0.5])
    check("cov", M, aweights=weights, grad=False)
    check("cov", M, aweights=weights, fweights=np.array([1, 2, 1, 1]), correction=0, grad=False)
    check("cov", np.array([[1, 2], [3, 4]]))


def test_corrcoef():
    check("corrcoef", M, grad_fn=False)
    check("corrcoef", X, grad=False)


def test_frexp():
    check("frexp", np.array([1.0, -3.0, 0.0, np.inf, 100.0, 0.3]))
    check("frexp", np.array([1, 2]))


def test_whole_points_keep_the_dtype_of_what_is_integrated():
    check("trapezoid", np.array([[1, 4, 9]]), np.array([[0, 2, 3]]), grad=False)
    check("trapezoid", np.array([[1.0, 4, 9]], np.float16), np.array([0, 2, 3]), grad=False)


def test_weights_that_do_not_fit():
    for kwargs in (
        {"fweights": np.ones((4, 4), int)}, {"fweights": np.ones(4)}, {"fweights": np.ones(3, int)},
        {"aweights": np.ones(4, int)}, {"aweights": np.ones(3)},
    ):  # fmt: skip
        check("cov", M, grad=False, **kwargs)
    check("cov", M.astype(np.float16), aweights=np.ones(4, np.float32), grad=False)
