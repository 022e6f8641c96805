"""Every op file, imported, so that the table is full."""

import importlib
import pkgutil

from jtorch import ops

for _module in pkgutil.iter_modules(ops.__path__):
    importlib.import_module(f"jtorch.ops.{_module.name}")
