"""Small files in the formats in which data sets are published."""

import gzip
import pickle

import numpy as np
from scipy.io import savemat

from tests.vision.reference import image, pixels

_KINDS = {"u1": 8, ">i4": 12, ">f4": 13}


def idx(path, array, kind="u1"):
    """An IDX file, compressed where its name says so."""
    sizes = np.array(array.shape, ">i4").tobytes()
    data = bytes([0, 0, _KINDS[kind], array.ndim]) + sizes + array.astype(kind).tobytes()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)
    return path


def mnist(folder, name="MNIST", count=5, suffix=""):
    """The four files of MNIST. Returns the folder where they lie."""
    raw = folder / name / "raw"
    for seed, part in enumerate(("train", "t10k")):
        idx(raw / f"{part}-images-idx3-ubyte{suffix}", pixels((count, 28, 28), seed))
        idx(raw / f"{part}-labels-idx1-ubyte{suffix}", np.arange(count) % 10)
    return raw


def cifar(folder, base, batches, test, meta, key, label, count=4):
    """The pickles of CIFAR."""
    (folder / base).mkdir(parents=True, exist_ok=True)
    for seed, name in enumerate((*batches, test)):
        labels = [(seed + i) % 10 for i in range(count)]
        entry = {"data": pixels((count, 3072), seed), label: labels}
        (folder / base / name).write_bytes(pickle.dumps(entry))
    (folder / base / meta).write_bytes(pickle.dumps({key: [f"class {i}" for i in range(10)]}))


def stl10(folder, count=6):
    """The files of STL-10."""
    base = folder / "stl10_binary"
    base.mkdir(parents=True, exist_ok=True)
    for seed, part in enumerate(("train", "test", "unlabeled")):
        pixels((count, 3, 96, 96), seed).tofile(base / f"{part}_X.bin")
        (np.arange(count, dtype=np.uint8) % 10 + 1).tofile(base / f"{part}_y.bin")
    (base / "class_names.txt").write_text("airplane\nbird\ncar\n")
    (base / "fold_indices.txt").write_text("\n".join(f"{i % count} {(i + 2) % count} " for i in range(10)))


def svhn(folder, name="train_32x32.mat", count=12):
    """A file of SVHN, with the label 10 for the digit 0."""
    savemat(folder / name, {"X": pixels((32, 32, 3, count)), "y": (np.arange(count) % 10 + 1).reshape(-1, 1)})


def folders(root, classes=("cat", "dog"), count=2):
    """Images in a folder for each class, some of them deeper, and a file that is none."""
    for seed, name in enumerate(classes):
        (root / name / "deep").mkdir(parents=True, exist_ok=True)
        for i in range(count):
            image(seed=seed * 10 + i).save(root / name / ("deep" if i else "") / f"{i}.PNG", format="png")
        (root / name / "notes.txt").write_text("no image")
