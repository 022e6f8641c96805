"""Writes the .pyi stubs of what is made when the program runs: `python -m tests.stubs`.

Parameters are those of torch's overloads (api/signatures.txt) or of the function as it is written; results are what
the function says, what torch's stubs say of the same overload, or what the op table knows.
"""

import ast
import importlib
import inspect
import keyword
import subprocess
import sys
import types
from functools import cache
from pathlib import Path

import torch

import jtorch
from jtorch import dtypes
from jtorch.api.arguments import TAKES_NUMBERS, overloads
from jtorch.api.guard import MISSING
from jtorch.api.returns import MADE
from jtorch.ops.op import TABLE
from tests import torch_types
from tests.torch_types import translated

ROOT = Path(jtorch.__file__).parent
MODULES = {
    "jtorch": "torch", "jtorch.functional": "functional", "jtorch.linalg": "linalg", "jtorch.fft": "fft",
    "jtorch.special": "special", "jtorch.signal.windows": "signal.windows", "jtorch.nn.functional": "nn",
}  # fmt: skip
# Packages that hand on what other files define, and say so nowhere: a checker takes their imports for their own use.
FACADES = ("jtorch.nn", "jtorch.nn.modules", "jtorch.nn.utils", "jtorch.vision", "jtorch.vision.models",
           "jtorch.vision.ops", "jtorch.vision.transforms", "jtorch.vision.transforms.v2")  # fmt: skip
KINDS = {
    "Tensor": "Tensor", "Scalar": "_Number", "int": "_int", "bool": "_bool", "float": "_float", "str": "_str",
    "ints": "Sequence[_int]", "floats": "Sequence[_float]", "Tensors": "Sequence[Tensor]", "dtype": "_dtype",
    "OptTensors": "Sequence[Tensor | None]", "Scalars": "Sequence[_Number]", "device": "_device | _str | _int",
    "Generator": "_Generator",
}  # fmt: skip
_HEAD = '"""{} Written by `python -m tests.stubs`."""\n'
_USED = """
import builtins
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Self, TypeAlias, overload

from numpy import ndarray as _ndarray

from jtorch import return_types as _return_types
from jtorch.api.size import Size as _Size
from jtorch import devices as _devices
from jtorch.dtypes import dtype as _dtype
from jtorch.rng.generator import Generator as _Generator
"""
_TENSOR = "from jtorch._tensor import Tensor\n"
_ALIASES = ["_device: TypeAlias = _devices.Device\n"]
_ALIASES += [f"_{name}: TypeAlias = builtins.{name}\n" for name in ("int", "bool", "float", "str", "complex")]
_NUMBER = "_Number: TypeAlias = _bool | _int | _float | _complex | Tensor\n"
# What neither torch's stubs nor the op table tell, and where jtorch answers otherwise.
_ANSWERS = {
    "__len__": "_int", "__iter__": "Iterator[Tensor]", "__reversed__": "Tensor", "__hash__": "_int",
    "__repr__": "_str", "__format__": "_str", "__array__": "_ndarray", "__array_wrap__": "Tensor",
    "__deepcopy__": "Self", "__copy__": "Self", "__reduce_ex__": "Any", "__setitem__": "None", "__delitem__": "None",
    "__init_subclass__": "None", "__setstate__": "None", "__dlpack__": "Any", "__dlpack_device__": "tuple[Any, _int]",
    "__index__": "_int", "__int__": "_int", "__torch_function__": "Any", "item": "Any", "tolist": "Any",
    "backward": "None", "numpy": "_ndarray", "is_shared": "_bool", "is_pinned": "_bool", "register_hook": "Any",
    "storage": "Any", "untyped_storage": "Any", "broadcast_tensors": "tuple[Tensor, ...]",
    "split": "tuple[Tensor, ...]", "meshgrid": "tuple[Tensor, ...]", "einsum": "Tensor", "cdist": "Tensor",
    "norm": "Tensor", "block_diag": "Tensor", "cartesian_prod": "Tensor", "chain_matmul": "Tensor",
    "tensordot": "Tensor", "from_numpy": "Tensor", "from_dlpack": "Tensor", "atleast_1d": "Any", "atleast_2d": "Any",
    "atleast_3d": "Any", "unique": "Any", "unique_consecutive": "Any", "lu": "Any", "broadcast_shapes": "_Size",
    "stft": "Tensor", "grad_fn": "Any", "newaxis": "None", "cdouble": "Tensor", "cfloat": "Tensor", "ipu": "Tensor",
    "xpu": "Tensor", "mtia": "Tensor", "module_load": "Tensor", "const_data_ptr": "_int", "get_device": "_int",
    "dim_order": "tuple[_int, ...]", "is_sparse": "_bool",
}  # fmt: skip
_GUESSES = {
    "input": "Tensor",
    "dtype": "_dtype | None",
    "out": "Tensor | None",
    "device": "_device | _str | _int | None",
}
# Functions whose result depends on what their one overload is given.
_BY_HAND = {
    ("Tensor", "size"): ["self, dim: None = ...) -> _Size", "self, dim: _int) -> _int"],
    ("Tensor", "stride"): ["self, dim: None = ...) -> tuple[_int, ...]", "self, dim: _int) -> _int"],
    ("Tensor", "type"): ["self, dtype: None = ...) -> _str", "self, dtype: Any, non_blocking: _bool = ...) -> Tensor"],
}
_NOTHING = (inspect.Parameter.empty, MISSING)
_HIDDEN = {"__new__", "__init__", "__class__", "__dict__", "__weakref__", "__doc__", "__module__", "__hash__"}


