"""Tables, sums and files of a profile: the same events give the same in torch."""

import json

import pytest
import torch
from torch.autograd import profiler_util as theirs

from jtorch.autograd import profiler_util as ours

# name, start, end, and what else is known
CALLS = [
    ("step", 0.0, 2212.836, {"input_shapes": [], "cpu_memory_usage": 84, "is_user_annotation": True, "scope": 7}),
    ("aten::linear", 10.5, 581.0, {"input_shapes": [[2, 4], [4, 4], [4]], "flops": 4_000, "cpu_memory_usage": 32}),
    ("aten::addmm", 20.0, 400.25, {"input_shapes": [[4], [2, 4], [4, 4], [], []], "flops": 12_000_000}),
    ("aten::linear", 600.0, 700.0, {"input_shapes": [[8, 4], [4, 4], [4]], "cpu_memory_usage": 3 * 2**20}),
    ("autograd::engine::evaluate_function: ConvolutionBackward0", 800.0, 2000.0,
     {"stack": ["a.py(3): f", "b.py(9): g"]}),
    ("aten::relu", 3_000_000.0, 4_500_000.0, {"cpu_memory_usage": -5 * 2**30}),
]  # fmt: skip


def events(module, device=None, **options):
    made = module.EventList(use_device=device, **options)
    for i, (name, start, end, more) in enumerate(CALLS):
        known = {"input_shapes": "", "stack": [], "flops": 0, "overload_name": "", "use_device": device, **more}
        if "with_flops" in options:  # torch: its rows have the two columns the other way round than its titles
            known["stack"] = []
        made.append(module.FunctionEvent(i, name, 1, start, end, **known))
    if device:
        made[2].append_kernel("gemm", 0, 1500.0)
        kind = (module.DeviceType if module is ours else torch.autograd.DeviceType).CUDA
        known = {"input_shapes": "", "stack": [], "flops": 0, "overload_name": "", "use_device": device}
        made.append(module.FunctionEvent(9, "gemm", 0, 30.0, 1530.0, **known, device_type=kind))
    made._build_tree()
    return made


@pytest.mark.parametrize(
    "options",
    [
        {}, {"sort_by": "cpu_time_total"}, {"sort_by": "self_cpu_time_total", "row_limit": 2}, {"header": "a title"},
        {"top_level_events_only": True}, {"time_unit": "ms"}, {"max_name_column_width": 20}, {"row_limit": -1},
        {"max_shapes_column_width": 12, "max_src_column_width": 8},
    ],
    ids=str,
)  # fmt: skip
def test_a_table_is_torchs(options):
    for kinds in ({}, {"profile_memory": True, "with_flops": True}, {"device": "cuda"}):
        have, want = events(ours, **kinds), events(theirs, **kinds)
        assert have.table(**options) == want.table(**options)
        for grouping in ({}, {"group_by_input_shapes": True, "group_by_stack_n": 2}):
            assert have.key_averages(**grouping).table(**options) == want.key_averages(**grouping).table(**options)


def test_events_and_sums_are_torchs():
    have, want = events(ours, device="cuda"), events(theirs, device="cuda")
    assert [repr(e) for e in have] == [repr(e) for e in want]
    assert [repr(e) for e in have.key_averages()] == [repr(e) for e in want.key_averages()]
    assert repr(have.total_average()) == repr(want.total_average())
    assert str(have) == str(want) and have.self_cpu_time_total == want.self_cpu_time_total
    assert ours.EventList().table() == theirs.EventList().table() == ""
    for module in (ours, theirs):
        with pytest.raises(AssertionError, match="Expected tree to be built"):
            module.EventList().key_averages()


def test_files(tmp_path):
    path = tmp_path / "stacks"
    written = []
    for module in (ours, theirs):
        events(module).export_stacks(str(path), "self_cpu_time_total")
        written.append(path.read_text())
        with pytest.raises(ValueError, match="metric should be one of"):
            events(module).export_stacks(str(path), "nothing")
    assert written[0] == written[1] != ""
    events(ours).export_chrome_trace(str(path))
    traced = [e for e in json.loads(path.read_text())["traceEvents"] if e["ph"] == "X"]
    assert [(e["name"], e["ts"], e["dur"]) for e in traced] == [(n, s, e - s) for n, s, e, _ in CALLS]
