"""Recurrent networks on letters: one tells which language a name belongs to, the other makes up names itself."""

import argparse
import random
import string

import jtorch as torch
import jtorch.nn.functional as F
from jtorch import nn

LETTERS = string.ascii_lowercase
END = len(LETTERS)
LANGUAGES = {
    "Lamic": ("la mi no ra su el", "a o"),
    "Kortish": ("kor grat stuk brem dorn", "k t"),
    "Shiran": ("shi ran ku to mi yo", "ko ri"),
}


def name_in(language, rng):
    """A name of two to four of a language's syllables, and an ending."""
    syllables, endings = (part.split() for part in LANGUAGES[language])
    return "".join(rng.choices(syllables, k=rng.randint(1, 3))) + rng.choice(endings)


def one_hot(name):
    """Shape: (len(name), 27), a one for each letter."""
    return F.one_hot(torch.tensor([LETTERS.index(letter) for letter in name]), END + 1).float()


class Classifier(nn.Module):
    """A recurrent layer and what it tells after the last letter. Shape: (L, 27) -> (languages,)."""

    def __init__(self, hidden, outputs):
        super().__init__()
        self.rnn = nn.RNN(END + 1, hidden)
        self.out = nn.Linear(hidden, outputs)

    def forward(self, letters):
        _, hidden = self.rnn(letters)
        return F.log_softmax(self.out(hidden[0]), dim=-1)


class Writer(nn.Module):
    """Letter for letter: the language, the letter before and the hidden state give the next. Written as a cell."""

    def __init__(self, hidden):
        super().__init__()
        self.hidden = hidden
        self.i2h = nn.Linear(len(LANGUAGES) + END + 1 + hidden, hidden)
        self.i2o = nn.Linear(len(LANGUAGES) + END + 1 + hidden, hidden)
        self.o2o = nn.Linear(2 * hidden, END + 1)
        self.dropout = nn.Dropout(0.1)

    def forward(self, language, letter, hidden):
        combined = torch.cat((language, letter, hidden), 1)
        hidden, output = torch.tanh(self.i2h(combined)), self.i2o(combined)
        output = self.dropout(self.o2o(torch.cat((hidden, output), 1)))
        return F.log_softmax(output, dim=1), hidden


def learn_to_tell(steps, rng):
    print("-- which language is it?")
    names = list(LANGUAGES)
    model = Classifier(32, len(names))
    optimizer = torch.optim.Adam(model.parameters(), lr=0.005)
    total = 0.0
    for step in range(1, steps + 1):
        label = rng.randrange(len(names))
        optimizer.zero_grad()
        loss = F.nll_loss(model(one_hot(name_in(names[label], rng))), torch.tensor(label))
        loss.backward()
        optimizer.step()
        total += loss.item()
        if step % max(steps // 5, 1) == 0:
            print(f"step {step}: loss {total / max(steps // 5, 1):.4f}")
            total = 0.0
    model.eval()
    confusion = torch.zeros(len(names), len(names), dtype=torch.int64)
    with torch.no_grad():
        for label, language in enumerate(names):
            for _ in range(30):
                confusion[label, model(one_hot(name_in(language, rng))).argmax()] += 1
    print("guesses for 30 names of each", confusion, sep="\n")


def learn_to_write(steps, rng):
    print("-- new names")
    names = list(LANGUAGES)
    model = Writer(48)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
    total = 0.0
    for step in range(1, steps + 1):
        label = rng.randrange(len(names))
        name = name_in(names[label], rng)
        language = F.one_hot(torch.tensor([label]), len(names)).float()
        targets = torch.tensor([*(LETTERS.index(letter) for letter in name[1:]), END])
        hidden = torch.zeros(1, model.hidden)
        optimizer.zero_grad()
        loss = torch.zeros(())
        for letter, target in zip(one_hot(name), targets):
            output, hidden = model(language, letter.unsqueeze(0), hidden)
            loss = loss + F.nll_loss(output, target.unsqueeze(0))
        loss.backward()
        optimizer.step()
        total += loss.item() / len(name)
        if step % max(steps // 5, 1) == 0:
            print(f"step {step}: loss per letter {total / max(steps // 5, 1):.4f}")
            total = 0.0
    model.eval()
    for label, language in enumerate(names):
        print(f"{language}:", *(write(model, label, first) for first in "lks"))


@torch.no_grad()
def write(model, label, first, longest=12):
    """The likeliest name of a language that starts with a letter."""
    language = F.one_hot(torch.tensor([label]), len(LANGUAGES)).float()
    hidden, name = torch.zeros(1, model.hidden), first
    while len(name) < longest:
        output, hidden = model(language, one_hot(name[-1]), hidden)
        letter = output.argmax().item()
        if letter == END:
            break
        name += LETTERS[letter]
    return name


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=1500)
    args = parser.parse_args()
    torch.manual_seed(0)
    rng = random.Random(0)
    learn_to_tell(args.steps, rng)
    learn_to_write(args.steps, rng)


if __name__ == "__main__":
    main()