def _legal(name):
    return f"{name}_" if keyword.iskeyword(name) else name


def _parameter(p, numbers):
    kind = KINDS.get(p.kind, "Any")
    kind = f"_int | {kind}" if p.kind == "ints" and p.size else kind
    kind = "_Number" if numbers and p.kind == "Tensor" and p.name != "out" else kind
    kind += " | None" if p.none and kind != "Any" else ""
    return f"{_legal(p.name)}: {kind}" + (" = ..." if p.optional else "")


def _head(overload, method, spread, numbers):
    """What stands between the parentheses for one of torch's overloads; spread: its ints one by one."""
    heads, star = ["self"] if method else [], spread
    for p in overload.params:
        if p.keyword_only and not star:
            heads.append("*")
        star = star or p.keyword_only
        heads.append(f"*{p.name}: _int" if spread and not p.keyword_only else _parameter(p, numbers))
    return ", ".join(heads)


def _native(section, name):
    """(what stands between the parentheses, names of the parameters) of each of torch's overloads of a function."""
    home = torch.Tensor if section == "Tensor" else importlib.import_module(torch_types.PLACES.get(section, "torch"))
    in_python = isinstance(getattr(home, name, None), types.FunctionType)
    for found in overloads(section, name):
        if not found.hidden and not in_python:
            names = [p.name for p in found.params]
            for spread in [False, True] if found.spread else [False]:
                yield _head(found, section == "Tensor", spread, name in TAKES_NUMBERS), names


def _written(section, name, fn):
    """The same of a function that torch's parser has no signature of: a list of one."""
    try:
        found = inspect.signature(fn).parameters.values()
    except (TypeError, ValueError):
        return [("*args: Any, **kwargs: Any", [])]
    found = [p for p in found if p.name not in ("_rest", "_extra")]
    known = torch_types.likest(section, name, [p.name for p in found])[0]
    operands = list(known.values())[1:] if name.startswith("__") else []
    heads, star = [], False
    method = section == "Tensor" and not isinstance(inspect.getattr_static(jtorch.Tensor, name), staticmethod)
    for place, p in enumerate(found):
        if p.kind is p.KEYWORD_ONLY and not star:
            heads.append("*")
        star = star or p.kind in (p.KEYWORD_ONLY, p.VAR_POSITIONAL)
        mark = {p.VAR_POSITIONAL: "*", p.VAR_KEYWORD: "**"}.get(p.kind, "")
        said = known.get(p.name) or (operands[place - 1] if 0 < place <= len(operands) else None)
        kind = translated(_own(p.annotation), True) or translated(said, True) or _GUESSES.get(p.name, "Any")
        given = " = ..." if not mark and (p.default not in _NOTHING or p.kind is p.KEYWORD_ONLY) else ""
        heads.append(f"{mark}{_legal(p.name)}: {kind}{given}")
        if method and place == 0 and not mark:
            heads[0] = "cls" if p.name == "cls" else "self"
        elif place == 0 and p.name == "cls":
            heads[0] = "cls_: Any"  # of a static method
    return [(", ".join(heads), [p.name for p in found])]


