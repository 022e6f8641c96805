"""GraphModule: a module whose forward is the code of a graph."""

import copy
import itertools
import sys
from types import SimpleNamespace

from jtorch.fx.graph import Graph
from jtorch.fx.node import map_aggregate, map_arg
from jtorch.nn.modules.module import Module

__all__ = ["GraphModule"]

_count = itertools.count()


def attribute(module, path):
    """What a module has at a path."""
    for part in path.split("."):
        module = getattr(module, part)
    return module


def install(source, target, path):
    """Let a module have what another has at a path."""
    *folders, last = path.split(".")
    for folder in folders:
        inner = getattr(target, folder, None)
        if inner is None:
            inner = Module()
            target.add_module(folder, inner)
        source, target = getattr(source, folder), inner
    if hasattr(target, last) and isinstance(getattr(target, last), Module):
        return
    value = getattr(source, last)
    if last in getattr(source, "_buffers", {}):
        target.register_buffer(last, value)
    else:
        setattr(target, last, value)


def _scope(named):
    """Globals in which dotted names are found: {"torch.add": add} as torch with an attribute add."""
    scope = {}
    for name, value in named.items():
        first, *rest = name.split(".")
        if not rest:
            scope[first] = value
            continue
        at = scope.setdefault(first, SimpleNamespace())
        for part in rest[:-1]:
            if not hasattr(at, part):
                setattr(at, part, SimpleNamespace())
            at = getattr(at, part)
        setattr(at, rest[-1], value)
    return scope


class _Name(str):
    """A node's name where the node stood, in a pickle."""


def _named(arguments):
    return map_arg(arguments, lambda node: _Name(node.name))


def _again(attributes, nodes, class_name):
    """A GraphModule out of a pickle."""
    graph, known = Graph(), {}
    for op, name, target, args, kwargs in nodes:
        given = map_aggregate((args, kwargs), lambda x: known[x] if isinstance(x, _Name) else x)
        known[name] = graph.create_node(op, target, *given, name)
    module = GraphModule.__new__(GraphModule)
    module.__dict__.update(attributes)
    type(module).__name__ = class_name
    module.graph = graph
    return module


class GraphModule(Module):
    """A module made of a graph, with the modules, parameters and buffers of `root` that the graph names.

    root: a module, or {path: value}. Raises: RuntimeError when a dict lacks what the graph names.
    """

    def __new__(cls, *args, **kwargs):
        """Each has a class of its own, whose forward is compiled from the graph."""
        base = next((c for c in cls.__mro__ if "_is_impl" not in vars(c)), cls)
        return super().__new__(type("GraphModuleImpl", (base,), {"_is_impl": True, "__module__": base.__module__}))

    def __init__(self, root, graph, class_name="GraphModule"):
        super().__init__()
        self.__class__.__name__ = class_name
        if isinstance(root, Module):
            if hasattr(root, "training"):
                self.training = root.training
            for node in graph.nodes:
                if node.op in ("get_attr", "call_module"):
                    install(root, self, node.target)
        else:
            self._fill(root, graph)
        self.meta = dict(getattr(root, "meta", {})) if isinstance(root, Module) else {}
        self.graph = graph

    def _fill(self, root, graph):
        for node in graph.nodes:
            if node.op in ("get_attr", "call_module") and node.target not in root:
                raise RuntimeError(
                    f"Node {node} referenced target {node.target} but that target was not provided in ``root``!"
                )
        for path in sorted(root, key=lambda p: p.count(".")):
            *folders, last = path.split(".")
            at = self
            for folder in folders:
                if not hasattr(at, folder):
                    at.add_module(folder, Module())
                at = getattr(at, folder)
            setattr(at, last, root[path])

    @property
    def graph(self):
        """The graph. A new one is compiled at once."""
        return self._graph

    @graph.setter
    def graph(self, g):
        if not isinstance(g, Graph):
            raise AssertionError(f"Expected a Graph instance, but got {type(g)}")
        self._graph = g
        g.owning_module = self
        self.recompile()

    def recompile(self):
        """Compile the graph as it is now, after it was changed; its PythonCode."""
        written = self._graph.python_code("self")
        self._code = written.src
        scope = _scope(written.globals)
        exec(compile(written.src, f"<eval_with_key>.{next(_count)}", "exec"), scope)
        type(self).forward = scope["forward"]
        return written

    @property
    def code(self):
        """The Python code of forward."""
        return self._code

    def add_submodule(self, target, m):
        """Put a module at a path; whether that was possible."""
        *folders, last = target.split(".")
        at = self
        for folder in folders:
            inner = getattr(at, folder, None)
            if inner is None:
                inner = Module()
                at.add_module(folder, inner)
            if not isinstance(inner, Module):
                return False
            at = inner
        at.add_module(last, m)
        return True

    def delete_submodule(self, target):
        """Take away the module at a path; whether there was one."""
        parent, _, last = target.rpartition(".")
        try:
            owner = attribute(self, parent) if parent else self
        except AttributeError:
            return False
        if not isinstance(getattr(owner, last, None), Module):
            return False
        delattr(owner, last)
        return True

    def delete_all_unused_submodules(self):
        """Take away the modules that no node calls or reads from."""
        used = set()
        for node in self.graph.nodes:
            if node.op in ("call_module", "get_attr"):
                parts = node.target.split(".")
                used.update(".".join(parts[: i + 1]) for i in range(len(parts)))
                if node.op == "call_module":
                    used.update(
                        f"{node.target}.{name}" for name, _ in attribute(self, node.target).named_modules() if name
                    )
        for name in [name for name, _ in self.named_modules() if name and name not in used]:
            self.delete_submodule(name)

    def print_readable(self, print_output=True, **options):
        """The code as that of a class; it is printed too."""
        text = f"class {type(self).__name__}(torch.nn.Module):\n" + "\n".join(
            f"    {line}" for line in self.code.strip().splitlines()
        )
        if print_output:
            sys.stdout.write(text + "\n")
        return text

    def __deepcopy__(self, memo):
        attributes = {k: v for k, v in self.__dict__.items() if k not in ("_graph", "_code")}
        copied = GraphModule.__new__(type(self))
        memo[id(self)] = copied
        copied.__dict__.update(copy.deepcopy(attributes, memo))
        type(copied).__name__ = type(self).__name__
        copied.graph = copy.deepcopy(self._graph, memo)
        return copied

    def __copy__(self):
        copied = GraphModule(self, copy.deepcopy(self._graph), type(self).__name__)
        return copied

    def __reduce__(self):
        attributes = {k: v for k, v in self.__dict__.items() if k not in ("_graph", "_code")}
        nodes = [(n.op, n.name, n.target, _named(n.args), _named(n.kwargs)) for n in self._graph.nodes]
        return _again, (attributes, nodes, type(self).__name__)

    def __str__(self):
        shown = super().__str__()
        return f"{shown}\n{self._code}\n# To see more debug info, please use `graph_module.print_readable()`"
