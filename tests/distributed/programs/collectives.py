"""Every collective on small tensors; each rank prints what it holds afterwards. Run by test_processes.py."""

import sys

import torch
import torch.distributed as dist
import torch.distributed.nn.functional as gradients

dist.init_process_group(init_method=sys.argv[1] if len(sys.argv) > 1 else "env://", backend="gloo")
rank, size = dist.get_rank(), dist.get_world_size()
held = [(dist.is_initialized(), dist.get_backend(), rank, size)]
show = held.append


def parts(*shape):
    return [torch.zeros(*shape) for _ in range(size)]


op = dist.ReduceOp
show((str(op.SUM), repr(op.MAX), op(op.SUM) == op.RedOpType.SUM, isinstance(op.SUM, op), [*op.RedOpType.__members__]))
for how in (op.SUM, op.MAX, op.MIN, op.PRODUCT):
    for dtype in (torch.float32, torch.float64, torch.int64):
        t = (torch.arange(4) + rank).to(dtype)
        dist.all_reduce(t, how)
        show(t)
for how in (op.BAND, op.BOR, op.BXOR):
    t = torch.tensor([rank + 1, 7])
    dist.all_reduce(t, op=how)
    show(t)
base = torch.zeros(3, 2)
dist.all_reduce(base[1:2].fill_(rank + 1.0))  # through a view
dist.all_reduce(base.t()[0:1].contiguous())
show(base)
t = torch.tensor([rank * 2.0, 1.0])
dist.broadcast(t, 1)
show(t)
out = parts(2)
dist.all_gather(out, torch.tensor([rank, rank + 0.5]))
show(out)
work = dist.all_reduce(t, async_op=True)
work.wait()
show((t, work.is_completed()))
t = torch.ones(2) * (rank + 1)
dist.reduce(t, 0)
show(t if rank == 0 else None)
out = parts(1) if rank == 0 else None
dist.gather(torch.ones(1) * rank, out, dst=0)
show(out)
t = torch.zeros(2)
dist.scatter(t, [torch.ones(2) * i for i in range(size)] if rank == 1 else None, src=1)
show(t)
dist.reduce_scatter(t, [torch.ones(2) * (i + rank) for i in range(size)])
show(t)
t = torch.zeros(size * 2)
dist.all_to_all_single(t, torch.arange(size * 2.0) + 10 * rank)
show(t)
out = [None] * size
dist.all_gather_object(out, {"rank": rank})
show(out)
out = [rank, "a"] if rank == 0 else [None, None]
dist.broadcast_object_list(out, src=0)
show(out)
out = [None]
dist.scatter_object_list(out, [*"xyzw"[:size]] if rank == 0 else None, src=0)
show(out)
if rank == 0:
    dist.send(torch.tensor([1.0, 2.0]), 1)
elif rank == 1:
    t = torch.zeros(2)
    show((dist.recv(t, 0), t))
t = torch.zeros(1)
ring = [dist.P2POp(dist.isend, torch.ones(1) * rank, (rank + 1) % size), dist.P2POp(dist.irecv, t, (rank - 1) % size)]
for work in dist.batch_isend_irecv(ring):
    work.wait()
show(t)
single = [dist.new_group([i]) for i in range(size)][rank]
t = torch.ones(1) * (rank + 1)
dist.all_reduce(t, group=single)
dist.all_reduce(t)
show((t, dist.get_rank(single), dist.get_world_size(single)))
x = torch.ones(2, requires_grad=True)
y = gradients.all_reduce(x * (rank + 1))
((y * y).sum() + (torch.stack(gradients.all_gather(x * x)) ** 2).sum() * (rank + 1)).backward()
show((y.detach(), x.grad))
wrong = lambda: dist.get_global_rank(single, 3), lambda: dist.all_reduce(3), lambda: dist.init_process_group("gloo")
for call in wrong:
    try:
        call()
    except Exception as error:
        show(type(error).__name__)
every = [None] * size
dist.all_gather_object(every, [str(value) for value in held])
if rank == 0:
    for number, lines in enumerate(every):
        for line in lines:
            print(number, line)
dist.destroy_process_group()
