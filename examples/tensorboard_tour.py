"""TensorBoard on pictures of clothes: image grids, the graph of the model, an embedding, loss and PR curves.

The data is drawn here in the shapes of Fashion-MNIST. Look at the result with: tensorboard --logdir runs
"""

import argparse

import numpy as np

import jtorch as torch
import jtorch.nn.functional as F
from jtorch import nn, optim
from jtorch import vision as torchvision
from jtorch.utils.tensorboard import SummaryWriter

CLASSES = ("shirt", "trousers", "pullover", "dress", "coat", "sandal", "blouse", "sneaker", "bag", "boot")


def wardrobe(count, seed):
    """Pictures (count, 1, 28, 28) of ten outlines, each a little different, and their classes."""
    rng = np.random.default_rng(seed)
    outlines = np.random.default_rng(0).random((10, 4, 4)).repeat(7, 1).repeat(7, 2)
    labels = rng.integers(10, size=count)
    pictures = outlines[labels] * rng.uniform(0.5, 1, (count, 1, 1)) + 0.25 * rng.standard_normal((count, 28, 28))
    images = torch.from_numpy(pictures[:, None].clip(0, 1).astype(np.float32))
    return torch.utils.data.TensorDataset((images - 0.5) / 0.5, torch.from_numpy(labels))


class Net(nn.Module):
    """A LeNet for pictures of 28 x 28. Shape: (B, 1, 28, 28) -> (B, 10)."""

    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 6, 5)
        self.pool = nn.MaxPool2d(2, 2)
        self.conv2 = nn.Conv2d(6, 16, 5)
        self.fc1 = nn.Linear(16 * 4 * 4, 120)
        self.fc2 = nn.Linear(120, 84)
        self.fc3 = nn.Linear(84, 10)

    def forward(self, x):
        x = self.pool(F.relu(self.conv1(x)))
        x = self.pool(F.relu(self.conv2(x)))
        x = x.view(-1, 16 * 4 * 4)
        x = F.relu(self.fc1(x))
        x = F.relu(self.fc2(x))
        return self.fc3(x)


def first_looks(writer, net, trainset, trainloader):
    """A grid of pictures, the graph, and a hundred pictures as points."""
    images, _ = next(iter(trainloader))
    grid = torchvision.utils.make_grid(images, normalize=True)
    writer.add_image("clothes", grid)
    writer.add_graph(net, images)
    chosen = torch.randperm(len(trainset))[:100]
    pictures, labels = trainset[chosen]
    writer.add_embedding(
        pictures.view(-1, 28 * 28), metadata=[CLASSES[label] for label in labels], label_img=pictures * 0.5 + 0.5
    )
    print("grid", tuple(grid.shape), "embedding of", len(chosen), "pictures")


def train(writer, net, trainloader, epochs, log_every):
    criterion = nn.CrossEntropyLoss()
    optimizer = optim.SGD(net.parameters(), lr=0.01, momentum=0.9)
    running_loss, step = 0.0, 0
    for _ in range(epochs):
        for images, labels in trainloader:
            optimizer.zero_grad()
            loss = criterion(net(images), labels)
            loss.backward()
            optimizer.step()
            step += 1
            running_loss += loss.item()
            if step % log_every == 0:
                writer.add_scalar("training loss", running_loss / log_every, step)
                writer.add_histogram("fc3.weight", net.fc3.weight, step)
                print(f"step {step}: loss {running_loss / log_every:.4f}")
                running_loss = 0.0


def assess(writer, net, testloader):
    """A precision-recall curve for each class, and the accuracy."""
    with torch.no_grad():
        probabilities = torch.cat([F.softmax(net(images), dim=1) for images, _ in testloader])
    labels = torch.cat([labels for _, labels in testloader])
    for index, name in enumerate(CLASSES):
        writer.add_pr_curve(name, labels == index, probabilities[:, index])
    right = (probabilities.argmax(1) == labels).float().mean().item()
    writer.add_text("result", f"accuracy **{right:.1%}** on {len(labels)} pictures")
    print(f"accuracy {right:.3f}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--images", type=int, default=4000)
    parser.add_argument("--log-every", type=int, default=100)
    parser.add_argument("--log-dir", default="runs/clothes")
    args = parser.parse_args()

    torch.manual_seed(0)
    trainset, testset = wardrobe(args.images, 1), wardrobe(args.images // 4, 2)
    trainloader = torch.utils.data.DataLoader(trainset, batch_size=32, shuffle=True)
    testloader = torch.utils.data.DataLoader(testset, batch_size=100)
    net = Net()
    with SummaryWriter(args.log_dir) as writer:
        first_looks(writer, net, trainset, trainloader)
        train(writer, net, trainloader, args.epochs, args.log_every)
        assess(writer, net, testloader)


if __name__ == "__main__":
    main()
