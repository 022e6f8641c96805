"""Whole numbers as torch's CPU draws them: random_, randint and randperm."""

import ml_dtypes
import numpy as np

from jtorch.dtypes import cpp_name
from jtorch.errors import warn

_DIGITS = {"float32": 24, "float64": 53, "float16": 11, "bfloat16": 8}
_PERM_LIMITS = {"float32": (24, "2^24+1"), "float64": (53, "2^53+1"), "float16": (11, "2049")}
_FULL_RANGE = ("int64", "float64", "float32", "bfloat16")
_WIDE = 1 << 28  # torch: a range from here on takes two words per number
_PIECE = 1 << 15


def not_implemented(kernel, dtype):
    """torch's error for a kernel that lacks a dtype."""
    return NotImplementedError(f"\"{kernel}\" not implemented for '{dtype.label}'")


def random(generator, shape, dtype, low=None, high=None):
    """Whole numbers in [low, high). Without high: up to the dtype's largest; without both: from 0 on.

    The largest of a float dtype is the last of its unbroken run of whole numbers. Raises RuntimeError for an empty
    range or one that the dtype does not hold; warns when it holds it only with gaps.
    """
    if low is None and high is None:
        return _from_zero(generator, shape, dtype)
    low = 0 if low is None else int(low)
    if high is None and low == -(2**63):
        return _all_bits(generator, shape, dtype)
    if high is None:
        _check_category(dtype, "random_from_to_impl", "random_from_to_range_calc")
        last = _largest(dtype)
        low = _inner(low, 1, dtype)
        if low > last and dtype.name in _DIGITS:
            raise RuntimeError(
                "random_ expects 'from' casted to dtype to be less than or equal to 'to_inc' casted to dtype, "
                f"but got from={low} > to_inc={last}"
            )
    else:
        last = int(high) - 1
        _check_range(low, last + 1, "")
        _check_category(dtype, "check_random_bounds", "random_update_from_to")
        low, last = _inner(low, 1, dtype), _inner(last + 1, -1, dtype) - 1
        _check_range(low, last + 1, " casted to dtype")
    _check_bounds(low, last, dtype)
    return _modulo(generator, shape, dtype, last - low + 1, low)


def randint(generator, shape, dtype, low, high):
    """Whole numbers in [low, high). Shape: as given. Raises RuntimeError when there are none."""
    return random(generator, shape, dtype, low, high)


def randperm(generator, shape, dtype):
    """A permutation of 0 .. n-1. Shape: (n,), as given. Raises RuntimeError when the dtype cannot hold n-1."""
    (n,) = shape
    _check_permutation(n, dtype)
    steps = np.arange(n, 1, -1, dtype=np.uint64)
    return _swapped(generator.words(max(n - 1, 0)) % steps, n).astype(dtype.numpy)


def _swapped(skips, n):
    """Swap place i with place i + skips[i] for i = 0, 1, ...; all swaps at once.

    What lands on place i last lay on place j = i + skip: the number j itself, or what an earlier swap k had put
    there, which is what lay on place k when its turn came. The chain i -> k -> ... is followed by pointer doubling.
    """
    place = np.arange(n)
    target = place.copy()
    target[: n - 1] += skips.astype(np.int64)
    order = _stable_order(target, n)
    same = np.diff(target[order]) == 0
    earlier = np.full(n, -1)
    earlier[order[1:][same]] = order[:-1][same]  # the last swap before i with the same target
    visitor = np.full(n, -1)
    visitor[target] = place  # the last swap that put something on a place, its own turn aside
    visitor = np.where(visitor == place, earlier, visitor)
    root = np.where(visitor < 0, place, visitor)
    live = place
    while len(live):
        live = live[root[root[live]] != root[live]]
        root[live] = root[root[live]]
    return np.where(earlier < 0, target, root[earlier])


def _stable_order(values, bound):
    """argsort of whole numbers below bound, by their 16-bit digits: NumPy sorts those by counting."""
    order = np.argsort((values & 0xFFFF).astype(np.uint16), kind="stable")
    for shift in range(16, bound.bit_length(), 16):
        digit = (values >> shift & 0xFFFF).astype(np.uint16)
        order = order[np.argsort(digit[order], kind="stable")]
    return order


def _check_permutation(n, dtype):
    if n < 0:
        raise RuntimeError(f"Trying to create tensor with negative dimension {n}: [{n}]")
    if dtype.name in _PERM_LIMITS:
        digits, limit = _PERM_LIMITS[dtype.name]
        if n > 2**digits + 1:
            raise RuntimeError(f"n cannot be greater than {limit} for {dtype.label} type.")
    elif dtype.name == "bfloat16":
        return  # torch: no limit, though numbers above 256 are rounded
    elif dtype.category != 1 or dtype.name in ("uint16", "uint32", "uint64"):
        raise not_implemented("randperm", dtype)
    elif n - 1 > np.iinfo(dtype.numpy).max:
        raise RuntimeError(f"value cannot be converted to type {dtype.name}_t without overflow")


