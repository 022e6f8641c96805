"""What a training step costs on several devices: measured on simulated ones, and on paper on 8 and 1,024 GPUs.

    JTORCH_SIMULATE_CUDA=8 python -m bench.scaling measured    seconds of a step on 1, 2, 4, 8 devices of one machine
    python -m bench.scaling paper                              the table of docs/distributed.md, from sizes of messages

Simulated devices share the machine's cores: with the whole batch held fixed a step can't become faster than on one,
and what it becomes slower by is what the partition costs: copies of parameters, and messages within the memory.
"""

import argparse
import sys
import time

import jtorch as torch
from jtorch import nn
from jtorch.distributed.device_mesh import init_device_mesh
from jtorch.distributed.fsdp import fully_shard
from jtorch.distributed.tensor import Shard, distribute_tensor

MODEL = {"layers": 12, "width": 768, "length": 1024, "vocabulary": 50257}
BATCH = 8  # sequences of a GPU
FLOPS = 400e12  # that a GPU of 989e12 in bfloat16 reaches in training: 40 %
NODE, NETWORK = 300e9, 50e9  # bytes a second that a GPU sends, within a node of 8 and between nodes
HOP = {True: 3e-6, False: 10e-6}  # seconds of a message's way, within a node and between nodes
PER_NODE = 8


def parameters(layers, width, vocabulary, length):
    """How many numbers a GPT has: 12·D² a block, the table of letters, the places."""
    return 12 * layers * width**2 + vocabulary * width + length * width


def compute(n):
    """Seconds of a step's arithmetic: 6 flops for each parameter and token, forward and backward."""
    return 6 * n * BATCH * MODEL["length"] / FLOPS


def ring(size, ranks, rate, inside):
    """Seconds of an all-gather or reduce-scatter of so many bytes by a ring; an all-reduce is both."""
    return size * (ranks - 1) / ranks / rate + (ranks - 1) * HOP[inside]


def flat(size, ranks):
    """A ring over all ranks: its slowest link counts."""
    inside = ranks <= PER_NODE
    return ring(size, ranks, NODE if inside else NETWORK, inside)


def ways(ranks):
    """{way: seconds of the messages of a step} of the model, parameters and gradients in bfloat16."""
    n = parameters(**MODEL)
    size = 2 * n
    found = {"DistributedDataParallel": 2 * flat(size, ranks), "fully_shard": 2 * flat(size, ranks)}
    if ranks > PER_NODE:  # shards within the node, copies between: a rank's part goes through the network
        nodes = ranks // PER_NODE
        between = 2 * ring(size / PER_NODE, nodes, NETWORK, False)
        found["fully_shard, 8 a node"] = 2 * ring(size, PER_NODE, NODE, True) + between
    block = 2 * BATCH * MODEL["length"] * MODEL["width"]
    if ranks <= PER_NODE:
        found["plans"] = 4 * MODEL["layers"] * 2 * flat(block, ranks)
    return found


def paper():
    """Lines of a Markdown table."""
    n = parameters(**MODEL)
    busy = compute(n)
    yield f"{n / 1e6:.0f} million parameters, {BATCH} sequences a GPU: {busy * 1e3:.0f} ms of arithmetic"
    yield "| way | GPUs | messages | step, none hidden | step, all that can be | efficiency |"
    yield "|---|---|---|---|---|---|"
    for ranks in (8, 1024):
        for way, seconds in ways(ranks).items():
            # Plans' messages stand between the products that need them; of the others a backward, 2/3, can hide them.
            work = busy / ranks if way == "plans" else busy
            least = work + seconds if way == "plans" else max(work, work / 3 + seconds)
            yield (f"| {way} | {ranks:,} | {seconds * 1e3:.1f} ms | {(work + seconds) * 1e3:.1f} ms "
                   f"| {least * 1e3:.1f} ms | {work / (work + seconds):.0%} to {work / least:.0%} |")  # fmt: skip


def measured(steps, repeats):
    """Lines of a Markdown table: seconds of a step of one batch on 1, 2, 4 and 8 simulated devices."""
    yield "| devices | DataParallel | DistributedDataParallel | fully_shard |"
    yield "|---|---|---|---|"
    for count in (1, 2, 4, 8):
        cells = [seconds(way, count, steps, repeats) for way in ("DP", "DDP", "FSDP")]
        yield f"| {count} | " + " | ".join(f"{cell * 1e3:.1f} ms" for cell in cells) + " |"


def trainer(way, count):
    """A step of an MLP on a batch of 512, in one way on so many devices."""
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(512, 1024), nn.ReLU(), nn.Linear(1024, 1024), nn.ReLU(), nn.Linear(1024, 10))
    model, x = model.to("cuda"), torch.randn(512, 512).to("cuda")
    y = torch.randint(0, 10, (512,)).to("cuda")
    if way == "DP" and count > 1:
        model = nn.DataParallel(model, device_ids=list(range(count)))
    elif count > 1:
        mesh = init_device_mesh("cuda", (count,))
        group = mesh.get_group()
        model = (
            fully_shard(model, mesh=mesh)
            if way == "FSDP"
            else nn.parallel.DistributedDataParallel(model, process_group=group)
        )
        x, y = (distribute_tensor(t, mesh, [Shard(0)]).to_local() for t in (x, y))
    optimizer = torch.optim.SGD(model.parameters(), lr=1e-3)

    def step():
        loss = nn.functional.cross_entropy(model(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        torch.cuda.synchronize()

    return step


def seconds(way, count, steps, repeats):
    """The least of the mean times of some steps."""
    step = trainer(way, count)
    for _ in range(3):
        step()
    best = float("inf")
    for _ in range(repeats):
        start = time.perf_counter()
        for _ in range(steps):
            step()
        best = min(best, (time.perf_counter() - start) / steps)
    return best


def main():
    given = argparse.ArgumentParser(description=__doc__)
    given.add_argument("what", choices=["measured", "paper"])
    given.add_argument("--steps", type=int, default=10)
    given.add_argument("--repeats", type=int, default=3)
    given = given.parse_args()
    for line in paper() if given.what == "paper" else measured(given.steps, given.repeats):
        sys.stdout.write(line + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
