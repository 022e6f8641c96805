"""STL-10: 13,000 labelled and 100,000 unlabelled photographs of 96 × 96 pixels (Coates et al. 2011)."""

import os

import numpy as np

from jtorch.vision.datasets.archive import ArchivedDataset
from jtorch.vision.datasets.utils import verify_str_arg
from jtorch.vision.pillow import Image


class STL10(ArchivedDataset):
    """https://cs.stanford.edu/~acoates/stl10. Attributes: data (N, 3, 96, 96) bytes, labels, -1 for none, classes.

    split: train, train+unlabeled, unlabeled or test. folds: one of the ten of 1000 images, for the labelled.
    Raises: RuntimeError where the files are missing or have other checksums, ValueError for other splits and folds.
    """

    base_folder = "stl10_binary"
    url = "http://ai.stanford.edu/~acoates/stl10/stl10_binary.tar.gz"
    filename = "stl10_binary.tar.gz"
    tgz_md5 = "91f7769df0f17e558f3565bffb0c7dfb"
    class_names_file = "class_names.txt"
    folds_list_file = "fold_indices.txt"
    train_list = [
        ["train_X.bin", "918c2871b30a85fa023e0c44e0bee87f"],
        ["train_y.bin", "5a34089d4802c674881badbb80307741"],
        ["unlabeled_X.bin", "5242ba1fed5e4be9e1e742405eb56ca4"],
    ]
    test_list = [
        ["test_X.bin", "7f263ba9f9e0b06b93213547f721ac82"],
        ["test_y.bin", "36f9794fa4beb8a2c72628de14fa638e"],
    ]
    splits = ("train", "train+unlabeled", "unlabeled", "test")

    def __init__(self, root, split="train", folds=None, transform=None, target_transform=None, download=False):
        super().__init__(root, transform=transform, target_transform=target_transform)
        self.split = verify_str_arg(split, "split", self.splits)
        self.folds = _checked(folds)
        if download:
            self.download()
        elif not self._check_integrity():
            raise RuntimeError("Dataset not found or corrupted. You can use download=True to download it")
        self.data, self.labels = self._load()
        names = self._path(self.class_names_file)
        if os.path.isfile(names):
            with open(names) as file:
                self.classes = file.read().splitlines()

    def _load(self):
        if self.split == "test":
            return self._images("test_X.bin"), self._numbers("test_y.bin") - 1
        parts = []
        if self.split.startswith("train"):
            data, labels = self._images("train_X.bin"), self._numbers("train_y.bin") - 1
            if self.folds is not None:
                with open(self._path(self.folds_list_file)) as file:
                    chosen = np.array(file.read().splitlines()[self.folds].split(), np.int64)
                data, labels = data[chosen], labels[chosen]
            parts.append((data, labels))
        if self.split.endswith("unlabeled"):
            data = self._images("unlabeled_X.bin")
            parts.append((data, np.full(len(data), -1)))
        data, labels = zip(*parts, strict=True)
        return (data[0], labels[0]) if len(parts) == 1 else (np.concatenate(data), np.concatenate(labels))

    def _numbers(self, name):
        return np.fromfile(self._path(name), np.uint8)

    def _images(self, name):
        # The pixels are published column by column.
        return self._numbers(name).reshape(-1, 3, 96, 96).transpose(0, 1, 3, 2)

    def __getitem__(self, index):
        return self._transformed(Image.fromarray(self.data[index].transpose(1, 2, 0)), int(self.labels[index]))

    def __len__(self):
        return len(self.data)

    def extra_repr(self):
        """Which part of the data."""
        return f"Split: {self.split}"


def _checked(folds):
    """None or one of ten. Raises ValueError for anything else."""
    if folds is None or (isinstance(folds, int) and folds in range(10)):
        return folds
    if isinstance(folds, int):
        raise ValueError(f"Value for argument folds should be in the range [0, 10), but got {folds}.")
    raise ValueError(f"Expected type None or int for argument folds, but got type {type(folds)}.")
