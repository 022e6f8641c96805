"""torch.profiler: schedules beside torch's, and what is noted in which step."""

import gzip
import itertools
import json

import pytest
import torch

import jtorch
from tests.oracle import same_error

SCHEDULES = [
    {"wait": 1, "warmup": 1, "active": 2},
    {"wait": 0, "warmup": 1, "active": 1, "repeat": 2},
    {"wait": 2, "warmup": 1, "active": 3, "repeat": 1, "skip_first": 3},
    {"wait": 2, "warmup": 1, "active": 1, "skip_first": 1, "skip_first_wait": 1},
]


def steps(module, options, count=16):
    chosen = module.profiler.schedule(**options)
    return [chosen(i).name for i in range(count)]


@pytest.mark.parametrize("options", SCHEDULES, ids=str)
def test_a_schedule_is_torchs(options):
    assert steps(jtorch, options) == steps(torch, options)


def test_bad_schedules():
    same_error(lambda torch: torch.profiler.schedule(wait=1, warmup=0, active=0))
    same_error(lambda torch: torch.profiler.schedule(wait=1, warmup=1, active=1)(-1))


def profiled(module, options, count, **more):
    """At which steps a trace was ready, and the steps and ranges that were noted in it."""
    seen = []

    def ready(prof):
        names = [e.name for e in prof.events() if e.name.startswith(("Profiler", "mine"))]
        seen.append((prof.step_num, sorted(names)))

    chosen = module.profiler.schedule(**options) if options else None
    with module.profiler.profile(schedule=chosen, on_trace_ready=ready, **more) as prof:
        for i in range(count):
            with module.profiler.record_function(f"mine {i}"):
                module.ones(2) + 1
            prof.step()
    return seen


@pytest.mark.parametrize("options", [None, SCHEDULES[0], SCHEDULES[1], SCHEDULES[2]], ids=str)
def test_what_is_noted_in_which_step(options):
    for count in (3, 8):
        assert profiled(jtorch, options, count) == profiled(torch, options, count)


def test_the_files_that_are_written(tmp_path):
    handler = jtorch.profiler.tensorboard_trace_handler(str(tmp_path / "logs"), "worker", use_gzip=True)
    options = {"wait": 0, "warmup": 0, "active": 2, "repeat": 2}
    with pytest.warns(UserWarning, match="won't be using warmup"):
        chosen = jtorch.profiler.schedule(**options)
    with jtorch.profiler.profile(
        activities=[jtorch.profiler.ProfilerActivity.CPU], schedule=chosen, on_trace_ready=handler, acc_events=True
    ) as prof:
        for _ in range(4):
            jtorch.ones(2) + 1
            prof.step()
        prof.add_metadata("note", "text")
        prof.add_metadata_json("numbers", "[1, 2]")
    files = sorted((tmp_path / "logs").iterdir())
    assert [file.name.startswith("worker.") and file.name.endswith(".pt.trace.json.gz") for file in files] == [True] * 2
    traced = json.loads(gzip.decompress(files[0].read_bytes()))["traceEvents"]
    assert {"aten::add", "ProfilerStep#0", "ProfilerStep#1"} <= {event["name"] for event in traced}
    assert sum(e.name == "aten::add" for e in prof.events()) == 4
    path = str(tmp_path / "trace.json")
    prof.export_chrome_trace(path)
    with open(path) as file:
        whole = json.load(file)
    assert whole["note"] == "text" and whole["numbers"] == [1, 2]
    assert repr(jtorch.profiler.ProfilerActivity.CPU) == repr(torch.profiler.ProfilerActivity.CPU)


def test_nothing_was_noted_yet():
    for call in itertools.product((torch, jtorch), ("events", "key_averages")):
        with pytest.raises(AssertionError):
            getattr(call[0].profiler.profile(), call[1])()
