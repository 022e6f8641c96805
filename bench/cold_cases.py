"""Programs whose time is that of their first minutes, given `torch` or `jtorch` as the module to run on."""

import random

from bench import cases

# What somebody types who tries things out: one line after the other, each printed.
SESSION = """
torch.tensor([1., 2., 3.])
torch.zeros(2, 3)
torch.ones(2, 3, dtype=torch.int64)
torch.arange(12).reshape(3, 4)
torch.linspace(0, 1, 5)
torch.eye(3)
torch.full((2, 2), 7.)
torch.rand(2, 3)
torch.randn(3, 3)
torch.randperm(6)
x + y
x - y
x * y
x / y
x @ y.T
x ** 2
x % 2
-x
x // 2
x > 0
x == y
x.abs()
x.exp()
(x.abs() + 1).log()
x.abs().sqrt()
x.sin()
x.cos()
torch.tanh(x)
torch.sigmoid(x)
torch.relu(x)
x.round()
x.floor()
x.clamp(-1, 1)
x.sign()
x.sum()
x.sum(0)
x.mean()
x.mean(1, keepdim=True)
x.std()
x.var(0)
x.max()
x.max(1)
x.min(0).indices
x.argmax()
x.argmin(1)
x.prod()
x.cumsum(0)
x.norm()
x.median()
x.all()
(x > 0).any(1)
x.T
x.reshape(-1)
x.view(2, 6)
x.unsqueeze(0).shape
x[0]
x[:, 1]
x[1:, ::2]
x[x > 0]
x[[0, 2]]
x[-1, -1].item()
x.flip(0)
x.roll(1, 1)
torch.cat([x, y])
torch.stack([x, y]).shape
torch.chunk(x, 2, 1)
x.split(2, 1)[0]
x.repeat(1, 2)
x.expand(2, 3, 4).sum()
x.tril()
x.triu(1)
x.diagonal()
torch.outer(x[0], y[0])
torch.einsum('ij,kj->ik', x, y)
torch.where(x > 0, x, y)
x.masked_fill(x < 0, 0.)
x.sort(1).values
x.topk(2).values
x.argsort(1)
torch.unique(torch.tensor([3, 1, 3, 2]))
torch.bincount(torch.tensor([0, 1, 1, 3]))
x.gather(1, torch.zeros(3, 1, dtype=torch.int64))
x.softmax(1)
x.log_softmax(1)
torch.nn.functional.gelu(x)
torch.nn.functional.one_hot(torch.tensor([0, 2, 1]), 4)
torch.nn.functional.mse_loss(x, y)
torch.nn.functional.normalize(x, dim=1)
torch.nn.functional.layer_norm(x, (4,))
torch.nn.Linear(4, 2)(x)
torch.nn.Conv1d(3, 2, 2)(x[None])
torch.nn.Embedding(5, 3)(torch.tensor([1, 4]))
torch.nn.functional.cross_entropy(x, torch.tensor([1, 0, 3]))
torch.linalg.inv(x[:, :3] + 5 * torch.eye(3))
torch.linalg.det(x[:, :3])
torch.bmm(x[None], y.T[None])
x.add_(1)
x.mul_(2).sub_(1)
x.to(torch.float64)
x.tolist()
""".strip().splitlines()


def session(torch, scale):
    """The session's lines: how long what they print is."""
    torch.manual_seed(0)
    names = {"torch": torch, "x": torch.randn(3, 4), "y": torch.randn(3, 4)}
    return sum(len(repr(eval(line, names))) for line in SESSION)


def lengths(torch, scale):
    """2,000 training steps of an RNN cell over words of 60 lengths: the mean loss."""
    torch.manual_seed(0)
    nn = torch.nn
    cell, out = nn.RNNCell(57, 128), nn.Linear(128, 18)
    optimizer = torch.optim.SGD([*cell.parameters(), *out.parameters()], lr=0.005)
    words = {n: torch.randn(n, 1, 57) for n in range(1, 61)}
    drawn = random.Random(0)
    steps = max(int(2000 * scale), 30)
    total = 0.0
    for step in range(steps):
        word, hidden = words[drawn.randint(1, 60)], torch.zeros(1, 128)
        for letter in word:
            hidden = cell(letter, hidden)
        loss = nn.functional.cross_entropy(out(hidden), torch.tensor([step % 18]))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total += loss.item()
    return total / steps


def depth(torch, scale):
    """30,000 steps of a polynomial whose last terms are drawn: its first coefficient."""
    torch.manual_seed(0)
    x = torch.linspace(-3.14159, 3.14159, 2000)
    y = torch.sin(x)

    class Polynomial(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.a, self.b, self.c, self.d, self.e = (torch.nn.Parameter(torch.randn(())) for _ in range(5))

        def forward(self, x):
            y = self.a + self.b * x + self.c * x**2 + self.d * x**3
            for power in range(4, random.randint(4, 7)):
                y = y + self.e * x**power
            return y

    random.seed(0)
    model = Polynomial()
    criterion = torch.nn.MSELoss(reduction="sum")
    optimizer = torch.optim.SGD(model.parameters(), lr=1e-8, momentum=0.9)
    steps = max(int(30_000 * scale), 100)
    for step in range(steps):
        loss = criterion(model(x), y)
        if step % 2000 == 1999:
            loss.item()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return model.a.item()


def words(torch, scale):
    """Sentences read word by word, by another gate after another kind of word: no two have the same graph.

    Returns the mean loss. At scale 1 there are 1 M ops in all, forward and backward.
    """
    torch.manual_seed(0)
    total = 0.0
    nn = torch.nn
    drawn = random.Random(0)
    sentences = [[drawn.randrange(100) for _ in range(drawn.randint(5, 35))] for _ in range(max(int(2800 * scale), 30))]
    embedding = nn.Embedding(100, 16)
    gates = nn.ModuleList([nn.Linear(32, 16) for _ in range(3)])
    out = nn.Linear(16, 5)
    optimizer = torch.optim.SGD([*embedding.parameters(), *gates.parameters(), *out.parameters()], lr=0.05)
    for sentence in sentences:
        hidden = torch.zeros(16)
        for vector, word in zip(embedding(torch.tensor(sentence)), sentence, strict=True):
            gate = gates[word % 3]
            update = torch.tanh(gate(torch.cat([hidden, vector])))
            hidden = hidden + 0.5 * update if word % 2 else hidden * torch.sigmoid(update)
        loss = nn.functional.cross_entropy(out(hidden).view(1, -1), torch.tensor([sentence[0] % 5]))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total += loss.item()
    return total / len(sentences)


FIRST = {name: cases.CASES[name] for name in ("resnet18", "gpt")}
PROGRAMS = {"session": session, "lengths": lengths, "depth": depth, "words": words}
