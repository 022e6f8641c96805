"""Modules that hold modules or parameters: in sequence, by index, by key."""

import operator
import warnings
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Self

from jtorch._tensor import Tensor
from jtorch.api.settings import typename
from jtorch.nn.modules.module import Module, _addindent
from jtorch.nn.parameter import Parameter

__all__ = ["Container", "Sequential", "ModuleList", "ModuleDict", "ParameterList", "ParameterDict"]


class Container(Module):
    """A module made of named modules; torch's old base of what Module itself is now. Warns that it is."""

    def __init__(self, **kwargs: Any) -> None:
        if type(self) is Container:
            _warn_of_container()
        super().__init__()
        for name, module in kwargs.items():
            self.add_module(name, module)

    def __init_subclass__(cls, **kwargs):
        _warn_of_container()
        super().__init_subclass__(**kwargs)


def _warn_of_container():
    warnings.warn(
        "`nn.Container` is deprecated. All of its functionality is now implemented in `nn.Module`. "
        "Subclass that instead.",
        category=FutureWarning,
        stacklevel=3,
    )


def _position(index, length):
    """index counted from the front. Raises IndexError when it is out of range, TypeError when it is no integer."""
    position = operator.index(index)
    if not -length <= position < length:
        raise IndexError(f"index {position} is out of range")
    return position % length


def _pairs(items, owner):
    """The (key, value) pairs of an `update` argument that is no mapping, checked."""
    for number, pair in enumerate(items):
        if not isinstance(pair, Iterable):
            raise TypeError(f"{owner} update sequence element #{number} should be Iterable; is{type(pair).__name__}")
        pair = tuple(pair)
        if len(pair) != 2:
            raise ValueError(f"{owner} update sequence element #{number} has length {len(pair)}; 2 is required")
        yield pair


def _require_iterable(value, called, wanted="an iterable", refused=()):
    if not isinstance(value, Iterable) or isinstance(value, refused):
        raise TypeError(f"{called} should be called with {wanted}, but got {type(value).__name__}")


class _Row(Module):
    """Modules that stand in a row: what Sequential and ModuleList share."""

    def _name_at(self, index):
        return list(self._modules)[_position(index, len(self))]

    def __len__(self) -> int:
        return len(self._modules)

    def __iter__(self) -> Iterator[Module]:
        return iter(self._modules.values())

    def __getitem__(self, idx):
        if isinstance(idx, slice):
            return self._of_slice(idx)
        return self._modules[self._name_at(idx)]

    def _of_slice(self, idx):
        raise NotImplementedError

    def __setitem__(self, idx: int, module: Module) -> None:
        setattr(self, self._name_at(idx), module)

    def __delitem__(self, idx: int | slice) -> None:
        for name in list(self._modules)[idx] if isinstance(idx, slice) else [self._name_at(idx)]:
            delattr(self, name)
        # torch: those behind the gap are numbered anew.
        self._modules = dict(zip(map(str, range(len(self))), self._modules.values(), strict=True))

    def pop(self, key: int | slice) -> Module:
        """Remove the module at `key` and return it."""
        found = self[key]
        del self[key]
        return found

    def append(self, module: Module) -> Self:
        """Add a module at the end."""
        self.add_module(str(len(self)), module)
        return self


class Sequential(_Row):
    """A chain: each module takes the output of the one before it.

    Shape: that of the first module's input -> that of the last module's output; an empty chain gives its input back.
    Raises: TypeError for an argument that is no module; a single OrderedDict names its modules.
    """

    def __init__(self, *args):
        super().__init__()
        named = args[0].items() if len(args) == 1 and isinstance(args[0], OrderedDict) else enumerate(args)
        for name, module in named:
            self.add_module(name if isinstance(name, str) else str(name), module)

    def forward(self, input):
        for module in self._modules.values():
            input = module(input)
        return input

    def _of_slice(self, idx):
        return type(self)(OrderedDict(list(self._modules.items())[idx]))

    def insert(self, index: int, module: Module) -> Self:
        """Put a module before the one at `index`. Raises IndexError when `index` is out of range."""
        if not isinstance(module, Module):
            raise AssertionError(f"module should be of type: {Module}")
        length = len(self)
        if not -length <= index <= length:
            raise IndexError(f"Index out of range: {index}")
        if index < 0:
            index += length
        for i in range(length, index, -1):
            self._modules[str(i)] = self._modules[str(i - 1)]
        self._modules[str(index)] = module
        return self

    def extend(self, sequential: Iterable[Module]) -> Self:
        """Add the modules of another chain at the end."""
        for module in sequential:
            self.append(module)
        return self

    def __add__(self, other: "Sequential") -> "Sequential":
        return Sequential().extend(self).extend(_chain(other))

    def __iadd__(self, other: "Sequential") -> Self:
        return self.extend(list(_chain(other)))

    def __mul__(self, other: int) -> "Sequential":
        return Sequential().extend(list(self) * self._times(other))

    def __rmul__(self, other: int) -> "Sequential":
        return self * other

    def __imul__(self, other: int) -> Self:
        return self.extend(list(self) * (self._times(other) - 1))

    def _times(self, other):
        if not isinstance(other, int):
            raise TypeError(f"unsupported operand type(s) for *: {type(self)} and {type(other)}")
        if other <= 0:
            raise ValueError(f"Non-positive multiplication factor {other} for {type(self)}")
        return other


