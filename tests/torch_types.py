"""The types that torch's own stubs and annotations give to its functions, in the words of jtorch's stubs."""

import ast
import importlib
import inspect
from functools import cache
from pathlib import Path

import torch

from jtorch.api.returns import MADE

_WORDS = {
    "Tensor": "Tensor", "None": "None", "Any": "Any", "Sequence": "Sequence", "Iterable": "Iterable", "list": "list",
    "tuple": "tuple", "List": "list", "Tuple": "tuple", "dict": "dict", "Size": "_Size", "_size": "Sequence[_int]",
    "Number": "_Number", "Generator": "_Generator", "Self": "Self", "object": "object", "Callable": "Callable",
} | {
    spelled: f"_{name}" for name in ("int", "bool", "float", "str", "complex", "dtype", "device")
    for spelled in (name, f"_{name}")
} | {"SymInt": "_int", "DType": "_dtype"}  # fmt: skip
_FILES = {"torch": "_C/_VariableFunctions.pyi", "nn": "nn/functional.pyi", "Tensor": "_C/__init__.pyi"}
PLACES = {"torch": "torch", "nn": "torch.nn.functional", "functional": "torch.functional", "": "torch"}


class _Unknown(Exception):
    """An annotation speaks of what jtorch's stubs have no word for."""


class _Translation(ast.NodeTransformer):
    def visit_Name(self, node):
        if node.id not in _WORDS:
            raise _Unknown(node.id)
        return ast.parse(_WORDS[node.id], mode="eval").body

    def visit_Attribute(self, node):
        home, _, name = ast.unparse(node).rpartition(".")
        if home.endswith("return_types"):
            if name not in MADE:
                raise _Unknown(name)
            return ast.parse(f"_return_types.{name}", mode="eval").body
        return self.visit_Name(ast.Name(name))

    def visit_Subscript(self, node):
        base = ast.unparse(node.value).rpartition(".")[2]
        if base.startswith("BroadcastingList"):
            item = ast.unparse(self.visit(node.slice))
            return ast.parse(f"{item} | Sequence[{item}]", mode="eval").body
        if base in ("Optional", "Union"):
            parts = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
            parts = [*map(ast.unparse, parts), *(["None"] if base == "Optional" else [])]
            return self.visit(ast.parse(" | ".join(parts), mode="eval").body)
        return self.generic_visit(node)

    def visit_BinOp(self, node):
        node = self.generic_visit(node)
        return node.left if ast.dump(node.left) == ast.dump(node.right) else node

    def visit_Constant(self, node):
        return self.visit(ast.parse(node.value, mode="eval").body) if isinstance(node.value, str) else node


def translated(annotation, parameter=False):
    """An annotation in the words of jtorch's stubs; None where they have none for it, or where it says too little."""
    if not annotation or (parameter and annotation == "None"):
        return None
    annotation = annotation.replace("list[", "Sequence[") if parameter else annotation
    try:
        return ast.unparse(_Translation().visit(ast.parse(annotation, mode="eval").body))
    except (_Unknown, SyntaxError):
        return None


@cache
def _stub(section):
    """{name: its definitions} of one of torch's stub files."""
    body = ast.parse((Path(torch.__file__).parent / _FILES[section]).read_text()).body if section in _FILES else []
    if section == "Tensor":
        body = next(node for node in body if isinstance(node, ast.ClassDef) and node.name == "TensorBase").body
    found = {}
    for node in body:
        name = node.target.id if isinstance(node, ast.AnnAssign) else getattr(node, "name", None)
        found.setdefault(name, []).append(node)
    return found


def _written(section, name):
    """The types of a function that torch writes in Python: ({parameter: annotation}, annotation of the result)."""
    home = torch.Tensor if section == "Tensor" else importlib.import_module(PLACES.get(section, f"torch.{section}"))
    try:
        found = inspect.signature(getattr(home, name))
    except (AttributeError, TypeError, ValueError):
        return []
    shown = {p.name: text(p.annotation) for p in found.parameters.values()}
    return [(shown, text(found.return_annotation))]


def text(annotation):
    """An annotation as source text."""
    return "" if annotation is inspect.Parameter.empty else inspect.formatannotation(annotation).replace("~", "")


def types(section, name):
    """What torch says of a function: a list, one item an overload, of ({parameter: annotation}, annotation)."""
    found = []
    for node in _stub(section).get(name, []):
        if isinstance(node, ast.FunctionDef):
            args = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
            shown = {a.arg: ast.unparse(a.annotation) if a.annotation else "" for a in args}
            found.append((shown, ast.unparse(node.returns) if node.returns else ""))
    return found or _written(section, name)


def likest(section, name, names):
    """That overload of `types` whose parameters are most like these names; ({}, "") where torch says nothing."""
    names = set(names) - {"self", "input"}
    return min(
        types(section, name), key=lambda found: len(names ^ (found[0].keys() - {"self", "input"})), default=({}, "")
    )


def attribute(name):
    """The annotation of an attribute of torch's Tensor."""
    for node in _stub("Tensor").get(name, []):
        if isinstance(node, ast.AnnAssign):
            return ast.unparse(node.annotation)
        if isinstance(node, ast.FunctionDef) and node.decorator_list:
            return ast.unparse(node.returns)
    return ""


@cache
def _named():
    body = ast.parse((Path(torch.__file__).parent / "return_types.pyi").read_text()).body
    return {node.name: node.body for node in body if isinstance(node, ast.ClassDef)}


def fields(name, names):
    """The types of the fields of a named tuple; all tensors where torch's stubs do not have it."""
    said = {
        n.name: ast.unparse(n.returns) for n in _named().get(name, []) if isinstance(n, ast.FunctionDef) and n.returns
    }
    return [translated(said.get(field)) or "Tensor" for field in names]
