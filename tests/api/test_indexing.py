"""Tensor indexing, read and write, against torch: values, gradients, strides, grad_fn names, errors."""

import numpy as np
import pytest
import torch as real

import jtorch
from jtorch.engine import stats
from tests.labels import label
from tests.oracle import check

X = np.arange(12.0, dtype=np.float32).reshape(3, 4)
CUBE = np.arange(24.0, dtype=np.float32).reshape(2, 3, 4)
DEEP = np.arange(120.0, dtype=np.float32).reshape(2, 3, 4, 5)
ZERO_DIM = np.array(7.0, np.float32)
MASK = X > 5
WHOLE = slice(None)


def reads(torch):
    """Indices of a (3, 4) tensor, by name."""
    i, pair = torch.tensor([0, 2]), torch.tensor([[0, 1], [2, 0]])
    mask, rows, columns = (torch.tensor(m) for m in (MASK, MASK[:, 0], MASK[1]))
    return {
        "int": 1, "negative": -3, "two ints": (2, 3), "numpy int": np.int64(1), "int tensor": torch.tensor(1),
        "numpy 0-d": np.array(1), "int tensor and int": (torch.tensor(1), 0), "slice": slice(0, 2),
        "past the end": slice(-100, 100), "backwards": slice(5, 2), "step": slice(None, None, 2), "all": WHOLE,
        "all in a tuple": (WHOLE,), "all twice": (WHOLE, WHOLE), "slices": (slice(1, None), slice(None, 3, 2)),
        "slice of tensors": slice(torch.tensor(0), torch.tensor(2)), "slice and int": (slice(0, 2), 1),
        "ellipsis": ..., "ellipsis and int": (..., 1), "int and ellipsis": (1, ...), "two ellipses": (..., ...),
        "none": None, "nones": (None, 0, None, ..., None), "nothing": (), "true": True, "false": False,
        "int and true": (0, True), "all and true": (WHOLE, True), "true and int": (True, 0), "true twice": (True, True),
        "0-d mask": torch.tensor(True), "index": i, "int32 index": i.int(), "negative index": -i,
        "index in two dims": pair,
        "two indices": (i, i), "indices that broadcast": (i, pair), "one element": (i, torch.tensor([1])),
        "slice and index": (WHOLE, i), "index and slice": (i, slice(1, 3)), "int and index": (1, i),
        "index and int": (i, 1),
        "index and none": (i, None, i), "none and index": (None, i), "int tensor and index": (torch.tensor(1), i),
        "empty index": torch.zeros(0, 2, dtype=torch.int64), "list": [0, 2], "nested list": [[0, 1], [2, 0]],
        "lists": ([0, 2], [1, 3]), "tuple in a tuple": ((0, 2),), "empty list": [], "empty lists": ([], []),
        "list of 40": [0] * 40, "list of tensors": [i, i], "list with a slice": [0, WHOLE], "list of floats": [1, 2.5],
        "range": range(2), "range and list": (range(2), [1, 2]), "array": np.array([0, 2]),
        "array in two dims": np.array([[0, 1], [1, 2]]), "mask": mask, "mask of rows": rows,
        "slice and mask": (WHOLE, columns), "mask and int": (rows, 1), "mask and slice": (rows, slice(0, 2)),
        "mask and index": (rows, [1]), "two masks": (rows, columns), "empty mask": torch.tensor(MASK & ~MASK),
        "list of bools": [True, False, True], "array of bools": np.array([True, False, True]), "bytes": mask.byte(),
        "true and index": (True, i),
    }  # fmt: skip


VIEWS = [
    "int", "negative", "two ints", "numpy int", "int tensor", "numpy 0-d", "int tensor and int", "slice",
    "past the end", "backwards", "step", "all", "all in a tuple", "all twice", "slices", "slice of tensors",
    "slice and int", "ellipsis", "ellipsis and int", "int and ellipsis", "two ellipses", "none", "nones", "nothing",
]  # fmt: skip


def names(of):
    return list(of(real))


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", names(reads))
@pytest.mark.parametrize("layout", ["plain", "transposed"])
def test_read(name, layout):
    x = X if layout == "plain" else np.ascontiguousarray(X.T).T
    check(lambda torch, x: x[reads(torch)[name]], x, strides=name in VIEWS)


