"""Runs simulated*.py in a process of its own, where two host devices are presented as cuda:0 and cuda:1."""

import os
import subprocess
import sys
from pathlib import Path


def test_on_simulated_cuda():
    here = Path(__file__).parent
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:xdist", *map(str, sorted(here.glob("simulated*.py")))],
        env={**os.environ, "JTORCH_SIMULATE_CUDA": "2"},
        cwd=here.parent.parent,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
