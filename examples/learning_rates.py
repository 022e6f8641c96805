"""Learning rates: one found by a sweep, then the schedules that change it from step to step."""

import argparse

import jtorch as torch
import jtorch.nn.functional as F
from jtorch import nn
from jtorch.optim import SGD, lr_scheduler


def problem():
    """Spirals: points in the plane, and which of two arms they lie on. Shape: (400, 2), (400,)."""
    turn = torch.rand(400) * 6 + 0.5
    arm = torch.arange(400) % 2
    angle = turn + arm * 3.14159
    points = torch.stack([turn * torch.cos(angle), turn * torch.sin(angle)], dim=1) / 6
    return points + 0.01 * torch.randn(400, 2), arm


def model():
    torch.manual_seed(1)
    return nn.Sequential(nn.Linear(2, 32), nn.Tanh(), nn.Linear(32, 32), nn.Tanh(), nn.Linear(32, 2))


def find(x, y, low=1e-3, high=30.0, steps=60):
    """The learning rate at which the loss falls fastest, of rates that grow from low to high in one run."""
    net = model()
    optimizer = SGD(net.parameters(), lr=low)
    scheduler = lr_scheduler.ExponentialLR(optimizer, gamma=(high / low) ** (1 / steps))
    rates, losses, smooth = [], [], None
    for _ in range(steps):
        loss = F.cross_entropy(net(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        rates.append(scheduler.get_last_lr()[0])
        scheduler.step()
        smooth = loss.item() if smooth is None else 0.8 * smooth + 0.2 * loss.item()
        losses.append(smooth)
        if smooth > 2 * min(losses):
            break
    slopes = [b - a for a, b in zip(losses, losses[1:])]
    best = min(range(len(slopes)), key=slopes.__getitem__)
    for i in range(0, len(rates), 8):
        print(f"  lr {rates[i]:8.4f} loss {losses[i]:.4f} " + "*" * int(40 * min(losses[i], 1.5)))
    return rates[best]


def schedules(rate, steps):
    """{name: what makes a schedule for an optimizer}."""
    return {
        "constant": lambda o: lr_scheduler.ConstantLR(o, factor=1.0),
        "StepLR": lambda o: lr_scheduler.StepLR(o, step_size=steps // 3, gamma=0.3),
        "MultiStepLR": lambda o: lr_scheduler.MultiStepLR(o, [steps // 2, steps * 3 // 4], gamma=0.2),
        "CosineAnnealingLR": lambda o: lr_scheduler.CosineAnnealingLR(o, T_max=steps),
        "OneCycleLR": lambda o: lr_scheduler.OneCycleLR(o, max_lr=2 * rate, total_steps=steps),
        "warm-up, then cosine": lambda o: lr_scheduler.SequentialLR(
            o,
            [
                lr_scheduler.LinearLR(o, start_factor=0.1, total_iters=steps // 10),
                lr_scheduler.CosineAnnealingLR(o, T_max=steps - steps // 10),
            ],
            milestones=[steps // 10],
        ),
        "LambdaLR": lambda o: lr_scheduler.LambdaLR(o, lambda step: 1 / (1 + 0.02 * step)),
    }


def train(x, y, rate, make, steps):
    """(the rate at five moments, the last loss)."""
    net = model()
    optimizer = SGD(net.parameters(), lr=rate, momentum=0.9)
    scheduler = make(optimizer)
    seen = []
    for step in range(steps):
        if step % (steps // 5) == 0:
            seen.append(optimizer.param_groups[0]["lr"])
        loss = F.cross_entropy(net(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        scheduler.step()
    return seen, loss.item()


def plateau(rate):
    """ReduceLROnPlateau looks at a number of one's own, such as the loss on a validation set."""
    optimizer = SGD([nn.Parameter(torch.zeros(1))], lr=rate)
    scheduler = lr_scheduler.ReduceLROnPlateau(optimizer, factor=0.5, patience=1)
    for epoch, loss in enumerate([1.0, 0.7, 0.69999, 0.7, 0.71, 0.5, 0.5, 0.5, 0.5]):
        optimizer.step()
        scheduler.step(loss)
        print(f"  epoch {epoch}: validation loss {loss:.2f}, lr {scheduler.get_last_lr()[0]:.4f}")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=300)
    args = parser.parse_args()
    torch.manual_seed(0)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    torch.set_default_device(device)
    x, y = problem()
    print("a sweep of learning rates")
    rate = find(x, y) / 4
    print(f"a fourth of where the loss falls fastest: {rate:.4f}")
    print("schedules, with the rate at five moments")
    for name, make in schedules(rate, args.steps).items():
        seen, loss = train(x, y, rate, make, args.steps)
        print(f"  {name:20}", *(f"{lr:.4f}" for lr in seen), f"loss {loss:.3f}")
    print("a rate that halves when nothing gets better")
    plateau(rate)


if __name__ == "__main__":
    main()