def _own(annotation):
    return "" if annotation is inspect.Parameter.empty else torch_types.text(annotation)


def _answer(section, name, fn, names):
    """The type of a result."""
    full = name if section in ("torch", "Tensor", "functional") else f"{section}_{name}"
    if full in MADE and full != name:
        return f"_return_types.{full}"
    said = translated(_own(getattr(fn, "__annotations__", {}).get("return", inspect.Parameter.empty)))
    said = said or _ANSWERS.get(name) or translated(torch_types.likest(section, name, names)[1])
    if said:
        return said
    if name in MADE:
        return f"_return_types.{name}"
    if name.startswith("is_"):
        return "_bool"
    known = TABLE.get(full) or TABLE.get(name) or TABLE.get(name.removesuffix("_"))
    operator = name.startswith("__") or (name.endswith("_") and section == "Tensor")
    return "Tensor" if known or operator or section not in ("torch", "Tensor", "") else "Any"


def _function(name, fn, section, indent=""):
    """The lines of one function or method."""
    made = fn.__func__ if isinstance(fn, (staticmethod, classmethod)) else fn
    heads = list(_native(section, name)) or _written(section, name, made)
    ends = [f"{head}) -> {_answer(section, name, made, names)}" for head, names in heads]
    ends = list(dict.fromkeys(_BY_HAND.get((section, name), ends)))
    marks = [f"{indent}@overload"] if len(ends) > 1 else []
    marks += [f"{indent}@{kind.__name__}" for kind in (staticmethod, classmethod) if isinstance(fn, kind)]
    return [line for end in ends for line in (*marks, f"{indent}def {name}({end}: ...")]


def _shown(name, home):
    """Whether users see a name: public, or torch has it at the same place."""
    return not name.startswith("_") or (name not in _HIDDEN and hasattr(home, name))


def _tensor():
    """The lines of the class Tensor."""
    lines = ["class Tensor:", "    def __init__(self, *args: Any, **kwargs: Any) -> None: ..."]
    for name, found in sorted(vars(jtorch.Tensor).items()):
        if not _shown(name, torch.Tensor):
            if name.startswith("_") and not name.startswith("__"):
                lines.append(f"    {name}: Any")
        elif name != "__torch_function__" and (callable(found) or isinstance(found, (staticmethod, classmethod))):
            lines += _function(name, found, "Tensor", "    ")
        else:
            answer = _ANSWERS.get(name) or translated(torch_types.attribute(name))
            lines.append(f"    {name}: {answer or ('_bool' if name.startswith('is_') else 'Any')}")
    return lines


def _tensor_stub():
    """The stub of _tensor.py: Tensor with all its methods, and what else stands in the file."""
    lines = _tensor()
    for node in ast.parse((ROOT / "_tensor.py").read_text()).body:
        if isinstance(node, ast.FunctionDef):
            node.body, node.decorator_list = [ast.Expr(ast.Constant(...))], []
            node.args.defaults = [ast.Constant(...)] * len(node.args.defaults)
            lines.append(ast.unparse(node))
        elif isinstance(node, ast.ClassDef) and node.name != "Tensor":
            lines += [f"class {node.name}:", *(f"    {name}: Any" for name in _fields(node))]
            lines += ["    def __init__(self, *args: Any) -> None: ..."]
    return lines


def _fields(node):
    """What a class of _tensor.py says it has."""
    found = vars(getattr(jtorch._tensor, node.name))
    return [name for name in found if not name.startswith("_")]


@cache
def _home(kind):
    """(module, name) where the text of ours defines a class, whatever it says of itself; None if nowhere."""
    for path, found in sorted(sys.modules.items()):
        if path.startswith("jtorch."):
            name = next((name for name, value in vars(found).items() if value is kind), None)
            if name and f"\nclass {name}" in inspect.getsource(found):
                return path, name
    return None


def _import(module, theirs, name):
    """The lines that hand on a name: a stub's `import x as x`; under another name it would be the stub's own."""
    if theirs == name:
        return [f"from {module} import {name} as {name}"]
    return [f"from {module} import {theirs} as _{theirs}", f"{name} = _{theirs}"]


