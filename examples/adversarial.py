"""Adversarial examples (FGSM): each pixel moved a little along its gradient's sign, and a good classifier fails."""

import argparse

import jtorch as torch
import jtorch.nn.functional as F
from jtorch import nn

SIZE, CLASSES = 12, 4


def pictures(count, prototypes):
    """Noisy pictures (count, 1, SIZE, SIZE) of the prototypes (CLASSES, 1, SIZE, SIZE), and their classes."""
    labels = torch.arange(count) % CLASSES
    return (prototypes[labels] + 0.15 * torch.randn(count, 1, SIZE, SIZE)).clamp(0, 1), labels


def network():
    return nn.Sequential(
        nn.Conv2d(1, 8, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(),
        nn.Linear(200, 32), nn.ReLU(), nn.Linear(32, CLASSES),
    )  # fmt: skip


def train(model, data, labels, epochs, attack=0.0):
    """The last loss; with an attack, of pictures that are made harder at each step."""
    optimizer = torch.optim.Adam(model.parameters(), lr=0.005)
    for _ in range(epochs):
        for x, y in zip(data.split(64), labels.split(64)):
            if attack:
                x = fgsm(model, x, y, attack)
            loss = F.cross_entropy(model(x), y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    return loss.item()


def fgsm(model, data, target, epsilon):
    """The pictures, each pixel epsilon further in the direction in which the loss grows."""
    data = data.detach().clone()
    data.requires_grad = True
    loss = F.cross_entropy(model(data), target)
    model.zero_grad()
    loss.backward()
    return torch.clamp(data + epsilon * data.grad.data.sign(), 0, 1).detach()


def test(model, data, labels, epsilons):
    """The accuracy under each strength of attack, and the first picture that fools the model."""
    for epsilon in epsilons:
        moved = fgsm(model, data, labels, epsilon)
        with torch.no_grad():
            before, after = model(data).argmax(1), model(moved).argmax(1)
        right = (after == labels).sum().item()
        print(f"  epsilon {epsilon:.2f}: {right} of {len(labels)} right = {right / len(labels):.3f}")
        fooled = ((before == labels) & (after != labels)).nonzero().flatten()
    return moved, fooled, after


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--epochs", type=int, default=6)
    args = parser.parse_args()
    torch.manual_seed(3)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    blocks = (torch.rand(CLASSES, 1, SIZE // 3, SIZE // 3) > 0.5).float() * 0.5 + 0.25
    prototypes = F.interpolate(blocks, scale_factor=3)
    data, labels = (t.to(device) for t in pictures(320, prototypes))
    held_out, answers = (t.to(device) for t in pictures(200, prototypes))
    epsilons = [0, 0.05, 0.1, 0.2, 0.3]
    model = network().to(device)
    print(f"trained on pictures as they are: loss {train(model, data, labels, args.epochs):.4f}")
    moved, fooled, after = test(model, held_out, answers, epsilons)
    first = fooled[0].item()
    shown, taken = answers[first].item(), after[first].item()
    print(f"picture {first} shows {shown}, moved by {epsilons[-1]} it is taken for {taken}")
    for one, other in zip(held_out[first, 0, ::2].tolist(), moved[first, 0, ::2].tolist()):
        print("  " + " | ".join("".join(" .:-=+*#"[int(v * 7.99)] * 2 for v in row) for row in (one, other)))
    hardened = network().to(device)
    print(f"trained on attacked pictures: loss {train(hardened, data, labels, args.epochs, attack=0.2):.4f}")
    test(hardened, held_out, answers, epsilons)


if __name__ == "__main__":
    main()
