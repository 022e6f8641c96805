"""A spatial transformer: a network that turns and moves its picture by itself before it says what is on it."""

import argparse

import jtorch as torch
import jtorch.nn.functional as F
from jtorch import nn

SIZE = 20


def letters(count):
    """Pictures (count, 1, SIZE, SIZE) of an L or a T, turned and moved, and which it is (count,)."""
    upright = torch.zeros(2, SIZE, SIZE)
    upright[0, 5:15, 6:8] = 1  # L
    upright[0, 13:15, 6:13] = 1
    upright[1, 5:7, 5:15] = 1  # T
    upright[1, 5:15, 9:11] = 1
    labels = torch.randint(2, (count,))
    angles, moves = (torch.rand(count) - 0.5) * 2.4, (torch.rand(count, 2) - 0.5) * 0.5
    cos, sin = torch.cos(angles), torch.sin(angles)
    theta = torch.stack([torch.stack([cos, -sin, moves[:, 0]], 1), torch.stack([sin, cos, moves[:, 1]], 1)], 1)
    grid = F.affine_grid(theta, (count, 1, SIZE, SIZE), align_corners=False)
    return F.grid_sample(upright[labels].unsqueeze(1), grid, align_corners=False), labels


class Net(nn.Module):
    """A small network that finds a turn and a shift, the sampling of the picture there, and a classifier."""

    def __init__(self):
        super().__init__()
        self.localization = nn.Sequential(
            nn.Conv2d(1, 8, 5), nn.MaxPool2d(2), nn.ReLU(), nn.Conv2d(8, 10, 3), nn.MaxPool2d(2), nn.ReLU()
        )
        self.fc_loc = nn.Sequential(nn.Linear(10 * 3 * 3, 32), nn.ReLU(), nn.Linear(32, 2 * 3))
        # It begins with leaving the picture as it is.
        self.fc_loc[2].weight.data.zero_()
        self.fc_loc[2].bias.data.copy_(torch.tensor([1, 0, 0, 0, 1, 0], dtype=torch.float))
        self.classify = nn.Sequential(
            nn.Conv2d(1, 8, 5), nn.MaxPool2d(2), nn.ReLU(), nn.Flatten(), nn.Linear(8 * 8 * 8, 16), nn.ReLU(),
            nn.Linear(16, 2),
        )  # fmt: skip

    def stn(self, x):
        """The picture as the network wants to see it, and the transformation (B, 2, 3)."""
        theta = self.fc_loc(self.localization(x).view(-1, 10 * 3 * 3)).view(-1, 2, 3)
        grid = F.affine_grid(theta, x.size(), align_corners=False)
        return F.grid_sample(x, grid, align_corners=False), theta

    def forward(self, x):
        x, _ = self.stn(x)
        return F.log_softmax(self.classify(x), dim=1)


def show(pictures):
    """Pictures side by side, in characters."""
    for row in range(1, SIZE, 2):
        lines = ("".join(" .:#"[min(int(v * 3.99), 3)] for v in p[0, row].clamp(0, 1).tolist()) for p in pictures)
        print("  " + " | ".join(lines))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=200)
    args = parser.parse_args()
    torch.manual_seed(0)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    model = Net().to(device)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.003)
    for step in range(1, args.steps + 1):
        pictures, labels = (t.to(device) for t in letters(32))
        loss = F.nll_loss(model(pictures), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if step % max(args.steps // 4, 1) == 0:
            print(f"step {step}: loss {loss.item():.4f}")
    model.eval()
    with torch.no_grad():
        pictures, labels = (t.to(device) for t in letters(200))
        right = (model(pictures).argmax(1) == labels).float().mean().item()
        seen, theta = model.stn(pictures[:3])
    print(f"{right:.1%} of unseen letters are told apart")
    print("three pictures, and how the network looks at them")
    show(pictures[:3])
    show(seen)
    print(theta[0])


if __name__ == "__main__":
    main()
