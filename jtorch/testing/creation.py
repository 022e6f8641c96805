"""make_tensor: random tensors of any dtype between two bounds."""

import math
from collections.abc import Sequence

from jtorch import dtypes
from jtorch.api.creation import empty
from jtorch.api.sampling import randint
from jtorch.api.settings import finfo, iinfo
from jtorch.autograd.apply import call
from jtorch.errors import warn
from jtorch.shapes import numel

__all__ = ["make_tensor"]


def make_tensor(*shape, dtype, device, low=None, high=None, requires_grad=False, noncontiguous=False,
                exclude_zero=False, memory_format=None):  # fmt: skip
    """A tensor of numbers drawn evenly from [low, high); -9 to 9 where none are given, for unsigned ones 0 to 10.

    Raises: ValueError for bounds that leave nothing, and for requires_grad with integers. As torch.testing.make_tensor.
    """
    shape = tuple(shape[0]) if len(shape) == 1 and isinstance(shape[0], Sequence) else shape
    if noncontiguous and memory_format is not None:
        raise ValueError(
            "The parameters `noncontiguous` and `memory_format` are mutually exclusive, "
            f"but got noncontiguous={noncontiguous!r} and memory_format={memory_format!r}"
        )
    whole = dtype.category < dtypes.FLOAT
    if requires_grad and whole:
        raise ValueError(
            f"`requires_grad=True` is not supported for boolean and integral dtypes, but got dtype={dtype!r}"
        )
    noncontiguous = noncontiguous and numel(shape) > 1
    drawn = (*shape[:-1], 2 * shape[-1]) if noncontiguous else shape
    made = (_integers if whole else _floats)(drawn, dtype, device, *_bounds(low, high, dtype))
    if noncontiguous:
        made = made[..., 1::2]
    elif memory_format is not None:
        made = made.clone(memory_format=memory_format)
    if exclude_zero:
        made[made == 0] = 1 if whole else finfo(dtype).tiny
    return made.requires_grad_(requires_grad) if requires_grad else made


def _bounds(low, high, dtype):
    """(low, high) within a dtype's limits. Raises ValueError where nothing lies between."""
    if dtype is dtypes.bool_:
        lowest, end, usual = 0, 2, (0, 2)
    elif dtype.category < dtypes.FLOAT:
        # torch: randint's bounds are int64, so the largest of them can't be drawn.
        lowest, end, usual = iinfo(dtype).min, iinfo(dtype).max + (dtype is not dtypes.int64), (-9, 10)
    else:
        lowest, end, usual = finfo(dtype).min, finfo(dtype).max, (-9, 9)
    low, high = usual[0] if low is None else low, usual[1] if high is None else high
    if any(isinstance(x, float) and math.isnan(x) for x in (low, high)):
        raise ValueError(f"`low` and `high` cannot be NaN, but got low={low!r} and high={high!r}")
    if low == high and dtype.category >= dtypes.FLOAT:
        warn(
            "Passing `low==high` to `torch.testing.make_tensor` for floating or complex types is deprecated since 2.1 "
            "and will be removed in 2.3. Use `torch.full(...)` instead.",
            FutureWarning,
        )
    elif low >= high:
        raise ValueError(f"`low` must be less than `high`, but got {low} >= {high}")
    elif high < lowest or low >= end:
        raise ValueError(
            f"The value interval specified by `low` and `high` is [{low}, {high}), but {dtype} only supports "
            f"[{lowest}, {end})"
        )
    return min(max(low, lowest), end), min(max(high, lowest), end)


def _integers(shape, dtype, device, low, high):
    return randint(math.ceil(low), math.ceil(high), shape, device=device, dtype=dtype)


def _floats(shape, dtype, device, low, high):
    narrow = dtype.itemsize == 1
    made = empty(shape, device=device, dtype=dtypes.float32 if narrow else dtype)
    filled = call("view_as_real", made) if dtype.is_complex else made
    if high - low >= finfo(filled.dtype).max:
        filled.uniform_(low / 2, high / 2).mul_(2)
    else:
        filled.uniform_(low, high)
    return made.to(dtype) if narrow else made
