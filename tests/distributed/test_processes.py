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
import os, signal, sys
import jtorch as torch
import jtorch.distributed as dist
import jtorch.distributed.checkpoint as dcp
from jtorch import nn
from jtorch.distributed.checkpoint.state_dict import get_state_dict, set_state_dict
from jtorch.distributed.fsdp import fully_shard
dist.init_process_group("gloo")
rank, turn = dist.get_rank(), int(os.environ["TORCHELASTIC_RESTART_COUNT"])
if turn == 0:
    try:
        dist.all_reduce(torch.ones(2 + rank))
        dist.barrier()
    except RuntimeError as error:
        print(type(error).__name__, error, file=sys.stderr)
        raise


def train(folder):
    torch.manual_seed(0)
    model = fully_shard(nn.Sequential(nn.Linear(4, 6), nn.ReLU(), nn.Linear(6, 3)))
    optimizer = torch.optim.Adam(model.parameters(), lr=0.1)
    losses, step = [], 0
    if folder and os.path.exists(os.path.join(folder, ".metadata")):
        names = "model", "optimizer"
        states = dict(zip(names, get_state_dict(model, optimizer))) | {"losses": [], "step": 0}
        dcp.load(states, checkpoint_id=folder)
        set_state_dict(model, optimizer, model_state_dict=states["model"], optim_state_dict=states["optimizer"])
        losses, step = states["losses"], states["step"]
    first = step
    while step < 5:
        torch.manual_seed(10 * step + rank)
        loss = model(torch.randn(3, 4)).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
        step += 1
        if folder:
            own, other = get_state_dict(model, optimizer)
            if turn == 1 and step == 3 and rank == 1:  # in the middle of a save: rank 0 has begun with it
                os.kill(os.getpid(), signal.SIGKILL)
            dcp.save({"model": own, "optimizer": other, "losses": losses, "step": step}, checkpoint_id=folder)
    return first, losses


first, resumed = train("kept")
_, whole = train(None)
if rank == 0:
    print("turn", turn, "from step", first, resumed == whole)
dist.destroy_process_group()
"""


def test_ranks_that_differ_are_named_and_a_killed_run_goes_on_from_its_last_checkpoint():
    done = run(AGAIN, "jtorch.distributed.run", 2, options=("--max-restarts", "2"))
    assert done.returncode == 0 and done.stdout == "turn 2 from step 2 True\n", done.stdout + done.stderr
    assert "ended with signal SIGKILL" in done.stderr, done.stderr
    assert "calls all_reduce(float32[2], how=sum)" in done.stderr, done.stderr
    assert "calls all_reduce(float32[3], how=sum)" in done.stderr, done.stderr
