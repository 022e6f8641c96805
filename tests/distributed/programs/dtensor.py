"""Device meshes and DTensors; each rank prints what it holds. Run by test_processes.py."""

import torch
import torch.distributed as dist
from torch import nn
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.tensor import DTensor, Partial, Replicate, Shard, distribute_module, distribute_tensor, zeros

dist.init_process_group("gloo")
rank, size = dist.get_rank(), dist.get_world_size()
held = []


def show(call):
    try:
        held.append(call())
    except Exception as error:
        held.append(f"{type(error).__name__}: {error}".splitlines()[0])


line = init_device_mesh("cpu", (size,), mesh_dim_names=("tp",))
plain = init_device_mesh("cpu", (size,))
grid = init_device_mesh("cpu", (size, 1), mesh_dim_names=("a", "b"))
held += [line, repr(plain), line.size(), line.ndim, line.shape, line.get_coordinate(), line.get_local_rank(), line.mesh]
held += [line["tp"], plain == line, line.get_rank(), line.device_type, grid, grid["a"], grid["b", "a"], grid.size(0)]
held += [grid._flatten("c"), grid.get_coordinate(), grid.get_group("a").size(), len(grid.get_all_groups())]
for wrong in (
    lambda: line["dp"], lambda: plain["tp"], lambda: grid.get_group(), lambda: grid.get_local_rank(),
    lambda: init_device_mesh("cpu", (size * 2,)), lambda: init_device_mesh("cpu:0", (size,)),
    lambda: init_device_mesh("cpu", (size, 1), mesh_dim_names=("a", "a")),
    lambda: init_device_mesh("cpu", (size, 1), mesh_dim_names=("a",)),
):  # fmt: skip
    show(wrong)
held += [Shard(1), str(Shard(1)), Replicate(), str(Replicate()), Partial(), str(Partial("avg")), Shard(0) == Shard(0)]

x = torch.arange(12.0).reshape(3, 4)
rows = distribute_tensor(x, line, [Shard(0)])
held += [rows, rows.placements, rows.shape, rows.size(0), rows.stride(), rows.numel(), len(rows), rows.to_local()]
held += [rows.full_tensor(), rows.dtype, rows.device, type(rows), rows.device_mesh, isinstance(rows, torch.Tensor)]
columns = distribute_tensor(x, line, [Shard(1)]).requires_grad_()
other = distribute_tensor(x.t().contiguous(), line, [Shard(0)])
product = columns @ other
held += [product, product.redistribute(line, [Replicate()]), product.full_tensor().detach()]
product.redistribute(line, [Replicate()]).sum().backward()
held += [columns.grad, columns.is_leaf, columns.requires_grad, nn.Parameter(columns.detach())]
turned = columns.redistribute(line, [Shard(0)])
(turned * turned).sum().full_tensor().backward()
held += [turned, columns.grad, columns.redistribute(line, [Replicate()])]
d = columns
for call in (
    lambda: d + x, lambda: d + 1, lambda: 1 - d, lambda: d.sum(), lambda: d.mean(0), lambda: d.mean(), lambda: d.relu(),
    lambda: d.sum(1), lambda: d.sum(0, keepdim=True), lambda: d.max(), lambda: d.amax(1), lambda: d.T,
    lambda: d.t().placements, lambda: d.transpose(0, 1), lambda: d.unsqueeze(0),
    lambda: torch.zeros_like(d), lambda: d.clone(),
    lambda: d.to(torch.float64), lambda: d.item(), lambda: d.tolist(), lambda: d.numpy(), lambda: d[0], lambda: d[:, 1],
    lambda: torch.cat([d, d]), lambda: torch.stack([d, d]), lambda: d.argmax(1), lambda: d.cumsum(0), lambda: d.sort(),
    lambda: d.exp().log1p(), lambda: torch.equal(d, d), lambda: torch.nn.functional.softmax(d, 0),
    lambda: torch.nn.functional.softmax(d, 1), lambda: distribute_tensor(x, line, [Shard(2)]),
    lambda: distribute_tensor(x, line, [Shard(0), Shard(0)]), lambda: d.view(3, 2, 2),
    lambda: DTensor.from_local(torch.ones(2, 2) * rank, line, [Shard(0)]),
    lambda: DTensor.from_local(torch.ones(2, 2) * (rank + 1), line, [Partial()]),
    lambda: DTensor.from_local(torch.ones(2, 2) * (rank + 1), line, [Partial()]).full_tensor(),
    lambda: DTensor.from_local(torch.ones(3, 2) * (rank + 1), line, [Partial()]).redistribute(line, [Shard(0)]),
    lambda: zeros(4, 4, device_mesh=line, placements=[Shard(0)]), lambda: (d > 2).sum().full_tensor(),
    lambda: d.detach().add_(1), lambda: d.detach().mul_(d.detach()), lambda: rows.clone().copy_(rows),
    lambda: torch.where(d > 3, d, 0.0), lambda: d.var(), lambda: (d * 2).requires_grad, lambda: d.norm().full_tensor(),
):  # fmt: skip
    show(call)

layer = nn.Sequential(nn.Linear(4, 3), nn.LayerNorm(3), nn.GELU())
torch.manual_seed(0)
for p in layer.parameters():
    nn.init.normal_(p)
distribute_module(layer, line)
out = layer(distribute_tensor(torch.arange(8.0 * size).reshape(2 * size, 4) / 9, line, [Shard(0)]))
held += [out, [p.placements for p in layer.parameters()]]
out.square().mean().full_tensor().backward()
held += [p.grad.full_tensor() for p in layer.parameters()]
table = distribute_tensor(torch.arange(16.0).reshape(8, 2), line, [Shard(0)]).requires_grad_()
found = nn.functional.embedding(distribute_tensor(torch.tensor([[1, 7], [0, 7]]), line, [Replicate()]), table)
whole = found.full_tensor()
held += [whole.detach(), found.shape]
(whole**2).sum().backward()
held += [table.grad.full_tensor()]
every = [None] * size
dist.all_gather_object(every, [str(value) for value in held])
if rank == 0:
    for number, lines in enumerate(every):
        for n, line in enumerate(lines):
            print(number, n, line)
dist.destroy_process_group()