def wrong_reads(torch):
    i = torch.tensor([0, 2])
    mask = torch.ones(3, 4, dtype=torch.bool)
    return {
        "int": 3, "negative": -4, "second int": (0, 9), "after none": (None, 9), "huge": 2**70, "too many": (0, 0, 0),
        "too many slices": (WHOLE,) * 3, "too many after ellipsis": (..., 0, 0, 0), "float": 1.5, "complex": 1j,
        "string": "a", "string in a tuple": (0, "a"), "dict": {}, "numpy bool": np.True_, "object": iter([1]),
        "negative step": slice(None, None, -1), "no step": slice(None, None, 0), "float slice": slice(1.0, 2),
        "float tensor": torch.tensor([1.0]), "float 0-d": torch.tensor(1.0),
        "short": torch.tensor([1], dtype=torch.int16),
        "int tensor": torch.tensor(5), "int tensor in dim 1": (0, torch.tensor(9)), "index": torch.tensor([5]),
        "negative index": torch.tensor([-4]), "second index": ([0, 1], [0, 9]), "index of a row": (0, [9]),
        "indices do not broadcast": (i, torch.tensor([0, 1, 2])), "mask of another size": mask[:2],
        "mask of other columns": mask[:, :2], "mask of too many dims": (mask, 0), "list of bools": [True, False],
        "second mask": (WHOLE, mask[:, 0]), "nested bools": [[[True, False, True, False]]] * 3,
    }  # fmt: skip


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", names(wrong_reads))
def test_wrong_read(name):
    check(lambda torch, x: x[wrong_reads(torch)[name]], X)


@pytest.mark.parametrize("index", [0, (0,), (0, 0), WHOLE, (WHOLE,), (None, 0), ..., (), None, True, False], ids=label)
def test_read_of_a_0d_tensor(index):
    check(lambda torch, x: x[index], ZERO_DIM, strides=True)


@pytest.mark.parametrize("index", [0, [0], (WHOLE, 2), (WHOLE, [2]), slice(0, 0)], ids=label)
def test_read_of_an_empty_tensor(index):
    check(lambda torch, x: x[index], np.zeros((0, 3), np.float32))


DEEP_INDICES = [
    (WHOLE, [0], WHOLE, [0, 2]), (WHOLE, [0, 2], [0, 1]), (0, WHOLE, [0, 2]), (0, WHOLE, WHOLE, [0, 2]),
    ([0, 1], WHOLE, WHOLE, [0, 2]), ([0, 1], [0, 1], [0, 1], [0, 1]), (..., [0, 2]), ([0, 1], ..., [0, 2]),
    (WHOLE, None, [0, 2], slice(1, 3)), (0, ..., None, 1), (WHOLE, slice(1, None), [1, 0], 2), ([[0], [1]], [0, 1]),
]  # fmt: skip


@pytest.mark.parametrize("index", DEEP_INDICES, ids=label)
def test_where_the_dims_of_index_tensors_go(index):
    check(lambda torch, x: x[index], DEEP)


@pytest.mark.parametrize("index", DEEP_INDICES, ids=label)
def test_write_where_the_dims_of_index_tensors_go(index):
    def write(torch, x):
        y = x.clone()
        y[index] = y[index] * 10
        y[index] = 1.5
        return y

    check(write, DEEP)


def values(torch):
    """Values to write into what an index of a (3, 4) tensor reads, by name."""
    return {
        "int": 5, "float": 1.5, "bool": True, "numpy int": np.int64(2), "numpy float": np.float64(2.5),
        "0-d": torch.tensor(7.0), "one element": torch.ones(1), "one element in 3-d": torch.ones(1, 1, 1),
        "row": torch.arange(4.0), "row in 3-d": torch.arange(4.0).reshape(1, 1, 4),
        "rows": torch.arange(8.0).reshape(2, 4), "column": torch.arange(3.0).reshape(3, 1), "six": torch.arange(6.0),
        "whole numbers": torch.arange(4), "0-d whole": torch.tensor(3), "double": torch.arange(4.0).double(),
        "0-d double": torch.tensor(2.5).double(), "five": torch.arange(5.0), "list": [1, 2, 3, 4], "array": np.ones(4),
        "float32 number": np.float32(2), "numpy bool": np.True_, "string": "a", "none": None, "complex": 1 + 2j,
        "transposed": torch.arange(12.0).reshape(4, 3).t(),
    }  # fmt: skip


