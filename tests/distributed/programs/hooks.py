"""Communication hooks, and ranks with different numbers of batches. Run by test_processes.py."""

import torch
import torch.distributed as dist
from torch import nn
from torch.distributed.algorithms.ddp_comm_hooks import default_hooks
from torch.nn.parallel import DistributedDataParallel
from torch.utils.data import TensorDataset
from torch.utils.data.distributed import DistributedSampler

dist.init_process_group("gloo")
rank, size = dist.get_rank(), dist.get_world_size()
held = []


def built():
    torch.manual_seed(0)
    return DistributedDataParallel(nn.Linear(3, 2))


def own(state, bucket):
    state.append((bucket.index(), bucket.is_last(), len(bucket.gradients()), bucket.buffer().numel()))
    buffer = bucket.buffer() / size
    return dist.all_reduce(buffer, async_op=True).get_future().then(lambda future: future.value()[0] * 2)


for hook in (default_hooks.allreduce_hook, default_hooks.fp16_compress_hook, own):
    model, state = built(), []
    model.register_comm_hook(state if hook is own else None, hook)
    model(torch.ones(2, 3) * (rank + 1)).square().sum().backward()
    held.append((hook.__name__, state, [p.grad.tolist() for p in model.parameters()]))
model, state = built(), []
model.register_comm_hook(state, default_hooks.fp16_compress_wrapper(own))
model(torch.ones(2, 3) * (rank + 1)).square().sum().backward()
held.append((state, [p.grad.tolist() for p in model.parameters()]))
for by_all in (True, False):
    model = built()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    with model.join(divide_by_initial_world_size=by_all):
        for step in range(2 + 2 * rank):
            optimizer.zero_grad()
            model(torch.ones(1, 3) * (rank + step)).sum().backward()
            optimizer.step()
    held.append([p.tolist() for p in model.parameters()])
sampler = DistributedSampler(TensorDataset(torch.arange(7)), shuffle=False)
held.append((list(sampler), len(sampler)))
half, groups = dist.new_subgroups(group_size=1)
held.append((dist.get_world_size(half), len(groups)))
for line in held:
    every = [None] * size
    dist.all_gather_object(every, str(line))
    if rank == 0:
        print(*every, sep="\n")
dist.destroy_process_group()
