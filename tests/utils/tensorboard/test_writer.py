"""SummaryWriter against torch's: both write, and the records in the files are compared."""

import os
import re

import numpy as np
import pytest
import torch
from tensorboard.backend.event_processing.event_file_loader import EventFileLoader
from torch.utils.tensorboard import SummaryWriter as TorchWriter

import jtorch
from jtorch.utils.tensorboard import SummaryWriter

WRITERS = ((torch, TorchWriter), (jtorch, SummaryWriter))


def records(folder):
    """{path of a run under the folder: [(step, wall time, summary or session mark)]}, as TensorBoard reads them."""
    found = {}
    for path, _, files in os.walk(folder):
        events = [event for name in sorted(files) for event in EventFileLoader(os.path.join(path, name)).Load()]
        found[os.path.relpath(path, folder)] = [
            (e.step, e.wall_time if e.HasField("summary") else None, str(e.summary), str(e.session_log))
            for e in events
            if e.HasField("summary") or e.HasField("session_log")
        ]
    return found


def both(tmp_path, write, **kwargs):
    """Let torch's writer and ours write, and assert that TensorBoard reads the same from both."""
    for lib, writer_class in WRITERS:
        with writer_class(tmp_path / lib.__name__, **kwargs) as writer:
            write(lib, writer)
    theirs, ours = (records(tmp_path / lib.__name__) for lib, _ in WRITERS)
    assert any(theirs.values())
    assert ours == theirs


@pytest.mark.parametrize(
    "make",
    [
        lambda lib: 3,
        lambda lib: 0.1,
        lambda lib: np.float64(2.5),
        lambda lib: np.array([[1.5]]),
        lambda lib: lib.tensor(0.25),
        lambda lib: lib.tensor([7]),
        lambda lib: lib.tensor(1.5, requires_grad=True),
        lambda lib: lib.tensor(0.1, dtype=lib.bfloat16),
        lambda lib: float("nan"),
    ],
)
@pytest.mark.parametrize("style", [{}, {"new_style": True}, {"new_style": True, "double_precision": True}])
def test_scalar(tmp_path, make, style):
    both(tmp_path, lambda lib, w: w.add_scalar("train/loss (mean)", make(lib), 4, walltime=12.5, **style))


def test_scalars_lie_in_folders_beside_the_run(tmp_path):
    def write(lib, writer):
        for step in range(3):
            values = {"sin": lib.tensor(step * 0.5), "cos": step}
            writer.add_scalars("run/a", values, step, walltime=1.0)

    both(tmp_path, write)


@pytest.mark.parametrize("bins", ["tensorflow", "auto", 7])
def test_histogram(tmp_path, bins):
    values = np.random.default_rng(0).standard_normal(500).astype(np.float32)

    def write(lib, writer):
        writer.add_histogram("w", lib.from_numpy(values.copy()).view(5, 100), 1, bins=bins, walltime=1.0, max_bins=40)
        writer.add_histogram("0 and 1", np.array([0, 1, 1]), 2, bins=bins, walltime=1.0)

    both(tmp_path, write)


@pytest.mark.parametrize(
    ("shape", "formats"),
    [((3, 5, 7), "CHW"), ((1, 5, 7), "CHW"), ((5, 7, 3), "HWC"), ((5, 7), "HW"), ((4, 6, 5), "CHW")],
)
@pytest.mark.parametrize("dtype", ["float32", "uint8"])
def test_image(tmp_path, shape, formats, dtype):
    drawn = np.random.default_rng(0).uniform(-0.2, 1.2, shape)
    pixels = drawn.astype("float32") if dtype == "float32" else (abs(drawn) * 200).astype("uint8")

    def write(lib, writer):
        writer.add_image("im age", lib.from_numpy(pixels.copy()), 1, walltime=1.0, dataformats=formats)

    both(tmp_path, write)


def test_images(tmp_path):
    pixels = np.random.default_rng(0).random((6, 3, 4, 5)).astype("float32")
    both(tmp_path, lambda lib, w: w.add_images("grid", lib.from_numpy(pixels.copy()), walltime=1.0))


def test_text(tmp_path):
    both(tmp_path, lambda lib, w: w.add_text("a note", "**bold** ü", 2, walltime=1.0))


def test_purge_step(tmp_path):
    both(tmp_path, lambda lib, w: w.add_scalar("x", 1, 5, walltime=1.0), purge_step=5)


def test_it_writes_on_after_close(tmp_path):
    def write(lib, writer):
        writer.add_scalar("x", 1, 0, walltime=1.0)
        writer.close()
        writer.close()
        writer.add_scalar("x", 2, 1, walltime=1.0)

    both(tmp_path, write, filename_suffix=".again")
    names = [sorted(os.listdir(tmp_path / lib.__name__)) for lib, _ in WRITERS]
    theirs, ours = ([re.sub(r"\d+", "n", name) for name in side] for side in names)
    assert ours == theirs


@pytest.mark.parametrize(
    "write",
    [
        lambda lib, w: w.add_scalar("x", lib.ones(2, 3)),
        lambda lib, w: w.add_scalar("x", [1.0]),
        lambda lib, w: w.add_histogram("x", lib.ones(0)),
    ],
)
def test_errors(tmp_path, write):
    said = []
    for lib, writer_class in WRITERS:
        with writer_class(tmp_path / lib.__name__) as writer, pytest.raises(Exception) as caught:
            write(lib, writer)
        said.append((caught.type, str(caught.value)))
    assert said[0] == said[1]


def test_the_default_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names = []
    for _, writer_class in WRITERS:
        with writer_class(comment="_LR") as writer:
            names.append(writer.get_logdir())
            assert os.path.isdir(writer.log_dir)
    theirs, ours = (re.sub(r"\d\d-\d\d-\d\d", "hh-mm-ss", name) for name in names)
    assert ours == theirs
