"""Small helpers for arguments that layers take once or once per dimension."""

import types
from collections.abc import Iterable

Ints = int | tuple[int, ...]  # once for all dims, or once per dim


def _ntuple(n):
    """A function that makes a tuple of its argument: the argument's items, or the argument n times."""

    def parse(x):
        return tuple(x) if isinstance(x, Iterable) else (x,) * n

    return parse


_single = _ntuple(1)
_pair = _ntuple(2)
_triple = _ntuple(3)
_quadruple = _ntuple(4)


def _reverse_repeat_tuple(t, n):
    """The items from last to first, each n times: padding per dim as `F.pad` wants it."""
    return tuple(x for x in reversed(t) for _ in range(n))


def factory_kwargs(kwargs):
    """What a layer hands on to functions like empty: device, dtype, memory_format, of its own or in factory_kwargs.

    Raises TypeError for other names, and for one that is given twice.
    """
    if kwargs is None:
        return {}
    plain = ("device", "dtype", "memory_format")
    if unknown := kwargs.keys() - {*plain, "factory_kwargs"}:
        raise TypeError(f"unexpected kwargs {unknown}")
    made = dict(kwargs.get("factory_kwargs", {}))
    for name in plain:
        if name in kwargs:
            if name in made:
                raise TypeError(f"{name} specified twice, in **kwargs and in factory_kwargs")
            made[name] = kwargs[name]
    return made


factory_kwargs.__module__ = "jtorch.nn"  # torch: it is written there, and files name it so


def consume_prefix_in_state_dict_if_present(state_dict, prefix):
    """Take a prefix off the keys of a state dict and of its metadata, in place."""
    for key in [key for key in state_dict if key.startswith(prefix)]:
        state_dict[key[len(prefix) :]] = state_dict.pop(key)
    metadata = getattr(state_dict, "_metadata", {})
    for key in list(metadata):
        if key and (key == prefix.replace(".", "") or key.startswith(prefix)):
            metadata[key[len(prefix) :]] = metadata.pop(key)


# torch: the layers of these families have the constructor of their base, and Python's errors name that.
_SHARED = (
    "_BatchNorm", "_InstanceNorm", "_DropoutNd", "_MaxPoolNd", "_LPPoolNd", "_AdaptiveAvgPoolNd", "_AdaptiveMaxPoolNd",
    "_LazyNormBase", "_Loss", "_WeightedLoss",
)  # fmt: skip


def own_constructor(cls):
    """Give a layer a constructor of its own name where it inherits one from a base that only jtorch has."""
    inherited = cls.__init__
    owner = inherited.__qualname__.split(".")[0]
    if not owner.startswith("_") or owner in _SHARED:
        return
    made = types.FunctionType(
        inherited.__code__, inherited.__globals__, "__init__", inherited.__defaults__, inherited.__closure__
    )
    made.__kwdefaults__, made.__annotations__ = inherited.__kwdefaults__, inherited.__annotations__
    shared = (base for base in cls.__mro__ if base.__name__ in _SHARED and base.__init__ is inherited)
    holder = next(shared, cls)
    made.__qualname__, made.__module__, made.__doc__ = f"{holder.__name__}.__init__", cls.__module__, inherited.__doc__
    holder.__init__ = made
