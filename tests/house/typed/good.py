"""Code of a user that a type checker has nothing to say of; tests/house/test_stubs.py checks it and runs it."""

from typing import Any, assert_type

import numpy as np

import jtorch as torch
import jtorch.nn.functional as F
from jtorch import Tensor, nn
from jtorch.utils.data import DataLoader, TensorDataset


class Net(nn.Module):
    """Two layers and a scale of its own."""

    def __init__(self, width: int = 4) -> None:
        super().__init__()
        self.first = nn.Linear(3, width)
        self.norm = nn.LayerNorm(width)
        self.scale = nn.Parameter(torch.ones(width))
        self.register_buffer("seen", torch.zeros((), dtype=torch.int64))

    def forward(self, x: Tensor) -> Tensor:
        hidden = F.relu(self.norm(self.first(x)), inplace=True)
        return F.dropout(hidden * self.scale, 0.1, self.training).sum(dim=-1)


def train(device: torch.device | str = "cpu") -> float:
    torch.manual_seed(0)
    net = Net().to(device)
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.9)
    data = TensorDataset(torch.randn(8, 3), torch.randn(8))
    loss = torch.tensor(0.0)
    for x, y in DataLoader(data, batch_size=4, shuffle=True):
        optimizer.zero_grad(set_to_none=True)
        loss = F.mse_loss(net(x.to(device)), y)
        loss.backward()
        nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        optimizer.step()
    with torch.no_grad():
        net.eval()
        net(torch.rand(2, 3))
    return loss.item()


def look(x: Tensor) -> None:
    assert_type(x.shape, torch.Size)
    assert_type(x.shape[0], int)
    assert_type(x.size(), torch.Size)
    assert_type(x.size(-1), int)
    assert_type(x.dtype, torch.dtype)
    assert_type(x.device, torch.device)
    assert_type(x.grad, Tensor | None)
    assert_type(x.requires_grad, bool)
    assert_type(x.ndim + x.dim() + x.numel() + len(x), int)
    assert_type(x.is_floating_point() and x.is_contiguous(), bool)
    assert_type(x.stride(), tuple[int, ...])
    assert_type(x.T @ x, Tensor)
    assert_type(2 * x + 1 - x / 2, Tensor)
    assert_type(x > 0, Tensor)
    assert_type(~(x == 0) & (x != 1), Tensor)
    assert_type(x[0, ..., None], Tensor)
    assert_type(float(x.sum()) + int(x[0, 0]), float)
    assert_type(list(x), list[Tensor])
    assert_type(x.view(-1).reshape(2, 2).permute(1, 0).unsqueeze(0).expand(3, -1, -1), Tensor)
    assert_type(x.add_(1).mul(2).clamp(min=0.0, max=1.0), Tensor)
    assert_type(x.float().to(torch.float64).cpu().numpy(), np.ndarray[tuple[Any, ...], np.dtype[Any]])
    x[0] = 1.0
    x[x > 0] = 0


def functions(x: Tensor) -> None:
    assert_type(torch.max(x), Tensor)
    assert_type(torch.max(x, 1), torch.return_types.max)
    assert_type(torch.max(x, dim=1).values, Tensor)
    values, indices = x.topk(1, dim=1)
    assert_type(values, Tensor)
    assert_type(indices, Tensor)
    assert_type(x.sort(descending=True).indices, Tensor)
    assert_type(torch.linalg.svd(x).S, Tensor)
    assert_type(torch.linalg.qr(x), torch.return_types.linalg_qr)
    assert_type(torch.fft.fft(x), Tensor)
    assert_type(torch.special.expit(x), Tensor)
    assert_type(x.split(1), tuple[Tensor, ...])
    assert_type(torch.chunk(x, 2, dim=0), tuple[Tensor, ...])
    assert_type(torch.cat([x, x], dim=0), Tensor)
    assert_type(torch.stack((x, x)), Tensor)
    assert_type(torch.where(x > 0, x, 0.0), Tensor)
    assert_type(torch.einsum("ij,kj->ik", x, x), Tensor)
    assert_type(torch.zeros(2, 3, dtype=torch.float32, device="cpu"), Tensor)
    assert_type(torch.zeros((2, 3)).new_ones(2), Tensor)
    assert_type(torch.arange(0, 10, 2), Tensor)
    assert_type(torch.randint(0, 5, (2, 2)), Tensor)
    assert_type(torch.from_numpy(np.ones(3)), Tensor)
    assert_type(torch.equal(x, x), bool)
    assert_type(torch.is_tensor(x), bool)
    assert_type(torch.finfo(torch.float32).eps, float)
    assert_type(nn.Parameter(x), nn.Parameter)
    assert_type(F.cross_entropy(x, torch.tensor([0, 1]), label_smoothing=0.1), Tensor)
    assert_type(F.conv2d(x[None, None], x[None, None], padding="same", stride=1), Tensor)
    assert_type(F.interpolate(x[None, None], scale_factor=2, mode="nearest"), Tensor)
    assert_type(F.unfold(x[None, None], (2, 2), padding=1), Tensor)
    assert_type(torch.stack([x]).mean(dim=(0, 1), keepdim=True), Tensor)


if __name__ == "__main__":
    train()
    look(torch.rand(2, 2, requires_grad=True).detach())
    functions(torch.rand(2, 2))
