"""What torch.nn does for you: a digit classifier in nine versions, from gradients worked out by hand to a CNN on a GPU.

Every version starts from the same weights or the same seed, does the same work, and says less.
"""

import argparse
import math

import numpy as np

import jtorch as torch
import jtorch.nn.functional as F
from jtorch import nn, optim
from jtorch.utils.data import DataLoader, TensorDataset

BATCH, RATE = 64, 0.2


def digits(count):
    """Pictures of 28 x 28 that look a little like digits: strokes of a class, moved about, with noise."""
    rng = np.random.default_rng(3)
    strokes = (rng.random((10, 7, 7)) > 0.6).repeat(4, 1).repeat(4, 2)
    y = rng.integers(10, size=count)
    moved = np.stack([np.roll(strokes[label], rng.integers(-2, 3, 2), (0, 1)) for label in y])
    x = (0.7 * moved + 0.3 * rng.random((count, 28, 28))).astype(np.float32)
    return x.reshape(count, 784), y


def get_data(train_ds, valid_ds, bs):
    return DataLoader(train_ds, batch_size=bs, shuffle=True), DataLoader(valid_ds, batch_size=bs * 2)


def accuracy(out, yb):
    return (torch.argmax(out, dim=1) == yb).float().mean()


def batches(x, y):
    for start in range(0, len(x), BATCH):
        yield x[start : start + BATCH], y[start : start + BATCH]


def start_weights():
    torch.manual_seed(0)
    return torch.randn(784, 10) / math.sqrt(784), torch.zeros(10)


def say(version, loss, right):
    print(f"{version:44} loss {float(loss):.4f}  accuracy {float(right):.3f}")


def by_hand(x, y, epochs):
    """Forward and backward in formulas."""
    weights, bias = start_weights()
    for _ in range(epochs):
        for xb, yb in batches(x, y):
            scores = xb @ weights + bias
            probabilities = scores.softmax(1)
            probabilities[range(len(yb)), yb] -= 1
            gradient = probabilities / len(yb)
            weights -= RATE * xb.t() @ gradient
            bias -= RATE * gradient.sum(0)
    out = x @ weights + bias
    say("gradients by hand", F.cross_entropy(out, y), accuracy(out, y))


def log_softmax(x):
    return x - x.exp().sum(-1).log().unsqueeze(-1)


def nll(input, target):
    return -input[range(target.shape[0]), target].mean()


def with_autograd(x, y, epochs):
    """A model and a loss of one's own; autograd finds the gradients."""
    weights, bias = start_weights()
    weights.requires_grad_()
    bias.requires_grad_()
    for _ in range(epochs):
        for xb, yb in batches(x, y):
            loss = nll(log_softmax(xb @ weights + bias), yb)
            loss.backward()
            with torch.no_grad():
                weights -= weights.grad * RATE
                bias -= bias.grad * RATE
                weights.grad.zero_()
                bias.grad.zero_()
    with torch.no_grad():
        out = x @ weights + bias
        say("autograd", nll(log_softmax(out), y), accuracy(out, y))


class Logistic(nn.Module):
    """Parameters of one's own. Shape: (B, 784) -> (B, 10)."""

    def __init__(self):
        super().__init__()
        weights, bias = start_weights()
        self.weights = nn.Parameter(weights)
        self.bias = nn.Parameter(bias)

    def forward(self, xb):
        return xb @ self.weights + self.bias


def with_module(x, y, epochs):
    """The Module knows its parameters; cross_entropy is both functions in one."""
    model = Logistic()
    for _ in range(epochs):
        for xb, yb in batches(x, y):
            loss = F.cross_entropy(model(xb), yb)
            loss.backward()
            with torch.no_grad():
                for p in model.parameters():
                    p -= p.grad * RATE
                model.zero_grad()
    say("nn.Module, nn.Parameter, F.cross_entropy", F.cross_entropy(model(x), y).detach(), accuracy(model(x), y))


def linear():
    """nn.Linear in place of parameters of one's own, from the same start."""
    model = nn.Linear(784, 10)
    weights, bias = start_weights()
    with torch.no_grad():
        model.weight.copy_(weights.t())
        model.bias.copy_(bias)
    return model


def with_optim(x, y, epochs):
    """nn.Linear, and an optimizer that takes the steps."""
    model = linear()
    opt = optim.SGD(model.parameters(), lr=RATE)
    for _ in range(epochs):
        for xb, yb in batches(x, y):
            F.cross_entropy(model(xb), yb).backward()
            opt.step()
            opt.zero_grad()
    say("nn.Linear, optim.SGD", F.cross_entropy(model(x), y).detach(), accuracy(model(x), y))


