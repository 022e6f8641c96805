"""Fit sin(x) with a cubic in seven ways, from NumPy alone to a Module with shared weights and random depth."""

import argparse
import math
import random

import numpy as np

import jtorch as torch
from jtorch import nn


def with_numpy(steps):
    """Gradients worked out by hand on arrays."""
    rng = np.random.default_rng(0)
    x = np.linspace(-math.pi, math.pi, 2000)
    y = np.sin(x)
    a, b, c, d = rng.standard_normal(4)
    for _ in range(steps):
        error = a + b * x + c * x**2 + d * x**3 - y
        gradient = 2 * error
        a -= 1e-6 * gradient.sum()
        b -= 1e-6 * (gradient * x).sum()
        c -= 1e-6 * (gradient * x**2).sum()
        d -= 1e-6 * (gradient * x**3).sum()
    return np.square(error).sum(), (a, b, c, d)


def points():
    x = torch.linspace(-math.pi, math.pi, 2000)
    return x, torch.sin(x)


def with_tensors(steps):
    """The same on tensors, which may lie on a GPU."""
    x, y = points()
    a, b, c, d = torch.randn(4)
    for _ in range(steps):
        error = a + b * x + c * x**2 + d * x**3 - y
        gradient = 2 * error
        a = a - 1e-6 * gradient.sum()
        b = b - 1e-6 * (gradient * x).sum()
        c = c - 1e-6 * (gradient * x**2).sum()
        d = d - 1e-6 * (gradient * x**3).sum()
    return error.pow(2).sum().item(), (a, b, c, d)


def with_autograd(steps):
    """Nobody works out a gradient."""
    x, y = points()
    weights = [torch.randn((), requires_grad=True) for _ in range(4)]
    a, b, c, d = weights
    for _ in range(steps):
        loss = (a + b * x + c * x**2 + d * x**3 - y).pow(2).sum()
        loss.backward()
        with torch.no_grad():
            for weight in weights:
                weight -= 1e-6 * weight.grad
                weight.grad = None
    return loss.item(), weights


class Legendre3(torch.autograd.Function):
    """The Legendre polynomial of degree 3, (5 x^3 - 3 x) / 2, with a backward of its own."""

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return 0.5 * (5 * x**3 - 3 * x)

    @staticmethod
    def backward(ctx, gradient):
        (x,) = ctx.saved_tensors
        return gradient * 1.5 * (5 * x**2 - 1)


def with_a_function(steps):
    """a + b P3(c + d x), through an autograd Function of one's own."""
    x, y = points()
    weights = [torch.full((), value, requires_grad=True) for value in (0.0, -1.0, 0.0, 0.3)]
    a, b, c, d = weights
    for _ in range(steps):
        loss = (a + b * Legendre3.apply(c + d * x) - y).pow(2).sum()
        loss.backward()
        with torch.no_grad():
            for weight in weights:
                weight -= 5e-6 * weight.grad
                weight.grad = None
    return loss.item(), weights


def powers():
    x, y = points()
    return x.unsqueeze(-1).pow(torch.tensor([1, 2, 3])), y


def with_nn(steps):
    """A linear layer on the powers of x."""
    xs, y = powers()
    model = nn.Sequential(nn.Linear(3, 1), nn.Flatten(0, 1))
    criterion = nn.MSELoss(reduction="sum")
    for _ in range(steps):
        loss = criterion(model(xs), y)
        model.zero_grad()
        loss.backward()
        with torch.no_grad():
            for parameter in model.parameters():
                parameter -= 1e-6 * parameter.grad
    return loss.item(), (model[0].bias, *model[0].weight[0])


def with_optim(steps):
    """An optimizer takes the steps."""
    xs, y = powers()
    model = nn.Sequential(nn.Linear(3, 1), nn.Flatten(0, 1))
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    for _ in range(steps):
        loss = nn.functional.mse_loss(model(xs), y, reduction="sum")
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return loss.item(), (model[0].bias, *model[0].weight[0])


class DynamicNet(nn.Module):
    """A cubic, and in each call up to two more powers that share one weight."""

    def __init__(self):
        super().__init__()
        self.a = nn.Parameter(torch.randn(()))
        self.b = nn.Parameter(torch.randn(()))
        self.c = nn.Parameter(torch.randn(()))
        self.d = nn.Parameter(torch.randn(()))
        self.e = nn.Parameter(torch.randn(()))

    def forward(self, x):
        y = self.a + self.b * x + self.c * x**2 + self.d * x**3
        for power in range(4, random.randint(4, 6)):
            y = y + self.e * x**power
        return y


def with_a_module(steps):
    """Control flow of Python in a Module: another graph in every step."""
    x, y = points()
    random.seed(0)
    model = DynamicNet()
    optimizer = torch.optim.SGD(model.parameters(), lr=1e-8, momentum=0.9)
    for _ in range(steps):
        loss = (model(x) - y).pow(2).sum()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return loss.item(), tuple(model.parameters())


def number(weight):
    return weight.item() if torch.is_tensor(weight) else weight


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=2000)
    args = parser.parse_args()
    for way in (with_numpy, with_tensors, with_autograd, with_a_function, with_nn, with_optim, with_a_module):
        torch.manual_seed(1)
        loss, found = way(args.steps)
        print(f"{way.__name__:16} loss {loss:12.5f}  weights", *(f"{value:.5f}" for value in map(number, found)))
