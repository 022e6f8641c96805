"""Graph: a list of nodes in the order in which they run, and the Python code that does the same."""

import builtins
import copy
import itertools
import keyword
import re
import sys
from collections import namedtuple
from contextlib import contextmanager

from jtorch import dtypes
from jtorch.devices import Device
from jtorch.fx.node import Node, map_arg, qualified_name, wrap

__all__ = ["CodeGen", "Graph", "PythonCode"]

PythonCode = namedtuple("PythonCode", "src globals")

# How an operator is written.
_SIGNS = {
    "add": "{} + {}", "sub": "{} - {}", "mul": "{} * {}", "truediv": "{} / {}", "floordiv": "{} // {}",
    "mod": "{} % {}", "pow": "{} ** {}", "lshift": "{} << {}", "rshift": "{} >> {}", "and_": "{} & {}",
    "or_": "{} | {}",
    "xor": "{} ^ {}", "matmul": "{} @ {}", "lt": "{} < {}", "gt": "{} > {}", "le": "{} <= {}", "ge": "{} >= {}",
    "eq": "{} == {}", "ne": "{} != {}", "getitem": "{}[{}]", "neg": "-{}", "pos": "+{}", "invert": "~{}",
}  # fmt: skip


class _Namespace:
    """Names that are taken, and new ones that are not."""

    def __init__(self):
        self.taken = set()
        self._last = {}

    def new(self, candidate):
        """A name like the candidate that nobody has."""
        candidate = re.sub(r"[^0-9a-zA-Z_]+", "_", candidate) or "_unnamed"
        candidate = f"_{candidate}" if candidate[0].isdigit() else candidate
        found = re.fullmatch(r"(.*)_(\d+)", candidate)
        base, number = (found[1], int(found[2])) if found and found[1] else (candidate, None)
        name = candidate
        while name in self.taken or keyword.iskeyword(name) or (hasattr(builtins, name) and name != "_"):
            number = max(self._last.get(base, 0), number or 0) + 1
            name = f"{base}_{number}"
        self._last[base] = max(self._last.get(base, 0), number or 0)
        self.taken.add(name)
        return name


def _snake(name):
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).lower()


class CodeGen:
    """How a graph is written: `def forward(self, …)`."""

    def header(self, parameters, root):
        """The line of the function."""
        return f"def forward({', '.join([root, *parameters])}):"


