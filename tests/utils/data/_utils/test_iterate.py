"""Workers in processes of their own: what they give, how they fail and end, and that nothing of them stays behind."""

import os
import re
import signal
import subprocess
import sys
import threading
import time
import warnings
from collections import namedtuple
from pathlib import Path

import cloudpickle
import numpy as np
import pytest
import torch

import jtorch
from jtorch.utils.data import DataLoader, Dataset, IterableDataset, TensorDataset, get_worker_info
from jtorch.utils.data._utils.forkserver import ForkServer
from tests.oracle import same, same_print, script

# A worker that imported this file would import torch with it.
cloudpickle.register_pickle_by_value(sys.modules[__name__])

Pair = namedtuple("Pair", "x y")


class Own:
    """A batch of a type of one's own."""

    def __init__(self, items):
        self.items = items


def numbered(torch, get, n=8, **options):
    """A loader, with two workers, of a dataset whose sample i is get(i)."""

    class Samples(torch.utils.data.Dataset):
        def __getitem__(self, i):
            return get(i)

        def __len__(self):
            return n

    return torch.utils.data.DataLoader(Samples(), **{"num_workers": 2, "batch_size": 2, **options})


def workers_of(torch):
    """(ids of the processes that made each batch, this process's id)."""
    return [pid for batch in numbered(torch, lambda i: os.getpid()) for pid in batch.tolist()], os.getpid()


def test_the_work_is_done_in_other_processes():
    made, here = workers_of(jtorch)
    assert len(set(made)) == 2
    assert here not in made


@pytest.mark.parametrize(
    "get",
    [
        lambda torch, i: Pair(torch.full((3, 4000), float(i)), {"a": [np.arange(i, i + 3)], "b": f"text {i}"}),
        lambda torch, i: (torch.arange(12.0).reshape(3, 4).t() + i, torch.tensor(i, dtype=torch.bfloat16)),
        lambda torch, i: (torch.arange(24.0).reshape(4, 6)[1:3, 2:] * i, b"bytes", 0.5),
        lambda torch, i: torch.complex(torch.ones(9000) * i, torch.zeros(9000)),
        lambda torch, i: (torch.ones(0, 3), torch.tensor(True), torch.ones(2, 5, dtype=torch.uint8) * i),
    ],
)
def test_what_batches_may_hold(get):
    same(lambda torch: list(numbered(torch, lambda i: get(torch, i))), exact=True)
    same(lambda torch: list(numbered(torch, lambda i: get(torch, i), batch_size=None, shuffle=True)), exact=True)


def test_types_of_ones_own_are_the_same_class_again():
    batches = list(numbered(jtorch, lambda i: i, collate_fn=Own))
    assert all(type(batch) is Own for batch in batches)
    assert [batch.items for batch in batches] == [[0, 1], [2, 3], [4, 5], [6, 7]]
    assert all(type(batch) is Pair for batch in numbered(jtorch, lambda i: Pair(i, i)))


def test_large_arrays_are_shared_and_stay_what_they_are():
    batches = list(numbered(jtorch, lambda i: np.full(40_000, i, np.float32), n=300, batch_size=1, prefetch_factor=3))
    for i, batch in enumerate(batches):
        assert batch.shape == (1, 40_000)
        assert float(batch[0, 0]) == float(batch[0, -1]) == i
    first = batches[0]
    first += 1
    assert float(first.sum()) == 40_000
    assert float(batches[1].sum()) == 40_000


def test_a_worker_that_sends_an_array_again_sends_what_it_holds():
    class Cached(IterableDataset):
        def __iter__(self):
            kept = None
            for i in range(12):
                batch = jtorch.utils.data.default_collate([np.full(20_000, i)])
                kept = batch if kept is None else kept
                yield kept, batch

    for i, (kept, batch) in enumerate(DataLoader(Cached(), batch_size=None, num_workers=1, prefetch_factor=1)):
        assert int(kept.sum()) == 0
        assert int(batch.max()) == i


