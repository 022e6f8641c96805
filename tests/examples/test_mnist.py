"""The demo: the same file under torch and under jtorch gives the same curves, and it learns to read digits."""

import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

SCRIPT = Path(__file__).resolve().parents[2] / "examples" / "mnist.py"


def run(path, folder, *args):
    """What the script prints, and its curves: {tag: [(step, value)]}."""
    command = [sys.executable, str(path), "--log-dir", str(folder), *args]
    env = os.environ | {"OMP_NUM_THREADS": "1"}  # torch's threads spin when the other cores are busy with tests
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=SCRIPT.parents[1], env=env)
    assert done.returncode == 0, done.stderr
    events = EventAccumulator(str(folder))
    events.Reload()
    return done.stdout, {tag: [(e.step, e.value) for e in events.Scalars(tag)] for tag in events.Tags()["scalars"]}


def test_the_same_file_under_torch_draws_the_same_curves(tmp_path):
    under_torch = tmp_path / "mnist_torch.py"
    under_torch.write_text(re.sub(r"\bjtorch\b", "torch", SCRIPT.read_text()))
    args = ["--steps", "25", "--epochs", "1", "--log-every", "1", "--seed", "7"]
    _, theirs = run(under_torch, tmp_path / "theirs", *args)
    _, ours = run(SCRIPT, tmp_path / "ours", *args)
    assert ours.keys() == theirs.keys() == {"loss/train", "accuracy/held-out", "lr"}
    assert len(theirs["loss/train"]) == 25
    for tag, curve in theirs.items():
        np.testing.assert_allclose(ours[tag], curve, rtol=1e-4, err_msg=tag)


def test_it_reads_held_out_digits(tmp_path):
    printed, curves = run(SCRIPT, tmp_path / "run")
    assert curves["accuracy/held-out"][-1][1] >= 0.95, printed
    programs, compiles = map(int, re.search(r"(\d+) programs run, (\d+) compiled", printed).groups())
    assert compiles < programs / 10, printed
