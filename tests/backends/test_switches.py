"""torch.backends: what stands there at first, what can be assigned, and what is refused, line by line beside torch."""

import pytest

import jtorch
from tests.oracle import same

PRECISION = """
b.fp32_precision = {p}
b.cuda.matmul.fp32_precision = {p}
b.cudnn.fp32_precision = {p}
b.cudnn.conv.fp32_precision = {p}
b.cudnn.rnn.fp32_precision = {p}
b.mkldnn.fp32_precision = {p}
b.mkldnn.matmul.fp32_precision = {p}
b.mkldnn.conv.fp32_precision = {p}
b.mkldnn.rnn.fp32_precision = {p}
"""
OLDER = """
b.cuda.matmul.allow_tf32 = True
torch.set_float32_matmul_precision("medium")
b.cuda.matmul.allow_tf32 = False
b.cuda.matmul.allow_tf32 = 1
b.cudnn.allow_tf32 = False
b.cudnn.allow_tf32 = True
b.cudnn.allow_tf32 = 1
b.mkldnn.allow_tf32 = True
torch.set_float32_matmul_precision("high")
b.cuda.matmul.fp32_precision = "ieee"
torch.set_float32_matmul_precision("medium")
b.mkldnn.matmul.fp32_precision = "ieee"
torch.set_float32_matmul_precision("highest")
torch.set_float32_matmul_precision("best")
"""
SHOWN = (
    "b.fp32_precision", "b.cuda.matmul.fp32_precision", "b.cudnn.fp32_precision", "b.cudnn.conv.fp32_precision",
    "b.cudnn.rnn.fp32_precision", "b.mkldnn.fp32_precision", "b.mkldnn.matmul.fp32_precision",
    "b.mkldnn.conv.fp32_precision", "b.mkldnn.rnn.fp32_precision", "b.cuda.matmul.allow_tf32", "b.cudnn.allow_tf32",
    "b.mkldnn.allow_tf32", "torch.get_float32_matmul_precision()",
)  # fmt: skip
ATTENTION = """
b.cuda.flash_sdp_enabled(), b.cuda.mem_efficient_sdp_enabled(), b.cuda.math_sdp_enabled(), b.cuda.cudnn_sdp_enabled()
b.cuda.enable_flash_sdp(False)
b.cuda.enable_math_sdp(1)
b.cuda.enable_mem_efficient_sdp(None)
b.cuda.enable_cudnn_sdp(False)
b.cuda.flash_sdp_enabled(), b.cuda.mem_efficient_sdp_enabled(), b.cuda.math_sdp_enabled(), b.cuda.cudnn_sdp_enabled()
torch.nn.functional.scaled_dot_product_attention(*[torch.ones(1, 1, 2, 2)] * 3).shape
b.cuda.enable_math_sdp(False)
torch.nn.functional.scaled_dot_product_attention(*[torch.ones(1, 1, 2, 2)] * 3).shape
b.cuda.enable_flash_sdp(True)
b.cuda.enable_math_sdp(True)
b.cuda.enable_cudnn_sdp(True)
b.cuda.fp16_bf16_reduction_math_sdp_allowed()
b.cuda.allow_fp16_bf16_reduction_math_sdp("x")
b.cuda.is_flash_attention_available(), b.cuda.is_ck_sdpa_available()
b.cuda.can_use_flash_attention(b.cuda.SDPAParams(*[torch.ones(1, 1, 2, 2)] * 3, None, 0.0, False, False))
b.cuda.can_use_efficient_attention(b.cuda.SDPAParams(*[torch.ones(1, 1, 2, 2)] * 3, None, 0.0, False, False), True)
b.cuda.SDPAParams(*[torch.ones(1, 1, 2, 2)] * 3, None, 0.5, True, False).dropout
"""
CUDA = """
b.cuda.is_built()
b.cuda.preferred_linalg_library()
b.cuda.preferred_linalg_library("default")
b.cuda.preferred_linalg_library("magma")
b.cuda.preferred_linalg_library("cusolver")
b.cuda.preferred_linalg_library("x")
b.cuda.preferred_linalg_library(3)
b.cuda.preferred_blas_library()
b.cuda.preferred_blas_library("cublaslt")
b.cuda.preferred_blas_library("x")
b.cuda.preferred_rocm_fa_library("ck")
b.cuda.preferred_rocm_fa_library("default")
b.cuda.preferred_rocm_fa_library("x")
b.cuda.preferred_rocm_fa_library(3)
b.cuda.blas_workspace_size(backend="ck")
b.cuda.blas_workspace_size(backend="x")
b.cuda.cufft_plan_cache[0]
b.cuda.cufft_plan_cache.size
b.cuda.cufft_plan_cache.clear()
b.cuda.cufft_plan_cache.max_size = 10
b.cuda.matmul.x
b.cuda.matmul.x = 1
b.cuda.matmul.allow_fp16_accumulation
b.cuda.matmul.allow_fp16_accumulation = 1
b.cuda.matmul.allow_fp16_reduced_precision_reduction = 1
b.cuda.matmul.allow_fp16_reduced_precision_reduction = ()
b.cuda.matmul.allow_bf16_reduced_precision_reduction = (False, False, True)
b.cuda.matmul.allow_bf16_reduced_precision_reduction = (1,)
b.cuda.matmul.allow_bf16_reduced_precision_reduction = (False, False)
b.cuda.matmul.allow_bf16_reduced_precision_reduction, b.cuda.matmul.allow_bf16_reduced_precision_reduction_split_k
b.cuda.matmul.allow_bf16_reduced_precision_reduction_split_k = True
b.cuda.matmul.allow_bf16_reduced_precision_reduction = True
b.cuda.matmul.allow_bf16_reduced_precision_reduction, b.cuda.matmul.allow_bf16_reduced_precision_reduction_split_k
b.cuda.matmul.allow_fp16_reduced_precision_reduction, b.cuda.matmul.allow_fp16_reduced_precision_reduction_split_k
"""
OTHERS = """
b.cudnn.enabled, b.cudnn.benchmark, b.cudnn.benchmark_limit, b.cudnn.deterministic, b.cudnn.depthwise_kernel
b.cudnn.enabled = 1
b.cudnn.benchmark = None
b.cudnn.deterministic = "x"
b.cudnn.benchmark = True
b.cudnn.benchmark
b.cudnn.depthwise_kernel = "x"
b.cudnn.depthwise_kernel = "native"
b.cudnn.set_flags(True, False, 10, False, True, "none", "auto")
b.cudnn.set_flags()
b.cudnn.conv.x
b.cudnn.conv.x = 1
b.cudnn.is_available(), b.cudnn.version(), b.cudnn.is_acceptable(torch.ones(1))
b.mkldnn.enabled = 0
b.mkldnn.deterministic = 0
b.mkldnn.deterministic = True
b.mkldnn.set_flags()
b.mkldnn.set_flags(True, False)
b.mkldnn.is_acl_available()
b.nnpack.set_flags(1)
b.nnpack.set_flags(True)
b.quantized.engine, b.quantized.supported_engines
b.quantized.engine = "x"
b.quantized.engine = "qnnpack"
b.quantized.engine
b.quantized.engine = "x86"
b.quantized.supported_engines = []
b.opt_einsum.is_available(), b.opt_einsum.enabled, b.opt_einsum.strategy, b.opt_einsum.get_opt_einsum().__name__
b.opt_einsum.set_flags(True, "greedy")
b.opt_einsum.set_flags(None, "x")
b.opt_einsum.set_flags(True, "auto")
b.mha.get_fastpath_enabled()
b.mha.set_fastpath_enabled(False)
b.mha.get_fastpath_enabled()
b.mha.set_fastpath_enabled(True)
b.mps.is_built(), b.mps.is_available()
b.mps.is_macos_or_newer(13, 0)
b.mps.is_macos13_or_newer()
b.mps.get_name()
b.mps.get_core_count()
b.miopen.immediate
b.miopen.immediate = 1
b.miopen.set_flags()
b.kleidiai.is_available()
b.cusparselt.is_available(), b.cusparselt.version(), b.cusparselt.get_max_alg_id()
b.flags_frozen(), b.set_flags()
b.cpu.get_cpu_capability()
"""
LISTS = {
    **{f"precision-{p}": PRECISION.format(p=repr(p)) for p in ("ieee", "tf32", "bf16", "none", "best", 1)},
    "older": OLDER, "attention": ATTENTION, "cuda": CUDA, "others": OTHERS,
}  # fmt: skip


