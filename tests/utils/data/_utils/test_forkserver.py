"""The fork server: it imports beforehand what workers need, and begins anew when that started a thread."""

import importlib
import os
import subprocess
import sys

from jtorch.utils.data import DataLoader
from jtorch.utils.data._utils.forkserver import ForkServer

THREADED = """
import threading, time
threading.Thread(target=time.sleep, args=(1000,), daemon=True).start()
def get(i):
    return i * 2
"""
NOTED = """
import os, time
if os.getpid() != {main}:
    time.sleep(2)  # longer than the loader's timeout, to which the start of its workers does not count
with open({log!r}, "a") as file:
    file.write(str(os.getpid()) + " ")
def get(i):
    return i * 3
"""


def server_threads():
    server = ForkServer.get()._process.pid
    return len(os.listdir(f"/proc/{server}/task"))


def test_modules_are_imported_once_threads_and_kills_are_survived(tmp_path, monkeypatch):
    folder = tmp_path / "site-packages"
    folder.mkdir()
    (folder / "jt_threaded.py").write_text(THREADED)
    (folder / "jt_noted.py").write_text(NOTED.format(log=str(tmp_path / "log"), main=os.getpid()))
    monkeypatch.setattr(ForkServer, "_current", None)
    monkeypatch.syspath_prepend(str(folder))
    noted, threaded = map(importlib.import_module, ("jt_noted", "jt_threaded"))
    for _ in range(2):
        loader = DataLoader(range(4), None, num_workers=2, collate_fn=noted.get, timeout=1.5)
        assert [int(x) for x in loader] == [0, 3, 6, 9]
    imported_by = [int(pid) for pid in (tmp_path / "log").read_text().split()]
    assert imported_by == [os.getpid(), ForkServer.get()._process.pid]
    first = ForkServer.get()
    for _ in range(2):
        assert [int(x) for x in DataLoader(range(4), None, num_workers=2, collate_fn=threaded.get)] == [0, 2, 4, 6]
        assert server_threads() == 1
    assert ForkServer.get() is first
    first._process.kill()
    first._process.wait()
    assert len(list(DataLoader(range(4), num_workers=1))) == 4
    assert ForkServer.get() is not first


def test_workers_under_the_import_hook(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(
        "import torch\n"
        "from torch.utils.data import DataLoader\n"
        "def get(i):\n"
        "    import torch.nn.functional as F\n"
        "    return F.relu(torch.tensor(float(i - 1))), F.__name__\n"
        "print([(x.item(), name) for x, name in DataLoader(range(3), None, num_workers=2, collate_fn=get)])\n"
    )
    done = subprocess.run([sys.executable, "-m", "jtorch", "run", str(script)], capture_output=True, text=True)
    assert done.stdout == f"{[(x, 'torch.nn.functional') for x in (0.0, 0.0, 1.0)]}\n", done.stderr
