"""The lessons: each script, under torch and under jtorch, prints the same text and the same numbers."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.scripts import printed, same_lines
from tests.vision import reference  # noqa: F401  (torchvision can be imported from here on)

FOLDER = Path(__file__).resolve().parents[2] / "examples"
# Small enough for a test; {file} is a file in a folder of the run's own.
LESSONS = {
    "tensors": "",
    "autograd": "",
    "lenet": "",
    "fit_sin": "--steps 300",
    "from_scratch": "--images 500 --epochs 1",
    "saving": "",
    "hooks": "",
    "learning_rates": "--steps 20",
    "cifar10": "--images 60 --epochs 2",
    "tensorboard_tour": "--images 200 --epochs 1 --log-every 3",
    "transfer": "--images 5 --epochs 1",
    "adversarial": "--epochs 3",
    "spatial_transformer": "--steps 4",
    "style": "--steps 1 --lessons 8 --picture drawn.png",
    "text": "--reviews 80 --epochs 1",
    "char_rnn": "--steps 8 --every 4 --test 1",
    "translation": "--steps 5 --batch-size 4 --hidden 8",
    "transformer": "--sentences 400 --epochs 1 --width 16 --layers 1 --length 8",
    "dcgan": "--steps 8 --width 4 --batch-size 8 --picture drawn.png",
    "vae": "--images 256 --epochs 3",
    "gpt": "--steps 12 --batch-size 8 --width 16 --layers 1",
    "dqn": "--episodes 4",
    "parametrizations": "--steps 6",
    "mixed_precision": "--steps 20",
    "profiling": "",
    "numpy_function": "",
    "data_parallel": "",
}


def under_torch(source):
    """A lesson with its import lines as PyTorch's users write them."""
    source = source.replace("from jtorch import vision as torchvision", "import torchvision")
    return re.sub(r"\bjtorch\b", "torch", source.replace("jtorch.vision", "torchvision"))


@pytest.mark.parametrize("name", LESSONS)
def test_the_same_under_torch(name, tmp_path):
    source = (FOLDER / f"{name}.py").read_text()
    expected = printed(under_torch(source), name, LESSONS[name], tmp_path / "torch")
    actual = printed(source, name, LESSONS[name], tmp_path / "jtorch")
    assert len(expected) > 3
    same_lines(name, expected, actual)


@pytest.mark.parametrize("name", ["tensors", "autograd"])
def test_the_torch_version_runs_without_an_edit(name, tmp_path):
    source = under_torch((FOLDER / f"{name}.py").read_text())
    expected = printed(source, name, "", tmp_path / "torch")
    command = [sys.executable, "-m", "jtorch", "run", str(tmp_path / "torch" / f"{name}.py")]
    done = subprocess.run(command, cwd=FOLDER.parent, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    same_lines(name, expected, done.stdout.splitlines())


def test_every_script_is_tested():
    assert {path.stem for path in FOLDER.glob("*.py")} == {*LESSONS, "mnist"}
