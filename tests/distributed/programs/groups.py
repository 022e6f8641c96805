"""Uneven parts, messages, objects, groups and errors among three ranks. Run by test_processes.py."""

import re
from datetime import timedelta

import torch
import torch.distributed as dist
import torch.distributed.nn.functional as gradients

dist.init_process_group("gloo", timeout=timedelta(seconds=120))
rank, size = dist.get_rank(), dist.get_world_size()
held = []


def show(call, words=True):
    """Hold what a call gives, or the class of its error and, with words, its text."""
    try:
        held.append(str(call()))
    except Exception as error:
        text = re.sub(r"<.*?>", "GROUP", str(error).split("\n")[0]) if words else ""
        held.append(f"{type(error).__name__} {text}")


def parts(shapes):
    return [torch.zeros(*shape) for shape in shapes]


def exchanged(outs, ins):
    try:
        dist.all_to_all(outs, ins)
    except RuntimeError:  # gloo has no parts of different sizes here, but there
        out = torch.zeros(sum(map(len, outs)))
        dist.all_to_all_single(out, torch.cat(ins), [*map(len, outs)], [*map(len, ins)])
        outs = out.split([*map(len, outs)])
    return [x.tolist() for x in outs]


def gathered(outs, own):
    try:
        dist.all_gather(outs, own)
    except RuntimeError:  # gloo has no parts of different sizes
        every = [None] * size
        dist.all_gather_object(every, own)
        outs = every
    return [x.tolist() for x in outs]


def single(x, outs, ins, **options):
    out = torch.zeros(sum(outs), *x.shape[1:], dtype=x.dtype)
    work = dist.all_to_all_single(out, x, outs, ins, **options)
    return out, work and (work.wait(), work.is_completed())


def reduced(shapes):
    out = torch.zeros(*shapes[rank])
    dist.reduce_scatter(out, [torch.ones(*shape) * (rank + 1) for shape in shapes])
    return out


show(lambda: exchanged(parts([(i + rank + 1,) for i in range(size)]),
                       [torch.arange(rank + i + 1.0) + 10 * rank for i in range(size)]))  # fmt: skip
sends, comes = [(rank + i) % 3 for i in range(size)], [(i + rank) % 3 for i in range(size)]
x = torch.arange(2.0 * sum(sends)).reshape(-1, 2) + 100 * rank
show(lambda: single(x, comes, sends))
show(lambda: single(torch.arange(2.0 * size), [2] * size, [2] * size, async_op=True))
show(lambda: gathered(parts([(i + 1,) for i in range(size)]), torch.ones(rank + 1) * rank))
show(lambda: reduced([(i + 1,) for i in range(size)]))
y = x.clone().requires_grad_()
z = gradients.all_to_all_single(torch.zeros(sum(comes), 2), y, comes, sends)
(z * z * (rank + 1)).sum().backward()
show(lambda: (z.detach(), y.grad))

two = torch.zeros(2)
show(lambda: dist.all_gather([two] * (size - 1), two), words=False)
show(lambda: dist.all_gather([torch.zeros(3)] * size, two))
show(lambda: dist.all_gather([two.long()] * size, two))
show(lambda: dist.all_gather_into_tensor(torch.zeros(3), two), words=False)
show(lambda: dist.all_to_all_single(torch.zeros(size + 1), torch.zeros(size + 1)), words=False)
show(lambda: dist.all_to_all_single(torch.zeros(size), torch.zeros(size), [1] * size, [2] * size))
show(lambda: dist.all_to_all_single(torch.zeros(size), torch.zeros(size), [1] * (size - 1), [1] * size))
show(lambda: dist.reduce_scatter_tensor(two, torch.zeros(2 * size + 1)), words=False)
show(lambda: dist.broadcast(two))
show(lambda: dist.broadcast(two, src=0, group_src=0))
show(lambda: dist.send(two, rank))
show(lambda: dist.broadcast(two, src=size), words=False)
show(lambda: dist.all_reduce(two, op="nope"), words=False)
show(lambda: dist.batch_isend_irecv([3]))
show(lambda: dist.P2POp(3, two, 0))
show(lambda: dist.P2POp(dist.isend, two, 0).peer)
show(lambda: dist.P2POp(dist.isend, 3, 0))


def of_any(**options):
    if rank != 0:
        return dist.send(torch.ones(2) * rank, 0, **options)
    got = []
    for _ in range(size - 1):
        t = torch.zeros(2)
        got.append((dist.recv(t, **options), t.tolist()))
    return sorted(got)


