"""assert_close: values, tensors and nests of them compared within the tolerances of their dtypes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from jtorch import devices, dtypes
from jtorch._tensor import Tensor, aval, host
from jtorch.api.construct import as_tensor

__all__ = ["assert_close"]

_TOLERANCES = {"float16": (1e-3, 1e-5), "bfloat16": (1.6e-2, 1e-5), "float32": (1.3e-6, 1e-5), "float64": (1e-7, 1e-7),
               "complex64": (1.3e-6, 1e-5), "complex128": (1e-7, 1e-7)}  # fmt: skip
_NUMBERS = (int, float, complex, np.number)


@dataclass(frozen=True)
class _Rules:
    """What is asked of two values beside being close. rtol, atol: None for those of their dtypes."""

    subclasses: bool
    rtol: float | None
    atol: float | None
    equal_nan: bool
    device: bool
    dtype: bool
    layout: bool
    stride: bool

    def tolerances(self, *names):
        """(rtol, atol) for values of these dtypes."""
        if self.rtol is not None:
            return self.rtol, self.atol
        known = [_TOLERANCES.get(name, (0.0, 0.0)) for name in names]
        return max(rtol for rtol, _ in known), max(atol for _, atol in known)


def assert_close(actual, expected, *, allow_subclasses=True, rtol=None, atol=None, equal_nan=False, check_device=True,
                 check_dtype=True, check_layout=True, check_stride=False, msg=None):  # fmt: skip
    """Assert that |actual - expected| ≤ atol + rtol · |expected| everywhere, in nests of lists and dicts too.

    msg: the error's text, or a function that makes it of the usual one.
    Raises: AssertionError where they are not close, TypeError for what can't be compared, ValueError where only one
    tolerance is given. As torch.testing.assert_close.
    """
    __tracebackhide__ = True
    if (rtol is None) != (atol is None):
        missing = "rtol" if rtol is None else "atol"
        raise ValueError(f"Both 'rtol' and 'atol' must be either specified or omitted, but got no {missing}.")
    rules = _Rules(allow_subclasses, rtol, atol, equal_nan, check_device, check_dtype, check_layout, check_stride)
    for compare, one, other, path in _pairs(actual, expected, rules, ()):
        fault = compare(one, other, rules)
        if fault is not None:
            words = fault + _place(path)
            raise AssertionError(words if msg is None else msg(words) if callable(msg) else msg)


def _place(path):
    return f"\n\nThe failure occurred for item {''.join(f'[{key!r}]' for key in path)}" if path else ""


def _pairs(actual, expected, rules, path):
    """[(function that compares, one value, the other, where), ...] of two nests of one form."""
    if all(isinstance(x, Sequence) and not isinstance(x, str) for x in (actual, expected)):
        if len(actual) != len(expected):
            words = f"The length of the sequences mismatch: {len(actual)} != {len(expected)}"
            raise AssertionError(words + _place(path))
        keys = range(len(actual))
    elif isinstance(actual, Mapping) and isinstance(expected, Mapping):
        keys = _keys(actual, expected, path)
    else:
        return [(_comparison(actual, expected, rules, path), actual, expected, path)]
    return [pair for key in keys for pair in _pairs(actual[key], expected[key], rules, (*path, key))]


def _keys(actual, expected, path):
    missing, more = set(expected) - set(actual), set(actual) - set(expected)
    if missing or more:
        raise AssertionError(
            "The keys of the mappings do not match:\n"
            f"Missing keys in the actual mapping: {sorted(missing)}\n"
            f"Additional keys in the actual mapping: {sorted(more)}" + _place(path)
        )
    try:
        return sorted(actual)
    except TypeError:
        return list(actual)


def _comparison(actual, expected, rules, path):
    """The function that compares two values, chosen by their types."""
    both = (actual, expected)
    if actual is None or expected is None:
        return _compare_none
    if all(isinstance(x, (bool, np.bool_)) for x in both):
        return _compare_bools
    if all(isinstance(x, _NUMBERS) for x in both):
        return _compare_numbers
    kinds = type(actual), type(expected)
    related = issubclass(kinds[0], kinds[1]) or issubclass(kinds[1], kinds[0])
    if related and (rules.subclasses or kinds[0] is kinds[1]):
        if all(isinstance(x, (Tensor, np.ndarray)) for x in both):
            return _compare_tensors
    words = f"No comparison pair was able to handle inputs of type {kinds[0]} and {kinds[1]}."
    raise TypeError(words + _place(path))


def _compare_none(actual, expected, rules):
    return None if actual is expected else f"None mismatch: {actual} is not {expected}"


def _compare_bools(actual, expected, rules):
    return None if actual == expected else f"Booleans mismatch: {bool(actual)} is not {bool(expected)}"


def _compare_numbers(actual, expected, rules):
    kinds = type(actual), type(expected)
    if rules.dtype and kinds[0] is not kinds[1]:
        return f"The (d)types do not match: {kinds[0]} != {kinds[1]}."
    names = ["complex128" if isinstance(x, complex) else "int64" if isinstance(x, int) else "float64"
             for x in (actual, expected)]  # fmt: skip
    actual, expected = (x.item() if isinstance(x, np.number) else x for x in (actual, expected))
    rtol, atol = rules.tolerances(*names)
    close = _is_close(np.asarray(actual), np.asarray(expected), rtol, atol, rules.equal_nan)
    return None if close.all() else _numbers_differ(actual, expected, rtol, atol)


def _compare_tensors(actual, expected, rules):
    actual, expected = as_tensor(actual).detach(), as_tensor(expected).detach()
    fault = _attributes_differ(actual, expected, rules)
    one, other = aval(actual), aval(expected)
    if fault is not None or devices.META in (one.device, other.device):
        return fault
    rtol, atol = rules.tolerances(one.dtype.name, other.dtype.name)
    common = one.dtype if one.dtype is other.dtype else dtypes.promote_types(one.dtype, other.dtype)
    actual, expected = host(actual.to(common)), host(expected.to(common))
    close = _is_close(actual, expected, rtol, atol, rules.equal_nan)
    if close.all():
        return None
    if not close.ndim:
        return _numbers_differ(actual.item(), expected.item(), rtol, atol)
    return _arrays_differ(actual, expected, close, rtol, atol)


def _attributes_differ(actual, expected, rules):
    """The words for the first of shape, layout, strides, device and dtype in which two tensors differ, or None."""
    looked_at = [
        ("shape", True, actual.shape, expected.shape),
        ("layout", rules.layout, actual.layout, expected.layout),
        ("stride()", rules.stride, actual.stride(), expected.stride()),
        ("device", rules.device, actual.device, expected.device),
        ("dtype", rules.dtype, actual.dtype, expected.dtype),
    ]
    for name, wanted, one, other in looked_at:
        if wanted and one != other:
            return f"The values for attribute '{name}' do not match: {one} != {other}."
    return None


def _is_close(actual, expected, rtol, atol, equal_nan):
    """Where two arrays of one dtype are within the tolerances. Shape: any, the same -> the same, bool."""
    close = actual == expected
    if rtol or atol:
        with np.errstate(all="ignore"):
            one, other = _wide(actual), _wide(expected)
            apart = np.abs(one - other)
            close = close | (np.isfinite(apart) & (apart <= atol + np.abs(rtol * other)))
    if equal_nan:
        close = close | ((actual != actual) & (expected != expected))
    return np.asarray(close)


def _wide(array):
    return array.astype(np.complex128 if np.iscomplexobj(array) else np.float64)


def _title(what, rtol, atol):
    return f"{what} are not {'close' if rtol or atol else 'equal'}!\n\n"


def _allowed(tolerance, rtol, atol):
    return f" (up to {tolerance} allowed)" if rtol or atol else ""


def _numbers_differ(actual, expected, rtol, atol):
    apart = abs(actual - expected)
    relative = float("inf") if expected == 0 else apart / abs(expected)
    return (
        _title("Scalars", rtol, atol) + f"Expected {expected} but got {actual}.\n"
        f"Absolute difference: {apart}{_allowed(atol, rtol, atol)}\n"
        f"Relative difference: {relative}{_allowed(rtol, rtol, atol)}"
    )


def _arrays_differ(actual, expected, close, rtol, atol):
    wrong = int(close.size - close.sum())
    whole = actual.dtype.kind in "biu"
    if whole:
        actual, expected = actual.astype(np.int64), expected.astype(np.int64)
    with np.errstate(all="ignore"):
        apart = np.where(close, np.zeros((), actual.dtype).real, np.abs(actual - expected))
        relative = apart / np.abs(expected)
        # torch: whole numbers are divided in the default float.
        relative = np.where(close, 0, relative.astype(dtypes.Default.float.numpy) if whole else relative)
    return (
        _title("Tensor-likes", rtol, atol) + f"Mismatched elements: {wrong} / {close.size} ({wrong / close.size:.1%})\n"
        f"Greatest absolute difference: {_greatest(apart)}{_allowed(atol, rtol, atol)}\n"
        f"Greatest relative difference: {_greatest(relative)}{_allowed(rtol, rtol, atol)}"
    )


def _greatest(values):
    """The largest of an array, or its first nan, and where it stands."""
    values = values if values.dtype.kind in "iu" else values.astype(np.float64)
    at = np.unravel_index(np.argmax(values), values.shape)
    return f"{values[at].item()} at index {tuple(map(int, at))}"
