"""`__torch_function__`: calls that a Tensor subclass, another class or a mode takes over.

As long as a program has no such class, nothing here is in the way of a call. The first one turns every public function
and method into a look-out: the function object stays the same one, only its code looks at the arguments first.
"""

import sys
import threading
import types

from jtorch import errors
from jtorch._tensor import Tensor
from jtorch.api.guard import refused
from jtorch.api.put import FUNCTIONS
from jtorch.autograd.apply import call

COVERED = ("jtorch", "jtorch.nn.functional", "jtorch.linalg", "jtorch.fft", "jtorch.special", "jtorch.autograd")


class _Local(threading.local):
    subclasses = True  # whether subclasses may take calls over
    everything = True  # whether anything may
    modes = ()


local = _Local()


def disabled(func, types, args=(), kwargs=None):
    """The `__torch_function__` of classes that take no calls over."""
    return func(*args, **(kwargs or {}))


class _Without:
    """A context in which classes, or classes and modes, take no calls over."""

    _switch = "subclasses"

    def __enter__(self):
        self._before = getattr(local, self._switch)
        setattr(local, self._switch, False)
        return self

    def __exit__(self, *exc):
        setattr(local, self._switch, self._before)


class DisableTorchFunctionSubclass(_Without):
    """A context in which subclasses and other classes take no calls over; modes do."""


class DisableTorchFunction(_Without):
    """A context in which nothing takes calls over."""

    _switch = "everything"


def overridden(values):
    """Those of the values, and of the items of sequences among them, whose class takes calls over, in torch's order."""
    found = []
    for value in values:
        kind = type(value)
        if kind in (list, tuple):
            for item in value:
                _add(found, item)
        else:
            _add(found, value)
    return found


def _add(found, value):
    kind = type(value)
    if kind is Tensor or not takes_over(kind) or any(type(other) is kind for other in found):
        return
    # torch: a subclass is asked before its bases.
    at = next((i for i, other in enumerate(found) if issubclass(kind, type(other))), len(found))
    found.insert(at, value)


def takes_over(kind):
    """Whether a class has a `__torch_function__` of its own, or one of Tensor's that is not switched off."""
    return getattr(kind, "__torch_function__", disabled) is not disabled


def handle(func, found, args, kwargs):
    """Offer a call to the modes, then to the classes of the values found. Raises TypeError when nobody takes it."""
    kinds = tuple(type(value) for value in found)
    if local.modes:
        outer = local.modes
        local.modes, mode = outer[:-1], outer[-1]
        try:
            result = mode.__torch_function__(func, kinds, args, kwargs or None)
        finally:
            local.modes = outer
        if result is not NotImplemented:
            return result
    for value in found:
        result = value.__torch_function__(func, kinds, args, kwargs or None)
        if result is not NotImplemented:
            return result
    if _written_in_python(func):
        title = f"torch.nn.functional.{func.__name__}"
        raise TypeError(f"no implementation found for '{title}' on types that implement __torch_function__: {[*kinds]}")
    listed = "".join(f"\n  - tensor subclass {kind!r}" for kind in kinds)
    raise TypeError(
        f"Multiple dispatch failed for '{_title(func)}'; all __torch_function__ handlers returned NotImplemented:\n"
        f"{listed}\n\nFor more information, try re-running with TORCH_LOGS=not_implemented"
    )


def _written_in_python(func):
    # torch: nn.functional is, and has other words for the same error.
    module = sys.modules["jtorch.nn.functional"]
    return vars(module).get(func.__name__) is func


def _title(func):
    """A function's name with its place in torch."""
    owner = getattr(func, "__self__", None)
    if isinstance(owner, property):
        return f"torch.Tensor.{owner.fget.__name__}.{func.__name__}"
    name = func.__name__
    return f"torch.Tensor.{name}" if vars(Tensor).get(name) is func else f"torch.{name}"


