"""Translation with attention: numbers in English words, said in German, where the ones come before the tens."""

import argparse
import random

import jtorch as torch
import jtorch.nn.functional as F
from jtorch import nn

ENGLISH = "one two three four five six seven eight nine".split()
ENGLISH_TENS = "twenty thirty forty fifty sixty seventy eighty ninety".split()
GERMAN = "ein zwei drei vier fünf sechs sieben acht neun".split()
GERMAN_TENS = "zwanzig dreißig vierzig fünfzig sechzig siebzig achtzig neunzig".split()
SOURCE = ["<end>", "hundred", *ENGLISH, *ENGLISH_TENS]
TARGET = ["<end>", "<start>", "hundert", "und", *GERMAN, *GERMAN_TENS]


def pair(number):
    """A number of three digits in both languages: "two hundred forty seven", "zwei hundert sieben und vierzig"."""
    hundreds, tens, ones = number // 100, number // 10 % 10, number % 10
    return (
        [ENGLISH[hundreds - 1], "hundred", ENGLISH_TENS[tens - 2], ENGLISH[ones - 1]],
        [GERMAN[hundreds - 1], "hundert", GERMAN[ones - 1], "und", GERMAN_TENS[tens - 2]],
    )


def tensors(numbers):
    """Both languages of some numbers as indices of words, with the end marked. Shape: (B, 5) and (B, 6)."""
    source, target = zip(*map(pair, numbers))
    return (
        torch.tensor([[SOURCE.index(word) for word in [*words, "<end>"]] for words in source]),
        torch.tensor([[TARGET.index(word) for word in [*words, "<end>"]] for words in target]),
    )


class Encoder(nn.Module):
    """A GRU in both directions over embedded words. Shape: (B, S) -> (B, S, 2 H) and a state (1, B, H)."""

    def __init__(self, hidden):
        super().__init__()
        self.embedding = nn.Embedding(len(SOURCE), hidden)
        self.gru = nn.GRU(hidden, hidden, batch_first=True, bidirectional=True)
        self.bridge = nn.Linear(2 * hidden, hidden)

    def forward(self, source):
        states, last = self.gru(self.embedding(source))
        return states, torch.tanh(self.bridge(torch.cat([last[0], last[1]], dim=1))).unsqueeze(0)


class Attention(nn.Module):
    """How much each source word counts for a state of the decoder (additive attention, Bahdanau et al. 2015)."""

    def __init__(self, hidden):
        super().__init__()
        self.query, self.key = nn.Linear(hidden, hidden), nn.Linear(2 * hidden, hidden)
        self.score = nn.Linear(hidden, 1)

    def forward(self, state, states):
        scores = self.score(torch.tanh(self.query(state).unsqueeze(1) + self.key(states)))  # (B, S, 1)
        weights = F.softmax(scores.squeeze(2), dim=1)
        return torch.bmm(weights.unsqueeze(1), states), weights


class Decoder(nn.Module):
    """One word after the other, each from the last word, the state, and what is looked at."""

    def __init__(self, hidden):
        super().__init__()
        self.embedding = nn.Embedding(len(TARGET), hidden)
        self.attention = Attention(hidden)
        self.gru = nn.GRU(3 * hidden, hidden, batch_first=True)
        self.out = nn.Linear(hidden, len(TARGET))

    def step(self, word, state, states):
        """Shape: word (B,), state (1, B, H), states (B, S, 2 H) -> scores (B, words), state, weights (B, S)."""
        seen, weights = self.attention(state[0], states)
        output, state = self.gru(torch.cat([self.embedding(word).unsqueeze(1), seen], dim=2), state)
        return self.out(output.squeeze(1)), state, weights

    def forward(self, states, state, length, target=None):
        """All words. With a target the right last word is given at each step (teacher forcing), else its own."""
        word = torch.full((states.size(0),), TARGET.index("<start>"), device=states.device)
        scores, looks = [], []
        for place in range(length):
            score, state, weights = self.step(word, state, states)
            scores.append(score)
            looks.append(weights)
            word = score.argmax(1) if target is None else target[:, place]
        return torch.stack(scores, dim=1), torch.stack(looks, dim=1)


def train(encoder, decoder, numbers, args, device):
    parameters = [*encoder.parameters(), *decoder.parameters()]
    optimizer = torch.optim.Adam(parameters, lr=0.005)
    rng, total = random.Random(0), 0.0
    every = max(args.steps // 5, 1)
    for step in range(1, args.steps + 1):
        source, target = (t.to(device) for t in tensors(rng.sample(numbers, args.batch_size)))
        scores, _ = decoder(*encoder(source), target.size(1), target if rng.random() < 0.5 else None)
        loss = F.cross_entropy(scores.flatten(0, 1), target.flatten())
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.step()
        total += loss.item()
        if step % every == 0:
            print(f"step {step}: loss {total / every:.4f}")
            total = 0.0


@torch.no_grad()
def judge(encoder, decoder, numbers, device):
    """How many held-out numbers are translated rightly, and one translation with what each word looked at."""
    source, target = (t.to(device) for t in tensors(numbers))
    scores, looks = decoder(*encoder(source), target.size(1))
    words = scores.argmax(2)
    print(f"{(words == target).all(1).sum().item()} of {len(numbers)} unseen numbers are right")
    english, _ = pair(numbers[0])
    print(f"{'':>10}", *(f"{word:>8}" for word in [*english, "<end>"]))
    for word, weights in zip(words[0].tolist(), looks[0].tolist()):
        print(f"{TARGET[word]:>10}", *(f"{weight:8.2f}" for weight in weights))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=200)
    parser.add_argument("--batch-size", type=int, default=32)
    parser.add_argument("--hidden", type=int, default=32)
    args = parser.parse_args()
    torch.manual_seed(0)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    numbers = [n for n in range(100, 1000) if n // 10 % 10 > 1 and n % 10]
    random.Random(1).shuffle(numbers)
    encoder, decoder = Encoder(args.hidden).to(device), Decoder(args.hidden).to(device)
    train(encoder, decoder, numbers[60:], args, device)
    judge(encoder, decoder, numbers[:60], device)


if __name__ == "__main__":
    main()
