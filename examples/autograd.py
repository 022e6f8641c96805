"""Autograd: gradients of what was computed, how they add up, how to stop them, and a line fitted with nothing else."""

import jtorch as torch


def first_gradient():
    print("-- a gradient")
    x = torch.tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)
    y = x + 2
    z = (y * y * 3).mean()
    print("y comes from", y.grad_fn.name(), "and z from", z.grad_fn.name())
    z.backward()
    print("dz/dx", x.grad, sep="\n")


def products_with_vectors():
    print("-- y is a vector: backward takes the gradient with respect to it")
    x = torch.tensor([0.5, -1.0, 2.0], requires_grad=True)
    y = x
    doublings = 0
    while y.detach().norm() < 100:  # a loop of Python; autograd follows the path that was taken
        y = y * 2
        doublings += 1
    y.backward(torch.tensor([0.1, 1.0, 0.001]))
    print(doublings, "doublings:", x.grad)


def they_add_up():
    print("-- gradients add up until they are set to zero")
    w = torch.ones(2, requires_grad=True)
    for turn in range(3):
        (w * torch.tensor([1.0, 10.0])).sum().backward()
        print("after turn", turn, w.grad)
    w.grad = None
    print("and gone:", w.grad)


def stopped():
    print("-- without gradients")
    x = torch.ones(2, requires_grad=True)
    with torch.no_grad():
        print("in no_grad:", (x * 2).requires_grad)
    print("detached:", x.detach().requires_grad, "- on the same memory:", x.detach().data_ptr() == x.data_ptr())
    try:
        x.add_(1)
    except RuntimeError as error:
        print("refused:", error)
    frozen = torch.ones(2)
    y = (x * frozen).sum()
    y.backward()
    print("only x has one:", x.grad, frozen.grad)
    try:
        y.backward()
    except RuntimeError as error:
        print("a second time:", str(error).partition(" (")[0])


def higher():
    print("-- gradients of gradients")
    x = torch.tensor(2.0, requires_grad=True)
    (first,) = torch.autograd.grad(x**4, x, create_graph=True)
    (second,) = torch.autograd.grad(first, x, create_graph=True)
    (third,) = torch.autograd.grad(second, x)
    print("of x^4 at 2:", first.item(), second.item(), third.item())
    hessian = torch.autograd.functional.hessian(lambda v: (v**3).sum() + v.prod(), torch.tensor([1.0, 2.0]))
    print("a Hessian:", hessian, sep="\n")


def fit_a_line():
    print("-- a line through points")
    torch.manual_seed(0)
    x = torch.linspace(0, 1, 50)
    y = 3 * x - 1 + 0.05 * torch.randn(50)
    slope, offset = torch.zeros((), requires_grad=True), torch.zeros((), requires_grad=True)
    for step in range(1, 201):
        loss = ((slope * x + offset - y) ** 2).mean()
        loss.backward()
        with torch.no_grad():
            for weight in (slope, offset):
                weight -= 0.3 * weight.grad
                weight.grad.zero_()
        if step % 50 == 0:
            print(f"step {step}: loss {loss.item():.5f}, y = {slope.item():.3f} x + {offset.item():.3f}")


if __name__ == "__main__":
    for lesson in (first_gradient, products_with_vectors, they_add_up, stopped, higher, fit_a_line):
        lesson()
