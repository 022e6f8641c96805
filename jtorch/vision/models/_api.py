"""Nets and weights by name: get_model, list_models, get_weight."""

import fnmatch
import inspect
import sys
from types import ModuleType
from typing import get_args

from jtorch.vision.models._utils import BUILTIN_MODELS
from jtorch.vision.models._weights import Weights, WeightsEnum

__all__ = [
    "Weights", "WeightsEnum", "get_model", "get_model_builder", "get_model_weights", "get_weight", "list_models",
    "register_model",
]  # fmt: skip


def register_model(name=None):
    """Let `get_model` find a builder of one's own. Raises ValueError for a name that is taken."""

    def wrapper(fn):
        key = fn.__name__ if name is None else name
        if key in BUILTIN_MODELS:
            raise ValueError(f"An entry is already registered under the name '{key}'.")
        BUILTIN_MODELS[key] = fn
        return fn

    return wrapper


def list_models(module=None, include=None, exclude=None):
    """The names of all nets, or of those of a module; include and exclude: patterns as of file names."""
    found = {
        name
        for name, fn in BUILTIN_MODELS.items()
        if module is None or fn.__module__.rpartition(".")[0] == module.__name__
    }
    if include:
        patterns = [include] if isinstance(include, str) else include
        found = {name for pattern in patterns for name in fnmatch.filter(found, pattern)}
    for pattern in [exclude] if isinstance(exclude, str) else exclude or ():
        found -= set(fnmatch.filter(found, pattern))
    return sorted(found)


def get_model_builder(name):
    """The function that builds a net. Raises ValueError for an unknown name."""
    try:
        return BUILTIN_MODELS[name.lower()]
    except KeyError:
        raise ValueError(f"Unknown model {name.lower()}") from None


def get_model(name, **config):
    """A net by its name. config: of its builder."""
    return get_model_builder(name)(**config)


def get_model_weights(name):
    """The enum of the weights of a net, given by name or by its builder. Raises ValueError where it has none."""
    signature = inspect.signature(get_model_builder(name) if isinstance(name, str) else name)
    if "weights" not in signature.parameters:
        raise ValueError("The method is missing the 'weights' argument.")
    annotation = signature.parameters["weights"].annotation
    for kind in (annotation, *get_args(annotation)):
        if isinstance(kind, type) and issubclass(kind, WeightsEnum):
            return kind
    raise ValueError(
        "The WeightsEnum class for the specific method couldn't be retrieved. Make sure the typing info is correct."
    )


def get_weight(name):
    """Weights by their full name, as "ResNet50_Weights.DEFAULT". Raises ValueError and KeyError for others."""
    enum_name, _, value_name = name.partition(".")
    if name.count(".") != 1:
        raise ValueError(f"Invalid weight name provided: '{name}'.")
    home = sys.modules[__package__]
    places = [
        home,
        *(part for part in vars(home).values() if isinstance(part, ModuleType) and hasattr(part, "__path__")),
    ]
    found = next((getattr(place, enum_name) for place in places if hasattr(place, enum_name)), None)
    if not (isinstance(found, type) and issubclass(found, WeightsEnum)):
        raise ValueError(f"The weight enum '{enum_name}' for the specific method couldn't be retrieved.")
    return found[value_name]
