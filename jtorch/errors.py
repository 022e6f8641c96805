"""Exceptions and warnings that carry torch's classes and words."""

import os
import sys
import warnings


class InconclusiveError(RuntimeError):
    """A value is needed where none can be had: inside a JAX transform, or on the meta device."""


class OutOfMemoryError(RuntimeError):
    """The device has no memory left for the program's buffers."""


class LinAlgError(RuntimeError):
    """A matrix has not what a factorization needs: singular, not positive-definite, not finite."""


LinAlgError.__name__ = LinAlgError.__qualname__ = "_LinAlgError"
LinAlgError.__module__ = "torch._C"


_HEAP = 1 << 9  # the flag of classes that were made while Python ran
_OURS = {"dtype": "torch.dtype", "device": "torch.device", "Generator": "torch._C.Generator", "Size": "torch.Size"}


def type_name(value):
    """How torch names a value's type in its messages: as C does, `numpy.ndarray` but `Linear`."""
    kind = type(value)
    if kind.__module__ == "torch" or kind.__module__.startswith("jtorch."):
        return _OURS.get(kind.__name__, kind.__name__)
    if kind.__flags__ & _HEAP or kind.__module__ == "builtins":
        return kind.__name__
    return f"{kind.__module__}.{kind.__name__}"


def bad_argument(function, position, name, wanted, value):
    """TypeError for an argument of the wrong type, in the words of torch's argument parser."""
    return TypeError(f"{function}(): argument '{name}' (position {position}) must be {wanted}, not {type_name(value)}")


_PACKAGE = os.path.dirname(os.path.abspath(__file__)) + os.sep


class Repeat:
    """Whether warnings that are given once are given each time."""

    always = False


def warn(message, category=UserWarning):
    """Warn at the line of the user's code from which this package was called."""
    level, frame = 1, sys._getframe()
    while frame is not None and frame.f_code.co_filename.startswith((_PACKAGE, "<jtorch")):
        level, frame = level + 1, frame.f_back
    warnings.warn(message, category, stacklevel=level)


_told: set = set()


def warn_once(message, category=UserWarning):
    """Warn the first time only, unless `Repeat` asks for every time."""
    if message not in _told or Repeat.always:
        _told.add(message)
        warn(message, category)
