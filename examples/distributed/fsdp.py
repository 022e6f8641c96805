"""Four processes train one network whose parameters, gradients and optimizer state they share out: fully_shard (FSDP2).

torchrun --nproc-per-node 4 fsdp.py                          (PyTorch)
python -m jtorch.distributed.run --nproc-per-node 4 fsdp.py  (import jtorch as torch)
"""

import torch
import torch.distributed as dist
from torch import nn
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import fully_shard


def main():
    dist.init_process_group("gloo")
    rank, size = dist.get_rank(), dist.get_world_size()
    mesh = init_device_mesh("cpu", (size,))
    torch.manual_seed(0)
    inputs = torch.randn(64, 8)
    labels = (inputs.sum(1) > 0).long()
    model = nn.Sequential(nn.Linear(8, 30), nn.LayerNorm(30), nn.ReLU(), nn.Linear(30, 2))
    for layer in (model[0], model[3]):
        fully_shard(layer, mesh=mesh)
    fully_shard(model, mesh=mesh)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
    if rank == 0:
        print("rank 0 holds", [tuple(p.to_local().shape) for p in model.parameters()])
    for step in range(10):
        own = slice(rank, None, size)
        loss = nn.functional.cross_entropy(model(inputs[own]), labels[own])
        optimizer.zero_grad()
        loss.backward()
        norm = nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        mean = loss.detach().clone()
        dist.all_reduce(mean)
        if step % 3 == 0:
            norm = norm.full_tensor()
            if rank == 0:
                print(f"step {step}: loss {mean.item() / size:.4f}, norm {norm.item():.4f}")
    dist.destroy_process_group()


if __name__ == "__main__":
    main()
