"""SummaryWriter against torch's: both write, and the records in the files are compared."""

import io
import os
import re
import subprocess
import sys
import time

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
from PIL import Image
from tensorboard.backend.event_processing.event_file_loader import EventFileLoader
from torch.utils.tensorboard import SummaryWriter as TorchWriter

import jtorch
from jtorch.engine import stats
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


def shape(lib, *sizes, seed=0, dtype="float32"):
    drawn = np.random.default_rng(seed).random(sizes)
    return lib.from_numpy((drawn * 255).astype(dtype) if dtype == "uint8" else drawn.astype(dtype))


def figure(lib, writer):
    from_lines = [plt.figure(figsize=(2, 1)) for _ in range(2)]
    for number, one in enumerate(from_lines):
        one.add_subplot().plot([0, 1], [0, number])
    writer.add_figure("one", from_lines[0], 1, walltime=1.0, close=False)
    writer.add_figure("two", from_lines, 2, walltime=1.0)
    return plt.get_fignums()


LAYOUT = {"a": {"b": ["Multiline", ["x", "y"]], "c": ["Margin", ["x", "low", "high"]]}, "d": {}}


@pytest.mark.parametrize(
    "write",
    [
        lambda lib, w: w.add_tensor("t", lib.ones(2, 3), 1, walltime=1.0),
        lambda lib, w: [
            w.add_tensor(str(i), lib.tensor([1, 0, 2]).to(dtype), walltime=1.0)
            for i, dtype in enumerate(
                [lib.float16, lib.bfloat16, lib.float64, lib.int64, lib.complex64, lib.complex128, lib.bool, lib.uint8]
            )
        ],
        lambda lib, w: w.add_histogram_raw("h", -1.0, 2.5, 4, 3.0, 9.0, [-1.0, 0.0, 2.5], [1, 2, 1], 3, walltime=1.0),
        lambda lib, w: w.add_images("grid", shape(lib, 5, 6, 4, 3, dtype="uint8"), walltime=1.0, dataformats="NHWC"),
        lambda lib, w: w.add_images("grey", shape(lib, 10, 1, 4, 4), walltime=1.0),
        lambda lib, w: w.add_image_with_boxes(
            "boxes", shape(lib, 3, 40, 30) * 1.1, lib.tensor([[2, 3, 20, 30], [5.0, 5, 9, 9]]), 1, walltime=1.0,
            labels=["a", "bc"],
        ),
        lambda lib, w: w.add_image_with_boxes(
            "boxes", shape(lib, 40, 30, 3, dtype="uint8"), lib.tensor([[2, 3, 20, 30]]), 1, walltime=1.0, rescale=2,
            labels="one", dataformats="HWC",
        ),
        lambda lib, w: w.add_image_with_boxes("b", shape(lib, 3, 9, 9), lib.ones(1, 4), labels=["a"] * 2, walltime=1),
        lambda lib, w: w.add_audio("tone", shape(lib, 1, 50) * 2 - 1, 1, sample_rate=8000, walltime=1.0),
        lambda lib, w: w.add_pr_curve("pr", shape(lib, 60) > 0.5, shape(lib, 60, seed=1), 1, walltime=1.0),
        lambda lib, w: w.add_pr_curve(
            "weighted", shape(lib, 60).round().long(), shape(lib, 60, seed=1), 1, 20, np.arange(60.0), walltime=1.0
        ),
        lambda lib, w: w.add_pr_curve_raw("raw", *(np.arange(3.0) + i for i in range(6)), 1, 3, walltime=1.0),
        lambda lib, w: w.add_mesh("points", shape(lib, 1, 4, 3), global_step=2, walltime=1.0),
        lambda lib, w: w.add_mesh(
            "faces", shape(lib, 1, 4, 3), shape(lib, 1, 4, 3, dtype="uint8"), lib.tensor([[[0, 1, 2]]]),
            {"lights": [1, 2], "camera": {"x": 1}}, 2, walltime=1.0,
        ),
    ],
)  # fmt: skip
def test_records(tmp_path, write):
    both(tmp_path, write)


@pytest.mark.parametrize(
    "write",
    [
        lambda lib, w: w.add_custom_scalars(LAYOUT),
        lambda lib, w: w.add_custom_scalars_multilinechart(["x", "y"], "a", "b"),
        lambda lib, w: w.add_custom_scalars_marginchart(["x", "y", "z"]),
        lambda lib, w: w.add_hparams(
            {"lr": 0.1, "bs": 4, "flag": True, "opt": "SGD", "t": lib.tensor([2.5]), "none": None},
            {"loss": 0.5, "acc": lib.tensor(0.25)}, {"opt": ["SGD", "Adam"], "bs": [4, 8]}, "trial", 3,
        ),
        lambda lib, w: w.add_hparams({}, {"loss": 1}, run_name="trial"),
    ],
)  # fmt: skip
def test_records_of_now(tmp_path, monkeypatch, write):
    monkeypatch.setattr(time, "time", lambda: 100.0)
    both(tmp_path, write)


def test_figures(tmp_path):
    plt.switch_backend("agg")
    plt.close("all")  # what other tests left open
    left = []
    both(tmp_path, lambda lib, w: left.append(figure(lib, w)))
    assert left == [[], []]


