"""The names that jtorch shows: torch's, at torch's places, and a short list of its own."""

import importlib
import pkgutil
from types import ModuleType

import pytest
import torch

import jtorch
from jtorch.ops.op import TABLE

# What torch does not have. Whole modules that only jtorch has are left out: `engine`, `interop`, ...
OWN = {
    "jtorch": {
        "api",
        "compat",
        "convolutions",
        "devices",
        "dtypes",
        "engine",
        "errors",
        "interop",
        "lowering",
        "matrices",
        "modes",
        "ops",
        "rng",
        "series",
        "shapes",
    },
    "jtorch.optim": {"from_optax"},
}


def modules():
    """The dotted names of jtorch's modules that torch has too, without those that are private."""
    found = ["jtorch"]
    for info in pkgutil.walk_packages(jtorch.__path__, "jtorch."):
        first = info.name.split(".")[1]
        if first not in OWN["jtorch"] and not any(part.startswith("_") for part in info.name.split(".")):
            found.append(info.name)
    return [name for name in found if _at_torch(name) is not None and _is_door(name)]


def _is_door(name):
    """Whether users take names from a module: a package, a top-level file, or one of torch's two doors in nn."""
    is_package = hasattr(importlib.import_module(name), "__path__")
    return is_package or name.count(".") == 1 or name in ("jtorch.nn.functional", "jtorch.nn.init")


def _at_torch(name):
    try:
        return importlib.import_module(name.replace("jtorch", "torch", 1))
    except ModuleNotFoundError:
        return None


def public(module):
    """The names a module shows: `__all__`, all that a package hands on, or what a single file defines."""
    if hasattr(module, "__all__"):
        return set(module.__all__)
    shown = {name: value for name, value in vars(module).items() if not name.startswith("_")}
    if hasattr(module, "__path__"):
        return {name for name, value in shown.items() if not _is_elsewhere(module, name, value)}
    return {name for name, value in shown.items() if getattr(value, "__module__", None) == module.__name__}


def _is_elsewhere(package, name, value):
    """Whether a name is a module of the package's own, or one of Python's or NumPy's."""
    own = f"{package.__name__}.{name}"
    return isinstance(value, ModuleType) and (value.__name__ == own or not value.__name__.startswith("jtorch"))


@pytest.mark.parametrize("name", modules())
def test_a_module_shows_only_what_torch_has_there(name):
    shown = public(importlib.import_module(name))
    invented = {n for n in shown if not hasattr(_at_torch(name), n)} - OWN.get(name, set())
    assert invented == set()


@pytest.mark.parametrize("name", modules())
def test_what_a_module_promises_is_there(name):
    module = importlib.import_module(name)
    assert {n for n in getattr(module, "__all__", ()) if not hasattr(module, n)} == set()


def test_tensor_shows_only_what_torchs_tensor_has():
    shown = {name for name in dir(jtorch.Tensor) if not name.startswith("_")}
    assert shown - set(dir(torch.Tensor)) == set()


@pytest.mark.parametrize("name", sorted(TABLE))
def test_an_op_is_where_the_table_says(name):
    op = TABLE[name]
    if op.function and op.door is not None:
        door = jtorch if op.door == "torch" else importlib.import_module(f"jtorch.{op.door}")
        assert {n for n in op.names if not hasattr(door, n)} == set()
    if op.method:
        assert {n for n in (name, *op.aliases) if not hasattr(jtorch.Tensor, n)} == set()
    if op.inplace:
        assert hasattr(jtorch.Tensor, f"{name}_")


def test_tensor_says_it_is_torchs():
    assert jtorch.Tensor.__module__ == "torch"
    assert repr(jtorch.float32) == repr(torch.float32)
