"""Host work: traces of its own beside those of the program's steps."""

import pytest

import jtorch as torch
from jtorch.engine import flush, host, stats
from jtorch.engine.trace import local


def test_host_work_is_no_part_of_a_step():
    x = torch.ones(3) + 1
    with host.work():
        y = torch.ones(3) * 3
        with host.work():
            z = y + 1
    assert x.tolist() == [2, 2, 2]
    assert y.tolist() == [3, 3, 3]
    assert z.tolist() == [4, 4, 4]
    assert (x + y + z).tolist() == [9, 9, 9]


def test_an_error_leaves_the_threads_own_traces():
    before = local.traces
    with pytest.raises(ZeroDivisionError):
        with host.work():
            x = torch.ones(2) + 1
            raise ZeroDivisionError
    assert local.traces is before
    assert x.tolist() == [2, 2]


def test_gradients_go_through_host_work():
    w = torch.ones(3, requires_grad=True)
    with host.work():
        y = w * torch.tensor([1.0, 2.0, 3.0])
    y.sum().backward()
    assert w.grad.tolist() == [1, 2, 3]


def test_long_rows_become_programs():
    flush.boundary()
    stats.reset()
    with host.work():
        x = torch.ones(2)
        for _ in range(300):
            x = x + 1
    assert stats.programs == 1
    assert x.tolist() == [301, 301]


def test_paths_are_forgotten_when_there_are_many(monkeypatch):
    monkeypatch.setattr(host, "_MANY", 3)
    with host.work():
        for i in range(12):
            assert torch.arange(20.0)[i : i + 2].add(1).tolist() == [i + 1, i + 2]
            flush.boundary()
        assert len(local.trace._plans) <= 4
