"""DistributedDataParallel with parts left out and gradients added up. Run by test_processes.py."""

import torch
import torch.distributed as dist
from torch import nn
from torch.nn.parallel import DistributedDataParallel

dist.init_process_group("gloo")
rank = dist.get_rank()
torch.manual_seed(rank)


class Branches(nn.Module):
    def __init__(self):
        super().__init__()
        self.a = nn.Linear(2, 2)
        self.b = nn.Linear(2, 2)

    def forward(self, x, use):
        return self.b(self.a(x)) if use else self.a(x)


def gradients(model):
    return [None if p.grad is None else round(p.grad.sum().item(), 4) for p in model.parameters()]


held = []
model = DistributedDataParallel(Branches())
with model.no_sync():
    model(torch.ones(1, 2), True).sum().backward()
model(torch.ones(1, 2) * (rank + 2), True).sum().backward()
held.append((gradients(model), list(model.state_dict())))
for use in (rank == 0, False):
    model = DistributedDataParallel(Branches(), find_unused_parameters=True)
    model(torch.ones(1, 2), use).sum().backward()
    held.append(gradients(model))
model = DistributedDataParallel(Branches())
model(torch.ones(1, 2), False).sum().backward()
try:
    model(torch.ones(1, 2), False)
except RuntimeError as error:
    held.append(str(error)[:330])
try:
    DistributedDataParallel(nn.ReLU())
except RuntimeError as error:
    held.append(str(error))
every = [None] * dist.get_world_size()
dist.all_gather_object(every, held)
if rank == 0:
    print(*(line for lines in every for line in lines), sep="\n")
dist.destroy_process_group()
