"""Runs simulated_meshes.py in a process of its own, where four host devices are presented as cuda devices."""

import os
import subprocess
import sys
from pathlib import Path


def test_on_four_simulated_devices():
    here = Path(__file__).parent
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:xdist", str(here / "simulated_meshes.py")],
        env={**os.environ, "JTORCH_SIMULATE_CUDA": "4"},
        cwd=here.parent.parent,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
