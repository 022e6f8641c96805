"""torch.backends: switches that training scripts set; XLA chooses its own kernels."""

from jtorch.backends import (
    cpu,
    cuda,
    cudnn,
    cusparselt,
    kleidiai,
    mha,
    miopen,
    mkl,
    mkldnn,
    mps,
    nnpack,
    openmp,
    opt_einsum,
    quantized,
    xnnpack,
)
from jtorch.backends import precision as _precision
from jtorch.backends import switches as _switches
from jtorch.backends.switches import allow_nonbracketed_mutation as __allow_nonbracketed_mutation
from jtorch.backends.switches import disable_global_flags, flags_frozen

__all__ = [
    "cpu", "cuda", "cudnn", "cusparselt", "disable_global_flags", "flags", "flags_frozen", "kleidiai", "mha", "miopen",
    "mkl", "mkldnn", "mps", "nnpack", "openmp", "opt_einsum", "quantized", "set_flags", "xnnpack",
]  # fmt: skip


def set_flags(_fp32_precision="none"):
    """Set the precision of all float32 products and convolutions; returns, in a tuple, what it was."""
    before = (_precision.get("generic", "all"),)
    if _fp32_precision is not None:
        _precision.put("generic", "all", _fp32_precision)
    return before


def flags(fp32_precision="none"):
    """Context manager: the precision of all float32 products and convolutions inside."""
    return _switches.restored(set_flags, fp32_precision)


_switches.become(__name__, fp32_precision=_precision.switch("generic", "all"))