def test_a_dataset_keeps_what_its_tensors_show():
    def run(torch):
        base = torch.arange(40.0).reshape(10, 4)
        data = torch.utils.data.TensorDataset(base.t().contiguous().t(), base[:, 1], torch.arange(20)[::2])
        return list(torch.utils.data.DataLoader(data, 4, num_workers=2))

    same(run, exact=True)


KEPT = []  # torch's iterators that failed: when one is collected torch waits for its workers for ten seconds


def drained(torch, loader):
    """The batches of a pass that may fail."""
    turns = iter(loader)
    if torch is not jtorch:
        KEPT.append(turns)
    return list(turns)


def broken(torch, cls, args):
    """What iterating says when a sample raises: with lines of frames left out, which differ."""

    def get(i):
        if i == 5:
            raise cls(*args)
        return i

    try:
        drained(torch, numbered(torch, get))
    except Exception as caught:
        lines = str(caught).strip("'").splitlines()
        return type(caught).__name__, lines[0], lines[1], lines[-1], "in get" in str(caught)


class Difficult(Exception):
    """An exception that can't be made of one string."""

    def __init__(self, one, two):
        super().__init__(one)


@pytest.mark.parametrize(
    ("cls", "args"),
    [(ValueError, ("bad",)), (KeyError, ("key",)), (IndexError, (3,)), (Difficult, (1, 2)), (StopIteration, ("over",))],
)
def test_errors_of_samples(cls, args):
    same(lambda torch: broken(torch, cls, args))


def test_errors_of_worker_init_fn_and_of_what_cannot_be_sent():
    def start(worker):
        raise ValueError(f"worker {worker} will not")

    def run(torch):
        try:
            drained(torch, numbered(torch, abs, worker_init_fn=start))
        except ValueError as error:
            return str(error).splitlines()[0], str(error).splitlines()[-1]

    same(run)
    with pytest.raises(TypeError, match=r"Caught TypeError in DataLoader worker process 0[^$]*cannot pickle"):
        list(numbered(jtorch, lambda i: (x for x in "ab"), batch_size=None))


def test_an_error_does_not_end_the_pass():
    def get(i):
        if i == 3:
            raise ValueError
        return i

    def run(torch):
        turns, seen = iter(numbered(torch, get, batch_size=1)), []
        if torch is not jtorch:
            KEPT.append(turns)
        for _ in range(8):
            try:
                seen.append(next(turns))
            except ValueError:
                seen.append("failed")
        return seen

    same(run)


class Refusing:
    """A batch that can be sent, but not made again when it holds the sample 3."""

    def __init__(self, batch):
        self.batch = batch

    def __setstate__(self, state):
        if state["batch"] == [3]:
            raise ValueError("not made again")
        vars(self).update(state)


def test_a_batch_that_cannot_be_read_does_not_end_the_pass():
    turns, seen = iter(numbered(jtorch, lambda i: i, batch_size=1, n=6, collate_fn=Refusing)), []
    for _ in range(6):
        try:
            seen += next(turns).batch
        except ValueError as error:
            seen.append(str(error))
    assert seen == [0, 1, 2, "not made again", 4, 5]


def test_many_long_tasks_and_answers_do_not_block_each_other():
    rows = list(range(0, 30_000, 3))
    sampler = [rows[i:] for i in range(60)]
    options = {"batch_sampler": sampler, "batch_size": 1, "prefetch_factor": 25, "n": 30_000}
    loader = numbered(jtorch, lambda i: i, **options, collate_fn=lambda items: [items, b"x" * 300_000])
    assert all(items == wanted for (items, _), wanted in zip(loader, sampler, strict=True))


@pytest.mark.parametrize("end", ["kill", "exit"])
def test_a_worker_that_dies(end):
    def die(i):
        if i == 6:
            os.kill(os.getpid(), signal.SIGKILL) if end == "kill" else os._exit(3)
        return i

    def run(torch):
        try:
            drained(torch, numbered(torch, die))
        except RuntimeError as error:
            return [re.sub(r"\d+", "N", str(e), count=1) for e in (error, error.__cause__)]

    began = time.monotonic()
    same(run)
    assert time.monotonic() - began < 20
    list(numbered(jtorch, lambda i: i))


