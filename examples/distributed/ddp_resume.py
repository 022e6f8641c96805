"""Training as one runs it for days: arguments, a sampler, gradients added up, checkpoints of rank 0, resuming.

torchrun --nproc-per-node 2 ddp_resume.py --epochs 3 --resume                          (PyTorch)
python -m jtorch.distributed.run --nproc-per-node 2 ddp_resume.py --epochs 3 --resume  (import jtorch as torch)

Without arguments it trains two epochs, ends, and goes on from its checkpoint for a third.
"""

import argparse
import contextlib
import os
import sys
import tempfile

import torch
import torch.distributed as dist
from torch import nn
from torch.nn.parallel import DistributedDataParallel
from torch.utils.data import DataLoader, TensorDataset
from torch.utils.data.distributed import DistributedSampler


def arguments(given):
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--batch-size", type=int, default=8, help="of all ranks together")
    parser.add_argument("--accumulate", type=int, default=2, help="batches of one step")
    parser.add_argument("--lr", type=float, default=0.05)
    parser.add_argument("--checkpoint", default="run.pt")
    parser.add_argument("--resume", action="store_true")
    return parser.parse_args(given)


def pictures():
    """Pictures with a bright quarter, whose number is the class. Shape: (64, 1, 8, 8)."""
    generator = torch.Generator().manual_seed(0)
    images = torch.randn(64, 1, 8, 8, generator=generator)
    labels = torch.arange(64) % 4
    for image, label in zip(images, labels.tolist(), strict=True):
        image[0, label // 2 * 4 : label // 2 * 4 + 4, label % 2 * 4 : label % 2 * 4 + 4] += 1.0
    return TensorDataset(images, labels)


def network():
    return nn.Sequential(
        nn.Conv2d(1, 8, 3, padding=1),
        nn.BatchNorm2d(8),
        nn.ReLU(),
        nn.AdaptiveAvgPool2d(4),
        nn.Flatten(),
        nn.Linear(128, 4),
    )


def train(model, loader, optimizer, accumulate):
    """The mean loss of an epoch over all ranks."""
    total = torch.zeros(())
    for i, (images, labels) in enumerate(loader):
        last = (i + 1) % accumulate == 0 or i + 1 == len(loader)
        with contextlib.nullcontext() if last else model.no_sync():
            loss = nn.functional.cross_entropy(model(images), labels)
            (loss / accumulate).backward()
        total += loss.detach()
        if last:
            optimizer.step()
            optimizer.zero_grad()
    dist.all_reduce(total)
    return total.item() / len(loader) / dist.get_world_size()


def main(given=None):
    args = arguments(given)
    rank, size = dist.get_rank(), dist.get_world_size()
    data = pictures()
    sampler = DistributedSampler(data, seed=1)
    loader = DataLoader(data, batch_size=args.batch_size // size, sampler=sampler)
    torch.manual_seed(rank)
    model = DistributedDataParallel(network())
    optimizer = torch.optim.SGD(model.parameters(), lr=args.lr, momentum=0.9, weight_decay=1e-4)
    scheduler = torch.optim.lr_scheduler.StepLR(optimizer, step_size=2, gamma=0.1)
    start = 0
    if args.resume:
        kept = torch.load(args.checkpoint, map_location="cpu")
        model.module.load_state_dict(kept["model"])
        optimizer.load_state_dict(kept["optimizer"])
        scheduler.load_state_dict(kept["scheduler"])
        start = kept["epoch"] + 1
    for epoch in range(start, args.epochs):
        sampler.set_epoch(epoch)
        loss = train(model, loader, optimizer, args.accumulate)
        scheduler.step()
        if rank == 0:
            print(f"epoch {epoch}: loss {loss:.4f}, next learning rate {scheduler.get_last_lr()[0]:.4f}")
            state = {"epoch": epoch, "model": model.module.state_dict(), "optimizer": optimizer.state_dict()}
            torch.save(state | {"scheduler": scheduler.state_dict()}, args.checkpoint)
        dist.barrier()


if __name__ == "__main__":
    dist.init_process_group("gloo")
    if len(sys.argv) > 1:
        main()
    else:
        folder = [tempfile.mkdtemp() if dist.get_rank() == 0 else None]
        dist.broadcast_object_list(folder, src=0)
        path = os.path.join(folder[0], "run.pt")
        main(["--epochs", "2", "--checkpoint", path])
        main(["--epochs", "3", "--checkpoint", path, "--resume"])
    dist.destroy_process_group()
