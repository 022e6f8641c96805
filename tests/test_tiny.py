"""The front door: what a newcomer does in the first ten minutes, in the order of the lessons."""

import numpy as np

import jtorch as torch
from jtorch import nn
from jtorch.engine import stats


def test_tensors():
    x = torch.tensor([[1, 2], [3, 4]])
    assert x.dtype is torch.int64 and x.shape == (2, 2) and x.tolist() == [[1, 2], [3, 4]]
    y = x.float() @ torch.ones(2, 3)
    assert y.size() == torch.Size([2, 3]) and y[1, 0].item() == 7.0
    assert str(y) == "tensor([[3., 3., 3.],\n        [7., 7., 7.]])"


def test_numpy_bridge():
    a = np.ones(5)
    t = torch.from_numpy(a)
    np.add(a, 1, out=a)
    assert t.tolist() == [2.0] * 5
    t.add_(1)
    assert a.tolist() == [3.0] * 5


def test_autograd():
    a = torch.tensor([2.0, 3.0], requires_grad=True)
    b = torch.tensor([6.0, 4.0], requires_grad=True)
    q = 3 * a**3 - b**2
    q.backward(gradient=torch.tensor([1.0, 1.0]))
    assert (9 * a**2 == a.grad).all() and (-2 * b == b.grad).all()


def test_the_training_loop():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Linear(16, 3))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    criterion = nn.CrossEntropyLoss()
    x = torch.randn(30, 4)
    y = (x[:, 0] > 0).long() + (x[:, 1] > 0).long()
    first = None
    for _ in range(60):
        optimizer.zero_grad()
        loss = criterion(model(x), y)
        loss.backward()
        optimizer.step()
        first = loss.item() if first is None else first
    assert loss.item() < first / 4
    assert stats.compiles <= 6


def test_saving_and_loading_weights_in_memory():
    model, other = nn.Linear(3, 2), nn.Linear(3, 2)
    assert str(other.load_state_dict(model.state_dict())) == "<All keys matched successfully>"
    x = torch.randn(4, 3)
    assert torch.equal(model(x), other(x))
