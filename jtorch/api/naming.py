"""Where pickle finds the functions that are put behind a door or on a class: under the names that these give them."""

import sys
from types import FunctionType


def settle(owner, module, prefix=""):
    """Give each function of a module or class that its own name does not lead to the name that it has there."""
    for name, value in vars(owner).items():
        if isinstance(value, FunctionType) and not name.startswith("_") and _found(value) is not value:
            value.__module__, value.__qualname__ = module, prefix + name


def _found(function):
    found = sys.modules.get(function.__module__)
    for part in function.__qualname__.split("."):
        found = getattr(found, part, None)
    return found
