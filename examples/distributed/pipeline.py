"""Two processes hold half of a network each: activations go one way, their gradients the other (send and recv).

torchrun --nproc-per-node 2 pipeline.py                          (PyTorch)
python -m jtorch.distributed.run --nproc-per-node 2 pipeline.py  (import jtorch as torch)
"""

import torch
import torch.distributed as dist
from torch import nn

MICRO, ROWS, WIDTH = 4, 8, 16


def first(stage, inputs):
    """Send what this stage makes of each part of the batch, then take the gradients back."""
    sent = []
    for part in inputs.chunk(MICRO):
        sent.append(stage(part))
        dist.send(sent[-1].detach(), 1)
    for made in sent:
        grad = torch.empty_like(made)
        dist.recv(grad, 1)
        made.backward(grad)


def last(stage, labels):
    """The mean loss of the parts as they come; their gradients go back when the first stage has time for them."""
    total, sent = 0.0, []
    for part in labels.chunk(MICRO):
        given = torch.empty(len(part), WIDTH)
        dist.recv(given, 0)
        given.requires_grad_()
        loss = nn.functional.cross_entropy(stage(given), part) / MICRO
        loss.backward()
        sent.append(dist.isend(given.grad, 0))
        total += loss.item()
    for work in sent:
        work.wait()
    return total


def main():
    dist.init_process_group("gloo")
    rank = dist.get_rank()
    torch.manual_seed(0)
    stages = (
        nn.Sequential(nn.Linear(8, WIDTH), nn.Tanh()),
        nn.Sequential(nn.Linear(WIDTH, WIDTH), nn.ReLU(), nn.Linear(WIDTH, 3)),
    )
    inputs = torch.randn(MICRO * ROWS, 8)
    labels = inputs[:, :3].argmax(1)
    if rank < 2:
        optimizer = torch.optim.SGD(stages[rank].parameters(), lr=0.5, momentum=0.9)
    for step in range(12):
        if rank == 0:
            first(stages[0], inputs)
        elif rank == 1:
            loss = last(stages[1], labels)
            if step % 3 == 2:
                print(f"step {step}: loss {loss:.4f}")
        if rank < 2:
            optimizer.step()
            optimizer.zero_grad()
    dist.barrier()
    dist.destroy_process_group()


if __name__ == "__main__":
    main()
