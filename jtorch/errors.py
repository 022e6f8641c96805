"""Exceptions and warnings that carry torch's classes and words."""

import os
import sys
import warnings


class InconclusiveError(RuntimeError):
    """A value is needed where none can be had: inside a JAX transform, or on the meta device."""


class GradcheckError(RuntimeError):
    """A gradient is not what gradcheck found numerically, or is not what autograd may rely on."""


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


_OWN = (os.path.dirname(os.path.abspath(__file__)) + os.sep, "<jtorch")  # the package's files, and code it generates


def is_own(filename):
    """Whether code with this file name is jtorch's: a file of the package, or a function that it generated."""
    return filename.startswith(_OWN)


def user_frame():
    """The innermost frame that is not jtorch's, and its level above the caller; (None, level) where there is none."""
    level, frame = 0, sys._getframe(1)
    while frame is not None and is_own(frame.f_code.co_filename):
        level, frame = level + 1, frame.f_back
    return frame, level


class Repeat:
    """Whether warnings that are given once are given each time."""

    always = False


def warn(message, category=UserWarning):
    """Warn at the line of the user's code from which this package was called."""
    _, level = user_frame()
    warnings.warn(message, category, stacklevel=level + 1)


_told: set = set()


def warn_once(message, category=UserWarning):
    """Warn the first time only, unless `Repeat` asks for every time."""
    if message not in _told or Repeat.always:
        _told.add(message)
        warn(message, category)
