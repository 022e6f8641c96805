"""The schemas of operators that users define: written as torch writes them, read, and made from annotations."""

import inspect
import re
import types
import typing
from collections import namedtuple
from collections.abc import Sequence
from dataclasses import dataclass

from jtorch._tensor import Tensor, aval
from jtorch.devices import Device
from jtorch.dtypes import dtype
from jtorch.errors import type_name

Bound = namedtuple("Bound", "args kwargs")
_MISSING = object()
_PART = re.compile(
    r"(?P<type>[\w\[\]?]+(?:\((?P<alias>[^)]*)\))?[\[\]?\d]*)\s+(?P<name>\w+)(?:\s*=\s*(?P<default>.+))?$"
)
_SCHEMA = re.compile(r"\s*(?P<name>[\w:.]+)\s*\((?P<arguments>.*)\)\s*->\s*(?P<returns>.+?)\s*$", re.DOTALL)
# What a value of a schema's type is in Python.
_KINDS = {
    "Tensor": Tensor, "int": int, "SymInt": int, "float": (int, float), "bool": bool, "str": str,
    "Device": (Device, str), "ScalarType": dtype, "Scalar": (int, float, complex), "Generator": object,
}  # fmt: skip


@dataclass(frozen=True)
class Argument:
    """One parameter. type: as it is written, without the mark of one that is written to."""

    name: str
    type: str
    default: object = _MISSING
    keyword_only: bool = False
    mutated: bool = False
    text: str = ""

    def fits(self, value):
        """Whether a value is of the type."""
        kind = self.type
        if kind.endswith("?"):
            if value is None:
                return True
            kind = kind[:-1]
        if kind.endswith("]"):
            inner = Argument(self.name, kind[: kind.rindex("[")])
            return isinstance(value, (list, tuple)) and all(map(inner.fits, value))
        wanted = _KINDS.get(kind, object)
        if isinstance(value, bool) and kind in ("int", "SymInt", "float"):
            return False
        return isinstance(value, wanted) or (isinstance(value, Tensor) and kind in _NUMBERS and not aval(value).shape)


_NUMBERS = ("int", "float", "bool", "Scalar")


@dataclass(frozen=True)
class Schema:
    """`name(parameters) -> results`."""

    name: str
    arguments: tuple
    returns: str

    @classmethod
    def parse(cls, text):
        """Read a schema. Raises: RuntimeError for what is none."""
        found = _SCHEMA.match(text)
        if found is None:
            raise RuntimeError(f"not a schema of an operator: {text!r}; it reads `name(Tensor x, int n=1) -> Tensor`")
        arguments, keyword_only = [], False
        for part in filter(None, map(str.strip, _split(found["arguments"]))):
            if part == "*":
                keyword_only = True
                continue
            arguments.append(_argument(part, keyword_only))
        return cls(found["name"], tuple(arguments), found["returns"])

    def __str__(self):
        shown, starred = [], False
        for argument in self.arguments:
            if argument.keyword_only and not starred:
                shown.append("*")
                starred = True
            shown.append(argument.text)
        return f"{self.name}({', '.join(shown)}) -> {self.returns}"

    __repr__ = __str__

    def bind(self, args, kwargs):
        """The arguments in order, with defaults, and those that go by name. Raises: RuntimeError as torch does."""
        positional = [argument for argument in self.arguments if not argument.keyword_only]
        if len(args) > len(positional):
            raise RuntimeError(
                f"{self.name}() expected at most {len(positional)} argument(s) but received {len(args)} argument(s). "
                f"Declaration: {self}"
            )
        given, named = dict(kwargs), {}
        for i, argument in enumerate(self.arguments):
            value = args[i] if i < len(args) else given.pop(argument.name, argument.default)
            if value is _MISSING:
                raise RuntimeError(
                    f"{self.name}() is missing value for argument '{argument.name}'. Declaration: {self}"
                )
            if not argument.fits(value):
                raise RuntimeError(
                    f"{self.name}() Expected a value of type '{_spelt(argument.type)}' for argument '{argument.name}' "
                    f"but instead found type '{type_name(value)}'.\nPosition: {i}\nValue: {value!r}\n"
                    f"Declaration: {self}\nCast error details: Unable to cast {value} to {_spelt(argument.type)}"
                )
            named[argument.name] = value
        if given:
            raise RuntimeError(
                f"Unknown keyword argument '{next(iter(given))}' for operator '{self.name}'. Schema: {self}"
            )
        return Bound(
            tuple(named[argument.name] for argument in positional),
            {argument.name: named[argument.name] for argument in self.arguments if argument.keyword_only},
        )


def _spelt(kind):
    """A schema's type as torch's message spells it."""
    if kind.endswith("?"):
        return f"Optional[{_spelt(kind[:-1])}]"
    return f"List[{_spelt(kind[: kind.rindex('[')])}]" if kind.endswith("]") else kind


