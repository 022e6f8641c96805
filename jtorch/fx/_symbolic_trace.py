"""symbolic_trace: read a program off by calling it with proxies."""

import builtins
import functools
import inspect
import math
import types
from contextlib import ExitStack, contextmanager

from jtorch._tensor import Tensor
from jtorch.api import overriding
from jtorch.fx.graph import Graph
from jtorch.fx.graph_module import GraphModule
from jtorch.fx.node import map_aggregate, wrap, wrapped
from jtorch.fx.proxy import ParameterProxy, Proxy, TracerBase
from jtorch.nn.modules.container import Sequential
from jtorch.nn.modules.module import Module
from jtorch.nn.parameter import Parameter

__all__ = ["Tracer", "symbolic_trace", "wrap"]


def _recorded(fn):
    """A function whose calls become nodes when a proxy is among the arguments."""

    @functools.wraps(fn)
    def call(*args, **kwargs):
        found = []
        map_aggregate((args, kwargs), lambda x: found.append(x) if isinstance(x, Proxy) else None)
        if found:
            made = found[0].tracer.create_proxy("call_function", fn, args, kwargs)
            made.node.meta["is_wrapped"] = True
            return made
        return fn(*args, **kwargs)

    return call


@contextmanager
def _patched(owner, name, value):
    """A class or a dict of globals has another value under a name inside."""
    own = owner if isinstance(owner, dict) else vars(owner)
    there, before = name in own, own.get(name)
    put = owner.__setitem__ if isinstance(owner, dict) else functools.partial(setattr, owner)
    drop = owner.__delitem__ if isinstance(owner, dict) else functools.partial(delattr, owner)
    put(name, value)
    try:
        yield
    finally:
        put(name, before) if there else drop(name)