def _from_zero(generator, shape, dtype):
    if dtype.name in ("float64", "int64"):
        draw, span = generator.longs, 2**53 + 1 if dtype.is_floating_point else 2**63
    else:
        draw = generator.words
        if dtype.name in _DIGITS:
            span = 2 ** _DIGITS[dtype.name] + 1
        elif dtype.name in ("bool", "uint8", "int8", "int16", "int32"):
            span = _largest(dtype) + 1
        else:
            raise not_implemented("random_kernel_cpu", dtype)
    return _filled(shape, dtype, generator, lambda n: (draw(n) % np.uint64(span)).astype(np.int64))


def _all_bits(generator, shape, dtype):
    if dtype.name not in (*_FULL_RANGE, "int32", "int16", "int8", "uint8"):
        raise not_implemented("random_full_64_bits_range_kernel_cpu", dtype)
    if dtype.name not in _FULL_RANGE:
        raise RuntimeError("random_full_64_bits_range_kernel_cpu handles only int64, double, float and bfloat16")
    return _filled(shape, dtype, generator, lambda n: generator.longs(n).view(np.int64))


def _modulo(generator, shape, dtype, span, base):
    draw = generator.longs if span >= _WIDE else generator.words
    step = np.uint64(span)
    # Two's complement: adding base as uint64 and reading the sum as int64 never overflows.
    offset = np.uint64(base % 2**64)
    return _filled(shape, dtype, generator, lambda n: (draw(n) % step + offset).view(np.int64))


def _filled(shape, dtype, generator, draw):
    out = np.empty(shape, dtype.numpy)
    flat = out.reshape(-1)
    with generator.lock:
        for start in range(0, flat.size, _PIECE):
            piece = flat[start : start + _PIECE]
            values = draw(piece.size)
            # torch: a whole number becomes a half type by way of float32.
            piece[...] = values.astype(np.float32) if dtype.itemsize == 2 and dtype.is_floating_point else values
    return out


def whole_range(dtype):
    """[low, high) of torch's random_ without bounds: the whole numbers that the dtype holds exactly, from 0 on."""
    return 0, _largest(dtype) + (dtype.name != "int64")


def _largest(dtype):
    """The last number random_ draws for this dtype."""
    if dtype.name in _DIGITS:
        return 2 ** _DIGITS[dtype.name]
    if dtype.name == "uint64":
        return -1  # torch: its largest number is read as an int64
    return 1 if dtype.name == "bool" else int(np.iinfo(dtype.numpy).max)


def _limits(dtype):
    if dtype.name == "bool":
        return 0, 1
    info = (ml_dtypes.finfo if dtype.is_floating_point else np.iinfo)(dtype.numpy)
    return int(float(info.min)), int(float(info.max))  # an int of a bfloat16 scalar is cut to 64 bits


def _inner(bound, step, dtype):
    """A bound of a float dtype moved inwards to a number the dtype holds, when the next number rounds outside."""
    if dtype.name not in _DIGITS:
        return bound
    beside = bound + step
    with np.errstate(over="ignore"):
        rounded = float(np.asarray(beside, np.float64 if dtype.itemsize == 8 else np.float32).astype(dtype.numpy))
    outside = rounded < bound if step > 0 else rounded >= bound
    if not outside or not -(2**63) <= rounded < 2**63:
        return bound
    return int(rounded) + step * (1 << max(abs(beside).bit_length() - _DIGITS[dtype.name], 0))


def _check_range(low, high, casted):
    if low >= high:
        raise RuntimeError(
            f"random_ expects 'from'{casted} to be less than 'to'{casted}, but got from={low} >= to={high}"
        )


def _check_category(dtype, function, kernel):
    if dtype.is_complex:
        raise RuntimeError(f"{function} handles only integral, floating-point and boolean types")
    if dtype.is_floating_point and dtype.name not in _DIGITS:
        raise not_implemented(kernel, dtype)


def _check_bounds(low, last, dtype):
    least, most = _limits(dtype)
    for name, value in (("from", low), ("to - 1", last)):
        if not least <= value <= most:
            raise RuntimeError(f"{name} is out of bounds for {cpp_name(dtype)}")
        digits = _DIGITS.get(dtype.name)
        if digits and abs(value) > 2**digits:
            warn(
                f"{name} is out of bounds [-(2^{digits}), 2^{digits}]. Due to precision limitations "
                f"{cpp_name(dtype)} can support discrete uniform distribution only within this range. "
                "This warning will become an error in version 1.7 release, please fix the code in advance",
            )
