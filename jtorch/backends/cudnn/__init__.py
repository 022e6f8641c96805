"""torch.backends.cudnn: switches that scripts set; XLA chooses its own algorithms."""

from jtorch import dtypes
from jtorch.backends import precision, switches
from jtorch.backends.cudnn import rnn
from jtorch.backends.switches import Flag
from jtorch.devices import cuda_devices

__all__ = ["CUDNN_TENSOR_DTYPES", "conv", "flags", "is_acceptable", "is_available", "rnn", "set_flags", "version"]

CUDNN_TENSOR_DTYPES = {dtypes.float16, dtypes.float32, dtypes.float64}

conv = precision.FP32Precision("cuda", "conv")
_enabled = Flag(True, "set_enabled_cudnn")
_benchmark = Flag(False, "set_benchmark_cudnn")
_deterministic = Flag(False, "set_deterministic_cudnn")
_limit = [10]
_kernel = ["auto"]


def is_available():
    """Whether there is a GPU that cuDNN could run on."""
    return bool(cuda_devices())


def version():
    """None: XLA does not tell which cuDNN it was built with."""
    return None


def is_acceptable(tensor):
    """Whether cuDNN could take a tensor."""
    return _enabled.value and tensor.device.type == "cuda" and tensor.dtype in CUDNN_TENSOR_DTYPES


def set_flags(
    _enabled=None, _benchmark=None, _benchmark_limit=None, _deterministic=None, _allow_tf32=None,
    _fp32_precision="none", _depthwise_kernel=None,
):  # fmt: skip
    """Set what is not None; returns what all were."""
    given = (_enabled, _benchmark, _benchmark_limit, _deterministic, _allow_tf32, _fp32_precision, _depthwise_kernel)
    before = tuple(switch.get() for switch in _SWITCHES)
    for switch, value in zip(_SWITCHES, given, strict=True):
        if value is not None:
            switch.put(value)
    return before


def flags(
    enabled=False, benchmark=False, benchmark_limit=10, deterministic=False, allow_tf32=True, fp32_precision="none",
    depthwise_kernel="auto",
):  # fmt: skip
    """Context manager: the flags stand so inside."""
    return switches.restored(
        set_flags, enabled, benchmark, benchmark_limit, deterministic, allow_tf32, fp32_precision, depthwise_kernel
    )


def _get_limit():
    return _limit[0] if is_available() else None


def _put_limit(value):
    _limit[0] = value


def _get_kernel():
    return _kernel[0]


def _put_kernel(value):
    if value not in ("auto", "cudnn", "native"):
        raise RuntimeError(f"Unknown cuDNN depthwise kernel mode: {value}. Expected one of: auto, cudnn, native")
    _kernel[0] = value


_SWITCHES = (
    _enabled.switch(),
    _benchmark.switch(),
    switches.Switch(_get_limit, _put_limit),
    _deterministic.switch(),
    switches.Switch(precision.get_cudnn_tf32, precision.set_cudnn_tf32),
    precision.switch("cuda", "all"),
    switches.Switch(_get_kernel, _put_kernel),
)
_NAMES = (
    "enabled", "benchmark", "benchmark_limit", "deterministic", "allow_tf32", "fp32_precision", "depthwise_kernel",
)  # fmt: skip
switches.become(__name__, **dict(zip(_NAMES, _SWITCHES, strict=True)))
