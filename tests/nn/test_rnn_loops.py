"""Training loops of recurrent networks: torch's losses, and one program a step."""

import numpy as np

from jtorch.engine import stats
from tests.oracle import both

TEXT = np.random.default_rng(0).integers(0, 12, 400)
NAMES = ["ada", "kurt", "emmy", "li", "sofia", "alan", "bo"]


def chars(torch):
    """A char-RNN as lessons write it: a sentence at a time, of its own length, the state carried by hand."""
    torch.manual_seed(0)
    rnn, out = torch.nn.RNN(26, 8), torch.nn.Linear(8, 26)
    params = [*rnn.parameters(), *out.parameters()]
    optimizer = torch.optim.SGD(params, lr=0.1)
    losses = []
    for epoch in range(2):
        for name in NAMES[epoch:]:
            codes = torch.tensor([ord(c) - 97 for c in name])
            hot = torch.zeros(len(name) - 1, 1, 26)
            hot.scatter_(2, codes[:-1].view(-1, 1, 1), 1.0)
            optimizer.zero_grad()
            states, _ = rnn(hot, torch.zeros(1, 1, 8))
            loss = torch.nn.functional.cross_entropy(out(states[:, 0]), codes[1:])
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
    return losses


class Language:
    """A language model of an LSTM of two layers with dropout, and one step of its training by truncated time."""

    def __init__(self, torch):
        torch.manual_seed(0)
        self.torch, nn = torch, torch.nn
        self.table, self.rnn, self.out = nn.Embedding(12, 8), nn.LSTM(8, 8, 2, dropout=0.2), nn.Linear(8, 12)
        self.params = [p for m in (self.table, self.rnn, self.out) for p in m.parameters()]
        self.optimizer = torch.optim.Adam(self.params, lr=0.01)
        text = TEXT.reshape(4, -1).T  # (100, 4)
        self.batches = [
            (torch.tensor(text[at : at + 5]), torch.tensor(text[at + 1 : at + 6].reshape(-1))) for at in range(0, 60, 5)
        ]
        self.state = torch.zeros(2, 4, 8), torch.zeros(2, 4, 8)

    def step(self, number):
        torch = self.torch
        x, y = self.batches[number]
        self.state = tuple(s.detach() for s in self.state)
        self.optimizer.zero_grad()
        out, self.state = self.rnn(self.table(x), self.state)
        loss = torch.nn.functional.cross_entropy(self.out(out.flatten(0, 1)), y)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.params, 0.25)
        self.optimizer.step()
        return loss


def test_char_rnn():
    torchs, ours = both(chars)
    np.testing.assert_allclose(ours, torchs, rtol=1e-4)


def test_language_model_is_one_program_a_step_without_a_compile_from_the_third():
    def losses(torch):
        model = Language(torch)
        first = [model.step(number).item() for number in range(2)]
        before = stats.snapshot()
        rest = [model.step(number).item() for number in range(2, 12)]
        after = stats.snapshot()
        return first + rest, after["programs"] - before["programs"], after["compiles"] - before["compiles"]

    (torchs, *_), (ours, programs, compiles) = both(losses)
    np.testing.assert_allclose(ours, torchs, rtol=1e-4)
    assert (programs, compiles) == (10, 0)