class Graph:
    """Nodes in the order in which they run. New ones come at the end, or where inserting_before and _after say."""

    def __init__(self, owning_module=None, tracer_cls=None, tracer_extras=None):
        self.owning_module = owning_module
        self._root = Node.__new__(Node)
        self._root.__dict__.update(graph=self, op="root", name="", _input_nodes={}, users={})
        self._root._prev = self._root._next = self._root
        self._names = _Namespace()
        self._insert = self._root.prepend
        self._len = 0
        self._codegen = CodeGen()

    @property
    def nodes(self):
        """The nodes, in order; they may be changed on the way."""
        return _Nodes(self)

    def find_nodes(self, *, op, target=None, sort=True):
        """The nodes of a kind, and of a target where it is given."""
        return [n for n in self.nodes if n.op == op and (target is None or n.target == target)]

    def create_node(self, op, target, args=None, kwargs=None, name=None, type_expr=None):
        """A new node. name: what it is called if nobody is called so yet."""
        candidate = name if name is not None else self._candidate(op, target)
        node = Node(self, self._names.new(candidate), op, target, args or (), kwargs or {}, type_expr)
        self._insert(node)
        self._len += 1
        return node

    def _candidate(self, op, target):
        if op == "call_function":
            return _snake(target.__name__.rstrip("_") if target.__name__.startswith("__") else target.__name__)
        if op in ("placeholder", "output"):
            return str(target) if op == "placeholder" else "output"
        return _snake(str(target).replace(".", "_"))

    def placeholder(self, name, type_expr=None, default_value=...):
        """An input of this name."""
        return self.create_node(
            "placeholder", name, () if default_value is ... else (default_value,), {}, type_expr=type_expr
        )

    def get_attr(self, qualified_name, type_expr=None):
        """An attribute of the module, by its path."""
        return self.create_node("get_attr", qualified_name, type_expr=type_expr)

    def call_function(self, the_function, args=None, kwargs=None, type_expr=None, name=None):
        """A call of a function."""
        return self.create_node("call_function", the_function, args, kwargs, name, type_expr)

    def call_method(self, method_name, args=None, kwargs=None, type_expr=None):
        """A call of a method of the first argument."""
        return self.create_node("call_method", method_name, args, kwargs, type_expr=type_expr)

    def call_module(self, module_name, args=None, kwargs=None, type_expr=None):
        """A call of a module, by its path."""
        return self.create_node("call_module", module_name, args, kwargs, type_expr=type_expr)

    def output(self, result, type_expr=None):
        """What the program returns."""
        return self.create_node("output", "output", (result,), type_expr=type_expr)

    def output_node(self):
        """The node that returns."""
        return next(n for n in reversed(self.nodes) if n.op == "output")

    def node_copy(self, node, arg_transform=lambda x: x):
        """A copy of another graph's node. arg_transform: the node of this graph for one of the other's."""
        args, kwargs = map_arg((node.args, node.kwargs), arg_transform)
        copied = self.create_node(node.op, node.target, args, kwargs, node.name, node.type)
        copied.meta = copy.copy(node.meta)
        return copied

    def graph_copy(self, g, val_map, return_output_node=False):
        """Copy another graph's nodes, all but its output; what it returns in terms of this one."""
        for node in g.nodes:
            if node in val_map:
                continue
            if node.op == "output":
                result = map_arg(node.args[0], lambda n: val_map[n])
                return (result, node) if return_output_node else result
            val_map[node] = self.node_copy(node, lambda n: val_map[n])
        return None

    def __deepcopy__(self, memo=None):
        copied, known = Graph(), {}
        result = copied.graph_copy(self, known, return_output_node=True)
        if result is not None:
            copied.output(result[0]).meta = copy.copy(result[1].meta)
        return copied

    def erase_node(self, to_erase):
        """Take a node out. Raises: RuntimeError while another takes its result."""
        if to_erase.users:
            raise RuntimeError(
                f"Tried to erase Node {to_erase} but it still had {len(to_erase.users)} users in the graph: "
                f"{to_erase.users}!"
            )
        if to_erase._erased:
            return
        to_erase._unlink()
        to_erase._erased = True
        to_erase._set((), {})
        self._len -= 1

    @contextmanager
    def _at(self, insert):
        before, self._insert = self._insert, insert
        try:
            yield
        finally:
            self._insert = before

    def inserting_before(self, n=None):
        """Context manager: new nodes come before a node; before all others without one."""
        return self._at(self._root.append if n is None else n.prepend)

    def inserting_after(self, n=None):
        """Context manager: new nodes come after a node; after all others without one."""
        return self._at(self._root.prepend if n is None else n.append)

    def eliminate_dead_code(self, is_impure_node=None):
        """Take out the nodes whose results nobody takes; whether there were any."""
        impure = is_impure_node or Node.is_impure
        dead = [n for n in reversed(self.nodes) if not n.users and not impure(n)]
        for node in dead:
            self.erase_node(node)
        return bool(dead) and (self.eliminate_dead_code(is_impure_node) or True)

    def lint(self):
        """Raises: RuntimeError where a node takes the result of one that is not before it, or names repeat."""
        seen, names = set(), set()
        for node in self.nodes:
            for given in node.all_input_nodes:
                if given not in seen:
                    raise RuntimeError(
                        f"Argument '{given}' of Node '{node}' was used before it has been defined! Please check that "
                        "Nodes in the graph are topologically ordered"
                    )
            if node.name in names:
                raise RuntimeError(f"Node redefined name {node.name}!")
            seen.add(node)
            names.add(node.name)

    def __str__(self):
        names, lines = [], []
        for node in self.nodes:
            lines.append(node.format_node(names))
        return "graph():\n    " + "\n    ".join(lines)

    def python_code(self, root_module="self", **options):
        """The code of a function that does what the graph does, and the globals that it needs."""
        return _Writer(self, root_module).written()

    def print_tabular(self):
        """Print a line for each node."""
        sys.stdout.write(self.tabular() + "\n")

    def tabular(self):
        """A line for each node: what it is, its name, target and arguments."""
        rows = [("opcode", "name", "target", "args", "kwargs")]
        rows += [(n.op, n.name, str(n.target), str(n.args), str(n.kwargs)) for n in self.nodes]
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        lines = ["  ".join(x.ljust(w) for x, w in zip(row, widths, strict=True)) for row in rows]
        return "\n".join([lines[0], "  ".join("-" * w for w in widths), *lines[1:]])


class _Nodes:
    """The nodes of a graph, forward or reversed. A node that is taken out on the way does not end the way."""

    def __init__(self, graph, step="_next"):
        self._graph, self._step = graph, step

    def __len__(self):
        return self._graph._len

    def __iter__(self):
        root, step = self._graph._root, self._step
        at = getattr(root, step)
        while at is not root:
            if not at._erased:
                yield at
            at = getattr(at, step)

    def __reversed__(self):
        return iter(_Nodes(self._graph, "_prev"))


