"""Sums, means, spreads and tests along dims beside torch: dims in every form, dtypes, empty tensors, refusals."""

import numpy as np
import pytest

from tests.edges import ordinary
from tests.oracle import check, same_warnings

X = ordinary((2, 3, 4), "float32")
EMPTY = np.zeros((0, 3), np.float32)
SCALAR = np.array(3.0, np.float32)
ODD = np.array([[1, np.nan, 2], [np.inf, 1, 0], [-np.inf, -1, 5], [0, 0, 2]], np.float32)
DIMS = [(), (0,), (-1,), ((0, -1),), (1, True), ([0, 2], True), (3,), ((0, 0),)]
SUMS = ["sum", "mean", "nansum", "nanmean"]


@pytest.mark.parametrize("name", SUMS)
@pytest.mark.parametrize("dims", DIMS)
def test_sums(name, dims):
    check(name, X, *dims)


@pytest.mark.parametrize("name", SUMS)
def test_sums_at_edges(name):
    for x in (EMPTY, SCALAR):
        check(name, x)
        check(name, x, 0)
    check(name, SCALAR, 1)
    check(name, ODD, 1, grad=name != "nanmean")
    check(name, X.astype(np.float64), 1, grad=2 if name in ("sum", "mean") else True)
    check(name, ordinary((3, 4), "complex64"), 0)


@pytest.mark.parametrize("name", SUMS)
@pytest.mark.parametrize("dtype", ["int64", "int32", "uint8", "bool", "bfloat16", "float16"])
def test_sums_of_other_dtypes(name, dtype):
    check(name, ordinary((3, 4), dtype))
    check(name, ordinary((3, 4), dtype), 1)


@pytest.mark.parametrize("name", ["sum", "mean", "prod", "nansum"])
@pytest.mark.parametrize("dtype", ["float64", "float32", "int64", "bool"])
def test_dtype_of_a_sum(name, dtype):
    torch = pytest.importorskip("torch")
    check(name, X, grad=False, dtype=getattr(torch, dtype))
    check(name, ordinary((3, 4), "int32"), 1, dtype=getattr(torch, dtype))


def test_names_of_numpy():
    for name in ("sum", "mean", "amax", "all"):
        check(name, X, axis=1)
        check(f"Tensor.{name}", X, axis=0, keepdims=True)
    check("Tensor.std", X, axis=1)
    check("Tensor.max", X, axis=1)


def test_keepdim_is_a_bool():
    for name in ("sum", "mean", "max", "prod"):
        check(f"Tensor.{name}", ordinary((5, 3), "float32"), 0, 1)


def test_long_sums_are_exact():
    check("sum", np.full(1_000_000, 0.1, np.float32), grad=False)
    check("mean", np.full((10, 100_000), 0.1, np.float32), 1, grad=False)
    check("sum", np.full((100_000, 10), 0.1, np.float32), 0, grad=False)


@pytest.mark.parametrize("dims", [(), (0,), (-1,), (1, True), (3,)])
def test_prod(dims):
    for x in (X, np.where(X > 0, X, 0)):
        check("prod", x, *dims)
    check("prod", ordinary((2, 3, 4), "int64"), *dims)


def test_prod_at_edges():
    for x in (EMPTY, SCALAR, np.zeros((2, 2), np.float32), ordinary((3,), "complex64"), ordinary((3,), "bool")):
        check("prod", x)
    check("prod", X.astype(np.float64), 1, grad=2)
    check("prod", X, (0, 1))


SPREADS = ["std", "var", "std_mean", "var_mean"]
SPREAD_ARGS = [
    ((), {}), ((1,), {}), ((0, False), {}), ((-1, True, True), {}), (((0, 1),), {"correction": 0}), ((False,), {}),
    ((), {"unbiased": False}), ((), {"dim": 2, "keepdim": True, "correction": 2}), ((None,), {"correction": 0}),
    ((3,), {}), ((0,), {"correction": 1, "unbiased": True}), (("a",), {}),
]  # fmt: skip


@pytest.mark.parametrize("name", SPREADS)
@pytest.mark.parametrize(("args", "kwargs"), SPREAD_ARGS)
def test_spreads(name, args, kwargs):
    check(name, X, *args, **kwargs, text=args != (0,) and args != ("a",))


@pytest.mark.parametrize("name", SPREADS)
def test_spreads_at_edges(name):
    check(name, np.full((2, 3), 0.5, np.float32), 1)
    check(name, X.astype(np.float64), 1, grad=2)
    check(name, ordinary((3, 4), "complex64"), 1)
    check(name, ordinary((3, 4), "int64"))
    check(name, EMPTY)


def test_too_few_for_a_spread():
    same_warnings(lambda torch: torch.ones(1).std())
    same_warnings(lambda torch: torch.ones(2, 3).var(1, correction=3))


@pytest.mark.parametrize("dims", [(0,), (-1,), ((0, 2),), (1, True), (3,)])
def test_logsumexp(dims):
    check("logsumexp", X, *dims)
    check("logsumexp", X * 100, *dims)


def test_logsumexp_at_edges():
    check("logsumexp", ODD, 1)
    check("logsumexp", ODD[[1, 3]], 0)
    check("logsumexp", EMPTY, 0)
    check("logsumexp", SCALAR, 0)
    check("logsumexp", np.array([[1, 2], [3, 4]]), 1)
    check("logsumexp", X.astype(np.float64), 1, grad=2)


@pytest.mark.parametrize("name", ["all", "any"])
@pytest.mark.parametrize("dims", [*DIMS, ((),)])
def test_tests(name, dims):
    check(name, X > 0, *dims)


@pytest.mark.parametrize("name", ["all", "any", "count_nonzero"])
@pytest.mark.parametrize("dtype", ["float32", "int64", "uint8", "complex64"])
def test_tests_of_numbers(name, dtype):
    x = ordinary((3, 4), dtype) * (ordinary((3, 4), "int32", 2) > 0)
    check(name, x.astype(dtype))
    check(name, x.astype(dtype), 1)


def test_tests_at_edges():
    for name in ("all", "any", "count_nonzero"):
        check(name, EMPTY)
        check(name, EMPTY, 0)
        check(name, ODD, 0)
    check("count_nonzero", X, (0, 2))


@pytest.mark.parametrize("x", [ordinary((3, 4), "float32"), ordinary((3, 3), "int64"), ordinary((3,), "float32")])
def test_trace(x):
    check("trace", x)


def test_out():
    check("sum", X, 0, out=np.zeros((3, 4), np.float32))
    check("std", X, 0, out=np.zeros((3, 4), np.float32))
