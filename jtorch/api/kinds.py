"""What torch's argument parser takes for each kind of parameter, and what it calls the kind."""

import numpy as np

from jtorch import devices, dtypes
from jtorch._tensor import Tensor, aval
from jtorch.errors import type_name
from jtorch.rng.generator import Generator
from jtorch.shapes import is_symbolic

WORDS = {
    "Tensor": "Tensor", "Scalar": "Number", "int": "int", "float": "float", "bool": "bool", "str": "str",
    "ints": "tuple of ints", "floats": "tuple of floats", "Tensors": "tuple of Tensors", "Scalars": "tuple of Scalars",
    "OptTensors": "tuple of Tensors", "dtype": "torch.dtype", "device": "torch.device", "layout": "torch.layout",
    "memory_format": "torch.memory_format", "Generator": "torch.Generator", "Storage": "Storage", "object": "object",
    "Stream": "Stream",
}  # fmt: skip


def _number(value):
    return isinstance(value, (bool, int, float, complex, np.number, np.bool_))


def _whole(value):
    return (isinstance(value, (int, np.integer)) and not isinstance(value, bool)) or is_symbolic(value)


def _lone(value, most):
    """Whether a value is a 0-d tensor that stands for a number of a category up to `most`."""
    return isinstance(value, Tensor) and not value._rg and not aval(value).ndim and aval(value).dtype.category <= most


def _int(value):
    return _whole(value) or (_lone(value, dtypes.INT) and aval(value).dtype.category == dtypes.INT)


def _first(value, fits):
    return isinstance(value, (tuple, list)) and (not len(value) or fits(value[0]))


_TESTS = {
    "Tensor": lambda v: isinstance(v, Tensor),
    "Scalar": lambda v: _number(v) or _lone(v, dtypes.COMPLEX),
    "int": _int,
    "float": lambda v: isinstance(v, (int, float, np.floating, np.integer)) or _lone(v, dtypes.COMPLEX),
    "bool": lambda v: isinstance(v, (bool, np.bool_)),
    "str": lambda v: isinstance(v, str),
    "floats": lambda v: _first(v, lambda x: isinstance(x, (int, float))),
    "Scalars": lambda v: _first(v, _number),
    "dtype": lambda v: isinstance(v, dtypes.dtype) or v in (float, int, bool, complex),
    "device": lambda v: isinstance(v, (devices.Device, str)) or _whole(v),
    "layout": lambda v: type(v).__name__ == "layout",
    "memory_format": lambda v: type(v).__name__ == "memory_format",
    "Storage": lambda v: type(v).__name__.endswith("Storage"),
    "Generator": lambda v: isinstance(v, Generator),
}


def accepts(p, value, place, numbers):
    """Whether parameter p, the place-th of its signature, takes a value. Raises TypeError for a list with no tensor."""
    if p.kind == "ints":
        return _first(value, _int) or (p.size > 0 and _int(value))
    if p.kind in ("Tensors", "OptTensors"):
        return isinstance(value, (tuple, list)) and _all_tensors(value, place, p.kind == "OptTensors")
    if p.kind == "Tensor" and numbers and _number(value):
        return True
    test = _TESTS.get(p.kind)
    return True if test is None else test(value)


def _all_tensors(items, place, none):
    for i, item in enumerate(items):
        if not isinstance(item, Tensor) and not (none and item is None):
            raise TypeError(f"expected Tensor as element {i} in argument {place}, but got {type_name(item)}")
    return True


def refused_item(p, value):
    """(The first item,) of a list of ints, where that is what a parameter refuses, else ()."""
    if p.kind == "ints" and isinstance(value, (tuple, list)) and len(value) and not _int(value[0]):
        return (value[0],)
    return ()
