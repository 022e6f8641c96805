"""Tensors: how they are made, indexed, reshaped and computed with, and the memory that they share with NumPy."""

import numpy as np

import jtorch as torch


def make():
    print("-- made from lists, shapes, ranges and other tensors")
    data = torch.tensor([[1, 2, 3], [4, 5, 6]])
    print(data, data.dtype, tuple(data.shape))
    print(torch.zeros(2, 3, dtype=torch.float64))
    print(torch.arange(0, 1, 0.25), torch.linspace(-1, 1, 5))
    like = torch.ones_like(data, dtype=torch.float32)
    print(like)
    torch.manual_seed(1)
    print("the same seed, the same numbers:", torch.rand(3), torch.randn(3), torch.randint(10, (3,)))


def look_inside():
    print("-- indexed like NumPy's arrays; a part is a view of the whole")
    x = torch.arange(12.0).reshape(3, 4)
    print("row", x[1], "column", x[:, 1], "last", x[..., -1])
    print("where a condition holds", x[x > 7])
    print("every second column, rows in another order", x[[2, 0], ::2])
    x[:, 1] = 0
    row = x[0]
    row += 100
    print("changed through a view:", x, sep="\n")
    print("x.T shares memory too:", x.T.data_ptr() == x.data_ptr(), x.T.stride(), x.T.is_contiguous())


def compute():
    print("-- computed with")
    x = torch.tensor([[1.0, 2.0], [3.0, 4.0]])
    print("element by element", x * x, "and as matrices", x @ x, sep="\n")
    print("rows and columns broadcast:", x + torch.tensor([10.0, 20.0]), x * torch.tensor([[0.0], [1.0]]), sep="\n")
    print("sum", x.sum().item(), "mean of each column", x.mean(dim=0), "largest of each row", x.max(dim=1))
    print("joined", torch.cat([x, -x], dim=1), "stacked", torch.stack([x, -x]).shape)
    x.add_(1)  # a trailing underscore: in place
    print("in place:", x)
    print("types are promoted:", (torch.tensor([1, 2]) + 0.5).dtype, (torch.tensor([1, 2]) / 2).dtype)
    try:
        x @ torch.ones(3)
    except RuntimeError as error:
        print("shapes that do not fit:", str(error).splitlines()[0])


def bridge():
    print("-- and NumPy: both see the same memory")
    tensor = torch.ones(5)
    array = tensor.numpy()
    tensor.add_(1)
    print("tensor.add_(1) ->", array)
    np.multiply(array, 10, out=array)
    print("NumPy, in place ->", tensor)
    array = np.arange(4.0)
    tensor = torch.from_numpy(array)
    array[0] = 7
    print("from_numpy keeps float64:", tensor)
    copied = torch.tensor(array)
    array[0] = 0
    print("torch.tensor copies:", copied)


def devices():
    print("-- on a device")
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    x = torch.ones(2, 2, device=device)
    y = torch.full((2, 2), 3.0).to(device)
    print((x + y).cpu())


if __name__ == "__main__":
    for lesson in (make, look_inside, compute, bridge, devices):
        lesson()
