"""Host work: traces of its own beside those of the program's steps."""

import pytest

import jtorch as torch
from jtorch._tensor import read
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


def test_work_aside_leaves_what_is_pending():
    flush.flush()
    x, y = torch.tensor([1.0, 1.0, 1.0]), torch.tensor([0.0, 0.0])
    pending = x * 2 + y.sum()
    before = stats.programs
    with host.aside():
        assert (x == 1).all()
        assert (y + 1).tolist() == [1, 1]
    assert stats.programs == before
    assert pending._storage.ref.value is None
    assert (pending + x).tolist() == [3, 3, 3]  # x is still the trace's one input
    assert stats.programs == before + 1


def test_work_aside_runs_what_it_needs():
    x = torch.ones(3) + 1
    with host.aside():
        y = x * 2
        assert y.tolist() == [4, 4, 4]
    assert (x + y).tolist() == [6, 6, 6]


def test_few_small_calls_are_made_ahead_of_their_trace():
    flush.flush()
    w = torch.tensor([[1.0, 1.0], [1.0, 1.0]], requires_grad=True)
    y = (w * 3).exp().expand(4, 2, 2)
    before, ref = stats.programs, read(y)
    with host.aside():
        assert host.lead(ref)
        assert (y > 20).all()
    assert ref.value is None
    assert stats.programs == before
    y.sum().backward()
    assert torch.allclose(w.grad, 12 * (w * 3).exp())


def test_long_or_large_leads_are_left_to_the_trace():
    x = torch.ones(3)
    for _ in range(9):
        x = x + 1
    large = torch.ones(300, 300) + 1
    with host.aside():
        assert not host.lead(x._storage.ref)
        assert not host.lead(large._storage.ref)
        assert (x == 10).all()
    assert large.sum().item() == 180_000


def test_donated_inputs_are_inputs_once():
    w = torch.ones(4, requires_grad=True)
    for _ in range(3):
        loss = (w * 2).sum()
        with host.aside():
            assert (w.detach() == w.detach()).all()
        w.grad = None
        (loss + w.sum()).backward()
        with torch.no_grad():
            w -= 0.5 * w.grad
    assert w.tolist() == [-3.5] * 4