def test_timeout():
    def run(torch):
        try:
            drained(torch, numbered(torch, lambda i: time.sleep(1), n=1, timeout=0.3, num_workers=1))
        except RuntimeError as error:
            return str(error)

    same(run)


def test_batches_out_of_order(tmp_path):
    def run(torch):
        received = tmp_path / torch.__name__

        def get(i):
            while i == 0 and not received.exists():  # until this process has a batch of the other worker
                time.sleep(0.01)
            return i

        seen = []
        for x in numbered(torch, get, batch_size=1, in_order=False, n=6):
            seen.append(int(x))
            received.touch()
        return seen

    for lib in (torch, jtorch):
        seen = run(lib)
        assert seen[0] == 1
        assert sorted(seen) == list(range(6))


def test_persistent_workers_stay_and_start_anew_after_a_break():
    loader = numbered(jtorch, lambda i: (i, os.getpid()), persistent_workers=True, n=40)
    for _ in loader:
        break
    passes = [[tuple(map(tuple, (x.tolist() for x in batch))) for batch in loader] for _ in range(2)]
    assert passes[0] == passes[1]
    assert [i for numbers, _ in passes[0] for i in numbers] == list(range(40))


def test_what_cannot_be_pickled_is_loaded_in_this_process():
    loader = numbered(jtorch, lambda i, held=(x for x in "ab"): os.getpid())
    with pytest.warns(UserWarning, match="do their work in the main process.*generator"):
        assert {int(pid) for batch in loader for pid in batch} == {os.getpid()}


def test_what_a_worker_cannot_import_is_loaded_in_this_process():
    name = "jtorch_test_no_such_module"
    module = sys.modules[name] = type(sys)(name)
    exec("def get(i):\n    import os\n    return os.getpid()", vars(module))
    try:
        with pytest.warns(UserWarning, match=f"do their work in the main process.*No module named '{name}'"):
            assert {int(p) for batch in numbered(jtorch, module.get) for p in batch} == {os.getpid()}
    finally:
        del sys.modules[name]


def test_open_files_and_locks(tmp_path):
    path = tmp_path / "rows"
    path.write_bytes(b"".join(b"%03d" % i for i in range(8)))
    file, text, lock = open(path, "rb"), open(path), threading.RLock()
    file.seek(0)

    def get(i):
        with lock:
            file.seek(3 * i)
            text.seek(3 * i)
            return int(file.read(3)), text.read(3), os.getpid() != get.main

    get.main = os.getpid()
    with warnings.catch_warnings(), file, text:
        warnings.simplefilter("error")
        batches = list(numbered(jtorch, get))
    assert [i for numbers, _, _ in batches for i in numbers.tolist()] == list(range(8))
    assert [t for _, words, _ in batches for t in words] == [f"{i:03d}" for i in range(8)]
    assert all(bool(other.all()) for _, _, other in batches)


def test_worker_info_and_globals_are_the_workers():
    def start(worker):
        get.scale = 10 + worker

    def get(i):
        info = get_worker_info()
        return info.id, get.scale, info.num_workers

    get.scale = 0
    for i, (ids, scales, counts) in enumerate(numbered(jtorch, get, worker_init_fn=start)):
        assert ids.tolist() == [i % 2] * 2
        assert scales.tolist() == [10 + i % 2] * 2
        assert counts.tolist() == [2, 2]
    assert get.scale == 0


def test_settings_and_surroundings_are_the_programs(tmp_path, monkeypatch, capfd):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("JTORCH_TEST_OF_WORKERS", "here")

    def get(torch, i):
        warnings.warn("not said again", stacklevel=1)
        return os.getcwd(), os.environ["JTORCH_TEST_OF_WORKERS"], sys.argv, torch.ones(1), torch.tensor(0.5)

    def run(torch):
        before = torch.get_default_dtype()
        torch.set_default_dtype(torch.float64)
        try:
            return list(numbered(torch, lambda i: get(torch, i), n=2, batch_size=None))
        finally:
            torch.set_default_dtype(before)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        same(run)
    assert "not said again" not in capfd.readouterr().err


