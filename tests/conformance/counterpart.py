"""From a callable of torch to jtorch's: by the place where torch has it, or the same Python code over jtorch."""

import functools
import operator
import re
import types

import torch
from torch.testing._internal.opinfo.core import OpInfo

import jtorch

MISSING = "jtorch has no"
DOORS = ("linalg", "fft", "special", "nn.functional", "signal.windows", "masked")


class NoCounterpart(AttributeError):
    """jtorch has no such function."""


def find(fn):
    """jtorch's counterpart of a function, a method or a lambda of the op database. Raises NoCounterpart."""
    if getattr(operator, getattr(fn, "__name__", ""), None) is fn or isinstance(fn, type):
        return fn
    if isinstance(fn, functools.partial):
        return functools.partial(find(fn.func), *fn.args, **fn.keywords)
    places = _places().get(id(fn))
    if places is not None:
        return at(*places)
    if isinstance(fn, types.FunctionType) and fn.__module__.startswith("torch.testing."):
        return _seeded if fn.__name__ == "wrapper_set_seed" else _over_jtorch(fn)
    name = getattr(fn, "__name__", None)
    if (
        name
        and hasattr(torch.Tensor, name)
        and isinstance(fn, (types.MethodDescriptorType, types.WrapperDescriptorType))
    ):
        return at(f"Tensor.{name}")
    raise NoCounterpart(f"no public name in torch: {fn!r}")


def at(*places):
    """What stands in jtorch at the first of these dotted places that it has."""
    for place in places:
        found = jtorch
        for part in place.split("."):
            found = getattr(found, part, None)
        if found is not None:
            return found
    raise NoCounterpart(f"{MISSING} {places[0]}")


def is_missing(failure):
    """Whether a failure of the sweep says that jtorch lacks the function or the method."""
    return (
        MISSING in failure
        or re.search(r"(jtorch[\w.]*'|'Tensor' object|'Tensor') has no attribute", failure) is not None
    )


@functools.cache
def _places():
    """{id: dotted places} of torch's public functions and methods, the shortest first."""
    places = {}
    for door in ("", "Tensor", *DOORS):
        home = functools.reduce(getattr, door.split("."), torch) if door else torch
        for name in dir(home):
            if callable(value := getattr(home, name, None)):
                places.setdefault(id(value), []).append(f"{door}.{name}".lstrip("."))
    return places


@functools.cache
def _over_jtorch(fn):
    """The same Python function with jtorch in the place of torch, also in the helpers of the database that it calls."""
    scope = dict(fn.__globals__)
    for name in _names(fn.__code__):
        value = scope.get(name)
        if value is torch:
            scope[name] = jtorch
        elif isinstance(value, types.FunctionType) and value is not fn:
            scope[name] = _helper(value)
    cells = tuple(types.CellType(_helper(cell.cell_contents)) for cell in fn.__closure__ or ())
    made = types.FunctionType(fn.__code__, scope, fn.__name__, fn.__defaults__, cells or None)
    made.__kwdefaults__ = fn.__kwdefaults__
    return made


def _names(code):
    inner = [c for c in code.co_consts if isinstance(c, types.CodeType)]
    return {*code.co_names, *(name for c in inner for name in _names(c))}


def _helper(value):
    known = callable(value) and (
        id(value) in _places() or getattr(value, "__module__", "").startswith("torch.testing.")
    )
    return find(value) if known and not isinstance(value, (type, OpInfo)) else value


def _seeded(op, *args, **kwargs):
    """As torch's helper of the database: the op, drawing from a known seed."""
    jtorch.manual_seed(42)
    return op(*args, **kwargs)
