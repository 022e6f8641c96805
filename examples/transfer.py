"""Transfer learning: a small ResNet learns ten patterns; a new head, then the whole network, learns two others.

The pictures are drawn here and lie in folders, one for each class, as ImageFolder wants them.
"""

import argparse
import copy
from pathlib import Path

import numpy as np
from PIL import Image

import jtorch as torch
from jtorch import nn, optim
from jtorch.optim import lr_scheduler
from jtorch.vision import datasets, transforms
from jtorch.vision.models.resnet import BasicBlock

MEAN, STD = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]


def draw(folder, classes, count, rng):
    """count pictures for each class: waves whose direction and length are the class's."""
    rows, columns = np.mgrid[:48, :48]
    for name, (angle, length) in classes.items():
        (folder / name).mkdir(parents=True)
        for number in range(count):
            phase = rng.uniform(0, 6)
            wave = np.sin((rows * np.sin(angle) + columns * np.cos(angle)) * 6.28 / length + phase)
            pixels = 128 + 80 * wave[..., None] * rng.uniform(0.5, 1, 3) + rng.normal(0, 20, (48, 48, 3))
            Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(folder / name / f"{number:03}.png")


def loaders(folder, batch):
    """{"train": a loader with augmentation, "val": one without}."""
    augmented = [transforms.RandomResizedCrop(40, scale=(0.7, 1.0)), transforms.RandomHorizontalFlip()]
    plain = [transforms.Resize(44), transforms.CenterCrop(40)]
    normal = [transforms.ToTensor(), transforms.Normalize(MEAN, STD)]
    sets = {
        "train": datasets.ImageFolder(folder / "train", transforms.Compose(augmented + normal)),
        "val": datasets.ImageFolder(folder / "val", transforms.Compose(plain + normal)),
    }
    train = torch.utils.data.DataLoader(sets["train"], batch, shuffle=True, drop_last=True)
    return {"train": train, "val": torch.utils.data.DataLoader(sets["val"], batch)}


def train_model(model, dataloaders, optimizer, scheduler, epochs, device):
    """Train, and keep the weights that were best on the validation set."""
    criterion = nn.CrossEntropyLoss()
    best, best_right = copy.deepcopy(model.state_dict()), 0.0
    for epoch in range(epochs):
        for phase in ("train", "val"):
            model.train(phase == "train")
            total, right, count = 0.0, 0, 0
            for inputs, labels in dataloaders[phase]:
                inputs, labels = inputs.to(device), labels.to(device)
                optimizer.zero_grad()
                with torch.set_grad_enabled(phase == "train"):
                    outputs = model(inputs)
                    loss = criterion(outputs, labels)
                    if phase == "train":
                        loss.backward()
                        optimizer.step()
                total += loss.item() * inputs.size(0)
                right += torch.sum(outputs.argmax(1) == labels.data).item()
                count += len(labels)
            print(f"  epoch {epoch} {phase:5} loss {total / count:.3f} accuracy {right / count:.3f}")
            if phase == "train":
                scheduler.step()
            elif right / count > best_right:
                best, best_right = copy.deepcopy(model.state_dict()), right / count
    model.load_state_dict(best)
    return model


class SmallResNet(nn.Module):
    """A ResNet of two of torchvision's blocks. Shape: (B, 3, H, W) -> (B, classes)."""

    def __init__(self, classes):
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 16, 5, 2, 2, bias=False), nn.BatchNorm2d(16), nn.ReLU())
        shortcut = nn.Sequential(nn.Conv2d(16, 32, 1, 2, bias=False), nn.BatchNorm2d(32))
        self.layer1, self.layer2 = BasicBlock(16, 16), BasicBlock(16, 32, 2, shortcut)
        self.fc = nn.Linear(32, classes)

    def forward(self, x):
        return self.fc(self.layer2(self.layer1(self.stem(x))).mean((2, 3)))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--epochs", type=int, default=4)
    parser.add_argument("--images", type=int, default=24, help="pictures of each class")
    parser.add_argument("--data", default="data/waves")
    args = parser.parse_args()
    folder = Path(args.data)
    if not folder.exists():
        rng = np.random.default_rng(0)
        many = {f"wave{i}": (i % 5 * 0.6, 6 + 6 * (i // 5)) for i in range(10)}
        two = {"steep": (1.2, 9), "wide": (0.3, 15)}
        for task, classes in (("many", many), ("two", two)):
            draw(folder / task / "train", classes, args.images, rng)
            draw(folder / task / "val", classes, max(args.images // 3, 1), rng)

    torch.manual_seed(0)
    device = torch.device("cuda:0" if torch.cuda.is_available() else "cpu")
    print("ten patterns, from nothing")
    model = SmallResNet(10).to(device)
    optimizer = optim.SGD(model.parameters(), lr=0.01, momentum=0.9)
    scheduler = lr_scheduler.StepLR(optimizer, step_size=3, gamma=0.1)
    train_model(model, loaders(folder / "many", 16), optimizer, scheduler, args.epochs, device)
    torch.save(model.state_dict(), folder / "many.pth")

    for title, frozen in (("two others, a new head on frozen features", True), ("and all weights fine-tuned", False)):
        print(title)
        model = SmallResNet(10)
        model.load_state_dict(torch.load(folder / "many.pth", weights_only=True))
        for parameter in model.parameters():
            parameter.requires_grad = not frozen
        model.fc = nn.Linear(model.fc.in_features, 2)
        model = model.to(device)
        optimizer = optim.SGD([p for p in model.parameters() if p.requires_grad], lr=0.01, momentum=0.9)
        scheduler = lr_scheduler.StepLR(optimizer, step_size=3, gamma=0.1)
        print("  weights that learn:", sum(p.numel() for p in model.parameters() if p.requires_grad))
        train_model(model, loaders(folder / "two", 8), optimizer, scheduler, args.epochs, device)


if __name__ == "__main__":
    main()
