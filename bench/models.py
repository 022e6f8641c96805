"""The benchmarks' models and training loops, written once and given `torch` or `jtorch` as the module to run on."""

import math
from typing import Any, NamedTuple

import numpy as np


class Shape(NamedTuple):
    """The size of a GPT."""

    vocab: int = 65
    length: int = 128
    width: int = 384
    heads: int = 6
    layers: int = 6


class Case(NamedTuple):
    """A training step to time: a model, what it is fed, and how it is optimised. steps: how many in a timed block."""

    name: str
    model: Any
    batches: list
    optimizer: str
    settings: dict
    steps: int
    shape: Shape | None = None  # of the GPT


def mlp(torch, shape=None):
    """784 - 512 - 512 - 10 with ReLU."""
    nn = torch.nn
    return nn.Sequential(
        nn.Linear(784, 512), nn.ReLU(), nn.Linear(512, 512), nn.ReLU(), nn.Linear(512, 10)
    )  # fmt: skip


def lenet(torch, shape=None):
    """LeNet-5 with ReLU and max-pooling, on (B, 1, 28, 28)."""
    nn = torch.nn
    return nn.Sequential(
        nn.Conv2d(1, 6, 5, padding=2),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(6, 16, 5),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(400, 120),
        nn.ReLU(),
        nn.Linear(120, 84),
        nn.ReLU(),
        nn.Linear(84, 10),
    )


def attention(torch, shape):
    """A causal self-attention layer, (B, T, width) -> the same."""
    nn = torch.nn

    class Attention(nn.Module):
        def __init__(self):
            super().__init__()
            self.qkv = nn.Linear(shape.width, 3 * shape.width)
            self.out = nn.Linear(shape.width, shape.width)
            future = torch.ones(shape.length, shape.length).tril() == 0
            self.register_buffer("future", future, persistent=False)

        def forward(self, x):
            B, T, C = x.shape
            q, k, v = self.qkv(x).split(C, dim=2)
            q, k, v = (t.view(B, T, shape.heads, C // shape.heads).transpose(1, 2) for t in (q, k, v))  # (B, nh, T, hs)
            scores = (q @ k.transpose(-2, -1)) * (1.0 / math.sqrt(k.size(-1)))
            scores = scores.masked_fill(self.future[:T, :T], float("-inf"))
            mixed = torch.softmax(scores, dim=-1) @ v
            return self.out(mixed.transpose(1, 2).contiguous().view(B, T, C))

    return Attention()


def block(torch, shape):
    """A pre-norm Transformer block, (B, T, width) -> the same."""
    nn = torch.nn

    class Block(nn.Module):
        def __init__(self):
            super().__init__()
            self.ln1 = nn.LayerNorm(shape.width)
            self.attn = attention(torch, shape)
            self.ln2 = nn.LayerNorm(shape.width)
            self.up = nn.Linear(shape.width, 4 * shape.width)
            self.act = nn.GELU()
            self.down = nn.Linear(4 * shape.width, shape.width)

        def forward(self, x):
            x = x + self.attn(self.ln1(x))
            return x + self.down(self.act(self.up(self.ln2(x))))

    return Block()


def gpt(torch, shape):
    """A decoder-only Transformer without dropout, (B, T) tokens -> (B·T, vocab) logits."""
    nn = torch.nn

    class GPT(nn.Module):
        def __init__(self):
            super().__init__()
            self.tok = nn.Embedding(shape.vocab, shape.width)
            self.pos = nn.Parameter(torch.zeros(1, shape.length, shape.width))
            self.blocks = nn.ModuleList([block(torch, shape) for _ in range(shape.layers)])
            self.ln = nn.LayerNorm(shape.width)
            self.head = nn.Linear(shape.width, shape.vocab, bias=False)

        def forward(self, tokens):
            x = self.tok(tokens) + self.pos[:, : tokens.size(1)]
            for layer in self.blocks:
                x = layer(x)
            return self.head(self.ln(x)).view(-1, shape.vocab)

    return GPT()


def images(count, batch, *dims):
    """Batches of noise with a class each: a list of (float32 images, int64 labels)."""
    rng = np.random.default_rng(0)
    return [
        (rng.standard_normal((batch, *dims), dtype=np.float32), rng.integers(0, 10, batch)) for _ in range(count)
    ]  # fmt: skip


def texts(count, batch, shape):
    """Batches of random tokens and the tokens that follow them, flattened."""
    rng = np.random.default_rng(0)
    drawn = [rng.integers(0, shape.vocab, (batch, shape.length + 1)) for _ in range(count)]
    return [(d[:, :-1].copy(), d[:, 1:].reshape(-1)) for d in drawn]


SGD = {"lr": 0.01, "momentum": 0.9}
ADAMW = {"lr": 3e-4, "betas": (0.9, 0.95), "weight_decay": 0.1}
CASES = {
    "mlp": Case("mlp", mlp, images(4, 128, 784), "SGD", SGD, 100),
    "lenet": Case("lenet", lenet, images(4, 64, 1, 28, 28), "SGD", SGD, 30),
    "gpt": Case("gpt", gpt, texts(4, 8, Shape()), "AdamW", ADAMW, 2, Shape()),
}


def trainer(torch, case, seed=0):
    """(model, step): `step(i)` is one iteration of the ordinary training loop on batch i and returns its loss."""
    torch.manual_seed(seed)
    model = case.model(torch, case.shape)
    criterion = torch.nn.CrossEntropyLoss()
    optimizer = getattr(torch.optim, case.optimizer)(model.parameters(), **case.settings)
    batches = [(torch.from_numpy(x), torch.from_numpy(y)) for x, y in case.batches]

    def step(i):
        x, y = batches[i % len(batches)]
        optimizer.zero_grad()
        loss = criterion(model(x), y)
        loss.backward()
        optimizer.step()
        return loss

    return model, step