class Tracer(TracerBase):
    """Reads programs off. Subclasses say which modules stay whole (is_leaf_module) and how nodes are made.

    autowrap_modules: modules of Python whose functions become nodes. autowrap_functions: such functions.
    """

    def __init__(self, autowrap_modules=(math,), autowrap_functions=(), param_shapes_constant=False):
        self._functions = {id(fn): fn for fn in autowrap_functions}
        for module in autowrap_modules:
            self._functions |= {id(fn): fn for name, fn in vars(module).items() if name[0] != "_" and callable(fn)}
        self._modules = tuple(autowrap_modules)
        self.param_shapes_constant = param_shapes_constant
        self.root = None

    def is_leaf_module(self, m, module_qualified_name):
        """Whether a module stays one node: those of torch.nn do, all but Sequential."""
        return m.__module__.startswith(("torch.nn", "torch.ao.nn", "jtorch.nn")) and not isinstance(m, Sequential)

    def path_of_module(self, mod):
        """The path of a module below the root. Raises: NameError where it is not there."""
        for name, module in self.root.named_modules():
            if module is mod:
                return name
        raise NameError("module is not installed as a submodule")

    def call_module(self, m, forward, args, kwargs):
        """What a call of a module becomes: a node for a leaf, what its forward does for another."""
        path = self.path_of_module(m)
        if self.is_leaf_module(m, path):
            return self.create_proxy("call_module", path, args, kwargs)
        return forward(*args, **kwargs)

    def getattr(self, attr, attr_val, parameter_proxy_cache):
        """What an attribute of a module is while the program is read off: a proxy for a parameter."""
        if not isinstance(attr_val, Parameter):
            return attr_val
        for name, parameter in self.root.named_parameters():
            if parameter is attr_val:
                if name not in parameter_proxy_cache:
                    make = functools.partial(ParameterProxy, self, name=name, param=attr_val)
                    parameter_proxy_cache[name] = self.create_proxy("get_attr", name, (), {}, proxy_factory_fn=make)
                return parameter_proxy_cache[name]
        return attr_val

    def _leaf(self, a):
        if isinstance(a, Tensor):
            return self.create_node("get_attr", self._name_of(a), (), {})
        if isinstance(a, Module):
            return self.create_node("get_attr", self.path_of_module(a), (), {})
        return super()._leaf(a)

    def _name_of(self, tensor):
        """The path of a tensor below the root; one that is nowhere becomes an attribute of it."""
        for find in (self.root.named_parameters, self.root.named_buffers):
            for name, known in find():
                if known is tensor:
                    return name
        for name, known in vars(self.root).items():
            if known is tensor:
                return name
        count = 0
        while hasattr(self.root, f"_tensor_constant{count}"):
            count += 1
        setattr(self.root, f"_tensor_constant{count}", tensor)
        return f"_tensor_constant{count}"

    def create_args_for_root(self, root_fn, is_module, concrete_args=None):
        """The function, and what it is called with by position: the module, and proxies for its parameters."""
        signature = inspect.signature(root_fn)
        given = {}
        for p in list(signature.parameters.values())[is_module:]:
            if concrete_args and p.name in concrete_args:
                given[p.name] = concrete_args[p.name]
                continue
            star = {p.VAR_POSITIONAL: "*", p.VAR_KEYWORD: "**"}.get(p.kind, "")
            default = () if p.default is p.empty or star else (self.create_arg(p.default),)
            given[p.name] = self.create_proxy("placeholder", star + p.name, default, {})
        root_fn, names = _positional(inspect.unwrap(root_fn))
        return root_fn, [*([self.root] if is_module else []), *(given[name] for name in names[is_module:])]

    def trace(self, root, concrete_args=None):
        """The graph of a module or a function. concrete_args: values of parameters that are no inputs.

        Raises: TraceError where the program asks for a value.
        """
        overriding.activate()
        self.root = root if isinstance(root, Module) else Module()
        self.graph = Graph(tracer_cls=type(self))
        fn = type(root).forward if isinstance(root, Module) else root
        fn, args = self.create_args_for_root(fn, isinstance(root, Module), concrete_args)
        with self._reading(fn):
            result = fn(*args)
        self.create_node("output", "output", (self.create_arg(result),), {})
        return self.graph

    @contextmanager
    def _reading(self, fn):
        """Calls and parameters of modules go to this tracer inside, and functions that are marked."""
        known, call, find = {}, Module.__call__, Module.__getattribute__

        def module_call(mod, *args, **kwargs):
            return self.call_module(mod, lambda *a, **k: call(mod, *a, **k), args, kwargs)

        def module_getattr(mod, name):
            return self.getattr(name, find(mod, name), known)

        with ExitStack() as stack:
            stack.enter_context(_patched(Module, "__call__", module_call))
            stack.enter_context(_patched(Module, "__getattribute__", module_getattr))
            for (_, name), scope in list(wrapped.items()):
                value = scope.get(name, getattr(builtins, name, None))
                stack.enter_context(_patched(scope, name, _recorded(value)))
            for module in self._modules:
                for name, value in list(vars(module).items()):
                    if id(value) in self._functions:
                        stack.enter_context(_patched(vars(module), name, _recorded(value)))
            for name, value in list(getattr(fn, "__globals__", {}).items()):
                if id(value) in self._functions:
                    stack.enter_context(_patched(fn.__globals__, name, _recorded(value)))
            yield


def _positional(fn):
    """(a function that takes all its parameters by position, one value for `*args` too; the parameters' names)."""
    code = fn.__code__
    stars = bool(code.co_flags & inspect.CO_VARARGS) + bool(code.co_flags & inspect.CO_VARKEYWORDS)
    count = code.co_argcount + code.co_kwonlyargcount + stars
    flags = code.co_flags & ~(inspect.CO_VARARGS | inspect.CO_VARKEYWORDS)
    plain = code.replace(co_argcount=count, co_posonlyargcount=0, co_kwonlyargcount=0, co_flags=flags)
    return types.FunctionType(plain, fn.__globals__, fn.__name__, None, fn.__closure__), code.co_varnames[:count]


def symbolic_trace(root, concrete_args=None):
    """A GraphModule of a module or a function. Raises: TraceError where the program asks for a value."""
    tracer = Tracer()
    graph = tracer.trace(root, concrete_args)
    name = type(root).__name__ if isinstance(root, Module) else root.__name__
    return GraphModule(tracer.root, graph, name)