def test_videos_are_pictures_that_move(tmp_path):
    drawn = np.random.default_rng(0).integers(0, 2, (3, 5, 3, 4, 6)).astype(np.uint8) * 255
    for video in (jtorch.from_numpy(drawn), jtorch.from_numpy(drawn[:, :, :1] / 255)):
        folder = tmp_path / str(video.dtype)
        with SummaryWriter(folder) as writer:
            writer.add_video("v", video, 2, fps=5)
        name = os.path.join(folder, os.listdir(folder)[0])
        event = next(e for e in EventFileLoader(name).Load() if e.HasField("summary"))
        encoded = event.summary.value[0].tensor.string_val[2]
        picture = Image.open(io.BytesIO(encoded))
        assert picture.n_frames == 5
        assert picture.info["duration"] == 200
        frames = []
        for frame in range(5):
            picture.seek(frame)
            frames.append(np.asarray(picture.convert("RGB")))
        wanted = drawn if video.dtype is jtorch.uint8 else np.repeat(drawn[:, :, :1], 3, 2)
        for b in range(3):
            seen = np.stack(frames)[:, :, b * 6 : b * 6 + 6]
            np.testing.assert_array_equal(seen.transpose(0, 3, 1, 2), wanted[b])


def test_embeddings(tmp_path, capsys):
    said = []
    for lib, writer_class in WRITERS:
        with writer_class(tmp_path / lib.__name__) as writer:
            mat = shape(lib, 5, 3)
            writer.add_embedding(mat)
            writer.add_embedding(mat, list("abcde"), shape(lib, 5, 3, 4, 4), 12, "a/b%c\\d")
            writer.add_embedding(mat.numpy(), [(i, i * 2) for i in range(5)], None, 3, "rows", ["x", "y"])
            writer.add_embedding(mat, [1, 2, 3, 4, 5], shape(lib, 5, 1, 4, 4), 12, "a/b%c\\d")
        said.append(capsys.readouterr().out)
    theirs, ours = (
        {
            os.path.relpath(os.path.join(path, name), tmp_path / lib.__name__): open(
                os.path.join(path, name), "rb"
            ).read()
            for path, _, files in os.walk(tmp_path / lib.__name__)
            for name in files
            if "tfevents" not in name
        }
        for lib, _ in WRITERS
    )
    assert len(theirs) == 7
    assert ours == theirs
    assert said[0] == said[1] != ""


def test_flush_brings_all_to_the_disk(tmp_path):
    writer = SummaryWriter(tmp_path)
    for i in range(50):
        writer.add_scalar("x", i, i)
    writer.flush()
    assert len(records(tmp_path)["."]) == 50
    writer.close()


def test_scalars_do_not_stop_the_device(tmp_path):
    w = jtorch.ones(4, requires_grad=True)
    optimizer = jtorch.optim.SGD([w], 0.1)
    w.tolist()
    stats.reset()
    with SummaryWriter(tmp_path) as writer:
        for step in range(6):
            optimizer.zero_grad()
            loss = (w * w).sum()
            loss.backward()
            optimizer.step()
            writer.add_scalar("loss", loss, step, walltime=float(step))
            writer.add_scalars("more", {"loss": loss * 2}, step)
            writer.add_text("note", "between", step)
        assert stats.flushes["read"] == 0
        assert stats.flushes["step"] == 5
        loss.fill_(-1)
    found = records(tmp_path)
    losses = [record for record in found["."] if '"loss"' in record[2]]
    assert [record[:2] for record in losses] == [(step, float(step)) for step in range(6)]
    values = [float(re.search(r"float_val: ([-\d.]+)", record[2]).group(1)) for record in losses]
    np.testing.assert_allclose(values, [4 * 0.8 ** (2 * step) for step in range(6)], rtol=1e-5)
    assert len(found["more_loss"]) == 6


def test_what_waits_is_written_when_the_program_ends(tmp_path):
    source = f"""
import jtorch as torch
from jtorch.utils.tensorboard import SummaryWriter
writer = SummaryWriter({str(tmp_path)!r})
writer.add_scalar("x", torch.ones(()) + 1, 3)
"""
    subprocess.run([sys.executable, "-c", source], check=True)
    assert [record[0] for record in records(tmp_path)["."]] == [3]


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
        lambda lib, w: w.add_histogram_raw("x", 0, 1, 1, 1, 1, [1, 2], [1]),
        lambda lib, w: w.add_audio("x", lib.ones(2, 3)),
        lambda lib, w: w.add_embedding(lib.ones(3)),
        lambda lib, w: w.add_embedding(lib.ones(3, 2), ["a"]),
        lambda lib, w: w.add_embedding(lib.ones(3, 2), label_img=lib.ones(2, 3, 4, 4)),
        lambda lib, w: w.add_embedding(lib.ones(2, 2), [(1, 2), (3, 4)], metadata_header=["a"]),
        lambda lib, w: w.add_hparams([], {}),
        lambda lib, w: w.add_hparams({"a": [1]}, {}),
        lambda lib, w: w.add_hparams({"a": 1}, {}, {"a": [1, "b"]}),
        lambda lib, w: w.add_hparams({"a": 1}, {}, {"b": [1]}),
        lambda lib, w: w.add_hparams({"a": 1}, {}, [1]),
        lambda lib, w: w.add_custom_scalars_marginchart(["a"]),
        lambda lib, w: w.add_custom_scalars({"a": {"b": ["Margin", ["c"]]}}),
        lambda lib, w: w.add_mesh("x", lib.ones(3, 3)),
        lambda lib, w: w.add_tensor("x", lib.ones(1).to(lib.uint16)),
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
