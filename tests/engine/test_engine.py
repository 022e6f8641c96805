"""Recording, flushing and liveness, one rule of the engine at a time."""

import gc
import threading
import weakref

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jtorch as torch
from jtorch.autograd.apply import apply
from jtorch.engine import flush, program, show, stats, trace
from jtorch.ops.op import Array, Op


def test_nothing_runs_before_a_read():
    y = torch.ones(3) * 2 + 1
    assert stats.programs == 0
    assert y.shape == (3,) and y.dtype is torch.float32
    assert y.tolist() == [3.0, 3.0, 3.0]
    assert (stats.programs, stats.flushes["read"]) == (1, 1)


def test_one_flush_makes_every_live_value():
    a = torch.ones(3) + 1
    b = a * 3
    a.tolist()
    b.tolist()
    assert stats.programs == 1


def test_dead_values_are_not_outputs():
    x = torch.ones(3)
    y = ((x + 1) * 2).exp()
    y.tolist()
    names = [n.sig.op.name for n in next(reversed(program._lru)).path]
    live = next(reversed(program._lru)).live
    assert len(live) < len(names)


def test_more_outputs_serve_too():
    def run(keep):
        x = torch.full((3,), 2.0)
        a = x + 1
        b = a * 2
        if not keep:
            del a
        return b.tolist()

    run(True)
    run(True)  # the second time it is compiled in full
    compiled = stats.compiles
    run(False)
    assert stats.compiles == compiled


def test_an_error_leaves_the_trace_as_it_was():
    x = torch.ones(3)
    y = x + 1
    pending = len(local().refs), local().count, local().node
    with pytest.raises(RuntimeError, match="must match the size"):
        y + torch.tensor([1.0, 2.0])
    assert (len(local().refs), local().count, local().node) == pending
    assert (y + 1).tolist() == [3.0] * 3


def local():
    """This thread's trace on the CPU."""
    return trace.local.trace


def test_numbers_are_told_apart_by_type_and_sign():
    x = torch.tensor([1, 2])
    assert (x + 1).dtype is torch.int64
    assert (x + 1.0).dtype is torch.float32
    assert (x + True).dtype is torch.int64
    zero = torch.zeros(1)
    assert str((zero * 0.0).item()) == "0.0"
    assert str((zero * -0.0).item()) == "-0.0"
    for _ in range(3):
        assert np.isnan((zero + float("nan")).item())


def test_a_changing_number_becomes_an_input():
    x = torch.tensor([1.0, 1.0, 1.0])
    for i in range(20):
        assert (x * (i + 0.5)).tolist() == [i + 0.5] * 3
    assert stats.compiles == 3  # the first value; any value, in a hurry; any value, in full


