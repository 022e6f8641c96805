"""Which names of torch a program uses, read from its source without running it, and which of them jtorch has."""

import ast
import os
from dataclasses import dataclass

from jtorch.compat import names


@dataclass(frozen=True, order=True)
class Use:
    """One place where a program uses a name of torch."""

    path: str
    line: int
    symbol: str


@dataclass(frozen=True)
class Report:
    """What a check found: every use, and for each symbol that jtorch lacks the sentence that says so."""

    uses: tuple
    lacks: dict

    @property
    def symbols(self):
        """The different symbols, in order."""
        return sorted({use.symbol for use in self.uses})


def check(paths):
    """Look at scripts and at all scripts in folders. Raises: OSError, SyntaxError for what cannot be read."""
    uses = sorted({use for path in paths for file in _files(path) for use in uses_in(file)})
    return Report(tuple(uses), {s: names.lack(s) for s in sorted({u.symbol for u in uses}) if not has(s)})


def has(symbol):
    """Whether jtorch has a dotted name of torch, a module, a class or what is in one."""
    parts = symbol.split(".")
    found, at = None, 0
    for at in range(len(parts), 0, -1):
        if (found := names.module(".".join(parts[:at]))) is not None:
            break
    if found is None:
        return False
    for part in parts[at:]:
        if not hasattr(found, part):
            return False
        found = getattr(found, part)
        if not isinstance(found, type) and not hasattr(found, "__path__") and type(found).__name__ != "module":
            return True  # of a function or a value nothing is known
    return True


def uses_in(path):
    """The uses of torch's names in one script."""
    with open(path, "rb") as file:
        tree = ast.parse(file.read(), path)
    visitor = _Visitor(path)
    visitor.visit(tree)
    return visitor.uses


class _Visitor(ast.NodeVisitor):
    """Collects names of torch: those imported, and attributes of what is bound to them."""

    def __init__(self, path):
        self._path = path
        self._bound = {}
        self.uses = []

    def _use(self, symbol, node):
        if "." in symbol:
            self.uses.append(Use(self._path, node.lineno, symbol))

    def visit_Import(self, node):
        for alias in node.names:
            if names.ours(alias.name) is not None:
                root = alias.name.partition(".")[0]
                self._bound[alias.asname or root] = alias.name if alias.asname else root
                self._use(alias.name, node)

    def visit_ImportFrom(self, node):
        if node.level or node.module is None or names.ours(node.module) is None:
            return
        for alias in node.names:
            if alias.name == "*":
                self._use(node.module, node)
                continue
            symbol = f"{node.module}.{alias.name}"
            self._bound[alias.asname or alias.name] = symbol
            self._use(symbol, node)

    def visit_Attribute(self, node):
        symbol = self._dotted(node)
        if symbol is None:
            self.generic_visit(node)
        else:
            self._use(symbol, node)

    def _dotted(self, node):
        parts = []
        while isinstance(node, ast.Attribute):
            parts.append(node.attr)
            node = node.value
        if not isinstance(node, ast.Name) or node.id not in self._bound:
            return None
        return ".".join((self._bound[node.id], *reversed(parts)))


def _files(path):
    if not os.path.isdir(path):
        return [path]
    return [
        os.path.join(folder, file)
        for folder, _, files in sorted(os.walk(path))
        for file in sorted(files)
        if file.endswith(".py")
    ]
