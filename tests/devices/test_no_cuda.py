"""torch.cuda and torch.accelerator where there is no such device: what PyTorch's build for the CPU says."""

import pytest

from tests.oracle import same, same_error, same_warnings

ASKED = [
    "memory_allocated()", "memory_reserved()", "max_memory_allocated()", "memory_stats()", "empty_cache()",
    "memory_stats_as_nested_dict()", "stream(None).__enter__()", "set_stream(None)", "get_arch_list()",
    "is_tf32_supported()", "is_available()", "device_count()",
]  # fmt: skip
REFUSED = [
    "cuda.Event()", "cuda.Stream()", "cuda.current_stream()", "cuda.default_stream()", "cuda.get_device_properties()",
    "cuda.mem_get_info()", "cuda.ipc_collect()", "cuda.can_device_access_peer(0, 1)", "cuda.get_device_name()",
    "cuda.synchronize()", "cuda.nvtx.range_push('a')", "cuda.nvtx.mark('a')", "accelerator.current_stream()",
    "cuda.nccl.version()", "cuda.memory._record_memory_history()", "cuda.memory._snapshot()",
    "accelerator.synchronize()", "accelerator.memory_allocated()", "accelerator.get_memory_info()",
    "accelerator.current_device_index()", "accelerator.set_device_index(0)", "accelerator.empty_cache()",
]  # fmt: skip


@pytest.mark.parametrize("call", ASKED)
def test_a_question_has_torchs_answer(call):
    same(lambda torch: eval(f"torch.cuda.{call}", {"torch": torch}))


@pytest.mark.parametrize("call", REFUSED)
def test_a_call_raises_torchs_error(call):
    same_error(lambda torch: eval(f"torch.{call}", {"torch": torch}))


def test_old_names_warn():
    same_warnings(lambda torch: torch.cuda.memory_cached())
    same_warnings(lambda torch: torch.cuda.max_memory_cached())
