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


REPLAYS = """
import jtorch as torch
from jtorch.engine import stats
model = torch.nn.Linear(3, 2)
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)

@torch.compile
def step(x):
    optimizer.zero_grad()
    loss = model(x).sum()
    loss.backward()
    optimizer.step()
    return loss

for n in (4, 4, 2, 4, 2):
    held = model.weight.detach().clone() if n == 2 else model.weight.detach()
    step(torch.ones(n, 3))
del held
for n in range(7):
    x = torch.ones(3)
    for _ in range(n + 4):
        x = x.sin() * 2
    x.tolist()
print(stats.compiles)
print(stats.replays)
"""


def run(script=SCRIPT, **settings):
    """(standard output lines, standard error) of a script under some settings."""
    env = {k: v for k, v in os.environ.items() if not k.startswith("JTORCH_")}
    done = subprocess.run(
        [sys.executable, "-c", script], env=env | settings, capture_output=True, text=True, check=False
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


def test_debug_has_a_line_for_every_compile(tmp_path):
    (compiles, replays), said = run(REPLAYS, JTORCH_DEBUG="1", JTORCH_CACHE_DIR=str(tmp_path))
    lines = [line for line in said.splitlines() if "compiled in" in line]
    assert len(lines) == int(compiles) and int(replays) > 0
    assert all("<string>:" in line for line in lines)
    whole = [line for line in lines if " calls, " in line]
    assert all(" ms: call " in line or " ms: known calls" in line for line in whole)
    assert any("float32[2, 3] instead of float32[4, 3]" in line for line in whole), said


def test_eager_runs_each_call_at_once(tmp_path):
    lazy, _ = run(JTORCH_CACHE_DIR=str(tmp_path))
    eager, _ = run(JTORCH_EAGER="1", JTORCH_CACHE_DIR=str(tmp_path))
    assert eager[0] == lazy[0]
    assert "'eager'" in eager[1] and "'eager'" not in lazy[1]
