"""A DCGAN: a generator learns to draw discs, a discriminator to tell its drawings from real ones."""

import argparse

import jtorch as torch
from jtorch import nn, optim
from jtorch import vision as torchvision

LATENT = 16


def discs(count):
    """Pictures (count, 1, 32, 32) in [-1, 1] of one bright disc each."""
    axis = torch.arange(32.0)
    centre = torch.rand(count, 2, 1, 1) * 16 + 8
    radius = torch.rand(count, 1, 1) * 4 + 4
    distance = ((axis[:, None] - centre[:, 0]) ** 2 + (axis[None, :] - centre[:, 1]) ** 2).sqrt()
    return torch.sigmoid(radius - distance).unsqueeze(1) * 2 - 1


def weights_init(m):
    """Normal weights of deviation 0.02, as the paper has them."""
    name = m.__class__.__name__
    if "Conv" in name:
        nn.init.normal_(m.weight.data, 0.0, 0.02)
    elif "BatchNorm" in name:
        nn.init.normal_(m.weight.data, 1.0, 0.02)
        nn.init.constant_(m.bias.data, 0)


def generator(width):
    """Shape: (B, 16, 1, 1) -> (B, 1, 32, 32)."""
    return nn.Sequential(
        nn.ConvTranspose2d(LATENT, width * 4, 4, 1, 0, bias=False),
        nn.BatchNorm2d(width * 4),
        nn.ReLU(True),
        nn.ConvTranspose2d(width * 4, width * 2, 4, 2, 1, bias=False),
        nn.BatchNorm2d(width * 2),
        nn.ReLU(True),
        nn.ConvTranspose2d(width * 2, width, 4, 2, 1, bias=False),
        nn.BatchNorm2d(width),
        nn.ReLU(True),
        nn.ConvTranspose2d(width, 1, 4, 2, 1, bias=False),
        nn.Tanh(),
    )


def discriminator(width):
    """Shape: (B, 1, 32, 32) -> (B, 1, 1, 1), the probability that a picture is real."""
    return nn.Sequential(
        nn.Conv2d(1, width, 4, 2, 1, bias=False),
        nn.LeakyReLU(0.2, inplace=True),
        nn.Conv2d(width, width * 2, 4, 2, 1, bias=False),
        nn.BatchNorm2d(width * 2),
        nn.LeakyReLU(0.2, inplace=True),
        nn.Conv2d(width * 2, width * 4, 4, 2, 1, bias=False),
        nn.BatchNorm2d(width * 4),
        nn.LeakyReLU(0.2, inplace=True),
        nn.Conv2d(width * 4, 1, 4, 1, 0, bias=False),
        nn.Sigmoid(),
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=200)
    parser.add_argument("--width", type=int, default=16)
    parser.add_argument("--batch-size", type=int, default=32)
    parser.add_argument("--picture", help="a file for the generator's last drawings")
    args = parser.parse_args()

    torch.manual_seed(999)
    device = torch.device("cuda:0" if torch.cuda.is_available() else "cpu")
    net_g, net_d = generator(args.width).to(device), discriminator(args.width).to(device)
    net_g.apply(weights_init)
    net_d.apply(weights_init)
    print(net_g)
    criterion = nn.BCELoss()
    fixed_noise = torch.randn(16, LATENT, 1, 1, device=device)
    optimizer_d = optim.Adam(net_d.parameters(), lr=2e-4, betas=(0.5, 0.999))
    optimizer_g = optim.Adam(net_g.parameters(), lr=2e-4, betas=(0.5, 0.999))

    for step in range(1, args.steps + 1):
        real = discs(args.batch_size).to(device)
        label = torch.full((args.batch_size,), 1.0, device=device)
        net_d.zero_grad()
        output = net_d(real).view(-1)
        loss_real = criterion(output, label)
        loss_real.backward()
        seen_real = output.mean()

        fake = net_g(torch.randn(args.batch_size, LATENT, 1, 1, device=device))
        label.fill_(0.0)
        output = net_d(fake.detach()).view(-1)
        loss_fake = criterion(output, label)
        loss_fake.backward()
        seen_fake = output.mean()
        optimizer_d.step()

        net_g.zero_grad()
        label.fill_(1.0)
        loss_g = criterion(net_d(fake).view(-1), label)
        loss_g.backward()
        optimizer_g.step()
        if step % max(args.steps // 8, 1) == 0:
            print(
                f"step {step}: loss D {(loss_real + loss_fake).item():.4f}, loss G {loss_g.item():.4f}, "
                f"D says of real ones {seen_real.item():.3f}, of drawn ones {seen_fake.item():.3f}"
            )

    with torch.no_grad():
        drawn = net_g(fixed_noise).detach().cpu()
    grid = torchvision.utils.make_grid(drawn, nrow=4, padding=2, normalize=True)
    print("drawn:", tuple(grid.shape), f"mean {grid.mean().item():.3f}")
    if args.picture:
        torchvision.utils.save_image(grid, args.picture)


if __name__ == "__main__":
    main()
