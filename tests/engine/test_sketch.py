"""Code whose paths vary: new ones run call by call with the same numbers, and are compiled when they come often."""

import numpy as np

import jtorch
from jtorch.engine import direct, show, sketch, stats
from tests.oracle import same

LENGTHS = (5, 9, 3, 7, 11, 4, 8, 6, 10, 12, 13, 14)


def trained(torch, lengths):
    """The losses of an RNN cell whose loop is as long as each sequence, and its weights."""
    torch.manual_seed(0)
    cell, out = torch.nn.GRUCell(3, 4), torch.nn.Linear(4, 2)
    optimizer = torch.optim.SGD([*cell.parameters(), *out.parameters()], lr=0.1, momentum=0.9)
    losses = []
    for n in lengths:
        x, h = torch.randn(n, 1, 3), torch.zeros(1, 4)
        for t in range(n):
            h = cell(x[t], h)
        loss = torch.nn.functional.cross_entropy(out(torch.tanh(h)), torch.tensor([n % 2]))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return torch.tensor(losses), [p.detach() for p in cell.parameters()]


def test_lengths_that_vary_give_torchs_losses_and_compile_no_more():
    same(lambda torch: trained(torch, LENGTHS))
    stats.reset()
    trained(jtorch, [n + 20 for n in LENGTHS])
    whole = 4  # so many different paths must have run before one is taken for one of many
    calls = 12  # kinds of calls whose sizes depend on the length, and those that NumPy does not have
    assert stats.compiles <= whole + calls
    direct.end()
    assert stats.ops >= sum(LENGTHS)


def episodes(torch, lengths):
    """The losses of a policy that acts as often as an episode is long and learns once from all of it."""
    torch.manual_seed(0)
    policy = torch.nn.Linear(3, 2)
    optimizer = torch.optim.SGD(policy.parameters(), lr=0.1)
    losses = []
    for n in lengths:
        taken = []
        for t in range(n):
            scores = torch.nn.functional.log_softmax(policy(torch.tensor([[t / n, 1.0, n / 8]])), 1)
            taken.append(scores[0, int(scores.argmax())])
        loss = 0
        for t, one in enumerate(taken):
            loss = loss - one * (0.9**t)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return torch.tensor(losses)


def test_paths_that_vary_are_seen_between_others_that_come_again():
    same(lambda torch: episodes(torch, LENGTHS))
    stats.reset()
    episodes(jtorch, [n + 20 for n in LENGTHS])
    assert stats.compiles <= 4  # no path is new any more


def test_a_long_loop_of_like_turns_is_not_compiled_at_first():
    def turned(torch):
        x = torch.arange(4.0)
        for i in range(250):
            x = (x * 0.5).sin() + i
        return x

    same(turned)
    sketch.recent.clear()
    stats.reset()
    y = jtorch.tensor([0.0, 1.0, 2.0, 3.0, 4.0])
    for i in range(250):
        y = (y * 0.5).sin() + i
    y.tolist()
    assert stats.compiles == 1  # the sine alone: the rest is NumPy's


def test_what_ran_last_is_shown_where_it_was_not_compiled(monkeypatch):
    monkeypatch.setattr(sketch, "_one_of_many", lambda node: True)

    def turned():
        x = jtorch.ones(3)
        for n in range(6):
            x = (x * n).abs()
        return x.tolist()

    compiles = stats.compiles
    turned()
    jtorch.ones(2).neg().tolist()
    assert "abs(" not in show.last()
    turned()
    assert "abs(" in show.last() and "neg(" not in show.last()
    assert stats.compiles == compiles + 1  # the negative


def test_a_path_that_comes_again_often_is_compiled(monkeypatch):
    monkeypatch.setattr(direct, "_PATHS", 1000)  # else they would not be recorded by then
    trained(jtorch, LENGTHS)
    monkeypatch.setattr(sketch, "_CALL", 0.0)
    trained(jtorch, [21])
    stats.reset()
    trained(jtorch, [21])
    assert stats.compiles == 1
    trained(jtorch, [21])
    assert stats.compiles == 1


def varied(torch):
    """Run so many different short paths that the next one counts as one of many."""
    for n in range(2, 9):
        x = torch.ones(3)
        for _ in range(n):
            x = (x * 2 - x).reshape(3, 1).reshape(3)
        x.tolist()


def test_results_are_no_parts_of_inputs_nor_of_each_other():
    def written(torch):
        varied(torch)
        x = torch.arange(6.0)
        y = x * 1
        parts = [y.reshape(2, 3).clone(), y.reshape(6), y[1:3] * 1, y * 2 - y, (y + 0).reshape(3, 2)]
        held = [part.numpy() for part in parts[:1] + parts[2:]]
        for array in held:
            array += 100
        x.add_(1)
        return parts, x, y, [np.copy(array) for array in held]

    same(written)


def test_updates_in_place_are_seen_by_all_views():
    def updated(torch):
        varied(torch)
        x = torch.zeros(4, 3)
        rows = [x[i] for i in range(4)]
        for n in (3, 4, 5):
            for i in range(n):
                rows[i % 4].add_(i).mul_(2).sub_(1)
            total = x.sum().item()
        x[1, 2] = 7
        return x, rows, torch.tensor(total)

    same(updated)


def rounded_otherwise(torch):
    """Products, sums, rows, parts and curves, and their gradients: all in one path, whose calls NumPy has."""
    x = torch.linspace(-2, 2, 24).reshape(2, 3, 4).requires_grad_()
    w, table = torch.linspace(-1, 1, 20).reshape(5, 4).requires_grad_(), torch.linspace(0, 3, 12).reshape(4, 3)
    table.requires_grad_()
    rows = torch.nn.functional.embedding(torch.tensor([[0, 3, 3], [1, 0, 2]]), table)
    parts = torch.cat([x, x[:, :, 1:3] * 2], 2).split([2, 4], 2)
    total = x[..., :0].softmax(-1).sum()
    for part in (*parts, *torch.stack([x, -x]).unbind(0), *rows.chunk(2, 1), x @ w.T, x @ x.mT, w.mT @ w):
        total = (
            total + torch.tanh(part).sum() + (part.exp() + 1).log().mean() + part.sigmoid().softmax(-1).square().sum()
        )
    total.backward()
    results = [total.detach(), x.grad, w.grad, table.grad, (x @ w.T).detach(), rows.detach().sum(0)]
    total.item()
    return results


def test_what_numpy_rounds_otherwise(monkeypatch):
    monkeypatch.setattr(sketch, "_one_of_many", lambda node: True)
    compiles = stats.compiles
    same(rounded_otherwise)
    assert stats.compiles == compiles


def test_a_long_path_like_one_before_is_not_compiled(monkeypatch):
    monkeypatch.setattr(sketch, "recent", {})

    def learnt(turns):
        w = jtorch.ones(3, requires_grad=True)
        total = w.sum()
        for n in turns:
            total = total + (w * n).tanh().sum() if n % 3 else total * w.sigmoid().sum()
        total.backward()
        return w.grad.tolist()

    compiles = []
    for turns in (range(1, 26), range(2, 30)):
        stats.reset()
        learnt(turns)
        compiles.append(stats.compiles)
    assert compiles[0] and not compiles[1]
