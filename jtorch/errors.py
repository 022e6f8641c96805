"""Exceptions and warnings that carry torch's classes and words."""

import os
import sys
import warnings


class InconclusiveError(RuntimeError):
    """A value is needed where none can be had: inside a JAX transform, or on the meta device."""


class OutOfMemoryError(RuntimeError):
    """The device has no memory left for the program's buffers."""


def type_name(value):
    """How torch names a value's type in its messages: `Tensor`, `int`, `tuple of ints`, ..."""
    if value is None:
        return "NoneType"
    if isinstance(value, (tuple, list)):
        inner = {type_name(item) for item in value}
        kind = type(value).__name__
        return f"{kind} of {inner.pop()}s" if len(inner) == 1 else kind
    return type(value).__name__


def bad_argument(function, position, name, wanted, value):
    """TypeError for an argument of the wrong type, in the words of torch's argument parser."""
    return TypeError(f"{function}(): argument '{name}' (position {position}) must be {wanted}, not {type_name(value)}")


_PACKAGE = os.path.dirname(os.path.abspath(__file__)) + os.sep


def warn(message, category=UserWarning):
    """Warn at the line of the user's code from which this package was called."""
    level, frame = 1, sys._getframe()
    while frame is not None and frame.f_code.co_filename.startswith((_PACKAGE, "<jtorch")):
        level, frame = level + 1, frame.f_back
    warnings.warn(message, category, stacklevel=level)
