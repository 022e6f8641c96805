"""Proxies: what stands for values while a program is read off. Each call on one becomes a node."""

import operator

from jtorch._tensor import Tensor
from jtorch.fx.graph import Graph
from jtorch.fx.node import map_aggregate

__all__ = ["Attribute", "GraphAppendingTracer", "ParameterProxy", "Proxy", "TraceError", "TracerBase"]


class TraceError(ValueError):
    """The program asks for a value that is not there while it is read off."""


_METHODS = {id(value): name for name, value in vars(Tensor).items() if callable(value)}


class TracerBase:
    """What makes nodes of calls."""

    graph: Graph

    def create_node(self, kind, target, args, kwargs, name=None, type_expr=None):
        """A node of the graph."""
        return self.graph.create_node(kind, target, args, kwargs, name, type_expr)

    def proxy(self, node):
        """What stands for a node's result."""
        return Proxy(node, self)

    def create_proxy(self, kind, target, args, kwargs, name=None, type_expr=None, proxy_factory_fn=None):
        """A node, and what stands for its result."""
        node = self.create_node(kind, target, self.create_arg(args), self.create_arg(kwargs), name, type_expr)
        return (proxy_factory_fn or self.proxy)(node)

    def create_arg(self, a):
        """An argument as a node has it: nodes instead of proxies. Raises: NotImplementedError for what has no code."""
        return map_aggregate(a, self._leaf)

    def _leaf(self, a):
        return a.node if isinstance(a, Proxy) else a

    def to_bool(self, obj):
        """Raises: TraceError, what a condition is cannot be known."""
        raise TraceError("symbolically traced variables cannot be used as inputs to control flow")

    def iter(self, obj):
        """Raises: TraceError, how many items there are cannot be known."""
        raise TraceError(
            "Proxy object cannot be iterated. This can be attempted when the Proxy is used in a loop or as a *args or "
            "**kwargs function argument. See the torch.fx docs on pytorch.org for a more detailed explanation of what "
            "types of control flow can be traced, and check out the Proxy docstring for help troubleshooting Proxy "
            "iteration errors"
        )

    def keys(self, obj):
        """The keys of what a proxy stands for, as a proxy."""
        return Attribute(obj, "keys")()


class GraphAppendingTracer(TracerBase):
    """Adds nodes to a graph that is there."""

    def __init__(self, graph):
        self.graph = graph


class Proxy:
    """Stands for the result of a node. What is done with it becomes nodes."""

    def __init__(self, node, tracer=None):
        self.node = node
        self.tracer = GraphAppendingTracer(node.graph) if tracer is None else tracer

    def __repr__(self):
        return f"Proxy({self.node.name})"

    def __getattr__(self, k):
        if k.startswith("__") and k.endswith("__"):
            raise AttributeError(k)
        return Attribute(self, k)

    def __call__(self, *args, **kwargs):
        return self.tracer.create_proxy("call_method", "__call__", (self, *args), kwargs)

    def __iter__(self):
        return self.tracer.iter(self)

    def __bool__(self):
        return self.tracer.to_bool(self)

    def __len__(self):
        raise RuntimeError(
            "'len' is not supported in symbolic tracing by default. If you want this call to be recorded, please call "
            "torch.fx.wrap('len') at module scope"
        )

    def keys(self):
        """The keys of what it stands for, as a proxy."""
        return self.tracer.keys(self)

    @classmethod
    def __torch_function__(cls, orig_method, types, args=(), kwargs=None):
        tracers = []
        map_aggregate((args, kwargs or {}), lambda x: tracers.append(x.tracer) if isinstance(x, Proxy) else None)
        tracer, kwargs = tracers[0], kwargs or {}
        owner = getattr(orig_method, "__self__", None)
        if isinstance(owner, property):  # the getter of an attribute
            return tracer.create_proxy("call_function", getattr, (args[0], owner.fget.__name__), {})
        name = _METHODS.get(id(orig_method))
        if name is not None:
            return tracer.create_proxy("call_method", name, args, kwargs)
        return tracer.create_proxy("call_function", orig_method, args, kwargs)


class Attribute(Proxy):
    """An attribute of what a proxy stands for. Called, it is a method; otherwise it becomes a node when it is used."""

    def __init__(self, root, attr):
        self.root, self.attr, self.tracer = root, attr, root.tracer
        self._node = None

    @property
    def node(self):
        """The node that reads it, made when somebody asks."""
        if self._node is None:
            self._node = self.tracer.create_proxy("call_function", getattr, (self.root, self.attr), {}).node
        return self._node

    def __call__(self, *args, **kwargs):
        return self.tracer.create_proxy("call_method", self.attr, (self.root, *args), kwargs)


class ParameterProxy(Proxy):
    """Stands for a parameter, whose shape is known."""

    def __init__(self, tracer, node, name, param):
        super().__init__(node, tracer)
        self.param, self.name = param, name


def _operate(fn, reflected):
    def call(self, other):
        args = (other, self) if reflected else (self, other)
        return self.tracer.create_proxy("call_function", fn, args, {})

    return call


def _operate_on_one(fn):
    return lambda self: self.tracer.create_proxy("call_function", fn, (self,), {})


_TWO = "add sub mul truediv floordiv mod pow lshift rshift and or xor matmul".split()
for _name in _TWO:
    _fn = getattr(operator, f"{_name}_" if _name in ("and", "or") else _name)
    setattr(Proxy, f"__{_name}__", _operate(_fn, False))
    setattr(Proxy, f"__r{_name}__", _operate(_fn, True))
for _name in "lt gt le ge eq ne getitem".split():
    setattr(Proxy, f"__{_name}__", _operate(getattr(operator, _name), False))
for _name in "neg pos invert abs".split():
    setattr(Proxy, f"__{_name}__", _operate_on_one(getattr(operator, _name)))
Proxy.__hash__ = lambda self: id(self)
