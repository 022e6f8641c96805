"""Nested sequences of numbers as NumPy arrays: their sizes, the dtype torch infers, what it refuses."""

import array as plain
import itertools
import math
import operator

import numpy as np

from jtorch import dtypes
from jtorch._tensor import Tensor, aval
from jtorch.errors import type_name, warn_once

_NUMBERS = frozenset({bool, int, float, complex})
_LISTS = frozenset({list, tuple})
_MAX_DIMS = 128


def to_array(data, dtype=None):
    """(array, dtype) of a number or of nested sequences of them; the dtype is inferred where none is given.

    Raises what torch raises: ValueError for ragged sequences, TypeError and RuntimeError for what is no number.
    """
    numbers, sizes, kinds = _flat(data) or _walked(data, dtype is None)
    if dtype is None:
        dtype = _inferred(kinds)
    return _stored(numbers, set(map(type, numbers)), dtype).reshape(sizes), dtype


def _flat(data):
    """(numbers, sizes, their types) where there are only lists and tuples of equal length and Python's own numbers."""
    level, sizes = [data], []
    while True:
        kinds = set(map(type, level))
        if kinds <= _NUMBERS:
            return level, sizes, kinds
        if not kinds <= _LISTS or len(set(map(len, level))) != 1 or len(sizes) >= _MAX_DIMS:
            return None
        sizes.append(len(level[0]))
        level = list(itertools.chain.from_iterable(level))


def _walked(data, infer):
    sizes = _sizes(data)
    kinds, numbers = set(), []
    if infer:
        _gather_kinds(data, kinds)
    _gather_numbers(data, sizes, 0, numbers)
    return numbers, sizes, kinds


def is_sequence(value):
    """Whether Python counts a value among the sequences: it has items by number."""
    has_items = any("__getitem__" in vars(kind) for kind in type(value).__mro__)  # the class's own, not its metaclass's
    return has_items and not isinstance(value, (dict, Tensor, np.generic))


def _sizes(data):
    sizes = []
    while is_sequence(data):
        sizes.append(len(data))
        if len(sizes) > _MAX_DIMS:
            raise ValueError(f"too many dimensions '{type_name(data)}'")
        if not sizes[-1]:
            break
        data = data[0]
    return sizes


def _gather_kinds(data, kinds):
    """Put the types of all numbers into kinds: Python's own, or the dtypes of arrays, tensors and NumPy's numbers."""
    if isinstance(data, (bool, int, float, complex)) and not isinstance(data, np.generic):
        kinds.add(next(kind for kind in (bool, int, float, complex) if isinstance(data, kind)))
    elif isinstance(data, Tensor):
        kinds.add(aval(data).dtype)
    elif isinstance(data, (np.ndarray, np.generic)):
        kinds.add(dtypes.from_numpy(data.dtype))
    elif isinstance(data, (str, bytes)):
        raise TypeError(f"new(): invalid data type '{type_name(data)}'")
    elif is_sequence(data):
        if len(data) and isinstance(data[0], np.ndarray):
            warn_once(
                "Creating a tensor from a list of numpy.ndarrays is extremely slow. Please consider converting the "
                "list to a single numpy.ndarray with numpy.array() before converting to a tensor."
            )
        for i in range(len(data)):
            _gather_kinds(data[i], kinds)
    else:
        raise RuntimeError(f"Could not infer dtype of {type_name(data)}")


def _gather_numbers(data, sizes, dim, numbers):
    if dim == len(sizes):
        numbers.append(data.item() if isinstance(data, np.generic) else data)
        return
    if not hasattr(data, "__iter__") and not is_sequence(data):
        raise TypeError("not a sequence")
    data = data if isinstance(data, (list, tuple, np.ndarray)) else list(data)
    if len(data) != sizes[dim]:
        raise ValueError(f"expected sequence of length {sizes[dim]} at dim {dim} (got {len(data)})")
    for item in data:
        _gather_numbers(item, sizes, dim + 1, numbers)


def _inferred(kinds):
    found = None
    for kind in kinds:
        this = kind if isinstance(kind, dtypes.dtype) else dtypes.default_for(kind)
        found = this if found is None else dtypes.promote_types(found, this)
    return found or dtypes.Default.float


def _stored(numbers, kinds, dtype):
    """A flat array of numbers, each converted as torch's storing of one number does it."""
    if dtype.category == dtypes.BOOL:
        return np.array([bool(n if isinstance(n, (float, complex)) else operator.index(n)) for n in numbers], np.bool_)
    if dtype.is_complex:
        return np.array(numbers if kinds <= _NUMBERS else list(map(complex, numbers)), dtype.numpy)
    if dtype.category == dtypes.INT:
        return _integers(numbers, kinds, dtype)
    if complex in kinds or not kinds <= _NUMBERS:
        numbers = plain.array("d", numbers)  # asks each of them for a real number, as torch does
    with np.errstate(over="ignore"):
        return np.array(numbers, np.float64).astype(dtype.numpy)


def _integers(numbers, kinds, dtype):
    limits = np.iinfo(dtype.numpy)
    if dtype is dtypes.uint64:
        if not all(isinstance(n, int) for n in numbers):
            raise TypeError("an integer is required")
        return np.array(plain.array("Q", numbers), np.uint64)
    if not kinds <= {bool, int}:
        numbers = [_whole(n, limits, dtype) if isinstance(n, float) else n for n in numbers]
    try:
        found = np.array(numbers if kinds <= {bool, int, float} else plain.array("q", numbers), np.int64)
    except OverflowError:
        raise ValueError("Overflow when unpacking long long") from None
    if dtype is not dtypes.int64 and found.size:
        # torch: a negative number wraps in an unsigned dtype.
        if found.max() > limits.max or found.min() < (limits.min or -limits.max):
            raise _overflow(dtype)
    return found.astype(dtype.numpy)


def _whole(number, limits, dtype):
    if not (math.isfinite(number) and limits.min <= number <= limits.max):
        raise _overflow(dtype)
    return int(number)


def _overflow(dtype):
    return RuntimeError(f"value cannot be converted to type {dtype.name} without overflow")
