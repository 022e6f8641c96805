"""Two and three processes on loopback do what as many processes of torch with gloo do."""

import pytest

from tests.distributed import several
from tests.distributed.processes import HERE, ROOT, run

EXAMPLES = "ddp", "ddp_resume", "fsdp", "pipeline", "tensor_parallel"
TWO = [
    *(HERE / "programs" / f"{name}.py" for name in ("unused", "hooks", "dtensor")),
    *(ROOT / "examples" / "distributed" / f"{name}.py" for name in EXAMPLES),
]
THREE = [HERE / "programs" / f"{name}.py" for name in ("collectives", "groups")]


@pytest.fixture(scope="module")
def two():
    return several.outputs(TWO)


@pytest.fixture(scope="module")
def three():
    return several.outputs(THREE, 3)


@pytest.mark.parametrize("path", TWO, ids=lambda path: path.stem)
def test_two_print_as_torchs(two, path):
    several.same(two, path.name)


@pytest.mark.parametrize("path", THREE, ids=lambda path: path.stem)
def test_three_print_as_torchs(three, path):
    several.same(three, path.name)


AGAIN = """
import os, re, signal, sys
import jtorch as torch
import jtorch.distributed as dist
import jtorch.distributed.checkpoint as dcp
from jtorch import nn
from jtorch.distributed.checkpoint.state_dict import get_state_dict, set_state_dict
from jtorch.distributed.fsdp import fully_shard
from jtorch.engine import program, stats
dist.init_process_group("gloo")
rank, turn = dist.get_rank(), int(os.environ["TORCHELASTIC_RESTART_COUNT"])
if turn == 0:
    model = nn.parallel.DistributedDataParallel(nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 2)))
    optimizer = torch.optim.Adam(model.parameters())
    for step in range(4):
        if step == 3:
            stats.reset()
        loss = model(torch.ones(2, 4) * (step + rank)).sum()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        loss.item()
    text = program.most_recent().executable.as_text()
    kinds = "all-reduce", "all-gather", "reduce-scatter", "all-to-all", "collective-permute"
    counts = {name: n for name in kinds if (n := len(re.findall(rf"{name}(?:-start)?\\(", text)))}
    if rank == 1:
        print(stats.programs, stats.compiles, counts)
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


def test_a_step_is_one_program_ranks_that_differ_are_named_and_a_killed_run_goes_on():
    done = run(AGAIN, "jtorch.distributed.run", 2, options=("--max-restarts", "2"))
    wanted = ["1 0 {'all-reduce': 1}", "turn 2 from step 2 True"]
    assert done.returncode == 0 and done.stdout.splitlines() == wanted, done.stdout + done.stderr
    assert "ended with signal SIGKILL" in done.stderr, done.stderr
    assert "calls all_reduce(float32[2], how=sum)" in done.stderr, done.stderr
    assert "calls all_reduce(float32[3], how=sum)" in done.stderr, done.stderr
