"""Inputs on which implementations differ: signed zeros, bounds, ties, nan, infinities, odd layouts, empty tensors.

    @pytest.mark.parametrize("x", cases(unary, "float32", "int64"))         one operand
    @pytest.mark.parametrize("x", cases(reduction, *FLOATS))                sums, extrema, sorts along a dim
    @pytest.mark.parametrize("pair", cases(binary, "float64", "int32"))     two operands, broadcast against each other

`unary`, `reduction` and `binary` give {name: array, or pair of arrays} for one dtype.
"""

import ml_dtypes
import numpy as np
import pytest

from tests.sides import numpy_dtype


def cases(kind, *dtypes):
    """pytest parameters: the inputs of `kind` for each dtype, called `float32-ties` and the like."""
    return [pytest.param(value, id=f"{dtype}-{name}") for dtype in dtypes for name, value in kind(dtype).items()]


def values(dtype):
    """A (N,) array of the values at which elementwise functions turn, jump, overflow or are undefined."""
    kind = numpy_dtype(dtype)
    if dtype == "bool":
        return np.array([False, True])
    if dtype.startswith("complex"):
        parts = np.array([0.0, -0.0, 1.0, -1.0, 0.5, -2.0])
        return (parts[:, None] + 1j * parts).reshape(-1).astype(kind)
    if kind.kind in "iu":
        low, high = np.iinfo(kind).min, np.iinfo(kind).max
        near = [0, 1, 2, 3, 4, 7, 8, 31, 64, 100]
        signed = [-n for n in near if low < 0]
        return np.array([*near, *signed, low, low + 1, high - 1, high], dtype=kind)
    turns = [0.25, 0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 6.0, 10.0, 20.0, 21.0, 100.0, 1000.0, np.pi, np.pi / 2, 1 / 3]
    both = np.array([0.0, *turns, np.inf])
    return np.concatenate([both, -both, [np.nan]]).astype(kind)


def extremes(dtype):
    """A (N,) array of the largest and smallest normal numbers and the neighbours of 1 of a floating dtype."""
    kind = numpy_dtype(dtype)
    most, least, step = _limits(kind)
    return np.array([most, -most, least, -least, 1 + step, 1 - step, -1 - step, step], dtype=np.float64).astype(kind)


def subnormals(dtype):
    """A (N,) array of numbers below the smallest normal one, which a device may take for zero."""
    kind = numpy_dtype(dtype)
    least = _limits(kind)[1]
    return (np.array([0.5, -0.5, 0.25, 0.75], dtype=np.float64) * least).astype(kind)


def big(dtype):
    """A (N,) array of whole numbers that the next smaller floating type cannot tell apart."""
    digits = {"int64": 53, "int32": 24, "uint64": 53, "uint32": 24}[dtype]
    return np.array([2**digits - 1, 2**digits, 2**digits + 1, 2**digits + 3], dtype=dtype)


def ordinary(shape, dtype, seed=0):
    """Well-behaved random numbers: normal for floats, small whole ones for integers."""
    draw = np.random.default_rng(seed)
    kind = numpy_dtype(dtype)
    if dtype == "bool":
        return draw.random(shape) < 0.5
    if dtype.startswith("complex"):
        return (draw.standard_normal(shape) + 1j * draw.standard_normal(shape)).astype(kind)
    if kind.kind in "iu":
        return draw.integers(0 if kind.kind == "u" else -9, 10, shape).astype(kind)
    return draw.standard_normal(shape).astype(kind)


def layouts(dtype):
    """{name: array}: empty ones, 0-d, dims of size 1, transposed, expanded."""
    made = {
        "empty": ordinary((0,), dtype),
        "empty inside": ordinary((2, 0, 3), dtype),
        "0-d": ordinary((1,), dtype)[0:1].reshape(()),
        "one": ordinary((1,), dtype),
        "size-1 dims": ordinary((1, 3, 1), dtype),
        "matrix": ordinary((3, 4), dtype),
        "transposed": ordinary((3, 4), dtype).T,
        "permuted": ordinary((2, 3, 4), dtype).transpose(2, 0, 1),
        "expanded": np.broadcast_to(ordinary((3, 1), dtype), (2, 3, 4)),
    }
    return made


def unary(dtype):
    """{name: array} for an elementwise function of one operand."""
    made = {"values": values(dtype), **layouts(dtype)}
    if _floating(dtype):
        made["extremes"] = extremes(dtype)
    return made | ({"big": big(dtype)} if dtype in ("int64", "int32") else {})


def binary(dtype):
    """{name: (array, array)} for an elementwise function of two operands, as pairs that broadcast."""
    line = values(dtype)
    made = {
        "values": (line[:, None], line),
        "ties": (line, line.copy()),
        "broadcast": (ordinary((2, 1, 4), dtype), ordinary((3, 1), dtype, 1)),
        "0-d": (ordinary((3,), dtype), ordinary((1,), dtype, 1).reshape(())),
        "empty": (ordinary((0, 3), dtype), ordinary((3,), dtype)),
        "empty by one": (ordinary((0,), dtype), ordinary((1,), dtype)),
        "transposed": (ordinary((3, 4), dtype).T, ordinary((4, 3), dtype, 1)),
    }
    return made | ({"extremes": (extremes(dtype)[:, None], extremes(dtype))} if _floating(dtype) else {})


def reduction(dtype):
    """{name: array} for a function that reduces, scans or sorts: at least 1-d, none empty (see `empties`)."""
    made = {name: array for name, array in layouts(dtype).items() if array.size and array.ndim}
    made["ties"] = np.array([[1, 3, 3, 0], [2, 2, 2, 2], [0, 1, 1, 3]]).astype(numpy_dtype(dtype))
    made["even count"] = ordinary((4, 6), dtype)
    if _floating(dtype):
        nan, inf = np.nan, np.inf
        odd = [[1, nan, 2, nan], [nan, nan, nan, nan], [inf, 1, -inf, 0], [inf, inf, 1, 2], [-inf, -inf, -inf, -inf]]
        made["nan and inf"] = np.array(odd).astype(numpy_dtype(dtype))
        made["signed zeros"] = np.array([[0.0, -0.0, 0.0], [-0.0, 0.0, -0.0]]).astype(numpy_dtype(dtype))
    return made | ({"big": big(dtype)} if dtype in ("int64", "int32") else {})


def empties(dtype):
    """{name: array} without elements, on which torch's reductions give an identity or raise."""
    return {str(list(shape)): ordinary(shape, dtype) for shape in ((0,), (2, 0), (0, 3), (2, 0, 3))}


def _floating(dtype):
    return dtype.startswith(("float", "bfloat"))


def _limits(kind):
    """Largest number, smallest normal number and step above 1 of a floating NumPy dtype."""
    info = np.finfo(kind) if kind.kind == "f" else ml_dtypes.finfo(kind)
    return float(info.max), float(info.tiny), float(info.eps)
