"""torch.autograd: automatic differentiation on a tape of Tensor operations."""

from jtorch.autograd import forward_ad, functional, graph, profiler, profiler_util, rare
from jtorch.autograd.anomaly_mode import detect_anomaly, set_detect_anomaly
from jtorch.autograd.backward import backward, grad
from jtorch.autograd.function import Function
from jtorch.autograd.grad_mode import (
    enable_grad,
    inference_mode,
    no_grad,
    set_grad_enabled,
    set_multithreading_enabled,
)
from jtorch.autograd.gradcheck import gradcheck, gradgradcheck
from jtorch.autograd.variable import Variable, variable

__all__ = [
    "Function", "Variable", "backward", "detect_anomaly", "enable_grad", "forward_ad", "functional", "grad",
    "gradcheck", "gradgradcheck", "graph", "inference_mode", "no_grad", "profiler", "profiler_util",
    "set_detect_anomaly", "set_grad_enabled", "set_multithreading_enabled", "variable",
]  # fmt: skip