class _Writer:
    """Writes a graph as Python."""

    def __init__(self, graph, root):
        self.graph, self.root = graph, root
        self.globals = {}
        self.wrapped = {}  # the names of functions that a trace of the code must see as calls, in order
        self.last = {}  # node -> those whose results are used for the last time in it
        seen = set()
        for node in reversed(graph.nodes):
            for given in (*node.all_input_nodes, *(() if node.users or node.op == "placeholder" else (node,))):
                if given not in seen:
                    seen.add(given)
                    self.last.setdefault(node, []).append(given)

    def written(self):
        """The PythonCode."""
        parameters, body = [], []
        for node in self.graph.nodes:
            if node.op == "placeholder":
                parameters.append(self._parameter(node))
                raw = str(node.target).lstrip("*")
                if raw != node.name:
                    body.append(f"{node.name} = {raw}\n")
            elif node.op == "output":
                body.append(f"return {self.text(node.args[0])}")
            else:
                body.append(f"{node.name} = {self._call(node)}{self._freed(node)}\n")
        header = self.graph._codegen.header(parameters, self.root)
        lines = "".join(body).splitlines() or ["pass"]
        marks = "\n".join(f'torch.fx._symbolic_trace.wrap("{name}")' for name in self.wrapped)
        if marks:
            self.globals["torch.fx._symbolic_trace.wrap"] = wrap
        return PythonCode(f"\n{marks}\n\n{header}\n    " + "\n    ".join(lines) + "\n    ", self.globals)

    def _parameter(self, node):
        return str(node.target) + (f" = {self.text(node.args[0])}" if node.args else "")

    def _freed(self, node):
        """Code that lets go of what is not needed any more."""
        done = [n.name for n in self.last.get(node, ()) if n is not node or not node.users]
        return f";  {' = '.join(done)} = None" if done else ""

    def _call(self, node):
        if node.op == "get_attr":
            return _path(self.root, node.target)
        arguments = ", ".join([*map(self.text, node.args), *(f"{k} = {self.text(v)}" for k, v in node.kwargs.items())])
        if node.op == "call_module":
            return f"{_path(self.root, node.target)}({arguments})"
        if node.op == "call_method":
            return f"{self.text(node.args[0])}.{node.target}({', '.join(self._rest(node))})"
        name = qualified_name(node.target)
        sign = _SIGNS.get(name.removeprefix("operator.")) if name.startswith("operator.") else None
        if sign and not node.kwargs:
            return sign.format(*map(self.text, node.args))
        if name == "getattr" and len(node.args) == 2 and str(node.args[1]).isidentifier():
            return f"{self.text(node.args[0])}.{node.args[1]}"
        if not name.startswith("torch.") and "." in name:
            name = self._own(name.replace(".", "_"), node.target)
        if node.meta.get("is_wrapped"):
            self.wrapped.setdefault(name)
        return f"{self._global(name, node.target)}({arguments})"

    def _own(self, name, value):
        """A name that no other value has."""
        numbers = itertools.count(1)
        own = name
        while self.globals.get(own, value) is not value:
            own = f"{name}_{next(numbers)}"
        return own

    def _rest(self, node):
        return [*map(self.text, node.args[1:]), *(f"{k} = {self.text(v)}" for k, v in node.kwargs.items())]

    def _global(self, name, value):
        """The name under which a value is found in the code."""
        self.globals[name] = value
        return name

    def text(self, value):
        """An argument as code."""
        if isinstance(value, Node):
            return value.name
        if isinstance(value, tuple):
            if hasattr(value, "_fields"):
                inner = ", ".join(map(self.text, value))
                return f"{self._global(type(value).__name__, type(value))}({inner})"
            return f"({', '.join(map(self.text, value))}{',' if len(value) == 1 else ''})"
        if isinstance(value, list):
            return f"[{', '.join(map(self.text, value))}]"
        if isinstance(value, dict):
            return "{" + ", ".join(f"{k!r}: {self.text(v)}" for k, v in value.items()) + "}"
        if isinstance(value, slice):
            return f"slice({self.text(value.start)}, {self.text(value.stop)}, {self.text(value.step)})"
        if isinstance(value, Device):
            self.globals["device"] = Device
            return repr(value)
        if isinstance(value, dtypes.dtype):
            return self._global(repr(value), value)
        if value is ...:
            return "Ellipsis"
        return repr(value) if value is None or isinstance(value, _PLAIN) else self._global(_identifier(value), value)


_PLAIN = (bool, int, float, complex, str, bytes, range)


def _identifier(value):
    """A name for a value that has no code of its own: a class or function, an enum's member."""
    return re.sub(r"\W", "_", getattr(value, "__name__", type(value).__name__))


def _path(root, target):
    """Code for an attribute by its path; parts that are no names go through getattr."""
    at = root
    for part in str(target).split("."):
        at = f"{at}.{part}" if part.isidentifier() and not keyword.iskeyword(part) else f'getattr({at}, "{part}")'
    return at