def _chain(other):
    if not isinstance(other, Sequential):
        raise ValueError(f"add operator supports only objects of Sequential class, but {type(other)} is given.")
    return other


class ModuleList(_Row):
    """A list whose modules are registered. It has no forward: index it or walk it in the forward of its owner."""

    def __init__(self, modules: Iterable[Module] | None = None) -> None:
        super().__init__()
        if modules is not None:
            self += modules

    def _name_at(self, index):
        return str(_position(index, len(self)))

    def _of_slice(self, idx):
        return type(self)(list(self._modules.values())[idx])

    def insert(self, index: int, module: Module) -> None:
        """Put a module before the one at `index`."""
        for i in range(len(self), index, -1):
            self._modules[str(i)] = self._modules[str(i - 1)]
        self._modules[str(index)] = module

    def extend(self, modules: Iterable[Module]) -> Self:
        """Add modules at the end. Raises TypeError for something that is no iterable."""
        _require_iterable(modules, "ModuleList.extend")
        for module in list(modules):
            self.append(module)
        return self

    def __iadd__(self, modules: Iterable[Module]) -> Self:
        return self.extend(modules)

    def __add__(self, other: Iterable[Module]) -> "ModuleList":
        return ModuleList([*self, *other])

    def __repr__(self) -> str:
        runs = []
        for number, text in enumerate(map(repr, self)):
            if runs and runs[-1][2] == text:
                runs[-1][1] = number
            else:
                runs.append([number, number, text])
        if not runs:
            return f"{self._get_name()}()"
        lines = [
            f"({first}): {text}" if first == last else f"({first}-{last}): {last - first + 1} x {text}"
            for first, last, text in runs
        ]
        return f"{self._get_name()}(\n  " + "\n  ".join(_addindent(line, 2) for line in lines) + "\n)"


class ModuleDict(Module):
    """A dict whose modules are registered, in order of insertion. It has no forward."""

    def __init__(self, modules: Mapping[str, Module] | None = None) -> None:
        super().__init__()
        if modules is not None:
            self.update(modules)

    def __getitem__(self, key: str) -> Module:
        return self._modules[key]

    def __setitem__(self, key: str, module: Module) -> None:
        self.add_module(key, module)

    def __delitem__(self, key: str) -> None:
        del self._modules[key]

    def __len__(self) -> int:
        return len(self._modules)

    def __iter__(self) -> Iterator[str]:
        return iter(self._modules)

    def __contains__(self, key: str) -> bool:
        return key in self._modules

    def clear(self) -> None:
        """Remove all modules."""
        self._modules.clear()

    def pop(self, key: str) -> Module:
        """Remove the module under `key` and return it. Raises KeyError where there is none."""
        found = self[key]
        del self[key]
        return found

    def keys(self):
        """The keys, in order of insertion."""
        return self._modules.keys()

    def items(self):
        """The (key, module) pairs, in order of insertion."""
        return self._modules.items()

    def values(self):
        """The modules, in order of insertion."""
        return self._modules.values()

    def update(self, modules) -> None:
        """Add the modules of a mapping, a ModuleDict or pairs, replacing those under the same key.

        Raises: TypeError and ValueError for something else.
        """
        _require_iterable(modules, "ModuleDict.update", "an iterable of key/value pairs")
        named = isinstance(modules, (Mapping, ModuleDict))
        for key, module in modules.items() if named else _pairs(modules, "ModuleDict"):
            self[key] = module


def _member_line(name, member, kind):
    """One line of the printed form of a ParameterList or ParameterDict; kind: how a tensor's type is written."""
    if not isinstance(member, Tensor):
        return f"  ({name}): Object of type: {type(member).__name__}"
    size = "x".join(map(str, member.size()))
    device = f" ({member.device})" if member.device.type == "cuda" else ""
    what = "Parameter" if isinstance(member, Parameter) else "Tensor"
    return f"  ({name}): {what} containing: [{kind(member)} of size {size}{device}]"


def _as_parameter(value):
    return Parameter(value) if isinstance(value, Tensor) and not isinstance(value, Parameter) else value


