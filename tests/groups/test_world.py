"""init_process_group, groups and their errors in one process, as torch's."""

import re

import pytest
import torch.distributed

import jtorch.distributed

SIDES = (torch, torch.distributed), (jtorch, jtorch.distributed)
VARIABLES = "RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT", "LOCAL_RANK"


def outcome(call):
    """What a call gives, or the class and the text of its error without addresses of objects."""
    try:
        return call()
    except (Exception, AssertionError) as error:
        return type(error).__name__, re.sub(r"<.* object at 0x\w+>|<ProcessGroup .*?>", "GROUP", str(error))


def beginnings(dist, folder, monkeypatch):
    """Ways to begin that must fail."""
    init = dist.init_process_group
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    yield from (
        lambda: dist.get_rank(), lambda: dist.get_world_size(), lambda: dist.all_reduce(None),
        lambda: dist.barrier(), lambda: dist.destroy_process_group(), lambda: dist.new_group(), lambda: init(),
        lambda: init("gloo"), lambda: init("gloo", rank=0), lambda: init("gloo", rank=0, world_size=1),
    )  # fmt: skip
    for name, value in (("RANK", "0"), ("WORLD_SIZE", "1"), ("MASTER_ADDR", "127.0.0.1")):
        monkeypatch.setenv(name, value)
        yield lambda: init("gloo")
    hashed, one = dist.HashStore(), {"rank": 0, "world_size": 1}
    yield from (
        lambda: init("gloo", init_method="tcp://127.0.0.1:29511"),
        lambda: init("gloo", init_method="tcp://127.0.0.1", **one),
        lambda: init("gloo", init_method="tcp://127.0.0.1:29512", rank=0),
        lambda: init("gloo", init_method="tcp://127.0.0.1:29512", world_size=1),
        lambda: init("gloo", init_method=f"file://{folder}/x"), lambda: init("gloo", init_method="file://", **one),
        lambda: init("gloo", init_method=f"file://{folder}/x", rank=0),
        lambda: init("gloo", init_method="foo://x", **one), lambda: init("gloo", init_method=3, **one),
        lambda: init("gloo", store=hashed), lambda: init("gloo", store=hashed, rank=0),
        lambda: init("gloo", store=hashed, world_size=1),
        lambda: init("gloo", store=hashed, init_method="env://", **one),
        lambda: init("banana", store=hashed, **one), lambda: init("cpu:banana", store=hashed, **one),
        lambda: init("gloo", timeout=3, store=hashed, **one), lambda: dist.is_initialized(), lambda: dist.group.WORLD,
    )  # fmt: skip


def test_beginnings_that_fail_say_why(tmp_path, monkeypatch):
    found = [[outcome(call) for call in beginnings(dist, tmp_path, monkeypatch)] for _, dist in SIDES]
    for number, (theirs, ours) in enumerate(zip(*found, strict=True)):
        assert theirs == ours, f"beginning {number}"


def alone(own, dist):
    """Calls in a world of one."""
    world, t = dist.group.WORLD, own.ones(2)
    yield from (
        lambda: (dist.is_initialized(), dist.get_rank(), dist.get_world_size(), dist.get_backend()),
        lambda: (dist.all_reduce(t), t.tolist()), lambda: dist.barrier(),
        lambda: dist.init_process_group("gloo", rank=0, world_size=1, store=dist.HashStore()),
        lambda: (dist.get_process_group_ranks(world), dist.get_process_group_ranks(None)),
        lambda: (dist.get_global_rank(world, 5), dist.get_group_rank(world, 5)), lambda: dist.new_group([0]).size(),
        lambda: dist.get_global_rank(dist.new_group([0]), 3), lambda: dist.get_group_rank(dist.new_group([0]), 3),
        lambda: dist.new_group([1]), lambda: dist.new_group([0, 0]), lambda: dist.new_group([0, 1]),
        lambda: dist.new_subgroups(2), lambda: dist.new_subgroups(0), lambda: dist.new_subgroups_by_enumeration([]),
        lambda: dist.new_subgroups_by_enumeration(None), lambda: dist.new_subgroups_by_enumeration([[0], [0]]),
        lambda: dist.broadcast(t), lambda: dist.broadcast(t, src=0, group_src=0), lambda: dist.send(t, 0),
        lambda: dist.P2POp(3, t, 0), lambda: dist.P2POp(dist.isend, 3, 0)[0], lambda: dist.batch_isend_irecv([3]),
        lambda: dist.destroy_process_group(3),
        lambda: dist.get_node_local_rank(3), lambda: dist.get_node_local_rank(),
        lambda: dist.get_default_backend_for_device("cpu"), lambda: dist.is_backend_available("nope"),
        lambda: str(dist.default_pg_timeout), lambda: dist.destroy_process_group(), lambda: dist.is_initialized(),
    )  # fmt: skip


@pytest.mark.parametrize("way", ["store", "file", "tcp", "backends in parts", "no backend"])
def test_a_world_of_one(way, tmp_path, monkeypatch):
    monkeypatch.delenv("LOCAL_RANK", raising=False)
    found = []
    for number, (own, dist) in enumerate(SIDES):
        given = {
            "file": {"init_method": f"file://{tmp_path}/{number}"}, "tcp": {"init_method": "tcp://127.0.0.1:0?rank=0"},
        }.get(way, {"store": dist.HashStore()})  # fmt: skip
        if way == "tcp":
            given = {"init_method": f"tcp://127.0.0.1:{29600 + number}"}
        backend = {"backends in parts": "cpu:gloo", "no backend": None}.get(way, "GLOO")
        dist.init_process_group(backend, rank=0, world_size=1, **given)
        try:
            calls = alone(own, dist)
            if way != "store":  # one way is enough for all calls
                calls = [next(calls) for _ in range(5)]
            found.append([outcome(call) for call in calls])
        finally:
            if dist.is_initialized():
                dist.destroy_process_group()
    for number, (theirs, ours) in enumerate(zip(*found, strict=True)):
        if isinstance(theirs, tuple) and "Expected parameter" in str(theirs[-1]):  # torch's text goes on
            theirs, ours = (str(x[-1]).split("\n")[0] for x in (theirs, ours))
        assert theirs == ours, f"{way}: call {number}"
