"""gather, scatter and kin beside torch: shapes that differ, ties, zeros among factors, errors."""

import numpy as np
import pytest

from tests.edges import ordinary
from tests.oracle import check, const

X = ordinary((3, 4), "float32")
SCALAR = np.array(1.5, np.float32)
TENSORS = {"matrix": X, "vector": X[0], "0-d": SCALAR, "cube": ordinary((3, 3, 3), "float32")}
INDICES = {
    "square": np.array([[0, 1], [2, 0]]), "row": np.array([[2, 1, 0, 1]]), "column": np.array([[1], [2], [0]]),
    "short column": np.array([[1], [2]]), "whole": np.zeros((3, 4), np.int64), "too wide": np.zeros((2, 5), np.int64),
    "tall": np.zeros((5, 2), np.int64), "no rows": np.zeros((0, 2), np.int64), "vector": np.array([0, 2]),
    "0-d": np.array(0), "cube": np.zeros((2, 2, 2), np.int64), "int32": np.array([[1, 2, 0], [0, 0, 2]], np.int32),
    "floats": np.zeros((2, 2), np.float32), "empty": np.zeros((0,), np.int64),
}  # fmt: skip


def inside(x, at):
    places = INDICES[at]
    return not places.size or places.max() < min(x.shape, default=1)


@pytest.mark.parametrize("given", TENSORS)
@pytest.mark.parametrize("at", INDICES)
@pytest.mark.parametrize("dim", [0, -1, 4])
def test_gather(given, at, dim):
    x = TENSORS[given]
    if inside(x, at):
        check("gather", x, dim, const(INDICES[at]))


@pytest.mark.parametrize("at", INDICES)
@pytest.mark.parametrize("dim", [0, 1, None])
def test_take_along_dim(at, dim):
    check("take_along_dim", X, const(INDICES[at]), dim)


@pytest.mark.parametrize("at", INDICES)
@pytest.mark.parametrize("dim", [0, 1])
def test_scatter(at, dim):
    # torch has no gradient for a src larger than index.
    places = INDICES[at]
    for src in (ordinary(places.shape, "float32"), ordinary(places.shape, "float64"), SCALAR):
        check("scatter", X, dim, const(places), src, grad=len(set(places.flat)) == places.size)
        check("scatter_add", X, dim, const(places), src)
    check("Tensor.scatter_", X, dim, const(places), 2.5)
    check("Tensor.scatter_", X, dim, const(places), value=3)
    check("Tensor.scatter_add_", X, dim, const(places), ordinary((5, 5), "float32"), grad=False)


@pytest.mark.filterwarnings("ignore:The reduce argument")
@pytest.mark.parametrize("reduce", ["add", "multiply", "max"])
def test_scatter_with_reduce(reduce):
    check("scatter", X, 0, const(INDICES["square"]), X[:2, :2], reduce=reduce, grad=False)
    check("scatter", X, 0, const(INDICES["square"]), 1.5, reduce=reduce, grad=False)


@pytest.mark.parametrize("reduce", ["sum", "prod", "mean", "amax", "amin", "median"])
@pytest.mark.parametrize("include_self", [True, False])
def test_scatter_reduce(reduce, include_self):
    for at in ("square", "row", "column", "no rows", "vector", "floats"):
        places = INDICES[at]
        src = ordinary(places.shape, "float32")
        check("scatter_reduce", X, 0, const(places), src, reduce, include_self=include_self)
    whole = ordinary((5,), "int64")
    at = const(np.array([0, 0, 1, 1, 2]))
    check("scatter_reduce", whole, 0, at, whole * 3 - 5, reduce, include_self=include_self)


@pytest.mark.parametrize("name", ["scatter_reduce", "index_reduce"])
@pytest.mark.parametrize("reduce", ["prod", "mean", "amax", "amin"])
@pytest.mark.parametrize("include_self", [True, False])
@pytest.mark.filterwarnings("ignore:index_reduce")
def test_reductions_with_ties_and_zeros(name, reduce, include_self):
    one, other = np.array([0.0, 2.0, 0.0, 3.0, 1.0]), np.array([0.0, 0.0, 3.0, 0.0, 4.0])
    at = const(np.array([0, 0, 1, 1, 2]))
    for x, src in ((one, other), (other, one), (one, one)):
        check(name, x, 0, at, src, reduce, include_self=include_self)


@pytest.mark.filterwarnings("ignore:index_reduce")
def test_index_reduce_along_dims():
    check("index_reduce", X, 0, const(np.array([0, 0, 1])), X * 2, "amax")
    check("index_reduce", X, 1, const(np.array([0, 0])), X[:, :2], "mean", include_self=False)
    check("Tensor.index_reduce_", X, 1, const(np.array([3, 0])), X[:, :2], "prod")
    check("index_reduce", X, 0, const(np.array([0, 0, 1])), X, "sum")


def test_second_gradients():
    for at in ("column", "row", "square"):
        check(lambda torch, x, i: torch.gather(x * x, 0, i), X, const(INDICES[at]), grad=2)
    check(lambda torch, x, s, i: (x * x).scatter_add(0, i, s * s), X, X[:1], const(INDICES["row"]), grad=2)


def test_bools_are_added_by_or():
    x, src = np.array([True, False, False]), np.array([True, False, True])
    at = np.array([1, 2, 1])
    check("scatter_add", x, 0, at, src)
    check("scatter_reduce", x, 0, at, src, "prod", include_self=False)
    check("index_add", x, 0, at, src)
    check("put", x, at, src, True)


def test_second_gradients_of_products():
    x, src, at = ordinary((3,), "float64"), np.array([2.0, 0.0, 0.0, 3.0]), np.array([0, 0, 2, 0])
    for include_self in (True, False):
        check("scatter_reduce", x, 0, at, src, "prod", include_self=include_self, grad=2)
        check("index_reduce", x, 0, at, src, "prod", include_self=include_self, grad=2)
