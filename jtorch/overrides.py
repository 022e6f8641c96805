"""torch.overrides: modes that take calls over, and questions about what can be taken over."""

import functools
import sys

from jtorch._tensor import Tensor
from jtorch.api import overriding

__all__ = [
    "BaseTorchFunctionMode", "TorchFunctionMode", "get_default_nowrap_functions", "get_ignored_functions",
    "get_overridable_functions", "handle_torch_function", "has_torch_function", "is_tensor_like",
    "is_tensor_method_or_property", "resolve_name", "wrap_torch_function",
]  # fmt: skip

_PLACES = {
    "torch": "jtorch", "torch.functional": "jtorch.functional", "torch.nn.functional": "jtorch.nn.functional",
    "torch.linalg": "jtorch.linalg", "torch.fft": "jtorch.fft", "torch.special": "jtorch.special",
}  # fmt: skip


class TorchFunctionMode:
    """A context in which every call of torch's functions and methods goes to this object's `__torch_function__`."""

    def __torch_function__(self, func, types, args=(), kwargs=None):
        raise NotImplementedError

    def __enter__(self):
        overriding.activate()
        overriding.local.modes += (self,)
        return self

    def __exit__(self, *exc):
        overriding.local.modes = overriding.local.modes[:-1]

    @classmethod
    def push(cls, *args, **kwargs):
        """An instance (deprecated in torch: make one)."""
        return cls(*args, **kwargs)


class BaseTorchFunctionMode(TorchFunctionMode):
    """A mode that changes nothing."""

    def __torch_function__(self, func, types, args=(), kwargs=None):
        return func(*args, **(kwargs or {}))


def has_torch_function(relevant_args):
    """Whether a class among those of the arguments, or a mode, takes calls over."""
    overriding.activate()
    local = overriding.local
    return local.everything and bool(local.modes or (local.subclasses and overriding.overridden(relevant_args)))


def handle_torch_function(public_api, relevant_args, *args, **kwargs):
    """Hand a call of public_api to those of the relevant arguments that take calls over.

    Raises TypeError when none does.
    """
    overriding.activate()
    return overriding.handle(public_api, overriding.overridden(relevant_args), args, kwargs)


def wrap_torch_function(dispatcher):
    """Decorator: a function whose calls can be taken over. dispatcher(*args, **kwargs) gives the relevant arguments."""

    def decorate(func):
        @functools.wraps(func)
        def wrapped(*args, **kwargs):
            relevant = dispatcher(*args, **kwargs)
            if has_torch_function(relevant):
                return handle_torch_function(wrapped, relevant, *args, **kwargs)
            return func(*args, **kwargs)

        return wrapped

    return decorate


def is_tensor_like(inp):
    """Whether a value is a Tensor or of a class with `__torch_function__`."""
    return type(inp) is Tensor or hasattr(inp, "__torch_function__")


@functools.cache
def get_ignored_functions():
    """The functions whose calls are never handed on."""
    found = {vars(sys.modules["jtorch"]).get(name) for name in overriding.NEVER}
    return found | {vars(Tensor).get(name) for name in overriding.NEVER} - {None}


def get_default_nowrap_functions():
    """The functions whose results the default `__torch_function__` leaves plain tensors."""
    return {Tensor._base.__get__, Tensor.grad.__get__}


@functools.cache
def get_overridable_functions():
    """{namespace: functions} of all whose calls can be taken over."""
    found = {}
    for place in _PLACES.values():
        module = sys.modules.get(place)
        if module is not None:
            named = overriding.public_functions(module)
            found[module] = [fn for name, fn in named.items() if name not in overriding.NEVER]
    methods = []
    for name, value in vars(Tensor).items():
        if name in overriding.NEVER:
            continue
        if isinstance(value, property):
            methods.append(value.__get__)
            if value.fset is not None:
                methods.append(value.__set__)
        elif callable(value):
            methods.append(value)
    found[Tensor] = methods
    return found


@functools.cache
def _names():
    names = {}
    for owner, functions in get_overridable_functions().items():
        place = "torch.Tensor" if owner is Tensor else "torch" + owner.__name__.removeprefix("jtorch")
        for fn in functions:
            prop = getattr(fn, "__self__", None)
            inner = f"{prop.fget.__name__}." if isinstance(prop, property) else ""
            names.setdefault(fn, f"{place}.{inner}{fn.__name__}")
    return names


def resolve_name(f):
    """'torch.add', 'torch.Tensor.add', ... of a function, or its str() if it is none of torch's."""
    return f if isinstance(f, str) else _names().get(f, str(f))


@functools.cache
def _tensor_methods():
    return set(get_overridable_functions()[Tensor])


def is_tensor_method_or_property(func):
    """Whether a function is a method of Tensor or the getter of one of its properties."""
    return func in _tensor_methods() or func.__name__ == "__get__"
