"""How a Tensor is written as text: torch's repr and format, and the options that steer them."""

import contextlib
import math
import textwrap
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from typing import NamedTuple

import jax
import numpy as np

from jtorch import dtypes, modes
from jtorch._tensor import Tensor, aval, value
from jtorch.api.put import function, method
from jtorch.autograd.level import box_of
from jtorch.autograd.tangents import tangent_of

__all__ = ["PrintOptions", "format_tensor", "get_printoptions", "printoptions", "set_printoptions"]


@dataclass(frozen=True)
class PrintOptions:
    """What `set_printoptions` sets.

    precision: digits after the point. threshold: with more elements, only `edgeitems` at each end of a dim are shown.
    linewidth: columns before a line is broken. sci_mode: scientific notation, or None to choose by the numbers.
    """

    precision: int = 4
    threshold: float = 1000
    edgeitems: int = 3
    linewidth: int = 80
    sci_mode: bool | None = None


_PROFILES = {
    "default": {"precision": 4, "threshold": 1000, "edgeitems": 3, "linewidth": 80},
    "short": {"precision": 2, "threshold": 1000, "edgeitems": 2, "linewidth": 80},
    "full": {"precision": 4, "threshold": math.inf, "edgeitems": 3, "linewidth": 80},
}


class _Current:
    options = PrintOptions()


@function
def set_printoptions(precision=None, threshold=None, edgeitems=None, linewidth=None, profile=None, sci_mode=None):
    """Change how tensors are printed: a profile (default, short, full), then single options on top of it.

    What is not given stays, except sci_mode, which goes back to None.
    """
    given = {"precision": precision, "threshold": threshold, "edgeitems": edgeitems, "linewidth": linewidth}
    changes = _PROFILES.get(profile, {}) | {name: option for name, option in given.items() if option is not None}
    _Current.options = replace(_Current.options, **changes, sci_mode=sci_mode)


def get_printoptions():
    """The options in force, as a dict that `set_printoptions` takes."""
    return asdict(_Current.options)


@contextlib.contextmanager
def printoptions(**options):
    """`set_printoptions` for the length of a `with` block."""
    before = _Current.options
    set_printoptions(**options)
    try:
        yield
    finally:
        _Current.options = before


@method
def __repr__(self, *, tensor_contents=None):
    """The tensor as torch prints it. tensor_contents: a text to show in the place of the numbers."""
    if modes.rare and (box := box_of(self)) is not None:
        return _boxed(box)
    kind = type(self)
    # torch: Parameter itself prints as a tensor, a class made from it as Parameter(Name(...)).
    parameter = next((cls for cls in kind.__mro__ if "_is_param" in vars(cls)), None)
    plain = kind is Tensor or kind is parameter
    seen = aval(self)
    array = None if seen.device.type == "meta" else value(self)
    text = format_tensor(
        None if isinstance(array, jax.core.Tracer) else array,
        seen.dtype,
        shape=seen.shape,
        device_text=None if seen.device.type == "cpu" else str(seen.device),
        requires_grad=self.requires_grad,
        grad_fn_name=_grad_fn_name(self),
        tangent=tangent_of(self) if modes.rare else None,
        prefix="tensor(" if plain else f"{kind.__name__}(",
        contents=tensor_contents,
    )
    marked = parameter is not None or "_is_param" in vars(self)  # an instance is marked where its class is no Parameter
    return f"Parameter({text})" if marked and not plain else text


def _boxed(box):
    """A tensor inside a transform, with what stands for it below."""
    inner = textwrap.indent(repr(box.inner), "    ")
    if box.level.maps and box.batched:
        return f"BatchedTensor(lvl={box.level.depth}, bdim=0, value=\n{inner}\n)"
    return repr(box.inner) if box.level.maps else f"GradTrackingTensor(lvl={box.level.depth}, value=\n{inner}\n)"


def _grad_fn_name(tensor):
    try:
        grad_fn = tensor.grad_fn
    except RuntimeError:
        return "Invalid"  # torch: a view made under no_grad and written to since
    return None if grad_fn is None else type(grad_fn).__name__


@method
def __format__(self, format_spec):
    """A tensor of one element without dims formats as its number, any other as an object."""
    if type(self) is Tensor and not aval(self).shape and aval(self).device.type != "meta":
        return format(self.item(), format_spec)
    return object.__format__(self, format_spec)


