"""Two processes share every layer of a small GPT: columns of one weight, rows of the next (tensor parallelism).

torchrun --nproc-per-node 2 tensor_parallel.py                          (PyTorch)
python -m jtorch.distributed.run --nproc-per-node 2 tensor_parallel.py  (import jtorch as torch)
"""

import torch
import torch.distributed as dist
from torch import nn
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.tensor.parallel import ColwiseParallel, RowwiseParallel, parallelize_module


class Block(nn.Module):
    """Attention and a small network, each added to what comes in. Shape: (B, T, D) -> the same."""

    def __init__(self, width, heads):
        super().__init__()
        self.head = width // heads
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.q, self.k, self.v = (nn.Linear(width, width) for _ in range(3))
        self.out = nn.Linear(width, width)
        self.up, self.down = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

    def forward(self, x):
        b, t, _ = x.shape
        y = self.norm1(x)
        # With a plan each rank has some of the heads.
        q, k, v = (layer(y).view(b, t, -1, self.head).transpose(1, 2) for layer in (self.q, self.k, self.v))
        y = nn.functional.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = x + self.out(y.transpose(1, 2).reshape(b, t, -1))
        return x + self.down(nn.functional.gelu(self.up(self.norm2(x))))


class GPT(nn.Module):
    """Predicts the next letter. Shape: (B, T) of ints -> (B, T, letters)."""

    def __init__(self, letters=20, width=32, heads=4, layers=2, length=16):
        super().__init__()
        self.letters, self.places = nn.Embedding(letters, width), nn.Embedding(length, width)
        self.blocks = nn.Sequential(*(Block(width, heads) for _ in range(layers)))
        self.norm, self.scores = nn.LayerNorm(width), nn.Linear(width, letters)

    def forward(self, x):
        return self.scores(self.norm(self.blocks(self.letters(x) + self.places(torch.arange(x.shape[1])))))


def main():
    dist.init_process_group("gloo")
    mesh = init_device_mesh("cpu", (dist.get_world_size(),), mesh_dim_names=("tp",))
    torch.manual_seed(0)
    model = GPT()
    columns = {f"blocks.*.{name}": ColwiseParallel() for name in ("q", "k", "v", "up")}
    rows = {f"blocks.*.{name}": RowwiseParallel() for name in ("out", "down")}
    parallelize_module(model, mesh, {**columns, **rows})
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    text = torch.randint(0, 20, (8, 17))
    if dist.get_rank() == 0:
        print(
            "rank 0 holds",
            tuple(model.blocks[0].up.weight.to_local().shape),
            "of",
            tuple(model.blocks[0].up.weight.shape),
        )
    for step in range(20):
        loss = nn.functional.cross_entropy(model(text[:, :-1]).flatten(0, 1), text[:, 1:].flatten())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if dist.get_rank() == 0 and step % 5 == 0:
            print(f"step {step}: loss {loss.item():.4f}")
    dist.destroy_process_group()


if __name__ == "__main__":
    main()
