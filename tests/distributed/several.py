"""Several programs one after the other in one group of processes, since processes are slow to start."""

import os
import runpy
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.distributed.processes import run
from tests.scripts import as_jtorch, same_lines

_SOURCE = """
import sys
sys.path.insert(0, {root!r})
import torch
import torch.distributed as dist
from tests.distributed import several
several.inside(torch, dist, {paths!r})
"""
_MARK = "=== "


def outputs(paths, size=2):
    """{name of a program: (the lines that it prints under torch, under jtorch)}. All run in `size` processes."""
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(2) as pool:
        turned = [Path(folder) / path.name for path in paths]
        for path, copy in zip(paths, turned, strict=True):
            copy.write_text(as_jtorch(path.read_text()))
        root = str(Path(__file__).parent.parent.parent)
        plain, own = (_SOURCE.format(root=root, paths=[*map(str, listed)]) for listed in (paths, turned))
        launched = (plain, "torch.distributed.run", size), (as_jtorch(own), "jtorch.distributed.run", size)
        done = list(pool.map(lambda given: run(*given), launched))
    parts = [_by_program(one.stdout) for one in done]
    return {path.name: tuple(part.get(path.name, [*one.stderr.splitlines()[-60:], "it failed"])
                             for part, one in zip(parts, done, strict=True)) for path in paths}  # fmt: skip


def _by_program(text):
    found, lines = {}, []
    for line in text.splitlines():
        if line.startswith(_MARK):
            found[line.removeprefix(_MARK)], lines = lines, []
        else:
            lines.append(line)
    return found


def same(both, name, rtol=1e-6):
    """Assert that a program printed the same under both."""
    expected, actual = both[name]
    assert expected and "it failed" not in expected, "\n".join(expected)
    same_lines(name, expected, actual, rtol)


def inside(torch, dist, paths):
    """Run programs in this rank: the first init_process_group of each and its destroy_process_group do nothing."""
    init = dist.init_process_group
    init("gloo")
    dist.destroy_process_group = lambda group=None: dist.barrier()
    for path in paths:
        turns = [None]
        dist.init_process_group = lambda *args, turns=turns, **kwargs: turns.pop() if turns else init(*args, **kwargs)
        torch.manual_seed(0)
        sys.argv = [path]
        runpy.run_path(path, run_name="__main__")
        dist.barrier()
        if dist.get_rank() == 0:
            sys.stdout.write(f"{_MARK}{os.path.basename(path)}\n")
            sys.stdout.flush()
    dist.barrier()
    os._exit(0)  # torch's reducer and gloo's threads may abort when Python takes them apart
