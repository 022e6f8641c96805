"""median, mode and quantile beside torch."""

import numpy as np
import pytest

from tests.edges import ordinary
from tests.oracle import check, const

X = ordinary((3, 5), "float32")
EVEN = ordinary((4, 6), "float32")
NAN = np.array([[1, np.nan, 2, 3], [4, 7, 5, 0], [np.inf, 1, -np.inf, 2]], np.float32)


@pytest.mark.parametrize("name", ["median", "nanmedian"])
@pytest.mark.parametrize("args", [(), (0,), (-1,), (1, True), (3,)])
def test_medians(name, args):
    check(name, X, *args)
    check(name, EVEN, *args)
    check(name, NAN, *args)


@pytest.mark.parametrize("dtype", ["int64", "uint8", "float64"])
def test_medians_of_other_dtypes(dtype):
    check("median", np.arange(12).astype(dtype)[::-1].reshape(3, 4), 1)
    check("median", ordinary((7,), dtype))


def test_ties_share_the_slope_of_a_median():
    check("median", np.array([2.0, 1.0, 2.0, 3.0, 2.0]))


@pytest.mark.parametrize("args", [(), (0,), (1, True), (3,)])
def test_mode(args):
    check("mode", np.array([[1, 2, 2, 3], [3, 3, 1, 1], [5, 6, 7, 8]]), *args)
    check("mode", np.array([[1.0, 2.0, 2.0], [3.0, 3.0, 1.0]]), *args)


@pytest.mark.parametrize("name", ["quantile", "nanquantile"])
@pytest.mark.parametrize("interpolation", ["linear", "lower", "higher", "midpoint", "nearest"])
def test_quantiles(name, interpolation):
    check(name, X, 0.3, interpolation=interpolation, grad_fn=False)
    check(name, X, const(np.array([0.25, 0.5, 1.0], np.float32)), dim=1, interpolation=interpolation, grad=False)


@pytest.mark.parametrize("name", ["quantile", "nanquantile"])
def test_quantiles_keep_dims_and_nan(name):
    check(name, X, 0.4, keepdim=True, grad_fn=False)
    check(name, X, const(np.array([0.4], np.float32)), 0, True, grad_fn=False)
    check(name, NAN, 0.6, 1, grad=False)
    check(name, np.array(2.0, np.float32), 0.5, grad_fn=False)


def test_quantiles_refuse():
    check("quantile", X, 1.5)
    check("quantile", X, 0.5, interpolation="best")
    check("quantile", np.arange(3), 0.5)
    check("quantile", X[:0], 0.5)
    check("quantile", X, const(np.array([[0.5]], np.float32)))
    check("quantile", X, const(np.array([0.5])))
    check("quantile", X, 0.5, 3)


@pytest.mark.parametrize("interpolation", ["linear", "lower", "midpoint"])
def test_shares_get_gradients_where_results_move_with_them(interpolation):
    check("quantile", X, np.array([0.3, 0.8], np.float32), 1, interpolation=interpolation, grad_fn=False)
