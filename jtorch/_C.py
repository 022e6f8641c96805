"""The few names of torch's extension module that Python code takes from there."""

from jtorch import modes
from jtorch._tensor import TensorBase, _TensorMeta
from jtorch.api.overriding import DisableTorchFunction, DisableTorchFunctionSubclass
from jtorch.api.overriding import disabled as _disabled_torch_function_impl
from jtorch.nn.modules.module_convert import parse_to

__all__ = [
    "DisableTorchFunction",
    "DisableTorchFunctionSubclass",
    "TensorBase",
    "_TensorMeta",
    "_disabled_torch_function_impl",
]


def _log_api_usage_once(event):
    """Nothing: no use of the API is logged."""


def _get_tracing_state():
    """What torch.jit.trace notes while it runs the code that asks: None, it never does."""


def _are_functorch_transforms_active():
    """Whether a transform of torch.func is under way in this thread."""
    return modes.local.level > 0


class _nn:
    """Functions of modules."""

    _parse_to = staticmethod(parse_to)
