"""torch.autograd: automatic differentiation on a tape of Tensor operations."""

from jtorch.autograd import forward_ad, functional, graph, profiler, profiler_util, rare
from jtorch.autograd.anomaly_mode import detect_anomaly, set_detect_anomaly
from jtorch.autograd.backward import backward, grad
from jtorch.autograd.function import Function, NestedIOFunction
from jtorch.autograd.grad_mode import (
    _force_original_view_tracking,
    _unsafe_preserve_version_counter,
    enable_grad,
    enforce_grad_layout_policy,
    inference_mode,
    is_multithreading_enabled,
    is_view_replay_enabled,
    no_grad,
    set_grad_enabled,
    set_multithreading_enabled,
)
from jtorch.autograd.gradcheck import gradcheck, gradgradcheck
from jtorch.autograd.tape import SavedTensor
from jtorch.autograd.variable import Variable, variable

__all__ = [
    "Function", "NestedIOFunction", "SavedTensor", "Variable", "_force_original_view_tracking",
    "_unsafe_preserve_version_counter", "backward", "detect_anomaly", "enable_grad", "enforce_grad_layout_policy",
    "forward_ad", "functional", "grad", "gradcheck", "gradgradcheck", "graph", "inference_mode",
    "is_multithreading_enabled", "is_view_replay_enabled", "no_grad", "profiler", "profiler_util",
    "set_detect_anomaly", "set_grad_enabled", "set_multithreading_enabled", "variable",
]  # fmt: skip
