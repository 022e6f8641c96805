"""Packages that need not be installed: imported at their first use, which says what to install where they lack."""

import functools
import importlib


class Package:
    """A module of such a package. Raises: ImportError, with the words given, at the use of any name where it is not."""

    def __init__(self, name, missing):
        self._name, self._missing = name, missing

    @functools.cached_property
    def here(self):
        """Whether it can be imported."""
        try:
            return self._import() is not None
        except ImportError:
            return False

    def _import(self):
        try:
            return importlib.import_module(self._name)
        except ImportError as error:
            raise ImportError(self._missing) from error

    def __getattr__(self, name):
        value = getattr(self._import(), name)
        setattr(self, name, value)
        return value
