"""A variational autoencoder: pictures of bars squeezed into two numbers each, and drawn again from them."""

import argparse

import jtorch as torch
import jtorch.nn.functional as F
from jtorch import nn, optim
from jtorch.utils.data import DataLoader, TensorDataset


def bars(count):
    """Pictures (count, 256): a bar across 16 x 16, somewhere, of some width."""
    place, width = torch.randint(2, 13, (count, 1)), torch.randint(1, 3, (count, 1))
    inside = (torch.arange(16) - place).abs() <= width
    upright = torch.rand(count, 1, 1) < 0.5
    square = inside.unsqueeze(1).expand(count, 16, 16)
    return torch.where(upright, square, square.transpose(1, 2)).reshape(count, 256).float()


class VAE(nn.Module):
    """An encoder to the mean and log-variance of a normal distribution, and a decoder. Shape: (B, 256) -> (B, 256)."""

    def __init__(self, hidden=64, latent=2):
        super().__init__()
        self.fc1 = nn.Linear(256, hidden)
        self.fc21 = nn.Linear(hidden, latent)
        self.fc22 = nn.Linear(hidden, latent)
        self.fc3 = nn.Linear(latent, hidden)
        self.fc4 = nn.Linear(hidden, 256)

    def encode(self, x):
        h1 = F.relu(self.fc1(x))
        return self.fc21(h1), self.fc22(h1)

    def reparameterize(self, mu, logvar):
        std = torch.exp(0.5 * logvar)
        return mu + torch.randn_like(std) * std

    def decode(self, z):
        return torch.sigmoid(self.fc4(F.relu(self.fc3(z))))

    def forward(self, x):
        mu, logvar = self.encode(x)
        return self.decode(self.reparameterize(mu, logvar)), mu, logvar


def loss_function(recon_x, x, mu, logvar):
    """What the drawing lacks, and how far the encoding is from a standard normal distribution."""
    bce = F.binary_cross_entropy(recon_x, x, reduction="sum")
    kld = -0.5 * torch.sum(1 + logvar - mu.pow(2) - logvar.exp())
    return bce + kld


def show(pictures):
    """Pictures side by side, in characters."""
    for row in range(0, 16, 2):
        print("   ".join("".join(" .:#"[int(v * 3.99)] for v in p.view(16, 16)[row].tolist()) for p in pictures))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--images", type=int, default=2048)
    args = parser.parse_args()
    torch.manual_seed(1)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    train_loader = DataLoader(TensorDataset(bars(args.images)), batch_size=64, shuffle=True)
    test = bars(256).to(device)
    model = VAE().to(device)
    optimizer = optim.Adam(model.parameters(), lr=3e-3)
    for epoch in range(1, args.epochs + 1):
        model.train()
        total = torch.zeros((), device=device)  # summed on the device: nothing waits for it within an epoch
        for (x,) in train_loader:
            x = x.to(device)
            optimizer.zero_grad()
            recon, mu, logvar = model(x)
            loss = loss_function(recon, x, mu, logvar)
            loss.backward()
            optimizer.step()
            total += loss.detach()
        if epoch % max(args.epochs // 5, 1) == 0:
            model.eval()
            with torch.no_grad():
                held_out = loss_function(*((r := model(test))[0], test, *r[1:])).item() / len(test)
            print(f"epoch {epoch}: loss {total.item() / args.images:.4f}, held out {held_out:.4f}")
    with torch.no_grad():
        recon, mu, _ = model(test)
        print("mean code of the first pictures", mu[:3].cpu(), sep="\n")
        show([test[0], recon[0], test[1], recon[1]])


if __name__ == "__main__":
    main()
