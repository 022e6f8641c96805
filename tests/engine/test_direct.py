"""Code whose paths never come again: calls run at once, with torch's results, until their turns repeat."""

import random
import warnings

import jax
import numpy as np
import pytest

import jtorch
from jtorch import devices, interop
from jtorch.engine import direct, sketch, stats, trace
from tests.oracle import same, same_error


def stay():
    """Whether this thread's calls on the CPU run at once."""
    return any(tr.stay is not None for tr in trace.local.traces.values())


def sentences(torch, count, seen=None):
    """The losses of a cell that takes another way after each word, and its weights."""
    torch.manual_seed(0)
    drawn = random.Random(0)
    table, cells, out = torch.nn.Embedding(7, 3), torch.nn.ModuleList(), torch.nn.Linear(3, 2)
    cells.extend(torch.nn.Linear(6, 3) for _ in range(2))
    optimizer = torch.optim.SGD([*table.parameters(), *cells.parameters(), *out.parameters()], lr=0.1)
    losses = []
    for n in range(count):
        words = [drawn.randrange(7) for _ in range(drawn.randint(3, 6))]
        hidden = torch.zeros(3)
        for word, vector in zip(words, table(torch.tensor(words)), strict=True):
            update = torch.tanh(cells[word % 2](torch.cat([hidden, vector])))
            hidden = hidden + 0.5 * update if word % 3 else hidden * torch.sigmoid(update) * (0.9**n)
        loss = torch.nn.functional.cross_entropy(out(torch.stack([hidden, hidden])), torch.tensor([words[0] % 2, 1]))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
        if seen is not None:
            seen.append(stay())
    return torch.tensor(losses), [p.detach() for p in (*table.parameters(), *cells.parameters(), *out.parameters())]


@pytest.fixture
def at_once(monkeypatch):
    """Let this thread's calls run at once for as long as a test takes."""
    monkeypatch.setattr(direct, "_STAY", 1e9)
    tr = trace.current(devices.CPU)
    direct.begin(tr)
    yield tr
    direct.leave(tr)


def test_sentences_give_torchs_losses_and_run_at_once_in_the_end(monkeypatch):
    monkeypatch.setattr(sketch, "_one_of_many", lambda node: True)
    monkeypatch.setattr(direct, "_QUICK", 1.0)  # however busy the machine is
    seen = []
    same(lambda torch: sentences(torch, 9, seen if torch is jtorch else None))
    assert not seen[0]
    assert seen[-1]
    assert stats.programs < 9


def test_a_number_that_varies_is_an_operand_in_the_end(at_once, monkeypatch):
    monkeypatch.setattr(direct, "_calls", {})

    def summed(torch):
        x = torch.arange(4.0)
        for i in range(30):
            x = x * (0.9 + i / 100) + i
        return x

    same(summed)
    assert sum(key[0].name == "mul" for key in direct._calls) == direct._VALUES
    assert at_once.stay is not None


def test_a_loop_of_like_turns_is_recorded_again(at_once, monkeypatch):
    monkeypatch.setattr(direct, "_WINDOW", 60)
    x = jtorch.ones(3)
    for _ in range(40):
        x = (x * 2 - x).abs()
    assert at_once.stay is None
    assert x.tolist() == [1.0] * 3


def test_nothing_that_is_held_changes_with_what_numpy_writes(at_once):
    def written(torch):
        x = torch.arange(6.0)
        parts = [x.reshape(2, 3).clone(), x.view(3, 2) * 1, x[1:3] + 0, x.detach(), x.clone(), x.expand(2, 6).clone()]
        held = [part.numpy() for part in parts]
        for array in held:
            array += 100
        x.mul_(2)
        view = x.view(2, 3)
        view[0] = -1
        return parts, x, view, x.t(), [np.copy(array) for array in held]

    same(written)
    assert at_once.stay is not None


def test_errors_come_at_the_call_and_leave_nothing_behind(at_once):
    same_error(lambda torch: torch.ones(2, 3) @ torch.ones(2, 3))
    same_error(lambda torch: torch.ones(2, 3) + torch.ones(2, 4))
    same(lambda torch: torch.ones(2, 3) @ torch.ones(3, 2))
    assert at_once.stay is not None


def test_numpys_warnings_are_not_seen(at_once):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        same(lambda torch: (torch.zeros(3).log(), torch.zeros(3) / 0, (torch.zeros(2) - 1).sqrt(), torch.ones(2).exp()))
    with pytest.warns(RuntimeWarning):
        np.log(np.zeros(1))


def test_what_is_large_or_has_no_numpy_form_too_often_is_recorded(at_once):
    x = jtorch.ones(300, 300)
    x = x + 1
    assert at_once.stay is None
    assert x.sum().item() == 180_000


def test_inside_a_transform_calls_are_traced(at_once):
    one = jtorch.ones(2)
    found = jax.jit(interop.as_jax(lambda x: (x * 2 + one).sum()))(np.ones(2, np.float32))
    assert found == 6.0
    assert at_once.stay is not None


def test_a_compiled_call_is_recorded(at_once):
    model = jtorch.nn.Linear(3, 2)
    fast = jtorch.compile(lambda x: model(x).detach())
    x = jtorch.ones(1, 3)
    expected = model(x).tolist()
    assert at_once.stay is not None
    for _ in range(3):
        np.testing.assert_allclose(fast(x).tolist(), expected, rtol=1e-6)
    assert stats.replays == 2
