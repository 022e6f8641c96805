"""Node: one step of a graph, and what it is given and given to."""

import builtins
import operator
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from jtorch import overrides
from jtorch._tensor import Tensor
from jtorch.devices import Device
from jtorch.dtypes import dtype

__all__ = ["Node", "has_side_effect", "map_aggregate", "map_arg"]

BaseArgumentTypes = str | int | float | bool | complex | dtype | Tensor | Device
Target = Callable[..., Any] | str

_effects: set = set()
_CONTAINERS = (tuple, list, dict, slice)


def has_side_effect(fn):
    """The function itself: mark of one whose call is kept though nobody takes its result."""
    _effects.add(fn)
    return fn


wrapped: dict = {}  # (id of a module's globals, name) -> these globals


def wrap(fn_or_name):
    """Mark a function of the calling module, by itself or by name, as one whose calls become nodes.

    Raises: RuntimeError for what is neither a function nor a name, NotImplementedError within a function.
    """
    if not callable(fn_or_name) and not isinstance(fn_or_name, str):
        raise RuntimeError("Unsupported type for global function! Must be either a callable or string name")
    name = fn_or_name if isinstance(fn_or_name, str) else fn_or_name.__name__
    frame = sys._getframe(1)
    if frame.f_code.co_name != "<module>":
        raise NotImplementedError("wrap must be called at the top level of a module")
    wrapped[id(frame.f_globals), name] = frame.f_globals
    return fn_or_name


def map_aggregate(a, fn):
    """What fn makes of each value in nested tuples, lists, dicts and slices, in containers of the same kind."""
    if isinstance(a, tuple):
        parts = [map_aggregate(x, fn) for x in a]
        return type(a)(*parts) if hasattr(a, "_fields") else tuple(parts)
    if isinstance(a, list):
        return [map_aggregate(x, fn) for x in a]
    if isinstance(a, dict):
        return {key: map_aggregate(x, fn) for key, x in a.items()}
    if isinstance(a, slice):
        return slice(map_aggregate(a.start, fn), map_aggregate(a.stop, fn), map_aggregate(a.step, fn))
    return fn(a)


def map_arg(a, fn):
    """map_aggregate that acts on nodes alone."""
    return map_aggregate(a, lambda x: fn(x) if isinstance(x, Node) else x)


def qualified_name(fn):
    """A function's name with its module, as it is written in code: torch.add, operator.getitem."""
    if getattr(builtins, getattr(fn, "__name__", ""), None) is fn:
        return fn.__name__
    if getattr(operator, fn.__name__, None) is fn:
        return f"operator.{fn.__name__}"
    named = overrides.resolve_name(fn)
    return named if named.startswith("torch.") else f"{fn.__module__}.{fn.__name__}"


class Node:
    """One step. op: placeholder, get_attr, call_function, call_method, call_module or output.

    target: the function, or the name of the method, attribute, module or input. args, kwargs: values, with nodes where
    results of steps go. users: the nodes that take its result. meta: whatever passes note.
    """

    def __init__(self, graph, name, op, target, args, kwargs, return_type=None):
        self.graph, self.name, self.op, self.target, self.type = graph, name, op, target, return_type
        self._input_nodes, self.users, self.meta = {}, {}, {}
        self._args, self._kwargs = (), {}
        self._prev = self._next = self
        self._erased = False
        self._set(args, kwargs)

    def _set(self, args, kwargs):
        for old in self._input_nodes:
            old.users.pop(self, None)
        self._args, self._kwargs, self._input_nodes = tuple(args), dict(kwargs), {}
        map_arg((self._args, self._kwargs), lambda n: self._input_nodes.setdefault(n))
        for new in self._input_nodes:
            new.users.setdefault(self)

    @property
    def args(self):
        """The positional arguments."""
        return self._args

    @args.setter
    def args(self, args):
        self._set(args, self._kwargs)

    @property
    def kwargs(self):
        """The arguments by name."""
        return self._kwargs

    @kwargs.setter
    def kwargs(self, kwargs):
        self._set(self._args, kwargs)

    @property
    def all_input_nodes(self):
        """The nodes among the arguments, each once."""
        return list(self._input_nodes)

    @property
    def next(self):
        """The node after it."""
        return self._next

    @property
    def prev(self):
        """The node before it."""
        return self._prev

    def _unlink(self):
        self._prev._next, self._next._prev = self._next, self._prev

    def prepend(self, x):
        """Move a node to the place before this one."""
        if self is x:
            return
        x._unlink()
        before = self._prev
        before._next, x._prev, x._next, self._prev = x, before, self, x

    def append(self, x):
        """Move a node to the place after this one."""
        self._next.prepend(x)

    def update_arg(self, idx, arg):
        """Give another positional argument."""
        args = list(self.args)
        args[idx] = arg
        self.args = tuple(args)

    def insert_arg(self, idx, arg):
        """Give one more positional argument, before the one of this number."""
        self.args = (*self.args[:idx], arg, *self.args[idx:])

    def update_kwarg(self, key, arg):
        """Give another argument by name."""
        self.kwargs = {**self.kwargs, key: arg}

    def replace_input_with(self, old_input, new_input):
        """Let it take another node's result."""
        swap = {old_input: new_input}
        self._set(*map_arg((self._args, self._kwargs), lambda n: swap.get(n, n)))

    def replace_all_uses_with(self, replace_with, delete_user_cb=lambda user: True, *, propagate_meta=False):
        """Let those that took its result take another node's; the nodes that were changed."""
        changed = [user for user in self.users if delete_user_cb(user)]
        for user in changed:
            user.replace_input_with(self, replace_with)
        if propagate_meta:
            replace_with.meta.update(self.meta)
        return changed

    def is_impure(self, impure_random=True):
        """Whether it is kept though nobody takes its result."""
        return self.op in ("placeholder", "output") or (self.op == "call_function" and self.target in _effects)

    def __repr__(self):
        return self.name

    def format_node(self, placeholder_names=None, maybe_return_typename=None):
        """The node as one line of text; placeholders' texts go to the list if there is one."""
        head = f"%{self.name} : [num_users={len(self.users)}] = {self.op}[target={self._shown_target()}]"
        if self.op == "output":
            return f"return {self.args[0]}"
        if self.op == "placeholder":
            return head + (f"(default={self.args[0]})" if self.args else "")
        return head if self.op == "get_attr" else f"{head}(args = {_shown(self.args)}, kwargs = {_shown(self.kwargs)})"

    def _shown_target(self):
        if self.op != "call_function":
            return self.target
        name = qualified_name(self.target)
        return name if "." in name else f"builtins.{name}"


def _shown(value):
    """An argument as text, nodes as %name."""
    if isinstance(value, (list, tuple)):
        inner = ", ".join(map(_shown, value))
        return f"[{inner}]" if isinstance(value, list) else f"({inner},)" if len(value) == 1 else f"({inner})"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {_shown(x)}" for key, x in value.items()) + "}"
    if isinstance(value, slice):
        return f"slice({_shown(value.start)}, {_shown(value.stop)}, {_shown(value.step)})"
    return f"%{value}" if isinstance(value, Node) else str(value)


Argument = BaseArgumentTypes | Node | tuple | Sequence[Any] | Mapping[str, Any] | slice | range | None
