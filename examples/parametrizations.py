"""Parametrizations and pruning: weights that are computed from others, and weights that are taken out."""

import argparse

import jtorch as torch
import jtorch.nn.functional as F
import jtorch.nn.utils.parametrize as parametrize
from jtorch import nn
from jtorch.nn.utils import parametrizations, prune


class Symmetric(nn.Module):
    """The upper triangle, mirrored. Shape: (n, n) -> (n, n)."""

    def forward(self, X):
        return X.triu() + X.triu(1).transpose(-1, -2)

    def right_inverse(self, A):
        return A.triu()


class MatrixExponential(nn.Module):
    """exp of a skew-symmetric matrix is a rotation. Shape: (n, n) -> (n, n)."""

    def forward(self, X):
        A = X.triu(1)
        return torch.matrix_exp(A - A.transpose(-1, -2))


def symmetric():
    layer = nn.Linear(3, 3)
    parametrize.register_parametrization(layer, "weight", Symmetric())
    print(layer)
    print("symmetric:", torch.allclose(layer.weight, layer.weight.T))
    print("what learns:", [name for name, _ in layer.named_parameters()])
    layer.weight = torch.arange(9.0).view(3, 3) + torch.arange(9.0).view(3, 3).T  # through right_inverse
    print(layer.weight.data)
    print("kept as", layer.parametrizations.weight.original.data.tolist())
    parametrize.remove_parametrizations(layer, "weight")
    print("ordinary again:", [name for name, _ in layer.named_parameters()])


def rotation(steps):
    """A rotation that is learned: no step can leave the rotations."""
    layer = nn.Linear(3, 3, bias=False)
    parametrize.register_parametrization(layer, "weight", MatrixExponential())
    points = torch.randn(50, 3)
    wanted = points @ torch.tensor([[0.0, -1, 0], [1, 0, 0], [0, 0, 1]])
    optimizer = torch.optim.Adam(layer.parameters(), lr=0.1)
    for step in range(1, steps + 1):
        with parametrize.cached():  # the weight is computed once in here
            loss = F.mse_loss(layer(points), wanted)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if step % (steps // 3) == 0:
            W = layer.weight.detach()
            apart = (W @ W.T - torch.eye(3)).abs().max().item()
            print(f"  step {step}: loss {loss.item():.4f}, a rotation still: {apart < 1e-5}")


def ready_made():
    """Weight norm, spectral norm and orthogonal come with the library."""
    for make in (parametrizations.weight_norm, parametrizations.spectral_norm, parametrizations.orthogonal):
        layer = make(nn.Linear(4, 3))
        W = layer.weight.detach()
        facts = f"largest singular value {torch.linalg.matrix_norm(W, 2).item():.2f}"
        print(f"  {make.__name__:14}", facts, sorted(name for name, _ in layer.named_parameters()))


def pruning():
    """A mask takes weights out; it can grow, be the same for all layers, and be made final."""
    net = nn.Sequential(nn.Linear(6, 4), nn.ReLU(), nn.Linear(4, 2))
    first = net[0]
    prune.random_unstructured(first, name="weight", amount=0.3)
    prune.l1_unstructured(first, name="bias", amount=1)
    print("  parameters", sorted(dict(first.named_parameters())), "buffers", sorted(dict(first.named_buffers())))
    print("  taken out at random", int((first.weight == 0).sum()), "of 24")
    prune.ln_structured(first, name="weight", amount=0.5, n=2, dim=0)
    print("  and two of four rows:", (first.weight.abs().sum(1) == 0).tolist())
    loss = net(torch.ones(1, 6)).sum()
    loss.backward()
    print("  no gradient where nothing is left:", bool((first.weight_orig.grad[first.weight_mask == 0] == 0).all()))
    prune.remove(first, "weight")
    prune.remove(first, "bias")
    print("  made final:", sorted(dict(first.named_parameters())))


def everywhere():
    """The smallest fifth of all weights, in whichever layer they are."""
    net = nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, 4))
    layers = [(layer, "weight") for layer in net if isinstance(layer, nn.Linear)]
    prune.global_unstructured(layers, pruning_method=prune.L1Unstructured, amount=0.2)
    shares = [f"{(layer.weight == 0).float().mean().item():.1%}" for layer, _ in layers]
    total = sum(int((layer.weight == 0).sum()) for layer, _ in layers)
    print("  by layer", shares, "in all", total, "of", sum(layer.weight.nelement() for layer, _ in layers))
    print("  pruned:", prune.is_pruned(net))


class EveryOther(prune.BasePruningMethod):
    """A method of one's own: every other weight."""

    PRUNING_TYPE = "unstructured"

    def compute_mask(self, t, default_mask):
        mask = default_mask.clone()
        mask.view(-1)[::2] = 0
        return mask


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=60)
    args = parser.parse_args()
    torch.manual_seed(0)
    symmetric()
    print("a rotation that is learned")
    rotation(args.steps)
    print("ready made")
    ready_made()
    print("pruning")
    pruning()
    print("over all layers")
    everywhere()
    layer = nn.Linear(4, 2)
    EveryOther.apply(layer, "weight")
    print("by a method of one's own", layer.weight_mask.tolist())


if __name__ == "__main__":
    main()