class ParameterList(Module):
    """A list whose parameters are registered; tensors become parameters, anything else is kept as it is."""

    def __init__(self, values: Iterable[Any] | None = None) -> None:
        super().__init__()
        self._size = 0
        if values is not None:
            self += values

    def __getitem__(self, idx):
        if isinstance(idx, slice):
            return type(self)(self[i] for i in range(*idx.indices(len(self))))
        return getattr(self, str(_position(idx, len(self))))

    def __setitem__(self, idx: int, param: Any) -> None:
        setattr(self, str(_position(idx, len(self))), _as_parameter(param))

    def __len__(self) -> int:
        return self._size

    def __iter__(self) -> Iterator[Any]:
        return iter(self[i] for i in range(len(self)))

    def __iadd__(self, parameters: Iterable[Any]) -> Self:
        return self.extend(parameters)

    def append(self, value: Any) -> Self:
        """Add a value at the end; a tensor becomes a parameter."""
        self._size += 1
        self[-1] = value
        return self

    def extend(self, values: Iterable[Any]) -> Self:
        """Add values at the end; tensors become parameters. Raises TypeError for something that is no iterable."""
        _require_iterable(values, "ParameterList.extend", refused=Tensor)  # torch: a tensor is not taken apart
        for value in list(values):
            self.append(value)
        return self

    def extra_repr(self) -> str:
        return "\n".join(_member_line(i, member, lambda t: t.dtype) for i, member in enumerate(self))

    def __call__(self, *args, **kwargs):
        raise RuntimeError("ParameterList should not be called.")


class ParameterDict(Module):
    """A dict whose parameters are registered; tensors become parameters, anything else is kept as it is."""

    def __init__(self, parameters: Any = None) -> None:
        super().__init__()
        self._keys: dict[str, None] = {}
        if parameters is not None:
            self.update(parameters)

    def _require_text(self, key):
        if not isinstance(key, str):
            raise TypeError(
                "Index given to ParameterDict cannot be used as a key as it is not a string "
                f"(type is '{type(key).__name__}'). Open an issue on github if you need non-string keys."
            )

    def __getitem__(self, key: str) -> Any:
        self._require_text(key)
        return getattr(self, key)

    def __setitem__(self, key: str, value: Any) -> None:
        self._require_text(key)
        setattr(self, key, _as_parameter(value))
        self._keys[key] = None

    def __delitem__(self, key: str) -> None:
        del self._keys[key]
        delattr(self, key)

    def __len__(self) -> int:
        return len(self._keys)

    def __iter__(self) -> Iterator[str]:
        return iter(self._keys)

    def __reversed__(self) -> Iterator[str]:
        return reversed(self._keys)

    def __contains__(self, key: str) -> bool:
        return key in self._keys

    def copy(self) -> "ParameterDict":
        """A new dict with the very same parameters."""
        return ParameterDict(OrderedDict(self.items()))

    def setdefault(self, key: str, default: Any = None) -> Any:
        """The value under `key`, put there first (as `default`) if there was none."""
        if key not in self:
            self[key] = default
        return self[key]

    def clear(self) -> None:
        """Remove all values."""
        for key in list(self._keys):
            del self[key]

    def pop(self, key: str) -> Any:
        """Remove the value under `key` and return it. Raises AttributeError where there is none."""
        found = self[key]
        del self[key]
        return found

    def popitem(self) -> tuple[str, Any]:
        """Remove the last (key, value) and return it. Raises KeyError when the dict is empty."""
        key, _ = self._keys.popitem()
        # torch: the key must stand among the keys while the value is removed.
        self._keys[key] = None
        return key, self.pop(key)

    def get(self, key: str, default: Any = None) -> Any:
        """The value under `key`, or `default`."""
        return self[key] if key in self else default

    def fromkeys(self, keys: Iterable[str], default: Any = None) -> "ParameterDict":
        """A new dict with `default` under each of `keys`."""
        return ParameterDict((key, default) for key in keys)

    def keys(self):
        """The keys, in order of insertion."""
        return self._keys.keys()

    def items(self) -> Iterable[tuple[str, Any]]:
        """The (key, value) pairs, in order of insertion."""
        return ((key, self[key]) for key in self._keys)

    def values(self) -> Iterable[Any]:
        """The values, in order of insertion."""
        return (self[key] for key in self._keys)

    def update(self, parameters) -> None:
        """Add the values of a mapping, a ParameterDict or pairs, replacing those under the same key.

        Raises: TypeError and ValueError for something else.
        """
        _require_iterable(parameters, "ParametersDict.update", "an iterable of key/value pairs")
        if isinstance(parameters, (OrderedDict, ParameterDict)):
            pairs = parameters.items()
        elif isinstance(parameters, Mapping):
            pairs = sorted(parameters.items())
        else:
            pairs = _pairs(parameters, "ParameterDict")
        for key, value in list(pairs):
            self[key] = value

    def extra_repr(self) -> str:
        return "\n".join(_member_line(key, member, typename) for key, member in self.items())

    def __call__(self, input):
        raise RuntimeError("ParameterDict should not be called.")

    def __or__(self, other: "ParameterDict") -> "ParameterDict":
        joined = self.copy()
        joined.update(other)
        return joined

    def __ror__(self, other):
        joined = other.copy()
        joined.update(self)
        return joined

    def __ior__(self, other: "ParameterDict") -> Self:
        self.update(other)
        return self
