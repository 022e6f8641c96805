"""Module: the base of every layer; its attributes, its call, its mode and its printed form."""

import types
from collections import OrderedDict
from collections.abc import Callable
from typing import Any, Self

from jtorch._tensor import Tensor
from jtorch.api.settings import typename
from jtorch.nn.modules.module_convert import Convertible
from jtorch.nn.modules.module_hooks import (
    ANY_HOOKS,
    HookDict,
    HookedCall,
    Hooks,
    _global_backward_hooks,
    _global_backward_pre_hooks,
    _global_buffer_registration_hooks,
    _global_forward_hooks,
    _global_forward_pre_hooks,
    _global_module_registration_hooks,
    _global_parameter_registration_hooks,
    register_module_backward_hook,
    register_module_buffer_registration_hook,
    register_module_forward_hook,
    register_module_forward_pre_hook,
    register_module_full_backward_hook,
    register_module_full_backward_pre_hook,
    register_module_module_registration_hook,
    register_module_parameter_registration_hook,
)
from jtorch.nn.modules.module_state import _EXTRA_STATE_KEY_SUFFIX as _EXTRA_STATE_KEY_SUFFIX
from jtorch.nn.modules.module_state import Stateful
from jtorch.nn.modules.module_state import _IncompatibleKeys as _IncompatibleKeys
from jtorch.nn.modules.module_state import _WrappedHook as _WrappedHook
from jtorch.nn.modules.module_tree import Tree
from jtorch.nn.parameter import Buffer, Parameter

__all__ = [
    "register_module_forward_pre_hook",
    "register_module_forward_hook",
    "register_module_full_backward_pre_hook",
    "register_module_backward_hook",
    "register_module_full_backward_hook",
    "register_module_buffer_registration_hook",
    "register_module_module_registration_hook",
    "register_module_parameter_registration_hook",
    "Module",
]


class Member:
    """Reads a registered member straight from its dict: Python reaches `__getattr__` only through a costly failure.

    It sits on the class under the member's name. Without `__set__` it gives way to a plain attribute of that name, and
    where the instance has no such member, `__getattr__` is asked as ever.
    """

    __slots__ = ("home", "name")

    def __init__(self, home, name):
        self.home = home
        self.name = name

    def __get__(self, module, owner=None):
        try:
            return module.__dict__[self.home][self.name]
        except (AttributeError, KeyError):
            raise AttributeError(f"type object '{owner.__name__}' has no attribute '{self.name}'") from None


def _forward_unimplemented(self, *input: Any) -> None:
    raise NotImplementedError(f'Module [{type(self).__name__}] is missing the required "forward" function')


_CALL_HOOKS = ("_backward_pre_hooks", "_backward_hooks", "_forward_hooks", "_forward_pre_hooks")


def _fresh_state():
    """What every module starts with, under torch's names."""
    return {
        "training": True,
        "_parameters": {},
        "_buffers": {},
        "_non_persistent_buffers_set": set(),
        "_backward_pre_hooks": HookDict(),
        "_backward_hooks": HookDict(),
        "_is_full_backward_hook": None,
        "_forward_hooks": HookDict(),
        "_forward_hooks_with_kwargs": OrderedDict(),
        "_forward_hooks_always_called": OrderedDict(),
        "_forward_pre_hooks": HookDict(),
        "_forward_pre_hooks_with_kwargs": OrderedDict(),
        "_state_dict_hooks": OrderedDict(),
        "_state_dict_pre_hooks": OrderedDict(),
        "_load_state_dict_pre_hooks": OrderedDict(),
        "_load_state_dict_post_hooks": OrderedDict(),
        "_modules": {},
    }


