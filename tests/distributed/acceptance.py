"""One model trained on one device and in every parallel way, on devices of one process: the losses must be the same.

JTORCH_SIMULATE_CUDA=4 python -m tests.distributed.acceptance resnet18 50 [float64]

In float32 the ResNet's ways part from step to step: where a ReLU's input is nearly 0, the last bit decides its slope.
"""

import re
import sys
import time

import jtorch as torch
from jtorch import nn
from jtorch.distributed.device_mesh import init_device_mesh
from jtorch.distributed.fsdp import fully_shard
from jtorch.distributed.tensor import DTensor, Partial, Shard, distribute_tensor
from jtorch.distributed.tensor.parallel import ColwiseParallel, RowwiseParallel, parallelize_module
from jtorch.engine import program, stats
from jtorch.vision.models import resnet18

BATCH = 8
KINDS = ("all-reduce", "all-gather", "reduce-scatter", "all-to-all", "collective-permute")


class Block(nn.Module):
    """Attention and a small network. Shape: (B, T, D) -> the same."""

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


class GPT(nn.Module):
    """Predicts the next letter. Shape: (B, T) of ints -> (B, letters, T)."""

    def __init__(self, layers=6, letters=20, width=16, heads=2, length=8):
        super().__init__()
        self.letters, self.places = nn.Embedding(letters, width), nn.Embedding(length, width)
        self.blocks = nn.Sequential(*(Block(width, heads) for _ in range(layers)))
        self.norm, self.scores = nn.LayerNorm(width), nn.Linear(width, letters)

    def forward(self, x):
        x = self.letters(x) + self.places(torch.arange(x.shape[1], device=x.device))
        return self.scores(self.norm(self.blocks(x))).transpose(1, 2)


def mlp():
    """A network of two layers, the data's form, and its columns and rows for tensor parallelism."""
    model = nn.Sequential(
        nn.Linear(8, 32), nn.GELU(), nn.LayerNorm(32), nn.Linear(32, 16), nn.ReLU(), nn.Linear(16, 10)
    )
    return model, (8,), ["0"], ["3"]


def gpt(layers=6):
    """The GPT."""
    columns = [f"blocks.*.{name}" for name in ("q", "k", "v", "up")]
    return GPT(layers), (8,), columns, ["blocks.*.out", "blocks.*.down"]


def pictures():
    """ResNet-18. Group norm in the place of batch norm, whose statistics DDP takes on each rank for itself."""
    return resnet18(num_classes=10, norm_layer=lambda n: nn.GroupNorm(8, n)), (3, 32, 32), ["fc"], []


MODELS = {"mlp": mlp, "gpt": gpt, "gpt1": lambda: gpt(1), "resnet18": pictures}


def batch(shape, step):
    """What one step learns from. Letters for the GPT, else pictures or rows, and their classes."""
    torch.manual_seed(1000 + step)
    if len(shape) == 1 and shape[0] == 8 and batch.letters:
        text = torch.randint(0, 20, (BATCH, 9))
        return text[:, :-1].contiguous().to("cuda"), text[:, 1:].contiguous().to("cuda")
    return torch.randn(BATCH, *shape).to("cuda"), torch.randint(0, 10, (BATCH,)).to("cuda")


batch.letters = False


def sharded(model):
    """(the model, its mesh) after fully_shard of the GPT's blocks, where there are any, and of the rest."""
    mesh = init_device_mesh("cuda", (4,))
    for child in getattr(model, "blocks", ()):
        fully_shard(child, mesh=mesh)
    return fully_shard(model, mesh=mesh), mesh


def prepare(way, model, columns, rows):
    """(the model as it is trained in one way, the mesh whose ranks have parts of each batch, or None)."""
    if way == "DP":
        return nn.DataParallel(model, device_ids=[0, 1, 2, 3]), None
    if way == "DDP":
        mesh = init_device_mesh("cuda", (4,))
        return nn.parallel.DistributedDataParallel(model, process_group=mesh.get_group()), mesh
    if way == "FSDP":
        return sharded(model)
    if way == "TP":
        mesh = init_device_mesh("cuda", (2,))
        plan = {name: ColwiseParallel() for name in columns} | {name: RowwiseParallel() for name in rows}
        if not rows:  # the outputs' features are wanted whole
            plan = {name: ColwiseParallel(output_layouts=torch.distributed.tensor.Replicate()) for name in columns}
        elif columns == ["0"]:
            plan["0"] = ColwiseParallel(output_layouts=torch.distributed.tensor.Replicate())
            plan["3"] = RowwiseParallel(input_layouts=torch.distributed.tensor.Replicate())
        return parallelize_module(model, mesh, plan), None
    return model, None


def train(name, way, steps, dtype=torch.float32):
    """(losses, programs of the last step, compiles of it, its collectives, bytes of parameters per device)."""
    torch.manual_seed(0)
    model, shape, columns, rows = MODELS[name]()
    batch.letters = name.startswith("gpt")
    model, mesh = prepare(way, model.to("cuda", dtype), columns, rows)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    losses = []
    for step in range(steps):
        x, y = batch(shape, step)
        x = x.to(dtype) if x.is_floating_point() else x
        if mesh is not None:
            x, y = (distribute_tensor(t, mesh, [Shard(0)]).to_local() for t in (x, y))
        torch.cuda.synchronize()
        if step == steps - 1:
            stats.reset()
        loss = nn.functional.cross_entropy(model(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        torch.cuda.synchronize()
        ran = stats.programs, stats.compiles
        if mesh is not None:
            loss = DTensor.from_local(loss.detach(), mesh, [Partial("avg")]).full_tensor()
        losses.append(loss)
    losses = [loss.item() for loss in losses]
    spread = [p for p in program._lru if isinstance(p, program.Program) and p.across is not None]
    text = max(spread, key=lambda p: len(p.path)).executable.as_text() if spread else ""
    counts = {kind: len(re.findall(rf" {kind}(?:-start)?\(", text)) for kind in KINDS}
    held = _bytes(model)
    program.clear()
    return losses, *ran, counts, held


def _bytes(model):
    """What one device holds of the parameters."""
    return sum((p.to_local() if isinstance(p, DTensor) else p).nbytes for p in model.parameters())


def main(name, steps, dtype="float32"):
    dtype = getattr(torch, dtype)
    alone = train(name, "one device", steps, dtype)
    yield f"{name}: one device, losses {alone[0][0]:.4f} to {alone[0][-1]:.4f}, {alone[4]} bytes of parameters"
    for way in ("DP", "DDP", "FSDP", "TP"):
        start = time.perf_counter()
        losses, programs, compiles, counts, held = train(name, way, steps, dtype)
        apart = max(abs(a - b) for a, b in zip(losses, alone[0], strict=True))
        seen = {kind: n for kind, n in counts.items() if n}
        yield (
            f"  {way}: at most {apart:.1e} apart over {steps} steps, last step {programs} programs {compiles} "
            f"compiles, {seen}, {held} bytes per device, {time.perf_counter() - start:.0f} s"
        )


if __name__ == "__main__":
    for line in main(sys.argv[1], int(sys.argv[2]), *sys.argv[3:]):
        sys.stdout.write(line + "\n")
        sys.stdout.flush()