def format_tensor(
    array,
    dtype,
    *,
    shape,
    device_text=None,
    requires_grad=False,
    grad_fn_name=None,
    tangent=None,
    prefix="tensor(",
    contents=None,
    options=None,
):
    """The text torch prints for a tensor.

    array: its values, or None where there are none to show (meta). device_text: the device, if it is to be named.
    prefix: what stands before the numbers; later lines are indented by its length. options: those in force if None.
    """
    options = options or _Current.options
    if array is None:
        sized, named, text = True, dtype is not dtypes.Default.float, "..."
    elif array.size == 0:
        # torch: nothing shows an int64 here, so every dtype but the default one is named.
        sized, named, text = len(shape) != 1, dtype is not dtypes.Default.float, "[]"
    else:
        sized, named = options.edgeitems == 0, not _understood(dtype)
        text = _body(np.asarray(array), len(prefix), options) if contents is None else contents
    suffixes = [
        device_text and f"device='{device_text}'",
        sized and f"size={tuple(shape)}",
        named and f"dtype={dtype!r}",
        f"grad_fn=<{grad_fn_name}>" if grad_fn_name else requires_grad and "requires_grad=True",
        None if tangent is None else f"tangent={tangent}",
    ]
    return _joined(prefix + (contents or text), filter(None, suffixes), len(prefix), options)


def _understood(dtype):
    """Whether a reader takes numbers printed without a dtype for this one."""
    default = dtypes.Default.float
    number = dtypes.complex128 if default is dtypes.float64 else dtypes.complex64
    return dtype in (default, number, dtypes.int64, dtypes.bool_)


def _joined(text, suffixes, indent, options):
    """The text with its suffixes, each on the last line if it fits there and on a line of its own if not."""
    column = len(text) - text.rfind("\n") + 1
    for suffix in suffixes:
        if column + len(suffix) + 2 > options.linewidth:
            text += f",\n{' ' * indent}{suffix}"
            column = indent + len(suffix)
        else:
            text += f", {suffix}"
            column += len(suffix) + 2
    return text + ")"


# The numbers.


class _Cell(NamedTuple):
    """How one number is written, and the width that all of them have."""

    width: int
    write: Callable


def _body(array, indent, options):
    """The numbers between their brackets."""
    count = options.edgeitems
    summarized = array.size > options.threshold
    cuts = [summarized and length > 2 * count for length in array.shape]
    for dim, length in enumerate(array.shape):
        if cuts[dim]:
            array = np.take(array, [*range(count), *range(length - count, length)], axis=dim)
    if array.dtype.kind == "c":
        cell = _complex_cell(array, options)
    elif array.dtype.kind in "biu":
        cell = _padded(array, str)
    else:
        cell = _float_cell(array, options)
        array = array.astype(np.float64)
    return _nested(array, cuts, indent, cell, options)


def _nested(array, cuts, indent, cell, options):
    """An array as nested lists: numbers in lines of as many as fit, rows below each other."""
    if array.ndim == 0:
        return cell.write(array.item())
    if array.ndim == 1:
        texts, between = [cell.write(number) for number in array.tolist()], "\n"
    else:
        texts = [_nested(part, cuts[1:], indent + 1, cell, options) for part in array]
        between = "\n" * (array.ndim - 1)
    if cuts[0]:
        place = options.edgeitems
        texts[place:place] = [" ..." if place and array.ndim == 1 else "..."]
    if array.ndim == 1:
        fitting = max(1, (options.linewidth - indent) // (cell.width + 2))
        texts = [", ".join(texts[i : i + fitting]) for i in range(0, len(texts), fitting)]
    return "[" + ("," + between + " " * (indent + 1)).join(texts) + "]"


def _padded(numbers, write):
    """A cell as wide as the longest of these numbers, texts set to its right."""
    width = max((len(write(number)) for number in numbers.reshape(-1).tolist()), default=1)
    return _Cell(width, lambda number: write(number).rjust(width))


def _float_cell(array, options):
    """The form torch chooses: whole numbers as `1.`, scientific where magnitudes lie far apart, fixed otherwise."""
    numbers = array.astype(np.float64)
    counted = numbers[_counts(numbers, array.dtype)]
    if counted.size == 0:
        return _padded(counted, _whole)
    low, high = np.abs(counted).min(), np.abs(counted).max()
    scientific = options.sci_mode
    if scientific is None:
        scientific = high / low > 1000.0 or high > 1.0e8 or low < 1.0e-4
    if scientific:
        return _padded(counted, f"{{:.{options.precision}e}}".format)
    if (counted == np.ceil(counted)).all():
        return _padded(counted, _whole)
    return _padded(counted, f"{{:.{options.precision}f}}".format)


def _counts(numbers, dtype):
    """Which numbers have a say in the form: finite ones other than zero."""
    if dtype.name == "float8_e8m0fnu":
        # torch: this type has no zero, so its least number passes for it, and nan passes for finite.
        return numbers != 2.0**-127
    return np.isfinite(numbers) & (numbers != 0)


def _whole(number):
    return f"{number:.0f}." if math.isfinite(number) else f"{number:.0f}"


def _complex_cell(array, options):
    """Real and imaginary parts, each in the form of its own column."""
    real, imag = _float_cell(array.real, options), _float_cell(array.imag, options)

    def write(number):
        second = imag.write(number.imag).lstrip()
        return f"{real.write(number.real)}{'' if second[0] in '+-' else '+'}{second}j"

    return _Cell(real.width + imag.width + 1, write)