def _handed_on(path, found):
    """(the imports of a module that users see, their names): what stays in it when it has run."""
    lines, names = [], set()
    for node in ast.parse(Path(found.__file__).read_text()).body:
        for alias in node.names if isinstance(node, ast.ImportFrom) else []:
            name = alias.asname or alias.name
            if hasattr(found, name) and (not name.startswith("_") or alias.asname == alias.name):
                lines += _import(node.module, alias.name, name)
                names.add(name)
    return lines, names


def _member(name, found, section):
    """The lines of one name that a module gets when it runs."""
    if isinstance(found, dtypes.dtype):
        return [f"{name}: _dtype"]
    if isinstance(found, type):
        home = _home(found)
        return _import(*home, name) if home else [f"class {name}(Tensor): ..."]
    if callable(found):
        return _function(name, found, section)
    home = _home(type(found))
    plain = type(found).__name__ if type(found) in (bool, int, float, str) else None
    kind = _ANSWERS.get(name) or (f"_{plain}" if plain else home[1] if home and hasattr(jtorch, home[1]) else "Any")
    return [f"{name}: {kind}"]


def _module(path, section):
    """The lines of the stub of a module."""
    found = importlib.import_module(path)
    lines, names = _handed_on(path, found)
    theirs = importlib.import_module(path.replace("jtorch", "torch", 1))
    for name, value in sorted(vars(found).items()):
        if name not in names and _shown(name, theirs) and not isinstance(value, types.ModuleType):
            lines += [] if name.startswith("__") else _member(name, value, section)
    return lines


def _facade(path):
    """The lines of the stub of a package that hands on names."""
    found = importlib.import_module(path)
    lines = _handed_on(path, found)[0]
    for node in ast.parse(Path(found.__file__).read_text()).body:
        if isinstance(node, ast.ImportFrom) and node.names[0].name == "*":
            lines.append(ast.unparse(node))
        elif isinstance(node, ast.FunctionDef):
            lines += _function(node.name, getattr(found, node.name), "")
    return lines


def _results():
    """The lines of the stub of return_types."""
    lines = []
    for name, kind in sorted(MADE.items()):
        fields = torch_types.fields(name, kind._names)
        lines += [f"class {name}(tuple[{', '.join(fields)}]):"]
        for field, said in zip(kind._names, fields, strict=True):
            lines += ["    @property", f"    def {field}(self) -> {said}: ..."]
        lines += ["    n_fields: _int", "    n_sequence_fields: _int", "    n_unnamed_fields: _int"]
    return lines


def _text(sentence, lines, tensor=_TENSOR):
    """A stub's text, laid out by ruff, without the names that it has no use for."""
    imports = "".join(f"{line}\n" for line in lines if line.startswith("from "))
    rest = "\n".join(line for line in lines if not line.startswith("from "))
    number = _NUMBER if "_Number" in rest else ""
    aliases = "".join(line for line in _ALIASES if line.partition(":")[0] in rest + number)
    tensor = "" if " as Tensor\n" in imports else tensor
    text = _HEAD.format(sentence) + _USED + tensor + imports + f"\n{aliases}{number}\n{rest}\n"
    for command in (["check", "--select=F401,I,UP", "--fix", "--exit-zero", "-q"], ["format", "-q"]):
        ruff = [str(Path(sys.executable).with_name("ruff")), *command, "--stdin-filename=stub.pyi", "-"]
        text = subprocess.run(ruff, input=text, capture_output=True, text=True, check=True, cwd=ROOT.parent).stdout
    return text


def stubs():
    """Every stub: {path: text}."""
    made = {"_tensor.pyi": _text("Tensor, as an editor sees it.", _tensor_stub(), tensor="")}
    made["return_types.pyi"] = _text("The named tuples that ops with several results return.", _results())
    lines = {path: _module(path, section) for path, section in MODULES.items()}
    lines |= {path: _facade(path) for path in FACADES}
    for path, found in lines.items():
        file = Path(importlib.import_module(path).__file__).with_suffix(".pyi")
        made[str(file.relative_to(ROOT))] = _text(f"What {path} holds.", found)
    return {ROOT / name: text for name, text in made.items()}


if __name__ == "__main__":
    for path, text in stubs().items():
        path.write_text(text)