def by_tag():
    if rank == 0:
        a, b = torch.zeros(1), torch.zeros(1)
        dist.recv(b, 1, tag=2)
        dist.recv(a, 1, tag=1)
        return a, b
    sent = [dist.isend(torch.ones(1) * tag, 0, tag=tag) for tag in (1, 2)] if rank == 1 else []
    return [work.wait() for work in sent]


def all_pairs():
    out = parts([(2,)] * size)
    ops = []
    for peer in range(size):
        if peer != rank:
            ops += [dist.P2POp(dist.isend, torch.ones(2) * rank, peer), dist.P2POp(dist.irecv, out[peer], peer)]
    return [work.wait() for work in dist.batch_isend_irecv(ops)] and out


def objects():
    if rank == 0:
        dist.send_object_list(["a", {"b": 1}], 1)
    got = [None, None]
    return (dist.recv_object_list(got, 0), got) if rank == 1 else None


for call in (of_any, lambda: of_any(tag=7), by_tag, all_pairs, objects):
    show(call if call is not by_tag else lambda: by_tag() if rank == 0 else by_tag() and None)
    dist.barrier()

ends = dist.new_group([0, size - 1])
mine, every = dist.new_subgroups_by_enumeration([[0, 1], [*range(2, size)]])
show(lambda: (dist.get_rank(ends), dist.get_world_size(ends), ends == dist.GroupMember.NON_GROUP_MEMBER))
show(lambda: (dist.get_rank(mine), dist.get_world_size(mine), len(every), dist.get_process_group_ranks(mine)))
show(lambda: (dist.get_global_rank(mine, 0), dist.get_group_rank(mine, rank)))
show(lambda: dist.get_global_rank(mine, 7))
show(lambda: dist.get_group_rank(mine, 77))


def filled(call, count, **options):
    out = [None] * count
    call(out, **options)
    return out


def changed(call, *args, **options):
    t = torch.ones(2) * (rank + 1)
    call(t, *args, **options)
    return t


last = size - 1
if rank in (0, last):
    show(lambda: filled(lambda out: dist.all_gather_object(out, {"r": rank}, group=ends), 2))
    show(lambda: filled(lambda out: dist.gather_object(rank, out if rank == 0 else None, dst=0, group=ends), 2))
    show(lambda: filled(lambda out: dist.scatter_object_list(out, [10, 20] if rank == last else None, last, ends), 1))
    out = [rank, "a"]
    show(lambda: (dist.broadcast_object_list(out, src=last, group=ends), out))
    show(lambda: changed(dist.all_reduce, group=ends))
    show(lambda: changed(dist.broadcast, src=last, group=ends))
    show(lambda: changed(dist.broadcast, group_src=1, group=ends))
    show(lambda: changed(dist.send, last, group=ends) if rank == 0 else changed(dist.recv, 0, group=ends))
    show(lambda: changed(dist.send, group_dst=1, group=ends) if rank == 0 else changed(dist.recv, group=ends))
    show(lambda: dist.broadcast(two, src=1, group=ends))
else:
    show(lambda: dist.all_reduce(two, group=ends))
show(lambda: changed(dist.all_reduce, group=mine))
show(lambda: changed(dist.all_reduce, dist.ReduceOp.AVG))
for t in (torch.tensor([True, rank == 0]), torch.tensor([1 + 1j * rank]), torch.ones(2, dtype=torch.bfloat16) * rank):
    show(lambda: (dist.all_reduce(t, dist.ReduceOp.MAX if t.dtype is torch.bool else dist.ReduceOp.SUM), t))  # noqa: B023
pair = torch.ones(1) * rank, torch.ones(2, 2) * rank
show(lambda: (dist.all_reduce_coalesced([*pair]), pair))
show(lambda: (lambda t: (dist.reduce_scatter_tensor(t, torch.arange(2.0 * size)), t))(torch.zeros(2)))
show(lambda: changed(dist.reduce, 2, dist.ReduceOp.PRODUCT) if rank == 2 else changed(dist.reduce, 2,
     dist.ReduceOp.PRODUCT) is None)  # fmt: skip
show(lambda: (lambda work: (work.wait(), work.is_completed()))(dist.barrier(async_op=True)))
show(lambda: dist.monitored_barrier(timeout=timedelta(seconds=60)))


def later():
    future = dist.all_reduce(torch.ones(2), async_op=True).get_future()
    then = future.then(lambda done: done.value()[0] * 2).then(lambda done: done.value() + 1)
    return [x.tolist() for x in future.wait()], future.done(), then.wait()


show(later)
show(lambda: dist.destroy_process_group(mine), words=False)
lines = [None] * size
dist.all_gather_object(lines, held)
if rank == 0:
    for number, own in enumerate(lines):
        for i, line in enumerate(own):
            print(number, i, line)
dist.destroy_process_group()