class Module(Tree, Convertible, Stateful, Hooks):
    """The base of every layer and model: subclass it, call `super().__init__()`, assign members, define `forward`.

    Parameters, buffers and modules assigned as attributes are registered: they appear in `state_dict`, `parameters`,
    `to` and the printed form, in the order of their registration.
    Raises: AttributeError when a member is assigned before `Module.__init__()`.
    """

    training: bool
    call_super_init: bool = False
    dump_patches: bool = False
    forward: Callable[..., Any] = _forward_unimplemented

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        if not self.call_super_init and (args or kwargs):
            problem = (
                f"got an unexpected keyword argument '{next(iter(kwargs))}'"
                if kwargs
                else f"takes 1 positional argument but {len(args) + 1} were given"
            )
            raise TypeError(f"{type(self).__name__}.__init__() {problem}")
        for name, value in _fresh_state().items():
            object.__setattr__(self, name, value)
        if self.call_super_init:
            super().__init__(*args, **kwargs)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if ANY_HOOKS and (
            self._backward_hooks
            or self._backward_pre_hooks
            or self._forward_hooks
            or self._forward_pre_hooks
            or _global_forward_hooks
            or _global_forward_pre_hooks
            or _global_backward_hooks
            or _global_backward_pre_hooks
        ):
            return HookedCall(self, args, kwargs).run()
        return self.forward(*args, **kwargs)

    def __getattr__(self, name: str) -> Any:
        state = self.__dict__
        for home in ("_parameters", "_buffers", "_modules"):
            if name in state.get(home, ()):
                return state[home][name]
        raise AttributeError(f"'{type(self).__name__}' object has no attribute '{name}'")

    def __setattr__(self, name: str, value: Any) -> None:
        state = self.__dict__
        if isinstance(value, Parameter):
            self._require_init("_parameters", "parameters")
            self._vacate(name, "_parameters")
            self.register_parameter(name, value)
        elif name in state.get("_parameters", ()):
            if value is not None:
                raise TypeError(_cannot_assign(value, "parameter", name, "torch.nn.Parameter or None expected"))
            self.register_parameter(name, value)
        elif isinstance(value, Module):
            self._require_init("_modules", "module")
            self._vacate(name, "_modules")
            self._put("_modules", name, value, _global_module_registration_hooks)
        elif name in state.get("_modules", ()):
            if value is not None:
                raise TypeError(_cannot_assign(value, "child module", name, "torch.nn.Module or None expected"))
            self._put("_modules", name, value, _global_module_registration_hooks)
        elif name in state.get("_buffers", ()) or (isinstance(value, Tensor) and isinstance(value, Buffer)):
            self._set_buffer(name, value)
        else:
            object.__setattr__(self, name, value)

    def _set_buffer(self, name, value):
        if value is not None and not isinstance(value, Tensor):
            raise TypeError(_cannot_assign(value, "buffer", name, "torch.nn.Buffer, torch.Tensor or None expected"))
        if isinstance(value, Buffer):
            self._require_init("_buffers", "buffer")
            persistent = value.persistent
            self._vacate(name, "_buffers")
            self.register_buffer(name, value, persistent)
        else:
            self._put("_buffers", name, value, _global_buffer_registration_hooks)

    def __delattr__(self, name: str) -> None:
        if name in self._parameters:
            del self._parameters[name]
        elif name in self._buffers:
            del self._buffers[name]
            self._non_persistent_buffers_set.discard(name)
        elif name in self._modules:
            del self._modules[name]
        else:
            object.__delattr__(self, name)

    def _require_init(self, home, kind):
        if home not in self.__dict__:
            raise AttributeError(f"cannot assign {kind} before Module.__init__() call")

    def _vacate(self, name, home):
        """Take `name` away from attributes and members of other kinds, so that it names one thing only."""
        self.__dict__.pop(name, None)
        for other in ("_parameters", "_buffers", "_modules"):
            if other != home:
                self.__dict__[other].pop(name, None)
        self._non_persistent_buffers_set.discard(name)

    def _put(self, home, name, value, hooks):
        """Register a checked member, after the global registration hooks had their say."""
        for hook in hooks.values():
            changed = hook(self, name, value)
            if changed is not None:
                value = changed
        cls = type(self)
        if name not in getattr(self, home) and name.isidentifier() and cls.__getattr__ is Module.__getattr__:
            if not any(name in vars(base) for base in cls.__mro__):
                setattr(cls, name, Member(home, name))
        self.__dict__[home][name] = value

    def _check_name(self, home, kind, name):
        if not isinstance(name, str):
            raise TypeError(f"{kind} name should be a string. Got {typename(name)}")
        if "." in name:
            raise KeyError(f'{kind} name can\'t contain "."' + (f", got: {name}" if kind == "module" else ""))
        if name == "":
            raise KeyError(f'{kind} name can\'t be empty string ""')
        if hasattr(self, name) and name not in getattr(self, home):
            raise KeyError(f"attribute '{name}' already exists")

    def register_parameter(self, name: str, param: Parameter | None) -> None:
        """Add a parameter, or None to keep the name's place.

        Raises: TypeError for something else, ValueError for the result of an op, KeyError for a bad name.
        """
        self._require_init("_parameters", "parameter")
        self._check_name("_parameters", "parameter", name)
        if param is None:
            self._put("_parameters", name, None, {})
            return
        if not isinstance(param, Parameter):
            raise TypeError(
                f"cannot assign '{typename(param)}' object to parameter '{name}' (torch.nn.Parameter or None required)"
            )
        if param.grad_fn is not None:
            raise ValueError(
                f"Cannot assign non-leaf Tensor to parameter '{name}'. Model parameters must be created explicitly. "
                f"To express '{name}' as a function of another Tensor, compute the value in the forward() method."
            )
        self._put("_parameters", name, param, _global_parameter_registration_hooks)

    def register_buffer(self, name: str, tensor: Tensor | None, persistent: bool = True) -> None:
        """Add a tensor that is state but not a parameter; only a persistent one is part of the state dict.

        Raises: TypeError for something else, KeyError for a bad name.
        """
        self._require_init("_buffers", "buffer")
        self._check_name("_buffers", "buffer", name)
        if tensor is not None and not isinstance(tensor, Tensor):
            raise TypeError(
                f"cannot assign '{typename(tensor)}' object to buffer '{name}' (torch Tensor or None required)"
            )
        self._put("_buffers", name, tensor, _global_buffer_registration_hooks)
        if persistent:
            self._non_persistent_buffers_set.discard(name)
        else:
            self._non_persistent_buffers_set.add(name)

    def add_module(self, name: str, module: "Module | None") -> None:
        """Add a submodule, or None to keep the name's place.

        Raises: TypeError for something else, KeyError for a bad name.
        """
        if not isinstance(module, Module) and module is not None:
            raise TypeError(f"{typename(module)} is not a Module subclass")
        self._check_name("_modules", "module", name)
        self._put("_modules", name, module, _global_module_registration_hooks)

    def register_module(self, name: str, module: "Module | None") -> None:
        """The same as `add_module`."""
        self.add_module(name, module)

    def train(self, mode: bool = True) -> Self:
        """Switch the module and all below it to training (False: evaluation). Raises ValueError for what is no bool."""
        if not isinstance(mode, bool):
            raise ValueError("training mode is expected to be boolean")
        self.training = mode
        for module in self.children():
            module.train(mode)
        return self

    def eval(self) -> Self:
        """Switch the module and all below it to evaluation."""
        return self.train(False)

    def extra_repr(self) -> str:
        """What a subclass wants to stand between the brackets of its printed form."""
        return ""

    def __repr__(self) -> str:
        extra = self.extra_repr()
        lines = extra.split("\n") if extra else []
        if len(lines) == 1 and not self._modules:
            return f"{self._get_name()}({extra})"
        lines += [f"({name}): {_addindent(repr(module), 2)}" for name, module in self._modules.items()]
        return f"{self._get_name()}(" + ("\n  " + "\n  ".join(lines) + "\n" if lines else "") + ")"

    def __dir__(self):
        of_class = {n for base in type(self).__mro__ for n, v in vars(base).items() if not isinstance(v, Member)}
        names = [*of_class, *self.__dict__, *self._parameters, *self._modules, *self._buffers]
        return sorted(name for name in names if not name[0].isdigit())

    def __setstate__(self, state: dict) -> None:
        # torch: a module pickled by an older version lacks the newer fields.
        self.__dict__.update({**_fresh_state(), **state})
        for name in _CALL_HOOKS:
            self.__dict__[name] = HookDict(self.__dict__[name])


for _base in Tree, Convertible, Stateful, Hooks:  # torch has all of it in one class, and Python's errors show its name
    for _name, _fn in vars(_base).items():
        if isinstance(_fn, types.FunctionType):
            _fn.__qualname__ = f"Module.{_name}"


def _addindent(s_, numSpaces):
    first, *rest = s_.split("\n")
    return "\n".join([first, *(" " * numSpaces + line if line.strip() else "" for line in rest)])


def _cannot_assign(value, kind, name, wanted):
    return f"cannot assign '{typename(value)}' as {kind} '{name}' ({wanted})"