def test_the_fork_server_starts_no_thread():
    list(numbered(jtorch, lambda i: i))
    server = ForkServer.get()._process.pid
    assert os.listdir(f"/proc/{server}/task") == [str(server)]


def children():
    """Processes below this one, but for the fork server."""
    server = ForkServer.get()._process.pid
    found = subprocess.run(["ps", "-eo", "pid=,ppid="], capture_output=True, text=True, check=True).stdout
    return {pid for pid, parent in map(str.split, found.splitlines()) if parent == str(server)}


def test_nothing_stays_behind():
    def files():
        return len(os.listdir("/proc/self/fd")), set(os.listdir("/dev/shm"))

    list(numbered(jtorch, lambda i: i))
    before, open_before = children(), files()
    loader = numbered(jtorch, lambda i: np.zeros(50_000) + i, n=40)
    held = [batch for _, batch in zip(range(5), loader, strict=False)]
    turns = iter(loader)
    next(turns)
    assert len(children()) > len(before)
    del turns, held
    list(loader)
    assert children() == before
    assert files() == open_before


LEFT = """
import os, signal, sys, time
import jtorch as torch

signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs ignore it

class Slow(torch.utils.data.Dataset):
    def __len__(self):
        return 100
    def __getitem__(self, i):
        time.sleep(0.05 if i < 8 else {sleep})
        return torch.zeros(50_000), os.getpid()

turns = iter(torch.utils.data.DataLoader(Slow(), num_workers=2))
pids = {int(next(turns)[1]) for _ in range(4)}
print(*pids, turns._workers[0]._server._process.pid, flush=True)
for batch in turns:
    pass
"""


@pytest.mark.parametrize(("how", "sleep"), [(signal.SIGINT, 0.05), (signal.SIGKILL, 600)])
def test_nothing_stays_behind_a_program_that_is_stopped(how, sleep):
    shared = set(os.listdir("/dev/shm"))
    text = LEFT.replace("{sleep}", str(sleep))
    program = subprocess.Popen([sys.executable, "-c", text], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    pids = program.stdout.readline().split()
    program.send_signal(how)
    _, errors = program.communicate(timeout=30)
    assert len(pids) == 3, errors
    if how == signal.SIGINT:
        assert errors.rstrip().endswith("KeyboardInterrupt")
        assert errors.count("Traceback") == 1
    until = time.monotonic() + 10
    while any(Path("/proc", pid).exists() for pid in pids) and time.monotonic() < until:
        time.sleep(0.05)
    assert not [pid for pid in pids if Path("/proc", pid).exists()]
    assert set(os.listdir("/dev/shm")) <= shared


def test_an_unguarded_script():
    script(
        """
import torch
from torch.utils.data import DataLoader, Dataset

torch.manual_seed(3)
SCALE = 3
weights = torch.arange(4.0)

def scaled(x):
    return x * SCALE + helper(x)

helper = lambda x: (x @ weights).sum()

class Numbers(Dataset):
    def __init__(self):
        super().__init__()
        self.label = {i: str(i) for i in range(10)}
    def __len__(self):
        return 10
    def __getitem__(self, i):
        return scaled(torch.full((4,), float(i))), torch.rand(2), self.label[i]

collate = lambda batch: (torch.stack([x for x, _, _ in batch]), batch[0][1], [word for _, _, word in batch])
loader = DataLoader(Numbers(), batch_size=3, shuffle=True, num_workers=2, collate_fn=collate)
for epoch in range(2):
    for x, noise, words in loader:
        print(x.tolist(), noise, words)
"""
    )


def test_pinning_says_nothing_new():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        same_print(lambda torch: list(numbered(torch, lambda i: torch.ones(2) * i, pin_memory=True)))


def test_rows_of_tensors():
    x = jtorch.arange(40_000.0).reshape(1000, 40)
    data = TensorDataset(x, jtorch.arange(1000))
    for rows, numbers in DataLoader(data, 250, shuffle=True, num_workers=2):
        assert (rows[:, 0] == numbers * 40).all()
    assert isinstance(data, Dataset)
