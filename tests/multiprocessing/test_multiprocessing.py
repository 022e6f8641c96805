"""torch.multiprocessing: a script beside torch, what goes wrong in a process, and that nothing is forked."""

import pytest

import jtorch
from tests.oracle import same_error, script

PROGRAM = """
import os
import signal

import torch
import torch.multiprocessing as mp


def work(rank, x, queue, read):
    queue.put((rank, x * (rank + 1), torch.arange(3, dtype=torch.bfloat16)))
    read.wait()  # torch: memory that is shared goes with the process


def fail(rank, how):
    if rank == 0:
        if how == "raise":
            raise ValueError("no good")
        os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    mp.set_start_method("spawn")
    queue, read = mp.SimpleQueue(), mp.Event()
    context = mp.spawn(work, args=(torch.ones(2, requires_grad=True).detach(), queue, read), nprocs=2, join=False)
    for rank, x, y in sorted(queue.get() for _ in range(2)):
        print(rank, x, y)
    read.set()
    while not context.join():
        pass
    for how in ("raise", "kill"):
        try:
            mp.spawn(fail, args=(how,), nprocs=1)
        except (mp.ProcessRaisedException, mp.ProcessExitedException) as error:
            lines = str(error).strip().splitlines()
            print(type(error).__name__, error.error_index, lines[0], lines[-1])
    print(mp.get_start_method(), mp.get_context("spawn").get_start_method())
"""


def test_a_script_is_torchs(tmp_path):
    file = tmp_path / "program.py"
    file.write_text(PROGRAM)
    script(file)


def test_settings():
    mp = jtorch.multiprocessing
    assert mp.get_all_start_methods() == ["spawn", "forkserver"] and mp.get_start_method() == "spawn"
    assert mp.get_sharing_strategy() == "file_descriptor"
    assert mp.get_all_sharing_strategies() == {"file_system", "file_descriptor"}
    mp.set_sharing_strategy("file_system")
    mp.set_sharing_strategy("file_descriptor")
    with pytest.raises(AssertionError, match="invalid sharing strategy 'other'"):
        mp.set_sharing_strategy("other")
    for refused in (lambda: mp.set_start_method("fork"), lambda: mp.get_context("fork")):
        with pytest.raises(RuntimeError, match="starts no processes by fork"):
            refused()
    same_error(lambda torch: torch.multiprocessing.get_context("other"))
