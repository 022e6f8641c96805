"""Every file of this folder, imported, so that all functions and methods are there."""

import importlib
import pkgutil

from jtorch import api

for _module in pkgutil.iter_modules(api.__path__):
    importlib.import_module(f"jtorch.api.{_module.name}")
