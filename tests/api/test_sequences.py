"""Nested sequences of numbers as tensors: sizes, inferred dtypes, refusals."""

import array
import collections
import decimal
import enum
import fractions

import numpy as np
import pytest

from tests.oracle import check, same_warnings

INF, NAN = float("inf"), float("nan")


class Sequence:
    """What has a length and items by number."""

    def __len__(self):
        return 2

    def __getitem__(self, at):
        return (1.0, 2.5)[at]


def endless():
    data = []
    data.append(data)
    return data


DATA = {
    "int": 3, "float": 1.5, "bool": True, "complex": 1j, "nan": NAN, "enum": enum.IntEnum("E", "a b").b,
    "ints": [1, 2], "mixed": [1, 2.5], "bool and int": [True, 2], "complexes": [1j, 1], "nested": [[1, 2], [3, 4.5]],
    "tuple in list": [(1, 2), [3, 4]], "deep": [[[1], [2]], [[3], [4.5]]], "empty": [], "empty rows": [[], []],
    "empty tuple": (), "empty deep": [[[]], [[]]], "range": range(3), "deque": collections.deque([1, 2]),
    "array": array.array("f", [1, 2]), "own sequence": Sequence(), "list of ranges": [range(2), range(2)],
    "ragged": [[1, 2], [3]], "ragged floats": [[1.0], [2.0, 3.0]], "ragged deep": [[[1], [2]], [[3], [4, 5]]],
    "row then number": [[1, 2], 3], "number then row": [1, [2]], "float then row": [1.0, [2]], "none": None,
    "list of none": [1, None], "string": "a", "strings": ["a"], "bytes": b"ab", "list of bytes": [b"ab"], "set": {1},
    "dict": {1: 2}, "list of dict": [{}], "object": object(), "class": int, "endless": endless(),
    "generator": (n for n in [1]), "fraction": fractions.Fraction(1, 2), "decimal": decimal.Decimal("1.5"),
    "float32": np.float32(3), "int32": np.int32(3), "bool_": np.bool_(True), "complex64": np.complex64(1j),
    "float64s": [np.float64(1), 2], "float32s": [np.float32(1), 2], "int32s": [np.int32(1), np.int32(2)],
    "float32s and int64s": [np.float32(1), np.int64(2)], "bools of numpy": [np.bool_(True), False],
    "0-d array": np.array(1.0), "0-d arrays": [np.array(1.0), np.array(2.0)], "str_": np.str_("a"),
    "too large": 2**63, "too large in a list": [2**64], "least": -(2**63), "too large beside a float": [2**63, 1.0],
}  # fmt: skip


@pytest.mark.parametrize("name", ["tensor", "as_tensor", "asarray"])
def test_dtype_and_sizes_are_inferred(name):
    for key, data in DATA.items():
        if key not in ("generator", "array") and not (name == "asarray" and key in ("bytes", "0-d array")):
            check(lambda t, data=data: getattr(t, name)(data), grad=False, strides=True, exact=True)


NUMBERS = [
    0, 1, -1, 127, 128, -128, -129, 255, 256, -255, -256, 32767, 32768, 40000, -40000, 65535, 65536, 2**31 - 1, 2**31,
    -(2**31), 2**32, 2**62, 2.7, -2.7, 0.5, 255.9, 256.0, -128.5, 1e9, 1e40, INF, -INF, NAN, True, 1j, 1 + 0j,
]  # fmt: skip
DTYPES = (
    "uint8", "int8", "int16", "int32", "int64", "uint16", "uint32", "uint64", "bool", "float16", "bfloat16", "float32",
    "float64", "complex64", "complex128",
)  # fmt: skip


@pytest.mark.parametrize("name", DTYPES)
def test_numbers_are_stored_or_refused(name):
    for number in NUMBERS:
        check(lambda t, n=number: t.tensor(n, dtype=getattr(t, name)), grad=False, exact=True)
        check(lambda t, n=number: t.tensor([[n], [1]], dtype=getattr(t, name)), grad=False, exact=True)


@pytest.mark.parametrize("name", ["int32", "float32", "bool", "uint64"])
def test_what_is_no_number_is_refused(name):
    for data in ([None], "1", ["1"], [{}], [10**400], [1, [2]], [object()], [fractions.Fraction(1, 2)], {1}):
        if not (name == "bool" and data in ([None], [{}])) and not (name in ("bool", "uint64") and len(data) == 2):
            check(lambda t, data=data: t.tensor(data, dtype=getattr(t, name)), grad=False, text=name != "bool")


TENSORS = {
    "0-d": lambda t: [t.tensor(1.0), t.tensor(2.0)], "one element": lambda t: [t.ones(1), t.ones(1)],
    "several elements": lambda t: [t.ones(2), t.ones(2)], "int and float": lambda t: [t.tensor(1), 2.5],
    "leaf": lambda t: [t.tensor(1.0, requires_grad=True)], "double": lambda t: [t.tensor(1.0, dtype=t.float64), 1],
}  # fmt: skip


def test_lists_of_tensors():
    for make in TENSORS.values():
        check(lambda t, make=make: t.tensor(make(t)), grad=False)
    check(lambda t: t.tensor([t.tensor(2.7)], dtype=t.int32), grad=False)
    check(lambda t: t.tensor([t.tensor(2)], dtype=t.int16), grad=False)


def test_lists_of_arrays():
    for data in (
        [np.ones(2), np.zeros(2)],
        [[np.ones(2)], [np.ones(2)]],
        [np.ones(2), [1, 2]],
        [np.ones(2), np.ones(3)],
    ):
        check(lambda t, data=data: t.tensor(data), grad=False)


def test_a_list_of_tensors_that_require_grad_warns():
    same_warnings(lambda t: t.tensor([t.tensor(1.0, requires_grad=True)]))


def test_dtype_is_checked():
    for dtype in (np.float32, float, int, bool, "float32", 3):
        check(lambda t, dtype=dtype: t.tensor([1], dtype=dtype), grad=False)
