"""What jtorch.nn, optim, amp, backends, autograd and func lack of torch's public names: a short list with reasons."""

import importlib
import pkgutil
import warnings
from types import ModuleType

import pytest
import torch

ROOTS = ("nn", "optim", "amp", "cuda.amp", "cpu.amp", "backends", "autograd", "func", "utils.checkpoint")
# Modules that are left out as a whole: the reason, and what their names begin with.
ABSENT = {
    "quantised layers": ("torch.nn.intrinsic", "torch.nn.qat", "torch.nn.quantizable", "torch.nn.quantized"),
    "C++ modules and the kernels of torch's own build": (
        "torch.nn.cpp", "torch.nn.backends", "torch.nn.attention.experimental", "torch.nn.attention.varlen",
        "torch.backends.python_native", "torch.backends.xeon", "torch.backends.cudnn.rnn",
    ),
    "the profiler before the present one": ("torch.autograd.profiler_legacy",),
    "several processes or devices at once": (
        "torch.nn.parallel.comm", "torch.nn.parallel.distributed", "torch.nn.parallel.parallel_apply",
        "torch.nn.parallel.replicate", "torch.nn.parallel.scatter_gather", "torch.nn.modules.linear_cross_entropy",
    ),
}  # fmt: skip
# Names that are left out.
LEFT_OUT = {
    "torch.nn": {"backends", "intrinsic", "qat", "quantizable", "quantized"},
    # scaled products of 8-bit floats, which only some GPUs have
    "torch.nn.functional": {
        "ScalingType", "SwizzleType", "assert_int_or_pair", "grouped_mm", "scaled_grouped_mm", "scaled_mm",
    },
    "torch.nn.parallel": {"gather", "parallel_apply", "replicate", "scatter"},
    "torch.nn.parallel.data_parallel": {"data_parallel"},
    "torch.backends": {"python_native"},
    # nvprof's files, and the parts of a trace that Kineto makes
    "torch.autograd.profiler": {"KinetoStepTracker", "MemRecordsAcc", "load_nvprof", "parse_nvprof_trace"},
    "torch.autograd.profiler_util": {"EventMetadata", "MemRecordsAcc", "StringTable"},
}  # fmt: skip


def modules():
    """The public modules below the roots, without those that are left out."""
    found = []
    for root in ROOTS:
        module = importlib.import_module(f"torch.{root}")
        found.append(module.__name__)
        for info in pkgutil.walk_packages(getattr(module, "__path__", ()), f"{module.__name__}."):
            absent = info.name.startswith(tuple(name for names in ABSENT.values() for name in names))
            if not absent and not any(part.startswith("_") for part in info.name.split(".")):
                found.append(info.name)
    return found


def names(module):
    """What a module shows: its `__all__`, or what it holds of its own package and no other module's import of torch."""
    if hasattr(module, "__all__"):
        return set(module.__all__)
    module = vars(module).get("m", module)
    home = module.__name__.rsplit(".", 1)[0]
    held = {name: value for name, value in vars(module).items() if not name.startswith("_")}
    return {name for name, value in held.items() if _is_own(value, home)}


def _is_own(value, home):
    if isinstance(value, ModuleType):
        return value.__name__.startswith("torch.") and value.__name__.startswith(home)
    return (getattr(value, "__module__", None) or "").startswith(home)


@pytest.mark.parametrize("name", modules())
def test_names(name):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs, ours = importlib.import_module(name), importlib.import_module(f"j{name}")
    missing = {n for n in names(theirs) if not hasattr(ours, n)}
    assert missing - HELPERS == LEFT_OUT.get(name, set())


# Classes by which torch makes its switches, which are made otherwise here.
HELPERS = {
    "grad",  # in functional, torch's import of nn.grad
    "ContextProp", "CudnnModule", "GenericModule", "MiopenModule", "MkldnnModule", "OptEinsumModule", "PropModule",
    "QuantizedEngine", "XNNPACKEngine", "boolean_dispatch", "handle_torch_function", "has_torch_function",
    "has_torch_function_unary", "has_torch_function_variadic",
}  # fmt: skip


def test_what_is_left_out_is_torchs():
    assert all(hasattr(importlib.import_module(name), n) for name, left in LEFT_OUT.items() for n in left)
    assert torch.nn.functional.scaled_mm