def said(line, scope):
    """The printed value of a line, or its error, without the letter that tells jtorch from torch."""
    try:
        if " = " in line:
            exec(line, scope)
            return "done"
        found = repr(eval(line, scope))
    except Exception as error:
        found = f"{type(error).__name__}: {error}"
    return found.replace("jtorch", "torch")


def as_at_first(torch):
    """Set precisions as they are in a new process."""
    b = torch.backends
    torch.set_float32_matmul_precision("highest")
    b.mkldnn.matmul.fp32_precision = b.cuda.matmul.fp32_precision = b.fp32_precision = "none"
    b.cudnn.fp32_precision = "none"
    b.cudnn.allow_tf32 = True


def read(torch, lines):
    """What each line says; after a setting of precisions, what all of them then are."""
    scope = {"torch": torch, "b": torch.backends}
    precise = "tf32" in lines or "fp32" in lines
    try:
        found = []
        for line in lines.strip().splitlines():
            found.append((line, said(line, scope)))
            found += [(line, shown, said(shown, scope)) for shown in SHOWN if precise]
        return found
    finally:
        as_at_first(torch)


@pytest.mark.parametrize("name", LISTS)
def test_lines(name):
    same(lambda torch: read(torch, LISTS[name]))


def test_defaults():
    same(lambda torch: [(shown, said(shown, {"torch": torch, "b": torch.backends})) for shown in SHOWN])


