"""torch.backends.cuda: switches of what runs on cuda; XLA chooses its own libraries and kernels."""

import contextlib
import enum

from jtorch.backends import sdp
from jtorch.backends.matmul import cuBLASModule
from jtorch.backends.plan_cache import (
    cuFFTPlanCache,
    cuFFTPlanCacheAttrContextProp,
    cuFFTPlanCacheManager,
)
from jtorch.backends.sdp import FLAGS, SDPBackend
from jtorch.backends.switches import Flag
from jtorch.devices import cuda_devices
from jtorch.errors import warn

__all__ = [
    "SDPAParams", "allow_fp16_bf16_reduction_math_sdp", "blas_workspace_size", "can_use_cudnn_attention",
    "can_use_efficient_attention", "can_use_flash_attention", "cuBLASModule", "cuFFTPlanCache",
    "cuFFTPlanCacheAttrContextProp", "cuFFTPlanCacheManager", "cublas_workspace_size", "cublaslt_workspace_size",
    "cudnn_sdp_enabled", "cufft_plan_cache", "enable_cudnn_sdp", "enable_flash_sdp", "enable_math_sdp",
    "enable_mem_efficient_sdp", "flash_sdp_enabled", "fp16_bf16_reduction_math_sdp_allowed", "is_built",
    "is_ck_sdpa_available", "is_flash_attention_available", "math_sdp_enabled", "matmul", "mem_efficient_sdp_enabled",
    "preferred_blas_library", "preferred_linalg_library", "preferred_rocm_fa_library", "sdp_kernel",
]  # fmt: skip

matmul = cuBLASModule()
cufft_plan_cache = cuFFTPlanCacheManager()


def is_built():
    """Whether JAX has a GPU backend here."""
    return bool(cuda_devices())


# Kernels of attention.


class SDPAParams:
    """What a call of scaled_dot_product_attention is given."""

    def __init__(self, query, key, value, attn_mask, dropout, is_causal, enable_gqa):
        self.query, self.key, self.value, self.attn_mask = query, key, value, attn_mask
        self.dropout, self.is_causal, self.enable_gqa = dropout, is_causal, enable_gqa


_reduction = Flag(False, "set_sdp_use_math")


def flash_sdp_enabled():
    """Whether flash attention may be used."""
    return FLAGS[SDPBackend.FLASH_ATTENTION].value


def enable_flash_sdp(enabled: bool):
    """Let flash attention be used or not. Raises RuntimeError for what is no bool."""
    FLAGS[SDPBackend.FLASH_ATTENTION].put(enabled)


def mem_efficient_sdp_enabled():
    """Whether memory-efficient attention may be used."""
    return FLAGS[SDPBackend.EFFICIENT_ATTENTION].value


def enable_mem_efficient_sdp(enabled: bool):
    """Let memory-efficient attention be used or not. Raises RuntimeError for what is no bool."""
    FLAGS[SDPBackend.EFFICIENT_ATTENTION].put(enabled)


def math_sdp_enabled():
    """Whether attention in single steps may be used."""
    return FLAGS[SDPBackend.MATH].value


def enable_math_sdp(enabled: bool):
    """Let attention in single steps be used or not. Raises RuntimeError for what is no bool."""
    FLAGS[SDPBackend.MATH].put(enabled)


def cudnn_sdp_enabled():
    """Whether cuDNN's attention may be used."""
    return FLAGS[SDPBackend.CUDNN_ATTENTION].value


def enable_cudnn_sdp(enabled: bool):
    """Let cuDNN's attention be used or not. Raises RuntimeError for what is no bool."""
    FLAGS[SDPBackend.CUDNN_ATTENTION].put(enabled)


def allow_fp16_bf16_reduction_math_sdp(enabled: bool):
    """Let attention in single steps add in half precision; XLA adds in float32. Raises RuntimeError for no bool."""
    _reduction.put(enabled)


def fp16_bf16_reduction_math_sdp_allowed():
    """Whether attention in single steps may add in half precision."""
    return _reduction.value


def is_flash_attention_available() -> bool:
    """False: torch's kernel is not here."""
    return False


def is_ck_sdpa_available() -> bool:
    """False: torch's kernel is not here."""
    return False


def can_use_flash_attention(params: SDPAParams, debug: bool = False) -> bool:
    """False: torch's kernel is not here."""
    return False


def can_use_efficient_attention(params: SDPAParams, debug: bool = False) -> bool:
    """False: torch's kernel is not here."""
    return False


def can_use_cudnn_attention(params: SDPAParams, debug: bool = False) -> bool:
    """False: torch's kernel is not here."""
    return False


