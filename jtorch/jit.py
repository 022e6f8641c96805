"""torch.jit's marks, for code that bears them: each step is a compiled program here without them.

`script` and `trace` give back what they are given; `save`, `load` and graphs of TorchScript are not there.
"""

import contextlib
from typing import Final

from jtorch.nn.modules.module import Module

__all__ = [
    "Attribute",
    "Error",
    "Final",
    "ScriptFunction",
    "ScriptModule",
    "annotate",
    "enable_onednn_fusion",
    "export",
    "freeze",
    "ignore",
    "interface",
    "is_scripting",
    "is_tracing",
    "isinstance",
    "onednn_fusion_enabled",
    "optimize_for_inference",
    "optimized_execution",
    "script",
    "script_if_tracing",
    "script_method",
    "set_fusion_strategy",
    "strict_fusion",
    "trace",
    "trace_module",
    "unused",
]

_isinstance = isinstance


class Error(RuntimeError):
    """What TorchScript raises; nothing here does."""


class ScriptFunction:
    """The class of functions that TorchScript compiled. There are none here."""


class ScriptModule(Module):
    """A module whose methods may bear script_method. It is a plain Module here."""


class Attribute:
    """A value with the type that TorchScript gives it: `.value` and `.type`."""

    def __init__(self, value, type):
        self.value = value
        self.type = type


def script(obj, optimize=None, _frames_up=0, _rcb=None, example_inputs=None):
    """The function, module or class itself: a step is compiled as it runs."""
    return obj


def trace(func, example_inputs=None, *args, **kwargs):
    """The function or module itself. Control flow stays live, as it would not in a trace of torch's."""
    return func


def trace_module(mod, inputs, *args, **kwargs):
    """The module itself."""
    return mod


def freeze(mod, preserved_attrs=None, optimize_numerics=True, preserve_parameters=False):
    """The module itself, which as in torch must be in evaluation mode. Raises: RuntimeError while it trains."""
    if mod.training:
        raise RuntimeError(
            "Freezing is currently only implemented for modules in eval mode. Please call .eval() on your module "
            "before freezing."
        )
    return mod


def optimize_for_inference(mod, other_methods=None):
    """The module itself."""
    return mod


def script_if_tracing(fn):
    """The function itself."""
    return fn


def script_method(fn):
    """The method itself."""
    return fn


def export(fn):
    """The method itself: mark of one that TorchScript is to compile."""
    return fn


def _overload(fn):
    """The function itself: mark of a signature of the function that follows."""
    return fn


def _overload_method(fn):
    """The method itself: mark of a signature of the method that follows."""
    return fn


def unused(fn):
    """The method itself: mark of one that TorchScript is to leave out."""
    return fn


def ignore(drop=False, **kwargs):
    """The function itself, or the mark for one: what TorchScript is to leave to Python."""
    return drop if callable(drop) else lambda fn: fn


def interface(obj):
    """The class itself: mark of an interface."""
    return obj


def annotate(the_type, the_value):
    """The value, whose type TorchScript is told."""
    return the_value


def isinstance(obj, target_type):
    """Python's isinstance; of a generic such as list[int] the container is asked."""
    return _isinstance(obj, getattr(target_type, "__origin__", None) or target_type)


def is_scripting():
    """Whether TorchScript compiles the code that asks: never."""
    return False


def is_tracing():
    """Whether torch.jit.trace runs the code that asks: never."""
    return False


def set_fusion_strategy(strategy):
    """Nothing: XLA decides what it fuses. Returns the strategy before, as torch names it."""
    return [("STATIC", 2), ("DYNAMIC", 10)]


def enable_onednn_fusion(enabled):
    """Nothing: XLA decides what it fuses."""


def onednn_fusion_enabled():
    """Whether oneDNN fuses ops: never."""
    return False


class strict_fusion(contextlib.nullcontext):
    """A context in which TorchScript must fuse everything: it changes nothing here."""


@contextlib.contextmanager
def optimized_execution(should_optimize):
    """A context in which TorchScript may optimize: it changes nothing here."""
    yield
