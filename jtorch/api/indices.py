"""What may stand in an index: Python's and NumPy's numbers, sequences and masks, as torch takes them."""

import operator
import warnings

import numpy as np

from jtorch import dtypes
from jtorch._tensor import Tensor, aval, from_host, read

MASKS = (dtypes.bool_, dtypes.uint8)
_WRONG = "only integers, slices (`:`), ellipsis (`...`), None and long or byte Variables are valid indices (got {})"
_DEPRECATED = (
    "Using a non-tuple sequence for multidimensional indexing is deprecated and will be changed in pytorch 2.9; use "
    "x[tuple(seq)] instead of x[seq]. In pytorch 2.9 this will be interpreted as tensor index, x[torch.tensor(seq)], "
    "which will result either in an error or a different result"
)


def items_of(index):
    """(items, how many dims they name) of an index: ints, slices, None, Ellipsis, bools, and Tensors for the rest.

    Raises IndexError and TypeError in torch's words for what may not stand there.
    """
    if type(index) is not tuple and not (isinstance(index, tuple) or _lists_items(index)):
        index = (index,)
    items, named = [], 0
    for item in index:
        kind = type(item)
        if kind is int or kind is slice:
            named += 1
        elif not (item is None or item is Ellipsis or kind is bool):
            item = _item(item)
            named += dims_of(item)
        items.append(item)
    return items, named


def dims_of(item):
    """How many dims an int or a Tensor in an index stands for."""
    return aval(item).ndim if isinstance(item, Tensor) and aval(item).dtype in MASKS else 1


def _lists_items(index):
    """Whether a list is a tuple of indices to torch: a short one that holds sequences, slices, None or tensors."""
    if isinstance(index, (Tensor, np.ndarray, np.generic)) or not hasattr(index, "__getitem__"):
        return False
    if not hasattr(index, "__len__") or isinstance(index, (dict, set)) or len(index) >= 32:
        return False
    listed = any(isinstance(i, (Tensor, slice)) or i is None or i is Ellipsis or _is_sequence(i) for i in index)
    if listed:
        warnings.warn(_DEPRECATED, stacklevel=4)
    return listed


def _is_sequence(value):
    if isinstance(value, np.ndarray):
        return bool(value.ndim)
    return hasattr(value, "__len__") and hasattr(value, "__getitem__") and not isinstance(value, dict)


def checked(tensor):
    """A tensor that may stand in an index. Raises IndexError for other dtypes."""
    if aval(tensor).dtype not in (dtypes.int64, dtypes.int32, *MASKS):
        raise IndexError("tensors used as indices must be long, int, byte or bool tensors")
    return tensor


def _item(item):
    if isinstance(item, Tensor):
        return checked(item)
    if isinstance(item, np.integer):
        return int(item)
    if isinstance(item, int):
        return operator.index(item)
    if isinstance(item, (str, bytes)):
        raise TypeError(f"new(): invalid data type '{type(item).__name__}'")
    if not _is_sequence(item) and not isinstance(item, np.ndarray):
        kind = type(item)
        name = f"numpy.{kind.__name__}" if kind.__module__ == "numpy" else kind.__name__
        raise IndexError(_WRONG.format(name))
    array = np.array(_plain(item))
    # torch: a sequence of anything but bools and bytes is taken for whole numbers.
    return from_host(array if array.dtype in (np.bool_, np.uint8) else array.astype(np.int64))


def _plain(value):
    """Nested sequences with tensors in them, as NumPy takes them."""
    if isinstance(value, Tensor):
        return value.tolist()
    return [_plain(v) for v in value] if isinstance(value, (list, tuple)) else value


def outside(tensor, low, high, ignored=None):
    """An index that is not in [low, high), where the values are at hand without running anything, else None."""
    values = read(tensor).value
    if not isinstance(values, np.ndarray) or not values.size or values.dtype.kind not in "iu":
        return None
    wrong = (values < low) | (values >= high)
    if ignored is not None:
        wrong &= values != ignored
    return values[wrong].flat[0] if wrong.any() else None
