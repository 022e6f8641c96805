"""torch.compile and torch.compiler: calls that were recorded once are replayed without their Python."""

import contextlib
import copy
import functools

from jtorch.nn.modules.module import Module
from jtorch.replay.calls import Calls

__all__ = [
    "allow_in_graph",
    "assume_constant_result",
    "compile",
    "cudagraph_mark_step_begin",
    "disable",
    "get_default_backend",
    "is_compiling",
    "is_dynamo_compiling",
    "is_exporting",
    "list_backends",
    "reset",
    "set_default_backend",
    "set_stance",
]

_MODES = ("default", "lite", "reduce-overhead", "max-autotune-no-cudagraphs", "max-autotune")


class OptimizedModule(Module):
    """A module that went through compile: called as it is, with its attributes, its state under `_orig_mod.`."""

    def __init__(self, mod, calls=None):
        super().__init__()
        self._orig_mod = mod
        self.__dict__["_calls"] = calls or Calls(mod, [mod])

    def forward(self, *args, **kwargs):
        """The module's call, hooks included."""
        return self.__dict__["_calls"](args, kwargs)

    def __deepcopy__(self, memo):
        return type(self)(copy.deepcopy(self._orig_mod, memo))

    def __reduce__(self):
        return type(self), (self._orig_mod,)

    def __getattr__(self, name):
        if name == "_orig_mod":
            return self._modules["_orig_mod"]
        return getattr(self._orig_mod, name)

    def __setattr__(self, name, value):
        if name == "_orig_mod" or "_orig_mod" not in self.__dict__.get("_modules", {}):
            super().__setattr__(name, value)
        else:
            setattr(self._orig_mod, name, value)

    def __delattr__(self, name):
        delattr(self._orig_mod, name)

    def __dir__(self):
        return sorted({*super().__dir__(), *dir(self._orig_mod)})

    @property
    def training(self):
        """Whether the module trains."""
        return self._orig_mod.training

    @training.setter
    def training(self, value):
        if "_orig_mod" in self.__dict__.get("_modules", {}):
            self._orig_mod.training = value


def compile(model=None, *, fullgraph=False, dynamic=None, backend="inductor", mode=None, options=None, disable=False):
    """A module or function to be called in place of the one given, or, without one, a decorator. As torch.compile.

    One call is recorded, a model's or a whole step's with backward and optimizer, and its program is run from then on
    without the Python. Guarded are: shapes, dtypes, strides and requires_grad of tensors, values of other arguments;
    grad mode, default dtype and device; everything that the code can reach: globals, closures, defaults, attributes of
    objects and their classes, items of containers, modules with flags and hooks, and which tensors these hold. Learning
    rates and other numbers of optimizers, step counts and random states move without a new recording.
    A call runs as Python, each time, where that cannot be said of it: when it reads a value, prints, changes objects
    or globals, calls into other packages, returns a tensor whose backward is to come, meets tensor hooks or rare modes.
    Not seen are changes to jtorch's own functions, and indices out of range.
    fullgraph, dynamic and options are accepted; a callable backend or one of torch's names is, too, and not called.
    Raises: RuntimeError for a mode together with options, and for a mode that torch does not have.
    """
    if mode is not None and options is not None:
        raise RuntimeError("Either mode or options can be specified, but both can't be specified at the same time.")
    if mode is not None and mode not in _MODES and backend == "inductor":
        raise RuntimeError(f"Unrecognized mode={mode}, should be one of: {', '.join(_MODES)}")
    if model is None:
        return functools.partial(
            compile, fullgraph=fullgraph, dynamic=dynamic, backend=backend, mode=mode, options=options, disable=disable
        )
    if isinstance(model, Module):
        return OptimizedModule(model)
    if not callable(model):
        raise AssertionError(f"A callable function is expected, but {type(model)} is provided.")
    if isinstance(model, type):
        return model

    if disable:
        return model
    calls = Calls(model, [model])

    @functools.wraps(model)
    def compiled(*args, **kwargs):
        return calls(args, kwargs)

    compiled._torchdynamo_orig_callable = model
    compiled.recordings = calls.recordings
    return compiled


def disable(fn=None, recursive=True, *, reason=None):
    """The function itself, or the mark for one: what torch.compile is to leave to Python."""
    return fn if fn is not None else lambda fn: fn


def allow_in_graph(fn):
    """The function or functions themselves: mark of what torch.compile does not look into."""
    return fn


def assume_constant_result(fn):
    """The function itself: mark of one that always returns the same."""
    return fn


def is_compiling():
    """Whether torch.compile or torch.export traces the code that asks: never."""
    return False


is_dynamo_compiling = is_exporting = is_compiling


def cudagraph_mark_step_begin():
    """Nothing: programs keep no memory from one step to the next."""


def reset():
    """Nothing: there are no traces of Python code to forget."""


class _Backend:
    name = "inductor"


def list_backends(exclude_tags=("debug", "experimental")):
    """The names of the backends that compile takes for granted."""
    return ["inductor"]


def get_default_backend():
    """The name of the backend that compile takes."""
    return _Backend.name


def set_default_backend(backend):
    """Name the backend that compile takes; programs are XLA's whatever it is."""
    _Backend.name = backend


class set_stance(contextlib.nullcontext):
    """Accepted as a call, a context and a decorator: how torch.compile is to act on changed inputs."""

    def __init__(self, stance="default", **kwargs):
        super().__init__()

    def __call__(self, fn):
        return fn
