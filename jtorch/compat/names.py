"""Which names torch has, which of them jtorch has, and what comes closest to one that it lacks."""

import difflib
import functools
import importlib
import sys
from pathlib import Path
from types import ModuleType

ROOTS = {"torch": "jtorch", "torchvision": "jtorch.vision"}


def ours(name):
    """The name under which jtorch keeps a module of torch: torch.nn -> jtorch.nn. None for other packages' names."""
    root, dot, rest = name.partition(".")
    return ROOTS[root] + dot + rest if root in ROOTS else None


def theirs(name):
    """torch's name of a module of jtorch: jtorch.vision.models -> torchvision.models."""
    for root, home in reversed(ROOTS.items()):
        if name == home or name.startswith(home + "."):
            return root + name[len(home) :]
    return name


@functools.cache
def modules():
    """The names of torch's and torchvision's public modules, from modules.txt."""
    return frozenset(Path(__file__).with_name("modules.txt").read_text().split())


def in_torch(name):
    """Whether torch has a module of this name; whatever starts with an underscore is believed."""
    return name in modules() or any(part.startswith("_") for part in name.split("."))


def module(name):
    """jtorch's module for a module name of torch, or None where jtorch has none."""
    home = ours(name)
    if home is None:
        return None
    parent, _, last = home.rpartition(".")
    if "." in name and not hasattr(module(name.rpartition(".")[0]) or ModuleType(""), "__path__"):
        found = getattr(sys.modules.get(parent), last, None)  # a module that a plain one hands on
        return found if isinstance(found, ModuleType) else None
    try:
        return importlib.import_module(home)
    except ModuleNotFoundError as error:
        if error.name is None or not (home + ".").startswith(error.name + "."):
            raise
        return None


def closest(name, known):
    """The one of the known names that is spelt most like a name, or None."""
    return next(iter(difflib.get_close_matches(name, [k for k in known if not k.startswith("__")], 1)), None)


def lack(symbol):
    """The sentence that says that jtorch lacks a symbol of torch, and which of its own is closest."""
    parent, _, last = symbol.rpartition(".")
    home = module(parent) if parent else None
    near = closest(last, dir(home)) if home is not None else None
    return f"jtorch does not have {symbol}" + (f"; the closest that it has is {parent}.{near}" if near else "")
