"""The Python state that a call can read: found by walking from the function, and seen to be as it was."""

import functools
import types
import weakref
from collections import OrderedDict, defaultdict, deque
from enum import Enum
from itertools import chain, compress, repeat
from operator import attrgetter, is_, methodcaller

import numpy as np

from jtorch import devices, dtypes
from jtorch._tensor import Tensor, everything
from jtorch.nn.modules import module_hooks
from jtorch.nn.modules.module import Member, Module
from jtorch.replay import code as source
from jtorch.replay.code import Refused

_LEAVES = (
    type(None), bool, int, float, complex, str, bytes, type(Ellipsis), type(NotImplemented), slice, range, np.generic,
    Enum, dtypes.dtype, devices.Device, Member,
)  # fmt: skip
_DICTS = (dict, OrderedDict, defaultdict, module_hooks.HookDict)
_MISSING = object()
_DUNDERS = frozenset(
    "forward backward setup_context __call__ __getattr__ __getattribute__ __setattr__ __getitem__ __setitem__ __len__ "
    "__iter__ __next__ __contains__ __eq__ __ne__ __lt__ __le__ __gt__ __ge__ __bool__ __hash__ __enter__ __exit__ "
    "__add__ __radd__ __mul__ __rmul__ __sub__ __rsub__ __truediv__ __neg__ __float__ __int__ __index__ __get__ "
    "__post_init__ __torch_function__".split()
)
_GLOBAL_HOOKS = (
    module_hooks._global_forward_pre_hooks, module_hooks._global_forward_hooks,
    module_hooks._global_backward_pre_hooks, module_hooks._global_backward_hooks,
)  # fmt: skip
# What a module's call reads only once a hook was registered, and what only state dicts read.
_IDLE = frozenset(
    "_backward_pre_hooks _backward_hooks _is_full_backward_hook _forward_hooks _forward_hooks_with_kwargs "
    "_forward_hooks_always_called _forward_pre_hooks _forward_pre_hooks_with_kwargs _state_dict_hooks "
    "_state_dict_pre_hooks _load_state_dict_pre_hooks _load_state_dict_post_hooks _non_persistent_buffers_set".split()
)
_AWAKENING = frozenset("state_dict load_state_dict".split())
_DYNAMIC = frozenset("getattr attrgetter methodcaller".split())  # what finds attributes whose names stand nowhere
_HANDED = ("jtorch.optim", "torch.optim", "jtorch.amp", "torch.amp", "jtorch.autograd", "torch.autograd")
_table_values = methodcaller("values")
_function = attrgetter("__code__", "__defaults__", "__kwdefaults__", "__closure__")


