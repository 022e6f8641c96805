"""Python numbers on their way into tensors: what fits a dtype, in torch's words."""

import math

import numpy as np

from jtorch import dtypes

_CPP = {
    "int64": "int64_t", "int32": "int", "int16": "int16_t", "int8": "int8_t", "uint8": "uint8_t", "float32": "float",
    "float64": "double", "float16": "double", "bfloat16": "double",
}  # fmt: skip


def check_fits(value, dtype):
    """Raise RuntimeError in torch's words where a number cannot be converted to a dtype without overflow."""
    if type(value) is int and -128 <= value <= 127:
        return
    if isinstance(value, complex) and not dtype.is_complex and dtype is not dtypes.bool_:
        fits = value.imag == 0
    elif dtype.category == dtypes.INT:
        fits = math.isfinite(value) and _in_range(value, np.iinfo(dtype.numpy))
    elif dtype is dtypes.float32:
        fits = not math.isfinite(value) or abs(value) <= float(np.finfo(np.float32).max)
    else:
        return
    if not fits:
        raise RuntimeError(f"value cannot be converted to type {_CPP[dtype.name]} without overflow")


def _in_range(value, limits):
    # torch: a negative number wraps in an unsigned dtype.
    return (limits.min or -limits.max) <= value <= limits.max