def test_threads_do_not_disturb_each_other():
    wrong = []

    def work(k):
        x = torch.full((4,), float(k))
        for _ in range(50):
            y = (x + 1) * 2
            if y.tolist() != [(k + 1.0) * 2] * 4:
                wrong.append(k)

    threads = [threading.Thread(target=work, args=(k,)) for k in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert not wrong


def test_a_value_pending_in_another_thread_can_be_read():
    made = []
    worker = threading.Thread(target=lambda: made.append(torch.ones(3) + 1))
    worker.start()
    worker.join()
    assert made[0].tolist() == [2.0] * 3


def test_calls_run_at_once_inside_a_jax_transform():
    w = torch.ones(3)

    def f(array):
        x = torch._tensor.from_array(array)
        return torch._tensor.value((x * w).sum() + torch.zeros(()))

    assert jax.jit(f)(jnp.arange(3.0)) == 3.0
    assert jax.grad(f)(jnp.arange(3.0)).tolist() == [1.0, 1.0, 1.0]
    assert (w + 1).tolist() == [2.0] * 3


def test_programs_are_evicted(monkeypatch):
    monkeypatch.setattr(program, "MAX_PROGRAMS", 4)
    for n in range(2, 12):
        (torch.ones(n) + 1).tolist()
    assert program.count() <= 4
    assert stats.evictions > 0
    assert (torch.ones(2) + 1).tolist() == [2.0, 2.0]


def failing(name):
    """An op that has a shape and cannot be computed."""

    def broken(input: Array):
        if isinstance(input, jax.core.Tracer) and failing.on:
            raise ArithmeticError("no such thing")
        return input + 1

    return Op(broken, name, (), {})


def test_a_call_that_cannot_be_compiled_takes_no_others_with_it():
    fails, x = failing("broken"), torch.ones(3)
    failing.on = False
    before, broken = x * 2, apply(fails, (x,), ())
    failing.on = True
    after, beside = broken * 2, x + 41
    del x
    for _ in range(2):
        with pytest.raises(ArithmeticError, match="no such thing"):
            broken.tolist()
        assert before.tolist() == [2.0] * 3 and beside.tolist() == [42.0] * 3
        with pytest.raises(ArithmeticError, match="no such thing"):
            after.tolist()
    with pytest.raises(ArithmeticError):
        (broken + 1).tolist()
    assert (before + beside).tolist() == [44.0] * 3


def test_who_reads_another_value_is_not_told_of_a_call_that_fails():
    failing.on = False
    lost, other = apply(failing("lost"), (torch.ones(3),), ()), torch.ones(3) * 2
    apply(failing("dropped"), (other,), ())
    failing.on = True
    assert other.tolist() == [2.0] * 3
    with pytest.raises(ArithmeticError):
        lost.tolist()


def test_an_error_that_is_kept_holds_nothing_of_who_saw_it():
    failing.on = False
    broken = apply(failing("broken again"), (torch.ones(3),), ())
    failing.on = True

    def looked():
        large = np.ones(3)
        with pytest.raises(ArithmeticError):
            broken.tolist()
        return weakref.ref(large)

    seen = [looked(), looked()]
    gc.collect()
    assert [one() for one in seen] == [None, None]


def test_what_cannot_be_compiled_as_a_whole_runs_call_by_call(monkeypatch):
    x = torch.full((3,), 2.0, requires_grad=True)
    (x * 3 + torch.arange(3)).exp().sum().log().backward()
    monkeypatch.setattr(program, "compiled", lambda *a: (_ for _ in ()).throw(MemoryError("no room")))
    found = x.grad.tolist()
    monkeypatch.undo()
    np.testing.assert_allclose(found, 3 * np.exp(range(3)) / np.exp(range(3)).sum(), rtol=1e-6)


def test_snapshots_are_never_donated():
    w = torch.ones(3, requires_grad=True)
    before = w.detach().clone()
    alias = w.detach().numpy().copy()
    for _ in range(3):
        (w * w).sum().backward()
        with torch.no_grad():
            w -= 0.1 * w.grad
        w.grad = None
    assert before.tolist() == alias.tolist() == [1.0] * 3


def test_an_array_given_to_numpy_outlives_updates():
    w = torch.ones(3)
    held = w.numpy()
    copies = held.copy()
    v = w * 1
    for _ in range(3):
        v = v * 2
        v.tolist()
    assert (held == copies).all()


def test_show_names_the_pending_calls():
    y = torch.ones(2) + 3
    assert "add(" in show.pending()
    y.tolist()
    assert show.pending() == "# nothing is pending"
    assert "add(" in show.last()


def test_synchronize_and_flush_reasons():
    x = torch.ones(3) + 1
    flush.flush("sync")
    assert stats.flushes == {"sync": 1}
    assert x._storage.ref.value is not None


def test_no_float64_by_accident():
    x = torch.ones(3)
    for y in (x * 0.1, x + 1, x / 3, x.exp(), x.mean(), x.sum() * np.float64(0.5)):
        assert y.dtype is torch.float32
        assert y.detach().numpy().dtype == np.float32


def test_halves_are_rounded_within_a_program():
    x = torch.linspace(-3, 3, 97).to(torch.bfloat16)
    together = (x.tanh() * 1).float() - 1
    apart = x.tanh()
    apart.tolist()
    assert together.tolist() == ((apart * 1).float() - 1).tolist()
