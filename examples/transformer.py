"""A language model of torch's own Transformer layers, with a causal mask, on sentences of a small grammar."""

import argparse
import math
import random

import jtorch as torch
import jtorch.nn.functional as F
from jtorch import nn

SUBJECTS = {"the cat": "s", "the dog": "s", "a bird": "s", "the children": "p", "two foxes": "p", "we": "p"}
VERBS = {"s": ["sees", "likes", "follows"], "p": ["see", "like", "follow"]}
OBJECTS = ["the moon", "a small fish", "the old tree", "the river"]
PLACES = ["in the garden", "at night", "near the house"]


def sentence(rng):
    """A sentence whose verb agrees with its subject."""
    subject = rng.choice(list(SUBJECTS))
    words = [subject, rng.choice(VERBS[SUBJECTS[subject]]), rng.choice(OBJECTS)]
    return " ".join(words + [rng.choice(PLACES)] * (rng.random() < 0.5)) + " ."


def batchify(tokens, columns):
    """One long text cut into columns. Shape: (n,) -> (n // columns, columns)."""
    rows = len(tokens) // columns
    return tokens[: rows * columns].view(columns, rows).t().contiguous()


class PositionalEncoding(nn.Module):
    """Sines and cosines of the place, added to what stands there. Shape: (T, B, C) -> (T, B, C)."""

    def __init__(self, width, longest=64):
        super().__init__()
        position = torch.arange(longest).unsqueeze(1)
        div_term = torch.exp(torch.arange(0, width, 2) * (-math.log(10000.0) / width))
        pe = torch.zeros(longest, 1, width)
        pe[:, 0, 0::2] = torch.sin(position * div_term)
        pe[:, 0, 1::2] = torch.cos(position * div_term)
        self.register_buffer("pe", pe)

    def forward(self, x):
        return x + self.pe[: x.size(0)]


class TransformerModel(nn.Module):
    """Shape: (T, B) words -> (T, B, words): at each place, scores for the next word."""

    def __init__(self, words, width, heads, layers):
        super().__init__()
        self.width = width
        self.embedding = nn.Embedding(words, width)
        self.positions = PositionalEncoding(width)
        layer = nn.TransformerEncoderLayer(width, heads, 2 * width, dropout=0.0)
        self.encoder = nn.TransformerEncoder(layer, layers, enable_nested_tensor=False)
        self.out = nn.Linear(width, words)

    def forward(self, text):
        mask = nn.Transformer.generate_square_subsequent_mask(len(text)).to(text.device)
        x = self.positions(self.embedding(text) * math.sqrt(self.width))
        return self.out(self.encoder(x, mask, is_causal=True))


def evaluate(model, text, length):
    """The mean loss per word."""
    model.eval()
    total = 0.0
    with torch.no_grad():
        for start in range(0, len(text) - length, length):
            scores = model(text[start : start + length])
            total += F.cross_entropy(scores.flatten(0, 1), text[start + 1 : start + length + 1].flatten()).item()
    model.train()
    return total / len(range(0, len(text) - length, length))


def go_on(model, words, vocabulary, count):
    """Words that follow, the likeliest each time."""
    model.eval()
    with torch.no_grad():
        for _ in range(count):
            text = torch.tensor([[vocabulary.index(word)] for word in words], device=next(model.parameters()).device)
            words = [*words, vocabulary[model(text)[-1, 0].argmax().item()]]
            if words[-1] == ".":
                break
    model.train()
    return " ".join(words)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sentences", type=int, default=3000)
    parser.add_argument("--epochs", type=int, default=4)
    parser.add_argument("--width", type=int, default=32)
    parser.add_argument("--layers", type=int, default=2)
    parser.add_argument("--length", type=int, default=16, help="words that are looked at together")
    args = parser.parse_args()
    torch.manual_seed(0)
    rng = random.Random(0)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    words = " ".join(sentence(rng) for _ in range(args.sentences)).split()
    vocabulary = sorted(set(words))
    tokens = torch.tensor([vocabulary.index(word) for word in words])
    held_out = len(tokens) // 10
    train_text, test_text = batchify(tokens[held_out:], 20).to(device), batchify(tokens[:held_out], 20).to(device)
    model = TransformerModel(len(vocabulary), args.width, heads=4, layers=args.layers).to(device)
    print(f"{len(vocabulary)} words, {sum(p.numel() for p in model.parameters()):,} weights")
    print(nn.Transformer.generate_square_subsequent_mask(4))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.2)
    scheduler = torch.optim.lr_scheduler.StepLR(optimizer, 1, gamma=0.9)
    for epoch in range(1, args.epochs + 1):
        for start in range(0, len(train_text) - args.length, args.length):
            text = train_text[start : start + args.length]
            scores = model(text)
            loss = F.cross_entropy(scores.flatten(0, 1), train_text[start + 1 : start + args.length + 1].flatten())
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 0.5)
            optimizer.step()
        scheduler.step()
        held = evaluate(model, test_text, args.length)
        print(f"epoch {epoch}: loss {loss.item():.3f}, held out {held:.3f}, perplexity {math.exp(held):.2f}")
    for beginning in ("the cat", "two foxes", "we"):
        print(go_on(model, beginning.split(), vocabulary, 12))


if __name__ == "__main__":
    main()