def _split(text):
    """The parts between commas that are not in brackets or quotes."""
    parts, depth, quoted = [""], 0, False
    for char in text:
        quoted ^= char == '"'
        depth += not quoted and (char in "([") - (char in ")]")
        if char == "," and not depth and not quoted:
            parts.append("")
        else:
            parts[-1] += char
    return parts


def _argument(text, keyword_only):
    found = _PART.match(text)
    if found is None:
        raise RuntimeError(f"not a parameter of a schema: {text!r}")
    kind, alias = found["type"], found["alias"]
    if alias is not None:
        kind = kind.replace(f"({alias})", "")
    default = _MISSING if found["default"] is None else _value(found["default"].strip())
    shown = f"{found['type']} {found['name']}" + ("" if default is _MISSING else f"={_shown(default)}")
    return Argument(found["name"], kind, default, keyword_only, "!" in (alias or ""), shown)


_WORDS = {"None": None, "True": True, "False": False}


def _value(text):
    if text in _WORDS:
        return _WORDS[text]
    if text[0] == "[":
        return [_value(part.strip()) for part in _split(text[1:-1]) if part.strip()]
    if text[0] in "\"'":
        return text[1:-1]
    try:
        return int(text)
    except ValueError:
        return float(text)


def _shown(value):
    if isinstance(value, str):
        return f'"{value}"'
    if isinstance(value, list):
        return f"[{', '.join(map(_shown, value))}]"
    if isinstance(value, float):
        return repr(value).removesuffix("0") if repr(value).endswith(".0") else repr(value)
    return repr(value)


_TYPES = {
    Tensor: "Tensor", int: "SymInt", float: "float", bool: "bool", str: "str", dtype: "ScalarType", Device: "Device",
    int | float: "Scalar", int | float | bool: "Scalar",
}  # fmt: skip


def _written(annotation):
    """A parameter's annotation as a schema writes it, or None where it cannot."""
    if annotation in _TYPES:
        return _TYPES[annotation]
    origin, inner = typing.get_origin(annotation), typing.get_args(annotation)
    if origin in (typing.Union, types.UnionType):
        rest = [kind for kind in inner if kind is not type(None)]
        if set(rest) == {int, float} or set(rest) == {int, float, bool}:
            return "Scalar" + "?" * (len(rest) < len(inner))
        kind = _written(rest[0]) if len(rest) == 1 and len(inner) == 2 else None
        return kind and f"{kind}?"
    if isinstance(origin, type) and issubclass(origin, Sequence) and origin is not tuple and len(inner) == 1:
        kind = _written(inner[0])
        return kind and f"{kind}[]"
    return None


def _results(annotation):
    if annotation in (None, type(None)):
        return "()"
    if typing.get_origin(annotation) is tuple:
        kinds = [_written(kind) for kind in typing.get_args(annotation)]
        return None if None in kinds else f"({', '.join(kinds)})" if len(kinds) > 1 else f"({kinds[0]})"
    kind = _written(annotation)
    return kind


def infer_schema(prototype_function, /, *, mutates_args, op_name=None):
    """The schema of a function, from its annotations. Raises: ValueError in torch's words where they do not do.

    mutates_args: the names of the arguments that it writes to, or "unknown" for all tensors.
    """
    signature = inspect.signature(prototype_function, eval_str=True)
    shown = inspect.signature(prototype_function)

    def wrong(what):
        return ValueError(f"infer_schema(func): {what} Got func with signature {shown})")

    parts, starred, written_to = [], False, 0
    for name, parameter in signature.parameters.items():
        if parameter.kind not in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY):
            raise wrong("We do not support positional-only args, varargs, or varkwargs.")
        if parameter.kind is parameter.KEYWORD_ONLY and not starred:
            parts.append("*")
            starred = True
        if parameter.annotation is parameter.empty:
            raise wrong(f"Parameter {name} must have a type annotation.")
        kind = _written(parameter.annotation)
        if kind is None:
            raise wrong(f"Parameter {name} has unsupported type {parameter.annotation}.")
        if name in mutates_args or (mutates_args == "unknown" and kind.startswith("Tensor")):
            if not kind.startswith("Tensor"):
                raise wrong(
                    f"Parameter {name} is in mutable_args but only Tensors or collections of Tensors can be mutated"
                )
            kind = kind.replace("Tensor", f"Tensor(a{written_to}!)")
            written_to += 1
        default = "" if parameter.default is parameter.empty else f"={_default(parameter.default)}"
        parts.append(f"{kind} {name}{default}")
    if mutates_args != "unknown" and (strangers := set(mutates_args) - set(signature.parameters)):
        raise wrong(
            f"{strangers} in mutates_args were not found in the custom op's signature. mutates_args should contain the "
            "names of all args that the custom op mutates, or just the string 'unknown' if you don't know."
        )
    results = _results(signature.return_annotation)
    if signature.return_annotation is signature.empty:
        raise wrong("No return type annotation was provided. Please add one.")
    if results is None:
        raise wrong(f"Return has unsupported type {signature.return_annotation}.")
    return f"{op_name or ''}({', '.join(parts)}) -> {results}"


def _default(value):
    return f'"{value}"' if isinstance(value, str) else f"{value}"