@contextlib.contextmanager
def sdp_kernel(
    enable_flash: bool = True, enable_math: bool = True, enable_mem_efficient: bool = True, enable_cudnn: bool = True
):
    """The older form of nn.attention.sdpa_kernel, with a warning."""
    warn(
        "`torch.backends.cuda.sdp_kernel()` is deprecated. In the future, this context manager will be removed. Please "
        "see `torch.nn.attention.sdpa_kernel()` for the new context manager, with updated signature.",
        FutureWarning,
    )
    asked = (enable_flash, enable_mem_efficient, enable_math, enable_cudnn)
    with sdp.sdpa_kernel([kind for kind, wanted in zip(FLAGS, asked, strict=True) if wanted]) as context:
        yield context


# Libraries.


class _LinalgBackend(enum.IntEnum):
    Default = 0
    Cusolver = 1
    Magma = 2


class _BlasBackend(enum.IntEnum):
    Default = 0
    Cublas = 1
    Cublaslt = 2
    Ck = 3


class _ROCmFABackend(enum.IntEnum):
    Default = 0
    AOTriton = 1
    Ck = 2


for _kind in (_LinalgBackend, _BlasBackend, _ROCmFABackend):
    _kind.__str__ = enum.Enum.__str__

_LINALG = {"default": _LinalgBackend.Default, "cusolver": _LinalgBackend.Cusolver, "magma": _LinalgBackend.Magma}
_BLAS = {
    "default": _BlasBackend.Default, "cublas": _BlasBackend.Cublas, "hipblas": _BlasBackend.Cublas,
    "cublaslt": _BlasBackend.Cublaslt, "hipblaslt": _BlasBackend.Cublaslt, "ck": _BlasBackend.Ck,
}  # fmt: skip
_ROCM = {"default": _ROCmFABackend.Default, "aotriton": _ROCmFABackend.AOTriton, "ck": _ROCmFABackend.Ck}
_NEEDS = {"Cusolver": "cuSOLVER", "Magma": "MAGMA", "Cublaslt": "cuBLASLt"}
_preferred = {"linalg": _LinalgBackend.Default, "blas": _BlasBackend.Cublas, "rocm": _ROCmFABackend.Default}


def _choose(what, backend, choices, wrong=RuntimeError, words="Unknown input value type."):
    if isinstance(backend, str) and backend not in choices:
        raise RuntimeError(f"Unknown input value. Choose from: {', '.join(choices)}.")
    if backend is not None:
        chosen = choices.get(backend) if isinstance(backend, str) else backend
        if type(chosen) is not type(_preferred[what]):
            raise wrong(words)
        needs = _NEEDS.get(chosen.name)
        if needs and not is_built():
            raise RuntimeError(
                f"Cannot set preferred backend to {needs} if PyTorch has not been compiled with {needs}."
            )
        _preferred[what] = chosen
    return _preferred[what]


def preferred_linalg_library(backend=None):
    """Say which library should factor matrices on cuda; XLA chooses. Returns what was said. Raises RuntimeError."""
    return _choose("linalg", backend, _LINALG)


def preferred_blas_library(backend=None):
    """Say which library should multiply matrices on cuda; XLA chooses. Returns what was said. Raises RuntimeError."""
    return _choose("blas", backend, _BLAS)


def preferred_rocm_fa_library(backend=None):
    """Say which library should attend on ROCm; XLA chooses. Returns what was said. Raises RuntimeError."""
    return _choose("rocm", backend, _ROCM, ValueError, f"Unknown input value. Choose from: {', '.join(_ROCM)}.")


_workspaces = {"cublas": 0, "cublaslt": 0}


def cublas_workspace_size(size=None):
    """Say how many bytes cuBLAS may use for itself; XLA chooses. Returns what was said."""
    return _workspace("cublas", size)


def cublaslt_workspace_size(size=None):
    """Say how many bytes cuBLASLt may use for itself; XLA chooses. Returns what was said."""
    return _workspace("cublaslt", size)


def blas_workspace_size(size=None, backend=None):
    """Say how many bytes the preferred library may use. Returns what was said. Raises RuntimeError for CK."""
    if isinstance(backend, str) and backend not in _BLAS:
        raise RuntimeError(f"Unknown backend string. Choose from: {', '.join(_BLAS)}.")
    chosen = preferred_blas_library() if backend is None else _BLAS.get(backend, backend)
    if not isinstance(chosen, _BlasBackend):
        raise RuntimeError("Unknown backend type.")
    if chosen is _BlasBackend.Ck:
        raise RuntimeError("CK backend does not use a workspace.")
    return _workspace("cublaslt" if chosen is _BlasBackend.Cublaslt else "cublas", size)


def _workspace(library, size):
    if size is not None:
        _workspaces[library] = size
    return _workspaces[library]
