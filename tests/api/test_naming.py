"""Whatever jtorch shows that can be called goes through pickle, deepcopy and cloudpickle, and comes back as itself."""

import copy
import importlib
import pickle
import pkgutil
import types

import cloudpickle
import torch

import jtorch
from tests.oracle import same


def modules():
    """All modules of jtorch that torch has too."""
    names = [info.name for info in pkgutil.walk_packages(jtorch.__path__, "jtorch.")]
    public = [name for name in names if not any(part.startswith("_") for part in name.split("."))]
    return [jtorch, *map(importlib.import_module, filter(_at_torch, public))]


def _at_torch(name):
    try:
        return importlib.import_module(name.replace("jtorch", "torch", 1))
    except ModuleNotFoundError:
        return None


def shown():
    """(place, callable) of what can be called by its name: functions and classes, not objects and bound methods.

    Pickle looks in torch for classes that call themselves torch's.
    """
    found = {}
    for owner in (*modules(), jtorch.Tensor):
        for name, value in vars(owner).items():
            if not name.startswith("_") and callable(value) and _has_name(value):
                found[id(value)] = f"{owner.__name__}.{name}", value
    return found.values()


def _has_name(value):
    return (
        hasattr(value, "__name__")
        and not isinstance(value, (types.MethodType, types.GenericAlias))
        and not str(value.__module__).startswith("torch")
    )


def test_each_callable_comes_back_as_itself():
    lost = []
    for name, value in shown():
        for way in (
            lambda x: pickle.loads(pickle.dumps(x)),
            copy.deepcopy,
            lambda x: cloudpickle.loads(cloudpickle.dumps(x)),
        ):
            try:
                if way(value) is not value:
                    lost.append((name, "another one"))
            except Exception as error:
                lost.append((name, str(error)))
    assert lost == []


def test_many_are_looked_at():
    assert len(shown()) > 0.9 * len([name for name in dir(torch) if callable(getattr(torch, name))])


def test_names_of_functions():
    def run(torch):
        functions = torch.add, torch.tensor, torch.where, torch.einsum, torch.norm, torch.nn.functional.relu
        return [torch.typename(f) for f in functions], torch.Tensor.add.__name__, torch.einsum.__module__[-10:]

    same(run)