class Public:
    """One public function as the outside calls it: `func` is what a handler is given, `raw` does the work."""

    __slots__ = ("func", "raw")

    def __init__(self, func, raw):
        self.func, self.raw = func, raw

    def __call__(self, args, kwargs):
        if local.everything and (local.subclasses or local.modes):
            found = overridden((*args, *kwargs.values())) if local.subclasses else []
            if found or local.modes:
                return self._handed(found, args, kwargs)
        return self.raw(*args, **kwargs)

    def _handed(self, found, args, kwargs):
        try:
            return handle(self.func, found, args, kwargs)
        except TypeError:
            if self.raw.__name__ in _BINARY:
                return NotImplemented  # the other side's operator may know
            raise


def _template(count):
    """Code that hands a call on to the keyword default `_public`, with as many free variables as a function has."""
    free = [f"_{i}" for i in range(count)]
    source = "def outer():\n" + "".join(f"    {name} = None\n" for name in free)
    source += "    def look_out(*args, _public, **kwargs):\n        return _public(args, kwargs)\n"
    source += "".join(f"        {name}\n" for name in free) + "    return look_out\n"
    scope = {}
    exec(compile(source, "<jtorch look-out>", "exec"), scope)
    return scope["outer"]().__code__


_covered: set = set()


def _cover(fn, func=None):
    """Let a function look at its arguments first. func: what handlers are given, if not the function itself."""
    if not isinstance(fn, types.FunctionType) or fn in _covered or fn.__name__ in NEVER:
        return  # by the function's name too: others may have given it a second one
    if not errors.is_own(fn.__code__.co_filename):
        return  # what others put on Tensor is no function of torch's
    _covered.add(fn)
    raw = types.FunctionType(fn.__code__, fn.__globals__, fn.__name__, fn.__defaults__, fn.__closure__)
    raw.__kwdefaults__, raw.__wrapped__ = fn.__kwdefaults__, getattr(fn, "__wrapped__", None)
    if raw.__wrapped__ is None:
        del raw.__wrapped__
    name, free = fn.__name__, fn.__code__.co_freevars
    code = _template(len(free))
    fn.__code__ = code.replace(co_name=name, co_freevars=tuple(sorted(free)) if not free else code.co_freevars)
    fn.__defaults__, fn.__kwdefaults__ = None, {"_public": Public(func or fn, raw)}
    fn.__wrapped__ = raw  # inspect.signature follows it


def retry(fn, args, kwargs):
    """A call that failed, once more if one of its arguments takes calls over: (result,). None where none does."""
    if ACTIVE.yes or not overridden((*args, *kwargs.values())):
        return None
    activate()
    return (fn(*args, **kwargs),)


def retry_operator(fn, args):
    """As retry, for an operator: it leaves the case to the other side."""
    done = retry(fn, args, {})
    return NotImplemented if done is None else done[0]


# torch: an operator is the method it stands for, where torch's own is.
_OPERATORS = {
    "__add__": "add", "__radd__": "add", "__iadd__": "add_", "__sub__": "sub", "__isub__": "sub_", "__mul__": "mul",
    "__rmul__": "mul", "__imul__": "mul_", "__truediv__": "div", "__itruediv__": "div_",
    "__pow__": "pow", "__matmul__": "matmul", "__mod__": "remainder", "__neg__": "neg", "__pos__": "positive",
    "__abs__": "abs", "__lt__": "lt", "__gt__": "gt", "__le__": "le", "__ge__": "ge", "__ne__": "ne",
    "__imod__": "remainder_", "__ifloordiv__": "floor_divide_",
}  # fmt: skip

_BINARY = frozenset(
    f"__{prefix}{name}__"
    for name in "add sub mul truediv pow matmul mod floordiv and or xor lshift rshift lt le gt ge eq ne".split()
    for prefix in ("", "r", "i")
)

