"""Collating and converting: nested structures, NumPy, types of the user's own, as torch does."""

import collections
import importlib
from types import MappingProxyType

import numpy as np
import pytest

from tests.labels import label
from tests.oracle import same, same_error

Pair = collections.namedtuple("Pair", "x y")


class Row(list):
    """A list with an attribute."""

    name = "plain"


class Box(dict):
    """A dict with an attribute."""


class Fixed(tuple):
    """A tuple that nobody can make from one argument."""

    def __new__(cls, a, b):
        return super().__new__(cls, (a, b))


def box(**items):
    made = Box(**items)
    made.label = "kept"
    return made


SAMPLES = {
    "floats": [1.5, 0.1],
    "ints": [3, 4],
    "large ints": [2**40, -(2**40)],
    "bools": [True, False],
    "ints and floats": [1, 2.5],
    "ints and bools": [3, True],
    "strings": ["a", "b"],
    "bytes": [b"a", b"b"],
    "tuples": [(1, 2.0), (3, 4.0)],
    "lists": [[1, 2.0], [3, 4.0]],
    "dicts": [{"a": 1, "b": [1.0, "x"]}, {"a": 2, "b": [2.0, "y"]}],
    "named tuples": [Pair(1, 2.0), Pair(3, 4.0)],
    "boxes": [box(a=1), box(a=2)],
    "rows": [Row([1, 2]), Row([3, 4])],
    "read-only mappings": [MappingProxyType({"a": 1}), MappingProxyType({"a": 2})],
    "ordered dicts": [collections.OrderedDict(b=1, a=2), collections.OrderedDict(b=3, a=4)],
    "default dicts": [collections.defaultdict(int, a=1), collections.defaultdict(int, a=2)],
    "ranges": [range(2), range(1, 3)],
    "arrays": [np.ones((2, 3), np.float32), np.zeros((2, 3), np.float32)],
    "arrays of float64": [np.arange(3.0), np.arange(3.0) + 0.1],
    "arrays of uint8": [np.arange(3, dtype=np.uint8)] * 2,
    "numbers of NumPy": [np.float64(0.1), np.float64(0.2)],
    "float32 numbers": [np.float32(0.1), np.float32(0.2)],
    "int16 numbers": [np.int16(3), np.int16(4)],
    "bool_ numbers": [np.bool_(True), np.bool_(False)],
    "0-d arrays": [np.array(1.5), np.array(2.5)],
    "empty lists": [[], []],
}


@pytest.mark.parametrize("name", SAMPLES)
def test_collate(name):
    same(lambda torch: torch.utils.data.default_collate(SAMPLES[name]), exact=True)


@pytest.mark.parametrize("name", SAMPLES)
def test_convert(name):
    same(lambda torch: torch.utils.data.default_convert(SAMPLES[name]), exact=True)


def test_attributes_of_containers_stay():
    same(lambda torch: torch.utils.data.default_collate(SAMPLES["boxes"]).label)
    same(lambda torch: torch.utils.data.default_convert(box(a=np.ones(2))).label)


def test_sequences_that_cannot_be_made_become_lists():
    same(lambda torch: type(torch.utils.data.default_collate([Fixed(1, 2), Fixed(3, 4)])).__name__)


@pytest.mark.parametrize(
    "make",
    [
        lambda torch: torch.arange(6).reshape(2, 3),
        lambda torch: torch.arange(6.0).reshape(2, 3).t(),
        lambda torch: torch.arange(6.0).reshape(2, 3)[:, 1:],
        lambda torch: torch.arange(6.0)[::2],
        lambda torch: torch.arange(6.0)[3],
        lambda torch: torch.ones(2, 1).expand(2, 3),
        lambda torch: torch.ones(2) * 3,
        lambda torch: torch.from_numpy(np.arange(3.0)),
        lambda torch: torch.ones(0),
        lambda torch: torch.tensor(True),
    ],
)
def test_tensors(make):
    same(lambda torch: torch.utils.data.default_collate([make(torch), make(torch) * 1]), exact=True)


def test_writes_to_a_sample_do_not_reach_the_batch():
    def run(torch):
        source = np.zeros(3)
        samples = [torch.from_numpy(source), torch.zeros(3, dtype=torch.float64)]
        batch = torch.utils.data.default_collate(samples)
        source[:] = 1
        samples[1].fill_(2)
        return batch, samples

    same(run)


def test_gradients_go_through():
    def run(torch):
        leaf = torch.ones(3, requires_grad=True)
        torch.utils.data.default_collate([leaf * 2, leaf]).sum().backward()
        return leaf.grad

    same(run)


def test_a_type_of_the_users_own():
    def run(torch):
        from_module = importlib.import_module(f"{torch.__name__}.utils.data._utils.collate")

        class Point:
            def __init__(self, x):
                self.x = x

        known = {**from_module.default_collate_fn_map, Point: lambda batch, *, collate_fn_map: sum(p.x for p in batch)}
        return from_module.collate([(Point(1), 2), (Point(3), 4)], collate_fn_map=known)

    same(run)


@pytest.mark.parametrize(
    "batch",
    [
        [object, object],
        [None, None],
        [[1, 2], [1]],
        [(1, 2), (1,)],
        [np.array(["a"]), np.array(["b"])],
        [np.array([None]), np.array([None])],
        [1.5, "a"],
    ],
    ids=label,
)
def test_errors(batch):
    same_error(lambda torch: torch.utils.data.default_collate(batch), text=batch[0] != 1.5)


def test_error_of_unequal_tensors():
    same_error(lambda torch: torch.utils.data.default_collate([torch.ones(2), torch.ones(3)]))
    same_error(lambda torch: torch.utils.data.default_collate([np.ones(2), np.ones(3)]))