def test_flags_restore():
    def run(torch):
        b, found = torch.backends, []

        def state():
            return b.fp32_precision, b.cudnn.enabled, b.cudnn.benchmark, b.mkldnn.enabled, b.miopen.immediate

        with b.flags(fp32_precision="ieee"):
            found.append(state())
        with b.cudnn.flags(enabled=True, benchmark=True), b.mkldnn.flags(), b.miopen.flags(immediate=True):
            found.append(state())
        with b.nnpack.flags(enabled=False), b.opt_einsum.flags(enabled=False):
            found.append(state())
        as_at_first(torch)
        return [*found, state()]

    same(run)


def test_frozen():
    def run(torch):
        torch.backends.disable_global_flags()
        try:
            return torch.backends.flags_frozen(), said("b.cudnn.benchmark = True", {"b": torch.backends})
        finally:
            if torch is jtorch:
                jtorch.backends.switches._frozen = False
            else:
                torch.backends.flags_frozen.__globals__["__allow_nonbracketed_mutation_flag"] = True

    same(run)


def test_kernels_of_attention():
    def run(torch):
        kinds, found = torch.nn.attention.SDPBackend, []
        q = torch.ones(1, 1, 2, 2)
        for wanted in (
            kinds.MATH,
            [kinds.FLASH_ATTENTION, kinds.MATH],
            [],
            kinds.CUDNN_ATTENTION,
            [1],
            3,
            (kinds.MATH,),
        ):
            try:
                with torch.nn.attention.sdpa_kernel(wanted) as context:
                    found.append(
                        (context, torch.backends.cuda.math_sdp_enabled(), torch.backends.cuda.flash_sdp_enabled())
                    )
                    found.append(torch.nn.functional.scaled_dot_product_attention(q, q, q).shape)
            except (RuntimeError, AssertionError) as error:
                found.append(str(error))
        return found, [str(kind) for kind in (kinds.MATH, kinds.ERROR)], torch.backends.cuda.math_sdp_enabled()

    same(run)


def test_products_are_computed_as_was_asked_for():
    def precisions(torch):
        torch.backends.cudnn.allow_tf32 = False
        torch.backends.cuda.matmul.fp32_precision = "tf32"
        x = torch.ones(2, 2) @ torch.ones(2, 2)
        y = torch.nn.functional.conv1d(torch.ones(1, 2, 4), torch.ones(3, 2, 2))
        as_at_first(torch)
        return x @ x, y

    same(precisions)


def test_switches_can_be_assigned_where_that_is_allowed():
    def run(torch):
        with getattr(torch.backends, "__allow_nonbracketed_mutation")():
            torch.backends.cudnn.benchmark = False
        return torch.backends.cudnn.benchmark, torch.backends.flags_frozen()

    same(run)
