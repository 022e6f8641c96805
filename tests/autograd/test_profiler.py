"""torch.autograd.profiler: what a profile notes of a program, and that a program is the same inside of it."""

import time

import pytest

import jtorch as torch
from jtorch.autograd import profiler
from jtorch.engine import debug, stats, trace
from tests.oracle import same_error


def test_every_op_and_range_is_noted_once_in_its_place():
    layer, x = torch.nn.Linear(4, 3), torch.ones(2, 4)
    pending = x + 1
    with profiler.profile(record_shapes=True, profile_memory=True, with_flops=True, with_stack=True) as found:
        with profiler.record_function("step"):
            y = layer(pending).relu().sum()
            y.backward()
        profiler.record_function("decorated")(lambda: y * 2)()
    events = found.function_events
    names = [e.name for e in events if e.name != "jtorch::compile"]
    assert names[:4] == ["step", "aten::linear", "aten::relu", "aten::sum"] and names[-2:] == ["decorated", "aten::mul"]
    assert {"SumBackward0", "ReluBackward0", "LinearBackward0"} <= set(names)
    step = events[0]
    inside = [e for e in events if e.cpu_parent is step]
    assert step.self_cpu_time_total == pytest.approx(step.cpu_time_total - sum(e.cpu_time_total for e in inside))
    assert step.cpu_memory_usage == sum(e.cpu_memory_usage for e in inside) > 0
    linear = next(e for e in events if e.name == "aten::linear")
    assert linear.input_shapes == [[2, 4], [3, 4], [3]] and linear.flops == 2 * 2 * 4 * 3
    assert linear.cpu_memory_usage == 2 * 3 * 4 and "test_profiler.py" in linear.stack[0]
    plain = torch.nn.Linear(4, 3)
    plain.load_state_dict(layer.state_dict())
    plain(pending).relu().sum().backward()
    assert torch.equal(plain.weight.grad, layer.weight.grad)
    assert [total.count for total in found.key_averages() if total.key == "aten::mul"] == [1]


def test_a_time_is_that_of_the_op():
    x = torch.rand(700, 700)
    with profiler.profile() as found:
        for _ in range(3):
            y = x @ x
            y.relu()
    totals = {total.key: total for total in found.key_averages()}
    assert totals["aten::matmul"].count == 3
    assert totals["aten::matmul"].self_cpu_time_total > totals["aten::relu"].self_cpu_time_total
    with profiler.profile() as found, profiler.record_function("sleep"):
        time.sleep(0.02)
    assert 20e3 <= found.function_events[0].cpu_time_total < 2e6 and found.self_cpu_time_total >= 20e3


def test_afterwards_everything_is_as_before():
    plain = trace.record
    with pytest.raises(ZeroDivisionError), profiler.profile():
        torch.ones(2) + 1 / 0
    assert trace.record is plain and not debug.EAGER
    programs = stats.programs
    y = (torch.ones(3) + 1).relu() * 2
    assert stats.programs == programs
    with profiler.profile(enabled=False) as off:
        assert y.tolist() == [4.0] * 3
    assert off.function_events is None
    for emit in (profiler.emit_nvtx, profiler.emit_itt):
        with emit():
            assert (torch.ones(2) * 3).tolist() == [3.0, 3.0]
    assert trace.record is plain


def test_errors_are_torchs():
    def twice(torch):
        found = torch.autograd.profiler.profile()
        with found:
            pass
        with found:
            pass

    with pytest.raises(RuntimeError, match="didn't finish running"), profiler.profile() as found:
        found.table()
    same_error(twice)
    seen = profiler.EnforceUnique()
    seen.see("a", 1)
    with pytest.raises(RuntimeError, match="duplicate key"):
        seen.see("a", 1)
