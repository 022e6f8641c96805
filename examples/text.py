"""Text classification: reviews of many lengths in one batch, as a bag of embedded words."""

import argparse
import random

import jtorch as torch
import jtorch.nn.functional as F
from jtorch import nn
from jtorch.utils.data import DataLoader, Dataset, random_split

THINGS = {
    "food": "soup bread salad dessert coffee menu waiter".split(),
    "films": "plot actor scene music ending camera story".split(),
    "hotels": "room bed lobby shower towel breakfast view".split(),
}
JUDGEMENTS = "good great poor dull fine lovely terrible".split()
FILLERS = "the a was and very but it really i thought so quite".split()
LABELS = list(THINGS)


class Reviews(Dataset):
    """Made-up reviews: (label, text)."""

    def __init__(self, count, seed):
        rng = random.Random(seed)
        self.samples = []
        for _ in range(count):
            label = rng.randrange(len(LABELS))
            words = [rng.choice(FILLERS) for _ in range(rng.randrange(4, 10))]
            words += [rng.choice(THINGS[LABELS[label]]) for _ in range(rng.randrange(1, 3))]
            words += [rng.choice(JUDGEMENTS)]
            if rng.random() < 0.3:
                words.append(rng.choice(THINGS[rng.choice(LABELS)]))  # something from elsewhere
            rng.shuffle(words)
            self.samples.append((LABELS[label], " ".join(words)))

    def __len__(self):
        return len(self.samples)

    def __getitem__(self, index):
        return self.samples[index]


class Vocabulary:
    """Numbers for words; those it does not know are 0."""

    def __init__(self, texts):
        words = sorted({word for text in texts for word in text.split()})
        self.numbers = {word: number for number, word in enumerate(["<unk>", *words])}

    def __call__(self, text):
        return [self.numbers.get(word, 0) for word in text.split()]

    def __len__(self):
        return len(self.numbers)


class TextClassifier(nn.Module):
    """Words -> the mean of their embeddings -> scores. Shape: (words,), (B,) -> (B, labels)."""

    def __init__(self, words, width, labels):
        super().__init__()
        self.embedding = nn.EmbeddingBag(words, width, mode="mean")
        self.fc = nn.Linear(width, labels)
        nn.init.uniform_(self.embedding.weight, -0.5, 0.5)
        nn.init.zeros_(self.fc.bias)

    def forward(self, text, offsets):
        return self.fc(self.embedding(text, offsets))


def collate(batch, vocabulary):
    """(labels (B,), all words after each other, where each text begins (B,))."""
    numbers = [torch.tensor(vocabulary(text)) for _, text in batch]
    offsets = torch.tensor([0, *(len(n) for n in numbers[:-1])]).cumsum(0)
    return torch.tensor([LABELS.index(label) for label, _ in batch]), torch.cat(numbers), offsets


def evaluate(model, loader):
    """The share of texts that are told rightly."""
    model.eval()
    with torch.no_grad():
        right = sum((model(text, offsets).argmax(1) == labels).sum().item() for labels, text, offsets in loader)
    model.train()
    return right / len(loader.dataset)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--reviews", type=int, default=600)
    parser.add_argument("--epochs", type=int, default=5)
    args = parser.parse_args()
    torch.manual_seed(0)
    reviews = Reviews(args.reviews, 0)
    train_set, valid_set = random_split(reviews, [0.9, 0.1])
    vocabulary = Vocabulary(text for _, text in train_set)
    print(reviews[0], vocabulary(reviews[0][1]))
    labels, text, offsets = collate([reviews[0], reviews[1]], vocabulary)
    print("two reviews in a batch:", labels.tolist(), tuple(text.shape), offsets.tolist())

    def loader(dataset, shuffle):
        return DataLoader(dataset, batch_size=16, shuffle=shuffle, collate_fn=lambda b: collate(b, vocabulary))

    model = TextClassifier(len(vocabulary), 16, len(LABELS))
    optimizer = torch.optim.SGD(model.parameters(), lr=2.0)
    scheduler = torch.optim.lr_scheduler.StepLR(optimizer, 1, gamma=0.7)
    for epoch in range(1, args.epochs + 1):
        losses = []
        for labels, text, offsets in loader(train_set, True):
            loss = F.cross_entropy(model(text, offsets), labels)
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 0.1)
            optimizer.step()
            losses.append(loss.item())
        scheduler.step()
        mean = sum(losses) / len(losses)
        print(f"epoch {epoch}: loss {mean:.4f}, held out {evaluate(model, loader(valid_set, False)):.3f}")

    # A word seen alone: what it says about where a text is from.
    model.eval()
    with torch.no_grad():
        for word in ("soup", "camera", "towel", "great"):
            shares = model(torch.tensor(vocabulary(word)), torch.tensor([0])).softmax(1)[0]
            print(f"{word:8}", *(f"{label} {share:.2f}" for label, share in zip(LABELS, shares.tolist())))


if __name__ == "__main__":
    main()
