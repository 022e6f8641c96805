"""A transformer on a grid of processes: columns and rows of its layers within a row, whole layers' shares between rows.

torchrun --nproc-per-node 4 mesh_2d.py                          (PyTorch)
python -m jtorch.distributed.run --nproc-per-node 4 mesh_2d.py  (import jtorch as torch)

Tensor parallelism (parallelize_module) on one dim of the mesh, fully_shard on the other; a block's activations are
made again in backward, gradients are clipped by the norm of all parts.
"""

import torch
import torch.distributed as dist
from torch import nn
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import fully_shard
from torch.distributed.tensor import DTensor
from torch.distributed.tensor.parallel import ColwiseParallel, RowwiseParallel, parallelize_module
from torch.utils.checkpoint import checkpoint

PLAN = {"q": ColwiseParallel(), "k": ColwiseParallel(), "v": ColwiseParallel(), "out": RowwiseParallel(),
        "up": ColwiseParallel(), "down": RowwiseParallel()}  # fmt: skip


class Block(nn.Module):
    """Attention and a small network, each added to what comes in. Shape: (B, T, D) -> the same."""

    def __init__(self, width, heads):
        super().__init__()
        self.head = width // heads
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.q, self.k, self.v, self.out = (nn.Linear(width, width) for _ in range(4))
        self.up, self.down = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

    def forward(self, x):
        b, t, _ = x.shape
        y = self.norm1(x)
        q, k, v = (layer(y).view(b, t, -1, self.head).transpose(1, 2) for layer in (self.q, self.k, self.v))
        y = nn.functional.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = x + self.out(y.transpose(1, 2).reshape(b, t, -1))
        return x + self.down(nn.functional.gelu(self.up(self.norm2(x))))


class Transformer(nn.Module):
    """Predicts the next letter. Shape: (B, T) of ints -> (B, T, letters)."""

    def __init__(self, letters=12, width=16, heads=4, layers=2):
        super().__init__()
        self.letters = nn.Embedding(letters, width)
        self.blocks = nn.ModuleList(Block(width, heads) for _ in range(layers))
        self.scores = nn.Linear(width, letters)

    def forward(self, x):
        x = self.letters(x)
        for block in self.blocks:
            x = checkpoint(block, x, use_reentrant=False)
        return self.scores(x)


def main():
    dist.init_process_group("gloo")
    mesh = init_device_mesh("cpu", (dist.get_world_size() // 2, 2), mesh_dim_names=("dp", "tp"))
    torch.manual_seed(0)
    model = Transformer()
    for block in model.blocks:
        parallelize_module(block, mesh["tp"], PLAN)
        fully_shard(block, mesh=mesh["dp"])
    fully_shard(model, mesh=mesh["dp"])
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
    text = torch.randint(0, 12, (8, 9))
    own = text.chunk(mesh["dp"].size())[mesh["dp"].get_local_rank()]
    for step in range(8):
        loss = nn.functional.cross_entropy(model(own[:, :-1]).flatten(0, 1), own[:, 1:].flatten())
        optimizer.zero_grad()
        loss.backward()
        sharded = [p for p in model.parameters() if isinstance(p, DTensor) and p.device_mesh.ndim == 2]
        norm = nn.utils.clip_grad_norm_(sharded, 0.5).full_tensor()
        optimizer.step()
        mean = loss.detach().clone()
        dist.all_reduce(mean)
        if dist.get_rank() == 0 and step % 2 == 1:
            print(f"step {step}: loss {mean.item() / dist.get_world_size():.4f}, norm {norm.item():.4f}")
    dist.destroy_process_group()


if __name__ == "__main__":
    main()
