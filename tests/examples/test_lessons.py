"""The lessons: each script, under torch and under jtorch, prints the same text and the same numbers."""

import contextlib
import io
import os
import random
import re
import runpy
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

import jtorch
from tests.scripts import same_line
from tests.sides import fail
from tests.vision import reference  # noqa: F401  (torchvision can be imported from here on)

FOLDER = Path(__file__).resolve().parents[2] / "examples"
# Small enough for a test; {file} is a file in a folder of the run's own.
LESSONS = {
    "tensors": "",
    "autograd": "",
    "lenet": "",
    "fit_sin": "--steps 300",
    "from_scratch": "--images 500 --epochs 1",
    "cifar10": "--images 60 --epochs 2",
    "tensorboard_tour": "--images 200 --epochs 1 --log-every 3",
    "transfer": "--images 5 --epochs 1",
    "char_rnn": "--steps 20",
    "dcgan": "--steps 8 --width 4 --batch-size 8 --picture drawn.png",
    "vae": "--images 256 --epochs 3",
    "gpt": "--steps 12 --batch-size 8 --width 16",
    "dqn": "--episodes 4",
    "numpy_function": "",
    "data_parallel": "",
}


def under_torch(source):
    """A lesson with its import lines as PyTorch's users write them."""
    source = source.replace("from jtorch import vision as torchvision", "import torchvision")
    return re.sub(r"\bjtorch\b", "torch", source.replace("jtorch.vision", "torchvision"))


def printed(source, name, args, folder):
    """What a lesson prints, run in a folder of its own as a script is."""
    folder.mkdir()
    script = folder / f"{name}.py"
    script.write_text(source)
    out, before, argv = io.StringIO(), os.getcwd(), sys.argv
    for seeded in (random.seed, np.random.seed, torch.manual_seed, jtorch.manual_seed):
        seeded(0)
    sys.argv = [str(script), *args.split()]
    os.chdir(folder)
    try:
        with contextlib.redirect_stdout(out):
            runpy.run_path(str(script), run_name="__main__")
    finally:
        os.chdir(before)
        sys.argv = argv
    return out.getvalue().splitlines()


@pytest.mark.parametrize("name", LESSONS)
def test_the_same_under_torch(name, tmp_path):
    source = (FOLDER / f"{name}.py").read_text()
    expected = printed(under_torch(source), name, LESSONS[name], tmp_path / "torch")
    actual = printed(source, name, LESSONS[name], tmp_path / "jtorch")
    assert len(actual) == len(expected) > 3
    for line, (one, other) in enumerate(zip(expected, actual, strict=True), 1):
        if not same_line(one, other, 1e-4):
            fail(f"{name}: line {line} of the output", one, other)


def test_every_script_is_tested():
    assert {path.stem for path in FOLDER.glob("*.py")} == {*LESSONS, "mnist"}