# torch: these are no calls on tensors, or work alike for all classes.
NEVER = frozenset(
    "__new__ __init__ __init_subclass__ __hash__ __torch_function__ __class__ __dict__ __doc__ __module__ __weakref__ "
    "__array_priority__ __iter__ as_subclass _make_subclass is_tensor is_storage typename tensor as_tensor asarray "
    "from_numpy frombuffer from_dlpack from_file set_warn_always is_warn_always_enabled compile manual_seed seed "
    "initial_seed get_rng_state set_rng_state set_default_dtype get_default_dtype set_default_device "
    "get_default_device set_default_tensor_type set_printoptions set_num_threads get_num_threads "
    "set_num_interop_threads get_num_interop_threads use_deterministic_algorithms promote_types "
    "are_deterministic_algorithms_enabled is_grad_enabled is_inference_mode_enabled finfo iinfo layout "
    "set_float32_matmul_precision get_float32_matmul_precision is_anomaly_enabled is_anomaly_check_nan_enabled "
    "can_cast has_torch_function handle_torch_function broadcast_shapes _assert _check _check_value _check_type "
    "_check_index _check_not_implemented".split()
)


class ACTIVE:
    """Whether the look-outs have been set up."""

    yes = False


def activate():
    """Make every public function and method look out for classes and modes that take calls over."""
    ACTIVE.yes = True
    for name, value in list(vars(Tensor).items()):
        if name in NEVER:
            continue
        if isinstance(value, property):
            for accessor, part in (("__get__", value.fget), ("__set__", value.fset), ("__delete__", value.fdel)):
                if part is not None:
                    _cover(part, getattr(value, accessor))
        elif isinstance(value, types.FunctionType):
            _cover(value, vars(Tensor).get(_OPERATORS.get(name)))
    for module in COVERED:
        if module in sys.modules:
            for name, value in public_functions(sys.modules[module]).items():
                if name not in NEVER:
                    _cover(value)


def take_over(cls, handler):
    """Let a class that was made without one take calls over from now on: its first instance asks for it."""
    if cls.__torch_function__ is disabled:
        cls.__torch_function__ = classmethod(handler)
        activate()


def public_functions(module):
    """{name: function} of one module of torch's functions."""
    found = vars(module).items()
    return {name: value for name, value in found if isinstance(value, types.FunctionType) and not name.startswith("_")}


def _keeps_class(func):
    # torch: what these attributes give stays a plain tensor.
    return func in (Tensor.grad.__get__, Tensor._base.__get__)


def torch_function(cls, func, types, args=(), kwargs=None):
    """Do the call as if all arguments were plain tensors; tensors among the results become instances of this class."""
    if not all(issubclass(cls, kind) for kind in types):
        return NotImplemented
    with DisableTorchFunctionSubclass():
        result = func(*args, **(kwargs or {}))
    return result if _keeps_class(func) else convert(result, cls)


def convert(value, cls):
    """A result whose tensors, those in sequences too, are instances of cls."""
    if cls is Tensor:
        return value
    if isinstance(value, Tensor) and not isinstance(value, cls):
        return value.as_subclass(cls)
    if isinstance(value, (tuple, list)):
        return type(value)(convert(item, cls) for item in value)
    return value


def as_subclass(self, cls):
    """The same memory as an instance of a Tensor subclass."""
    if not issubclass(cls, Tensor):
        raise TypeError("cls must be a type that inherits from Tensor")
    made = call("alias", self)
    made.__class__ = cls
    return made


def init_subclass(cls, **kwargs):
    """Called for each new subclass: one that takes calls over sets up the look-outs."""
    super(Tensor, cls).__init_subclass__(**kwargs)
    if takes_over(cls):
        activate()


torch_function.__name__ = "__torch_function__"
Tensor.__torch_function__ = classmethod(torch_function)
Tensor.__init_subclass__ = classmethod(init_subclass)
Tensor.as_subclass = as_subclass
refused.retry, refused.operator, refused.handing = retry, retry_operator, Public.__call__.__code__
FUNCTIONS["DisableTorchFunctionSubclass"] = DisableTorchFunctionSubclass
FUNCTIONS["DisableTorchFunction"] = DisableTorchFunction
