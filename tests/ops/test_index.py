"""Ops that read and write whole slices at index tensors, beside torch."""

import numpy as np
import pytest

from tests.edges import ordinary
from tests.labels import label
from tests.oracle import check, const

X = ordinary((3, 4), "float32")
DEEP = ordinary((2, 3, 4, 5), "float32")
SCALAR = np.array(1.5, np.float32)
TENSORS = {"matrix": X, "vector": X[0], "0-d": SCALAR, "deep": DEEP, "transposed": X.T}
INDICES = {
    "two": [0, 2], "a pair of rows": [[0, 1], [2, 0]], "one": 1, "none": [], "twice": [1, 0, 1],
}  # fmt: skip


def index(name, dtype=np.int64):
    return const(np.array(INDICES[name], dtype))


def inside(x, dim, name):
    """Whether an index stays inside a dim: outside, torch raises and jtorch cannot know."""
    size = x.shape[dim] if x.ndim and -x.ndim <= dim < x.ndim else 1
    places = np.array(INDICES[name], np.int64)
    return not places.size or places.max() < size


@pytest.mark.parametrize("given", TENSORS)
@pytest.mark.parametrize("at", INDICES)
@pytest.mark.parametrize("dim", [0, -1])
def test_index_select(given, at, dim):
    x = TENSORS[given]
    if inside(x, dim, at):
        check("index_select", x, dim, index(at))
        check("Tensor.index_select", x, dim, index(at, np.int32), grad=False)


@pytest.mark.parametrize("at", ["two", "a pair of rows", "one", "none", "twice"])
def test_index_add(at):
    for source in (X[:2], X[:1], X, X[:, :2], X[:2].astype("float64"), X[0], SCALAR):
        check("index_add", X, 0, index(at), source)
    check("Tensor.index_add_", X, 1, index("two"), X[:, :2], alpha=2.5)
    check("index_add", X, 0, const(np.array([0.0, 1.0])), X[:2])


@pytest.mark.parametrize("at", ["two", "a pair of rows", "one", "none"])
def test_index_copy(at):
    for source in (X[:2], X[:1], X, X[:2, :2], X[:2].astype("float64"), X[0], SCALAR):
        check("index_copy", X, 0, index(at), source)
    check("Tensor.index_copy_", X, 1, index("two"), X[:, :2])
    check("index_copy", X, 0, index("two", np.int32), X[:2])
    check("index_copy", X[0], 0, index("one"), SCALAR)


@pytest.mark.parametrize("at", ["two", "a pair of rows", "one", "none"])
def test_index_fill(at):
    for value in (2.5, 3, SCALAR, X[0]):
        check("index_fill", X, 0, index(at), value)
    check("Tensor.index_fill_", X, -1, index(at), -1.0)
    check("index_fill", X, 0, const(np.array([0.0])), 1.0)


@pytest.mark.parametrize("at", [[0, 5], [[0, 1], [2, 0]], [-1, 3], 3, []], ids=label)
def test_take_and_put(at):
    places = np.array(at, np.int64)
    check("take", X, const(places))
    check("take", np.zeros((0,), np.float32), const(places))
    check("take", X, const(places.astype(np.float32)))
    check("put", X, const(places), ordinary(places.shape, "float32"), accumulate=True)
    check("put", X, const(places), X[0, :3])
    if len(set(places.flat)) == places.size:
        check("Tensor.put_", X, const(places), ordinary(places.shape, "float32"))


@pytest.mark.parametrize(("dim", "at"), [(0, 1), (1, 2), (-1, 0), (0, -1)])
def test_select_scatter(dim, at):
    for src in (X[0], X[:, 0], X):
        check("select_scatter", X, src, dim, at)


@pytest.mark.parametrize("args", [(0, 1, 3), (1, None, None, 2), (0, 0, None, 2), (1, -3, -1), (0, 0, 9)])
def test_slice_scatter(args):
    for src in (X[:2], X[:, :2], X):
        check("slice_scatter", X, src, *args)


def test_second_gradients():
    check("index_select", X, 0, index("twice"), grad=2)
    check(lambda torch, x: (x[[0, 0, 2]] ** 2)[:, [1, 1]], X, grad=2)
    check("index_add", X, 0, index("two"), X[:2], grad=2)
