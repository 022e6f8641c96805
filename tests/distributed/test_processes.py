"""Two processes on loopback do what two processes of torch with gloo do."""

import re

import pytest

from tests.distributed import several
from tests.distributed.processes import HERE, ROOT, run

PROGRAMS = [
    *(HERE / "programs" / f"{name}.py" for name in ("collectives", "unused", "hooks", "dtensor")),
    *(ROOT / "examples" / "distributed" / f"{name}.py" for name in ("ddp", "fsdp", "tensor_parallel")),
]


@pytest.fixture(scope="module")
def both():
    return several.outputs(PROGRAMS)


@pytest.mark.parametrize("path", PROGRAMS, ids=lambda path: path.stem)
def test_prints_as_torchs(both, path):
    several.same(both, path.name)


STEPS = """
import re
import jtorch as torch
import jtorch.distributed as dist
from jtorch import nn
from jtorch.engine import program, stats
dist.init_process_group("nccl")
model = nn.parallel.DistributedDataParallel(nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 2)))
optimizer = torch.optim.Adam(model.parameters())
for step in range(5):
    if step == 4:
        stats.reset()
    loss = model(torch.ones(2, 4) * (step + dist.get_rank())).sum()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    loss.item()
counts = {name: len(re.findall(rf"{name}(?:-start)?\\(", program.most_recent().executable.as_text()))
          for name in ("all-reduce", "all-gather", "reduce-scatter", "all-to-all", "collective-permute")}
if dist.get_rank() == 1:
    print(stats.programs, stats.compiles, counts)
if dist.get_rank() == 1:
    raise ValueError("it breaks here")
x = torch.ones(2)
dist.all_reduce(x)
print(x)
"""


def test_a_step_is_one_program_with_one_message_and_a_dead_rank_ends_the_others():
    done = run(STEPS, "jtorch.distributed.run", 2)
    one = "1 0 {'all-reduce': 1, 'all-gather': 0, 'reduce-scatter': 0, 'all-to-all': 0, 'collective-permute': 0}"
    assert done.stdout.splitlines() == [one], done.stdout + done.stderr
    assert done.returncode == 1 and "it breaks here" in done.stderr, done.stderr
    # Rank 0 may have seen it, and ended too, before the launcher looked.
    assert re.search("FAILED: the first to fail was rank [01], exit code 1", done.stderr), done.stderr


AGAIN = """
import os, sys
import jtorch as torch
import jtorch.distributed as dist
dist.init_process_group("gloo")
rank, turn = dist.get_rank(), int(os.environ["TORCHELASTIC_RESTART_COUNT"])
if turn == 0:
    try:
        dist.all_reduce(torch.ones(2 + rank))
        dist.barrier()
    except RuntimeError as error:
        print(type(error).__name__, error, file=sys.stderr)
        raise
dist.barrier()
if rank == 0:
    print("turn", turn)
dist.destroy_process_group()
"""


def test_ranks_that_differ_are_named_and_all_start_again():
    done = run(AGAIN, "jtorch.distributed.run", 2, options=("--max-restarts", "1"))
    assert done.returncode == 0 and done.stdout == "turn 1\n", done.stdout + done.stderr
    assert "calls all_reduce(float32[2], how=sum)" in done.stderr, done.stderr
    assert "calls all_reduce(float32[3], how=sum)" in done.stderr, done.stderr