def with_loader(x, y, epochs):
    """The dataset keeps x and y together, the loader makes the batches."""
    model = linear()
    opt = optim.SGD(model.parameters(), lr=RATE)
    for _ in range(epochs):
        for xb, yb in DataLoader(TensorDataset(x, y), batch_size=BATCH):
            F.cross_entropy(model(xb), yb).backward()
            opt.step()
            opt.zero_grad()
    say("TensorDataset, DataLoader", F.cross_entropy(model(x), y).detach(), accuracy(model(x), y))


def loss_batch(model, loss_func, xb, yb, opt=None):
    loss = loss_func(model(xb), yb)
    if opt is not None:
        loss.backward()
        opt.step()
        opt.zero_grad()
    return loss.item(), len(xb)


def fit(epochs, model, loss_func, opt, train_dl, valid_dl):
    """What all trainings share."""
    for epoch in range(epochs):
        model.train()
        for xb, yb in train_dl:
            loss_batch(model, loss_func, xb, yb, opt)
        model.eval()
        with torch.no_grad():
            losses, nums = zip(*[loss_batch(model, loss_func, xb, yb) for xb, yb in valid_dl])
        print(f"    epoch {epoch}: held-out loss {np.sum(np.multiply(losses, nums)) / np.sum(nums):.4f}")


class CNN(nn.Module):
    """Three convolutions. Shape: (B, 784) -> (B, 10)."""

    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 16, kernel_size=3, stride=2, padding=1)
        self.conv2 = nn.Conv2d(16, 16, kernel_size=3, stride=2, padding=1)
        self.conv3 = nn.Conv2d(16, 10, kernel_size=3, stride=2, padding=1)

    def forward(self, xb):
        xb = xb.view(-1, 1, 28, 28)
        xb = F.relu(self.conv1(xb))
        xb = F.relu(self.conv2(xb))
        xb = F.relu(self.conv3(xb))
        xb = F.avg_pool2d(xb, 4)
        return xb.view(-1, xb.size(1))


class Lambda(nn.Module):
    """A function as a layer."""

    def __init__(self, func):
        super().__init__()
        self.func = func

    def forward(self, x):
        return self.func(x)


def sequential(*first):
    return nn.Sequential(
        *first,
        nn.Conv2d(1, 16, kernel_size=3, stride=2, padding=1),
        nn.ReLU(),
        nn.Conv2d(16, 16, kernel_size=3, stride=2, padding=1),
        nn.ReLU(),
        nn.Conv2d(16, 10, kernel_size=3, stride=2, padding=1),
        nn.ReLU(),
        nn.AdaptiveAvgPool2d(1),
        Lambda(lambda x: x.view(x.size(0), -1)),
    )


class WrappedDataLoader:
    """A loader whose batches go through a function."""

    def __init__(self, dl, func):
        self.dl = dl
        self.func = func

    def __len__(self):
        return len(self.dl)

    def __iter__(self):
        for b in self.dl:
            yield self.func(*b)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--epochs", type=int, default=4)
    parser.add_argument("--images", type=int, default=5000)
    args = parser.parse_args()

    x, y = map(torch.tensor, digits(args.images))
    print(tuple(x.shape), x.dtype, tuple(y.shape), y.dtype, "classes", y.min().item(), "to", y.max().item())
    for version in (by_hand, with_autograd, with_module, with_optim, with_loader):
        version(x, y, args.epochs)

    held_out = len(x) // 5
    train_ds, valid_ds = TensorDataset(x[held_out:], y[held_out:]), TensorDataset(x[:held_out], y[:held_out])
    dev = torch.device("cuda") if torch.cuda.is_available() else torch.device("cpu")

    def preprocess(x, y):
        return x.view(-1, 1, 28, 28).to(dev), y.to(dev)

    models = {
        "fit, with a linear layer": (nn.Linear(784, 10), None),
        "a CNN": (CNN(), None),
        "nn.Sequential with a Lambda": (sequential(Lambda(lambda x: x.view(-1, 1, 28, 28))), None),
        "WrappedDataLoader, on the GPU if there is one": (sequential().to(dev), preprocess),
    }
    for version, (model, func) in models.items():
        print(version)
        torch.manual_seed(1)
        loaders = get_data(train_ds, valid_ds, BATCH)
        if func:
            loaders = [WrappedDataLoader(loader, func) for loader in loaders]
        opt = optim.SGD(model.parameters(), lr=RATE / 2, momentum=0.9)
        fit(args.epochs, model, F.cross_entropy, opt, *loaders)


if __name__ == "__main__":
    main()
