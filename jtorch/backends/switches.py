"""Modules whose attributes are switches: read and assigned like variables, checked like torch's."""

import contextlib
import sys
import types


class Switch:
    """An attribute of a module that a pair of functions reads and sets."""

    def __init__(self, get, put):
        self.get, self.put = get, put

    def __get__(self, module, kind=None):
        return self.get()

    def __set__(self, module, value):
        if _frozen:
            raise RuntimeError(
                f"not allowed to set {module.__name__.removeprefix('j')} flags after disable_global_flags; "
                "please use flags() context manager instead"
            )
        self.put(value)


class Flag:
    """A setting that changes nothing here; XLA chooses by itself. It takes bools, and else says what `setter` says."""

    def __init__(self, value, setter):
        self.value, self.setter = value, setter

    def get(self):
        """What it was set to."""
        return self.value

    def put(self, value):
        """Set it. Raises RuntimeError for what is no bool."""
        check_bool(value, self.setter)
        self.value = value

    def switch(self):
        """The attribute of a module that shows this flag."""
        return Switch(self.get, self.put)


_frozen = False


def disable_global_flags():
    """From now on switches can't be assigned; flags() changes them for a while."""
    global _frozen
    _frozen = True


def flags_frozen():
    """Whether switches can't be assigned."""
    return _frozen


@contextlib.contextmanager
def allow_nonbracketed_mutation():
    """A context in which switches can be assigned in any case."""
    global _frozen
    before, _frozen = _frozen, False
    try:
        yield
    finally:
        _frozen = before


def check_bool(value, setter):
    """Raise torch's RuntimeError of one of its setters for what is no bool."""
    if not isinstance(value, bool):
        raise RuntimeError(f"{setter} expects a bool, but got {type(value).__name__}")


def become(name, **switches):
    """Give the module of this name switches as attributes."""
    sys.modules[name].__class__ = type("Switches", (types.ModuleType,), switches)


@contextlib.contextmanager
def restored(set_flags, *values):
    """A context in which flags stand at these values; set_flags sets them and returns what they were."""
    before = set_flags(*values)
    try:
        yield
    finally:
        set_flags(*before)
