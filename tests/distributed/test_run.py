"""The launcher: variables, restarts, logs, and that no rank outlives it."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
import torch.distributed.run

from jtorch.distributed import run

TELLS = """
import json, os, sys
folder = sys.argv[1]
turn = int(os.environ["TORCHELASTIC_RESTART_COUNT"])
with open(f"{folder}/{os.environ['RANK']}-{turn}", "w") as file:
    json.dump([dict(os.environ), sys.argv[1:]], file)
print("out", os.environ["LOCAL_RANK"], flush=True)
print("err", os.environ["LOCAL_RANK"], file=sys.stderr, flush=True)
sys.exit(3 if turn == 0 and "fail" in sys.argv and os.environ["RANK"] == "1" else 0)
"""
SLEEPS = """
import os, sys, time
open(f"{sys.argv[1]}/{os.environ['RANK']}-{os.getpid()}", "w").close()
time.sleep(600)
"""
VARIABLES = (
    "RANK LOCAL_RANK WORLD_SIZE LOCAL_WORLD_SIZE GROUP_RANK GROUP_WORLD_SIZE ROLE_RANK ROLE_WORLD_SIZE ROLE_NAME "
    "TORCHELASTIC_RESTART_COUNT TORCHELASTIC_MAX_RESTARTS TORCHELASTIC_USE_AGENT_STORE"
).split()


@pytest.fixture
def program(tmp_path):
    """(a function that writes a program, the folder that it is given)."""
    (tmp_path / "told").mkdir()

    def write(source):
        path = tmp_path / "program.py"
        path.write_text(source)
        return str(path), str(tmp_path / "told")

    return write


def told(folder):
    return {path.name: json.loads(path.read_text()) for path in sorted(Path(folder).iterdir())}


def test_ranks_are_told_what_torchrun_tells(program, tmp_path):
    script, folder = program(TELLS)
    options = ["--nproc-per-node=2", "--standalone", "--role", "r", "--max_restarts", "2"]
    found = []
    for main in (torch.distributed.run.main, run.main):
        before = [signal.getsignal(how) for how in (signal.SIGTERM, signal.SIGINT)]
        main([*options, script, folder, "--x", "1"])
        for how, handler in zip((signal.SIGTERM, signal.SIGINT), before, strict=True):
            signal.signal(how, handler)
        found.append({rank: ({name: env.get(name) for name in VARIABLES}, given) for rank, (env, given)
                      in told(folder).items()})  # fmt: skip
    theirs, ours = found
    for rank in theirs:
        own = theirs[rank][0] | {"TORCHELASTIC_USE_AGENT_STORE": "False"}  # no store of the launcher's
        assert (own, theirs[rank][1]) == ours[rank], rank


def test_ranks_start_again_as_often_as_they_may(program, capfd):
    script, folder = program(TELLS)
    run.main(["--nproc-per-node", "2", "--standalone", "--max-restarts", "1", script, folder, "fail"])
    assert {"0-1", "1-1", "1-0"} <= set(told(folder))
    assert "rank 1 (local rank 1, pid " in capfd.readouterr().err
    with pytest.raises(SystemExit) as end:
        run.main(["--nproc-per-node", "2", "--standalone", script, folder, "fail"])
    assert end.value.code == 1
    assert "program.py FAILED: the first to fail was rank 1, exit code 3" in capfd.readouterr().err


def test_what_ranks_print_goes_to_files(program, tmp_path, capfd, monkeypatch):
    script, folder = program(TELLS)
    logs = ["--log-dir", str(tmp_path / "logs"), "--rdzv-id", "job"]
    monkeypatch.setenv("PET_NPROC_PER_NODE", "2")
    run.main([*logs, "-r", "0:3", "-t", "1:1", script, folder])
    shown = capfd.readouterr()
    files = {str(path.relative_to(tmp_path / "logs" / "job")): path.read_text() for path in
             (tmp_path / "logs").rglob("*.log")}  # fmt: skip
    assert files == {"attempt_0/0/stdout.log": "out 0\n", "attempt_0/0/stderr.log": "err 0\n",
                     "attempt_0/1/stdout.log": "out 1\n"}  # fmt: skip
    assert shown.out == "[default1]:out 1\n" and "err 1" in shown.err and "err 0" not in shown.err
    run.main(["--local-ranks-filter", "1", script, folder])
    assert capfd.readouterr().out == "out 1\n"


def _wait_for(condition):
    until = time.monotonic() + 240
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.02)


def _alive(pid):
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_no_rank_outlives_the_launcher(program):
    script, folder = program(SLEEPS)

    def interrupt():
        _wait_for(lambda: len(os.listdir(folder)) == 2)
        os.kill(os.getpid(), signal.SIGINT)

    thread = threading.Thread(target=interrupt)
    thread.start()
    with pytest.raises(SystemExit) as end:
        run.main(["--nproc-per-node", "2", "--standalone", script, folder])
    thread.join()
    assert end.value.code == 128 + signal.SIGINT
    first = os.listdir(folder)
    command = [sys.executable, "-m", "jtorch.distributed.run", "--nproc-per-node", "2", "--standalone"]
    launcher = subprocess.Popen([*command, script, folder])
    try:
        _wait_for(lambda: len(os.listdir(folder)) == 4)
    finally:
        launcher.kill()
        launcher.wait()
    pids = [name.split("-")[1] for name in os.listdir(folder)]
    assert len(first) == 2 and len(pids) == 4
    _wait_for(lambda: not any(map(_alive, pids)))
