"""Neural style: a picture's pixels are changed until it has one picture's shapes and another one's texture.

The network that looks at them is small and has learned, here, to tell textures apart; the pictures are drawn here.
"""

import argparse
from pathlib import Path

import jtorch as torch
import jtorch.nn.functional as F
from jtorch import nn, optim
from jtorch.vision.utils import save_image

SIZE = 32


def texture(kind, count):
    """Pictures (count, 3, SIZE, SIZE) of stripes in one of four directions, each with a phase of its own."""
    rows, columns = torch.meshgrid(torch.arange(SIZE), torch.arange(SIZE), indexing="ij")
    angle = torch.tensor(kind * 0.785)
    waves = (rows * torch.sin(angle) + columns * torch.cos(angle)) * 0.9
    phases = torch.rand(count, 3, 1, 1) * 6.28
    return 0.5 + 0.4 * torch.sin(waves + phases) + 0.05 * torch.randn(count, 3, SIZE, SIZE)


def disc():
    """A bright disc on a dark ground."""
    rows, columns = torch.meshgrid(torch.arange(SIZE), torch.arange(SIZE), indexing="ij")
    inside = ((rows - SIZE / 2) ** 2 + (columns - SIZE / 2) ** 2 < (SIZE / 3) ** 2).float()
    return (0.2 + 0.6 * inside).expand(1, 3, SIZE, SIZE).contiguous()


class Normalization(nn.Module):
    """Pixels as the network wants them. Shape: (B, 3, H, W) -> the same."""

    def __init__(self):
        super().__init__()
        self.register_buffer("mean", torch.tensor([0.5, 0.5, 0.5]).view(-1, 1, 1))
        self.register_buffer("std", torch.tensor([0.25, 0.25, 0.25]).view(-1, 1, 1))

    def forward(self, img):
        return (img - self.mean) / self.std


def network():
    """Three convolutions, and what they say about which of four textures it is."""
    return nn.Sequential(
        nn.Conv2d(3, 12, 3, padding=1), nn.ReLU(),
        nn.Conv2d(12, 12, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(12, 16, 3, padding=1), nn.ReLU(),
        nn.AdaptiveAvgPool2d(4), nn.Flatten(), nn.Linear(256, 4),
    )  # fmt: skip


def gram_matrix(features):
    """How often features occur together, wherever that is. Shape: (B, C, H, W) -> (B C, B C)."""
    a, b, c, d = features.size()
    features = features.view(a * b, c * d)
    return torch.mm(features, features.t()) / (a * b * c * d)


class Watch(nn.Module):
    """A layer that changes nothing and keeps how far what passes is from a target."""

    def __init__(self, target, seen):
        super().__init__()
        self.seen, self.target = seen, seen(target).detach()

    def forward(self, features):
        self.loss = F.mse_loss(self.seen(features), self.target)
        return features


def watching(cnn, content, style):
    """The convolutions with losses behind them: (model, [content losses], [style losses])."""
    model, contents, styles = nn.Sequential(Normalization().to(content.device)), [], []
    count = 0
    for layer in cnn:
        if isinstance(layer, nn.Conv2d):
            count += 1
        elif isinstance(layer, nn.ReLU):
            layer = nn.ReLU(inplace=False)
        elif isinstance(layer, nn.AdaptiveAvgPool2d):
            break
        model.add_module(f"{type(layer).__name__.lower()}_{len(model)}", layer)
        if isinstance(layer, nn.Conv2d):
            styles.append(Watch(model(style).detach(), gram_matrix))
            model.add_module(f"style_loss_{count}", styles[-1])
            if count == 3:
                contents.append(Watch(model(content).detach(), nn.Identity()))
                model.add_module(f"content_loss_{count}", contents[-1])
    return model.eval().requires_grad_(False), contents, styles


def transfer(cnn, content, style, steps, style_weight):
    """The content picture in the style of the other, found by L-BFGS over its pixels."""
    model, contents, styles = watching(cnn, content, style)
    picture = content.clone().requires_grad_(True)
    optimizer = optim.LBFGS([picture], max_iter=5)
    for step in range(1, steps + 1):

        def closure():
            optimizer.zero_grad()
            model(picture.clamp(0, 1))
            loss = style_weight * sum(watch.loss for watch in styles) + sum(watch.loss for watch in contents)
            loss.backward()
            return loss

        optimizer.step(closure)
        if step % max(steps // 4, 1) == 0:
            model(picture.detach().clamp(0, 1))
            style_loss, content_loss = (sum(w.loss for w in watches).item() for watches in (styles, contents))
            print(f"step {step}: style {style_loss:.4f} content {content_loss:.3f}")
    return picture.detach().clamp(0, 1)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=8, help="of L-BFGS, five evaluations each")
    parser.add_argument("--lessons", type=int, default=60, help="training steps of the network")
    parser.add_argument("--style-weight", type=float, default=200.0)
    parser.add_argument("--picture", default="runs/style.png")
    args = parser.parse_args()
    torch.manual_seed(0)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    cnn = network().to(device)
    optimizer = optim.Adam(cnn.parameters(), lr=0.005)
    labels = torch.arange(4).repeat_interleave(8).to(device)
    for _ in range(args.lessons):
        pictures = torch.cat([texture(kind, 8) for kind in range(4)]).to(device)
        loss = F.cross_entropy(cnn(Normalization().to(device)(pictures)), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    print(f"the network tells textures apart with loss {loss.item():.3f}")

    content, style = disc().to(device), texture(1, 1).clamp(0, 1).to(device)
    result = transfer(cnn, content, style, args.steps, args.style_weight)
    Path(args.picture).parent.mkdir(parents=True, exist_ok=True)
    save_image(torch.cat([content, style, result]), args.picture)
    print("content, style and result are in", args.picture)
    for row in result[0].mean(0)[::3].tolist():
        print("  " + "".join(" .:-=+*#"[int(v * 7.99)] * 2 for v in row[::2]))


if __name__ == "__main__":
    main()
