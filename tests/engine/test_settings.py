"""The environment variables, each in a process of its own."""

import os
import subprocess
import sys

SCRIPT = """
import jtorch as torch
from jtorch.engine import stats
w = torch.ones(3, requires_grad=True)
for i in range(3):
    (w * w).sum().backward()
    with torch.no_grad():
        w -= 0.1 * w.grad
    w.grad = None
print(w.tolist())
print(stats.snapshot()["flushes"])
"""


def run(**settings):
    """(standard output lines, standard error) of the script under some settings."""
    env = {k: v for k, v in os.environ.items() if not k.startswith("JTORCH_")}
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT], env=env | settings, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines(), done.stderr


def test_the_cache_moves_and_can_be_turned_off(tmp_path):
    moved, home = tmp_path / "moved", tmp_path / "home"
    plain, _ = run(JTORCH_CACHE_DIR=str(moved))
    assert list(moved.iterdir())
    off, _ = run(JTORCH_CACHE="0", XDG_CACHE_HOME=str(home))
    assert not home.exists()
    assert plain == off
    again, _ = run(XDG_CACHE_HOME=str(home))
    assert list((home / "jtorch" / "xla").iterdir()) and again == plain


def test_debug_says_why_and_where_each_program_ran(tmp_path):
    out, said = run(JTORCH_DEBUG="1", JTORCH_CACHE_DIR=str(tmp_path))
    lines = [line for line in said.splitlines() if line.startswith("[jtorch]")]
    assert len(lines) == 4  # what made the leaf, two steps, the read
    assert all("<string>:" in line and "calls" in line for line in lines)
    assert "step at" in lines[0] and "compiled in" in lines[0] and "call 1" in lines[0] and "compiled in" in lines[1]
    assert "read at" in lines[-1]


def test_eager_runs_each_call_at_once(tmp_path):
    lazy, _ = run(JTORCH_CACHE_DIR=str(tmp_path))
    eager, _ = run(JTORCH_EAGER="1", JTORCH_CACHE_DIR=str(tmp_path))
    assert eager[0] == lazy[0]
    assert "'eager'" in eager[1] and "'eager'" not in lazy[1]
