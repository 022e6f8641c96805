"""A classifier for images in CIFAR-10's files: load, train, save, load again, and accuracy class by class.

The files are made here, with simple shapes in place of photographs; `--data folder --download` takes the real ones.
"""

import argparse
import hashlib
import pickle
from pathlib import Path

import numpy as np

import jtorch as torch
import jtorch.nn.functional as F
from jtorch import nn, optim
from jtorch import vision as torchvision
from jtorch.vision import transforms

CLASSES = ("plane", "car", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")


def draw(label, rng):
    """A picture of 3 x 32 x 32 bytes: a bar, disc or stripes in a colour of the class, on noise."""
    rows, columns = np.mgrid[:32, :32] - rng.integers(12, 20, (2, 1, 1))
    shapes = abs(rows) < 5, abs(columns) < 5, rows**2 + columns**2 < 80, (rows + columns) % 8 < 3, rows % 6 < 2
    colour = np.array([200, 60, 60] if label < 5 else [60, 60, 200])
    picture = rng.integers(0, 90, (3, 32, 32)) + colour[:, None, None] * shapes[label % 5]
    return picture.clip(0, 255).astype(np.uint8)


def write_files(folder, per_file):
    """Batches as CIFAR-10 has them: pickled dicts of rows of 3,072 bytes and labels."""
    folder.mkdir(parents=True)
    rng = np.random.default_rng(0)
    sums = {}
    for name in (*(f"data_batch_{i}" for i in range(1, 6)), "test_batch"):
        labels = [int(x) for x in rng.integers(10, size=per_file)]
        rows = np.stack([draw(label, rng).reshape(-1) for label in labels])
        content = pickle.dumps({"data": rows, "labels": labels, "batch_label": name})
        (folder / name).write_bytes(content)
        sums[name] = hashlib.md5(content).hexdigest()
    content = pickle.dumps({"label_names": list(CLASSES)})
    (folder / "batches.meta").write_bytes(content)
    return sums, hashlib.md5(content).hexdigest()


class Drawn(torchvision.datasets.CIFAR10):
    """CIFAR-10 on files of our own: the checksums are those of what was written."""


def drawn(root, per_file):
    folder = Path(root) / Drawn.base_folder
    sums, meta = write_files(folder, per_file)
    Drawn.train_list = [[name, sums[name]] for name in list(sums)[:-1]]
    Drawn.test_list = [["test_batch", sums["test_batch"]]]
    Drawn.meta = {**Drawn.meta, "md5": meta}


class Net(nn.Module):
    """Two convolutions with pooling, three linear layers. Shape: (B, 3, 32, 32) -> (B, 10)."""

    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 6, 5)
        self.pool = nn.MaxPool2d(2, 2)
        self.conv2 = nn.Conv2d(6, 16, 5)
        self.fc1 = nn.Linear(16 * 5 * 5, 120)
        self.fc2 = nn.Linear(120, 84)
        self.fc3 = nn.Linear(84, 10)

    def forward(self, x):
        x = self.pool(F.relu(self.conv1(x)))
        x = self.pool(F.relu(self.conv2(x)))
        x = torch.flatten(x, 1)
        x = F.relu(self.fc1(x))
        x = F.relu(self.fc2(x))
        return self.fc3(x)


def train(net, loader, epochs, device):
    criterion = nn.CrossEntropyLoss()
    optimizer = optim.SGD(net.parameters(), lr=0.01, momentum=0.9)
    for epoch in range(epochs):
        running_loss, seen = 0.0, 0
        for inputs, labels in loader:
            inputs, labels = inputs.to(device), labels.to(device)
            optimizer.zero_grad()
            loss = criterion(net(inputs), labels)
            loss.backward()
            optimizer.step()
            running_loss += loss.item() * len(labels)
            seen += len(labels)
        print(f"epoch {epoch + 1}: loss {running_loss / seen:.4f}")


def evaluate(net, loader, classes, device):
    right, total = dict.fromkeys(classes, 0), dict.fromkeys(classes, 0)
    with torch.no_grad():
        for images, labels in loader:
            _, predictions = torch.max(net(images.to(device)), 1)
            for label, prediction in zip(labels, predictions.cpu()):
                right[classes[label]] += int(label == prediction)
                total[classes[label]] += 1
    print(f"accuracy on {sum(total.values())} images: {sum(right.values()) / sum(total.values()):.1%}")
    for name in classes:
        print(f"  {name:6} {right[name]:4} of {total[name]}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--epochs", type=int, default=4)
    parser.add_argument("--images", type=int, default=1000, help="how many to draw for each of the six files")
    parser.add_argument("--data", default="data/cifar10", help="the folder of the files")
    parser.add_argument("--download", action="store_true", help="take the real CIFAR-10")
    args = parser.parse_args()
    if not args.download and not Path(args.data).exists():
        drawn(args.data, args.images)
    dataset = torchvision.datasets.CIFAR10 if args.download else Drawn

    torch.manual_seed(0)
    device = torch.device("cuda:0" if torch.cuda.is_available() else "cpu")
    transform = transforms.Compose([transforms.ToTensor(), transforms.Normalize((0.5, 0.5, 0.5), (0.5, 0.5, 0.5))])
    trainset = dataset(root=args.data, train=True, download=args.download, transform=transform)
    testset = dataset(root=args.data, train=False, download=args.download, transform=transform)
    trainloader = torch.utils.data.DataLoader(trainset, batch_size=32, shuffle=True)
    testloader = torch.utils.data.DataLoader(testset, batch_size=100, shuffle=False)
    print(trainset)
    images, labels = next(iter(trainloader))
    print("the first batch:", tuple(images.shape), " ".join(trainset.classes[label] for label in labels[:8]))
    grid = torchvision.utils.make_grid(images)
    print("as one picture:", tuple(grid.shape), f"mean {grid.mean().item():.4f}")

    net = Net().to(device)
    train(net, trainloader, args.epochs, device)
    path = Path(args.data) / "net.pth"
    torch.save(net.state_dict(), path)
    again = Net()
    again.load_state_dict(torch.load(path, weights_only=True))
    evaluate(again.to(device), testloader, trainset.classes, device)


if __name__ == "__main__":
    main()