FULLY = ["int", "slices", "index", "mask", "slice and mask"]
BRIEFLY = [
    "negative", "two ints", "int tensor", "slice", "step", "all", "slice and int", "ellipsis", "ellipsis and int",
    "nones", "nothing", "true", "false", "two indices", "slice and index", "int and index", "index and slice", "list",
    "empty list", "range", "array", "mask of rows", "mask and int", "mask and slice", "mask and index", "two masks",
    "empty mask", "list of bools",
]  # fmt: skip
WRITES = [(name, value) for name in FULLY for value in names(values)]
WRITES += [(name, value) for name in BRIEFLY for value in ("float", "0-d", "row", "six")]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("name", "value"), WRITES)
def test_write(name, value):
    def write(torch, x):
        y = x.clone()
        y[reads(torch)[name]] = values(torch)[value]
        return y

    check(write, X)


@pytest.mark.parametrize("name", ["int", "slices", "index", "mask", "slice and mask", "int and index", "nones"])
def test_gradient_of_what_is_written(name):
    def write(torch, x, v):
        y = x * 2
        index = reads(torch)[name]
        y[index] = v[index] * 3
        return y * y

    check(write, X, X[::-1].copy())


@pytest.mark.parametrize("shape", [(6,), (1,), (), (1, 6)], ids=label)
def test_gradient_of_what_is_written_through_a_mask(shape):
    def write(torch, x, v):
        y = x * 2
        y[x > 5] = v
        return y * y

    check(write, X, np.arange(np.prod(shape), dtype=np.float32).reshape(shape) + 1)


def test_a_mask_is_written_through_without_being_read():
    x = jtorch.arange(12.0).reshape(3, 4)
    x[x > 5] = 0
    x[:, 1][x[:, 1] < 3] = -1
    x[x < 0] = jtorch.ones(1)
    assert not stats.flushes["read"]


@pytest.mark.parametrize("dtype", ["uint8", "int32", "bool", "float16", "float32"])
@pytest.mark.parametrize("value", [-1, 300, 1.5, 2**40, 1e10, 1e300, float("inf"), float("nan"), 1j, 1 + 0j])
@pytest.mark.parametrize("name", ["int", "mask"])
def test_numbers_that_do_not_fit(dtype, value, name):
    def write(torch, x):
        y = x.to(getattr(torch, dtype))
        y[reads(torch)[name]] = value
        return y

    check(write, X, grad=False)


@pytest.mark.parametrize("index", [0, (0, 0), WHOLE, ..., (WHOLE, 1), [0], "mask"], ids=label)
def test_a_leaf_that_requires_grad_is_not_written(index):
    def write(torch, x):
        x[x > 5 if index == "mask" else index] = 1.0

    check(write, X)


def test_views_write_back():
    def write(torch, x):
        y = x.clone()
        y[0][1] = 5
        y[1][2:][0] += 3
        y[:, 0::2] *= 10
        row = y[2]
        row[1:3].zero_()
        column = y[:, 3]
        y[0, 3] = 99
        y.view(-1)[::5] = -1
        y.t()[1, 2] = 42
        return y, row, column

    # torch names the new history of a view whose base was written to AsStridedBackward0, whatever made the view.
    check(write, X, grad_fn=False)


def test_writes_through_a_chain_of_int_indices():
    def write(torch, x):
        y = x.clone()
        for i in range(2):
            for j in range(3):
                y[i][j][i + j] = 100 * i + j
                y[i][j][0] += 1
        return y

    check(write, CUBE)


def test_in_place_arithmetic_on_items():
    def write(torch, x):
        y = x * 1
        y[0] += y[1]
        y[:, 1] *= 2
        y[[0, 2]] -= 1
        y[y > 7] /= 2
        return y

    check(write, X)


def test_index_put():
    def put(torch, x):
        i = torch.tensor([0, 2, 0])
        y = x.index_put((i,), torch.ones(3, 4), accumulate=True)
        y.index_put_((i, i), torch.tensor([5.0, 6.0, 5.0]))
        return torch.index_put(y, (x > 8,), torch.tensor(1.0))

    check(put, X)


@pytest.mark.parametrize("indices", [([0], [0], [0]), ([0, 9],)], ids=label)
def test_wrong_index_put(indices):
    check(lambda torch, x: x.index_put(tuple(map(torch.tensor, indices)), torch.tensor(1.0)), X)
