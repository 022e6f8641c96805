"""max, min, amax, argmax and kin beside torch: overloads, ties, nan, empty tensors."""

import numpy as np
import pytest

from tests.edges import ordinary
from tests.oracle import check, same_print

X = ordinary((2, 3, 4), "float32")
TIES = np.array([[1, 3, 3, 0], [2, 2, 2, 2], [0, 1, 1, 3]], np.float32)
NAN = np.array([[1, np.nan, 2, 3], [np.nan, np.nan, 5, 0], [np.inf, 1, -np.inf, 2]], np.float32)
EMPTY = np.zeros((0, 3), np.float32)
SCALAR = np.array(3.0, np.float32)
BOTH = ["max", "min"]


@pytest.mark.parametrize("name", BOTH)
@pytest.mark.parametrize("args", [(), (0,), (-1,), (1, True), (3,)])
def test_overloads(name, args):
    for x in (X, TIES, NAN):
        check(name, x, *args)
    check(f"Tensor.{name}", ordinary((2, 3), "int64"), *args)


@pytest.mark.parametrize("name", BOTH)
def test_of_two_tensors(name):
    check(name, X, X[0])
    check(name, X, np.array(0.5))
    check(name, X, np.array([1, 2, 3, 4]))
    check(name, X, other=X + 1)


@pytest.mark.parametrize("name", BOTH)
def test_arguments_by_name(name):
    check(name, X, dim=1, keepdim=True)
    check(f"Tensor.{name}", X, axis=0, keepdims=True)
    check(name, X, 2.5)
    check(name, X, (0, 1))


@pytest.mark.parametrize("name", [*BOTH, "amax", "amin", "argmax", "argmin", "median"])
def test_empty_and_0_d(name):
    check(name, EMPTY, text=name != "median")
    check(name, EMPTY, 0)
    check(name, EMPTY, 1)
    check(name, SCALAR)
    check(name, SCALAR, 0)
    check(name, SCALAR, 1)


@pytest.mark.parametrize("name", [*BOTH, "amax", "amin", "argmax", "argmin"])
@pytest.mark.parametrize("dtype", ["int64", "uint8", "bool", "bfloat16", "float64", "complex64"])
def test_other_dtypes(name, dtype):
    check(name, ordinary((3, 4), dtype))
    check(name, ordinary((3, 4), dtype), 1)


@pytest.mark.parametrize("name", ["amax", "amin"])
@pytest.mark.parametrize("dims", [(), (0,), ((0, -1),), ((),), (1, True), (3,), ((1, 1),)])
def test_over_dims(name, dims):
    for x in (X, X.round()):
        check(name, x, *dims)


@pytest.mark.parametrize("name", ["amax", "amin"])
def test_nan_over_dims(name):
    check(name, NAN, 1)
    check(name, NAN)


@pytest.mark.parametrize("dim", [None, 0, -1, 3])
@pytest.mark.parametrize("keepdim", [False, True])
def test_aminmax(dim, keepdim):
    check("aminmax", X, dim=dim, keepdim=keepdim)
    check("aminmax", TIES, dim=dim, keepdim=keepdim)


@pytest.mark.parametrize("name", ["argmax", "argmin"])
@pytest.mark.parametrize("args", [(), (0,), (-1,), (1, True), (None, True), (3,)])
def test_places(name, args):
    for x in (X, TIES, NAN):
        check(name, x, *args)


def test_results_have_names():
    same_print(lambda torch: torch.tensor([[1.0, 3.0], [4.0, 2.0]]).max(1))
    same_print(lambda torch: torch.aminmax(torch.tensor([1.0, 3.0])))
    check(lambda torch, x: (x.max(1).values, x.min(0).indices), X)


def test_out():
    check("amax", X, 0, out=np.zeros((3, 4), np.float32))
    check("max", X, out=np.zeros((), np.float32))
    check("maximum", X, X, out=np.zeros((2, 3, 4), np.float32))