class World:
    """All that a call can read outside its arguments. `tensors`: the Tensors among it. Raises Refused."""

    def __init__(self, roots):
        self._seen, self._work = {}, [*roots, *_GLOBAL_HOOKS]
        self._names, self._methods = set(_DUNDERS), {}
        self._idle, self._held = set(() if module_hooks.ANY_HOOKS else _IDLE), []
        self._modules, self._groups, self._scalers = [], [], []
        self._dicts, self._lists, self._sets, self._empty = [], [], [], [module_hooks.ANY_HOOKS] if self._idle else []
        self._cells, self._functions, self._classes, self._instances = [], [], [], []
        self._lookups = {}
        self.tensors = []
        while self._work or self._grow():
            self._walk(self._work.pop())
        self._freeze()

    # Walking

    def _walk(self, x):
        kind = type(x)
        if isinstance(x, _LEAVES) or id(x) in self._seen:
            return
        self._seen[id(x)] = x
        if isinstance(x, Tensor):
            self._tensor(x)
        elif kind in _DICTS:
            self._keep(self._dicts, x)
            self._work += x.values()
            self._work += [k for k in x if not isinstance(k, str)]
        elif kind in (list, deque):
            self._keep(self._lists, x)
            self._work += x
        elif isinstance(x, (tuple, frozenset)):
            self._work += x
        elif kind is set:
            self._sets.append(x)
            self._work += x
        elif isinstance(x, types.FunctionType):
            self._function(x)
        elif isinstance(x, types.MethodType):
            self._work += (x.__self__, x.__func__)
        elif isinstance(x, functools.partial):
            self._work += (x.func, x.args, x.keywords)
        elif isinstance(x, weakref.ref):
            self._work.append(x())
        elif isinstance(x, types.ModuleType):
            self._module(x)
        elif isinstance(x, type):
            self._class(x, True)
        elif isinstance(x, (types.BuiltinFunctionType, types.MethodDescriptorType, types.WrapperDescriptorType)):
            self._builtin(x)
        else:
            self._instance(x)

    def _keep(self, table, x):
        (table if x else self._empty).append(x)

    def _tensor(self, x):
        if type(x).__module__.split(".")[0] not in ("torch", "jtorch") or vars(x):
            raise Refused("a tensor has attributes or a class of the user's")
        if x._hooks is not None and (x._hooks.tensor or x._hooks.accumulated or x._hooks.before or x._hooks.after):
            raise Refused("a tensor has hooks")
        self.tensors.append(x)

    def _function(self, x):
        inner = vars(x).get("_torchdynamo_orig_callable")
        if inner is not None:  # a compiled function in a compiled one
            self._work.append(inner)
            return
        if not source.is_own_file(x.__code__):
            if source.is_ours(x.__module__):
                return
            if source.is_installed(x.__module__):
                if x.__module__.split(".")[0] not in source.MODULES:
                    raise Refused(f"it calls {x.__module__}.{x.__qualname__}")
                return
            found = source.scan(x.__code__)
            self._names |= found.attributes
            for name in found.globals:
                self._look(x.__globals__, name)
        self._functions.append(x)
        for cell in x.__closure__ or ():
            self._cells.append(cell)
            self._work.append(_content(cell))
        self._work += x.__defaults__ or ()
        self._work += (x.__kwdefaults__ or {}).values()
        self._work += [v for k, v in vars(x).items() if k != "__wrapped__"]

    def _look(self, table, name):
        if (id(table), name) in self._lookups:
            return
        found = table.get(name, _MISSING)
        self._lookups[id(table), name] = (table, name, found)
        if name in _DYNAMIC or getattr(found, "__name__", None) in _DYNAMIC:
            self._names |= _DYNAMIC
        if found is _MISSING:
            source.is_builtin(name)
        else:
            self._work.append(found)

    def _module(self, x):
        root = x.__name__.split(".")[0]
        if source.is_ours(root) or root in source.MODULES:
            return
        if source.is_installed(x.__name__):
            raise Refused(f"it uses the module {x.__name__}")
        self._modules.append(vars(x))

    def _class(self, x, called):
        for cls in x.__mro__:
            if source.is_ours(cls.__module__) or cls in self._classes:
                continue
            if source.is_installed(cls.__module__):
                if cls.__module__ not in ("builtins", *source.MODULES):
                    raise Refused(f"it uses {cls.__module__}.{cls.__qualname__}")
                continue
            self._classes.append(cls)
            for name, value in vars(cls).items():
                self._methods.setdefault(name, []).append(value)
        if called:
            for value in [vars(cls).get("__init__") for cls in self._classes]:
                self._work += _plain(value)
        for name in self._names & self._methods.keys():
            for value in self._methods.pop(name):
                self._work += _plain(value)

    def _builtin(self, x):
        owner = getattr(x, "__self__", None)
        if isinstance(owner, types.ModuleType) or owner is None:
            if (getattr(x, "__module__", None) or "builtins").strip("_") not in source.MODULES:
                source.is_builtin(x.__name__)
        else:
            self._work.append(owner)

    def _instance(self, x):
        cls = type(x)
        if not hasattr(x, "__dict__"):
            raise Refused(f"it uses an object of {cls.__module__}.{cls.__qualname__}")
        own = not source.is_ours(cls.__module__)
        if not own and not isinstance(x, Module) and not cls.__module__.startswith(_HANDED):
            raise Refused(f"it uses an object of {cls.__module__}.{cls.__qualname__}")
        if cls.__name__ == "AdaptiveLogSoftmaxWithLoss":
            raise Refused("the shape of what AdaptiveLogSoftmaxWithLoss does hangs on values")
        if own and any(vars(c).get("__slots__") for c in cls.__mro__):
            raise Refused(f"{cls.__qualname__} has __slots__")
        self._class(cls, False)
        self._instances.append(x)
        held = vars(x)
        if hasattr(cls, "_note"):  # an optimizer whose numbers are asked for anew at each call
            self._groups += x.param_groups
            self._each(held, ("_clock", "param_groups"))
            self._keep(self._lists, x.param_groups)
        elif hasattr(cls, "unscale_"):
            self._scalers.append(held)
            self._each(held, ("_per_optimizer_states",))
        else:
            self._keep(self._dicts, held)
            if isinstance(x, Module):
                self._held.append(held)
                self._work += [value for name, value in held.items() if name not in self._idle]
            else:
                self._work += held.values()

    def _each(self, table, left_out):
        """Watch a dict's items one by one, but for some."""
        for name, value in table.items():
            if name not in left_out:
                self._lookups[id(table), name] = (table, name, value)
                self._work.append(value)

    def _grow(self):
        """Take up what names seen by now reach; whether that was anything."""
        dynamic = bool(self._names & _DYNAMIC)
        for name in list(self._methods) if dynamic else self._names & self._methods.keys():
            for value in self._methods.pop(name):
                self._work += _plain(value)
        for table in self._modules:
            for name in list(table) if dynamic else self._names & table.keys():
                self._look(table, name)
        for name in list(self._idle if dynamic or self._names & _AWAKENING else self._idle & self._names):
            self._idle.discard(name)
            self._work += [held[name] for held in self._held if name in held]
        if self._work:
            return True
        whole = bool(self._names & {"param_groups", "get_last_lr", "get_lr", "defaults"})
        for group in self._groups:
            moves = () if whole else [k for k, v in group.items() if type(v) in (int, float)]
            if (id(group), "params") not in self._lookups:
                self._each(group, moves)
        return bool(self._work)

    # Watching

    def _freeze(self):
        """Note how everything is."""
        self._cards = list(map(everything, self.tensors))
        self._widths = list(map(len, self._cards))
        self._had = ["_grad" in card for card in self._cards]
        for card in self._cards:
            for name, value in card.items():
                if name != "_grad":
                    self._lookups[id(card), name] = (card, name, value)
        rows = list(self._lookups.values())
        self._tables, self._keys = [row[0] for row in rows], [row[1] for row in rows]
        self._found = [row[2] for row in rows]
        self._lens = [*map(len, self._dicts), *map(len, self._lists)]
        self._dict_keys = list(chain.from_iterable(self._dicts))
        self._class_tables = list(map(vars, self._classes))
        self._class_lens = list(map(len, self._class_tables))
        idle, held = self._idle, set(map(id, self._held))
        self._read = [not (name in idle and id(table) in held) for table in self._dicts for name in table]
        self._values = list(self._contents())
        self._set_copies = [set(x) for x in self._sets]
        self._types = list(map(type, self._instances))
        self._seen = self._work = self._methods = self._modules = self._lookups = self._names = None
        self._idle = self._held = None

    def _contents(self):
        return chain(
            compress(chain.from_iterable(map(dict.values, self._dicts)), self._read),
            chain.from_iterable(self._lists),
            map(_content, self._cells),
            chain.from_iterable(map(_function, self._functions)),
            chain.from_iterable(map(_table_values, self._class_tables)),
        )

    def same(self):
        """Whether everything is as it was."""
        return (
            not any(self._empty)
            and [*map(len, self._dicts), *map(len, self._lists)] == self._lens
            and list(map(len, self._class_tables)) == self._class_lens
            and (all(map(is_, self._contents(), self._values)) or self._values_same())
            and all(map(is_, map(dict.get, self._tables, self._keys, repeat(_MISSING)), self._found))
            and list(chain.from_iterable(self._dicts)) == self._dict_keys
            and list(map(type, self._instances)) == self._types
            and (list(map(len, self._cards)) == self._widths or self._cards_same())
            and self._sets == self._set_copies
            and not any(s["_per_optimizer_states"] for s in self._scalers if s.get("_enabled"))
        )

    def _values_same(self):
        """Whether what is not the same object is at least the same number or text."""
        now = list(self._contents())
        for new, old in zip(now, self._values, strict=True):
            if new is not old and not (type(new) is type(old) and type(new) in (int, float, str) and new == old):
                return False
        self._values = now
        return True

    def _cards_same(self):
        """Whether tensors have no attributes that they had not, but for gradients."""
        widths = list(map(len, self._cards))
        if any(
            len(c) - ("_grad" in c) != n - had for c, n, had in zip(self._cards, self._widths, self._had, strict=True)
        ):
            return False
        self._widths = widths
        self._had = ["_grad" in card for card in self._cards]
        return True


def _content(cell):
    try:
        return cell.cell_contents
    except ValueError:
        return None


def _plain(value):
    """The functions in what stands in a class under a name."""
    if isinstance(value, (staticmethod, classmethod)):
        return (value.__func__,)
    if isinstance(value, property):
        return [f for f in (value.fget, value.fset) if f is not None]
    return () if value is None else (value,)
