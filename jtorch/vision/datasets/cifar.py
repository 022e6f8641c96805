"""CIFAR: 60,000 photographs of 32 × 32 pixels in 10 or 100 classes (Krizhevsky 2009)."""

import pickle

import numpy as np

from jtorch.vision.datasets.archive import ArchivedDataset
from jtorch.vision.datasets.utils import check_integrity
from jtorch.vision.pillow import Image

_MISSING = "not found or corrupted. You can use download=True to download it"


class CIFAR10(ArchivedDataset):
    """https://www.cs.toronto.edu/~kriz/cifar.html. Attributes: data (N, 32, 32, 3) bytes, targets, classes.

    Raises: RuntimeError where the files are missing or have other checksums.
    """

    base_folder = "cifar-10-batches-py"
    url = "https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz"
    filename = "cifar-10-python.tar.gz"
    tgz_md5 = "c58f30108f718f92721af3b95e74349a"
    train_list = [
        ["data_batch_1", "c99cafc152244af753f735de768cd75f"],
        ["data_batch_2", "d4bba439e000b95fd0a9bffe97cbabec"],
        ["data_batch_3", "54ebc095f3ab1f0389bbae665268c751"],
        ["data_batch_4", "634d18415352ddfa80567beed471001a"],
        ["data_batch_5", "482c414d41f54cd18b22e5b47cb7c3cb"],
    ]
    test_list = [["test_batch", "40351d587109b95175f43aff81a1287e"]]
    meta = {"filename": "batches.meta", "key": "label_names", "md5": "5ff9c542aee3614f3951f8cda6e48888"}

    def __init__(self, root, train=True, transform=None, target_transform=None, download=False):
        super().__init__(root, transform=transform, target_transform=target_transform)
        self.train = train
        if download:
            self.download()
        if not self._check_integrity():
            raise RuntimeError(f"Dataset {_MISSING}")
        batches = [self._read(name) for name, _ in (self.train_list if train else self.test_list)]
        self.targets = [label for batch in batches for label in batch.get("labels", batch.get("fine_labels"))]
        pixels = np.vstack([batch["data"] for batch in batches]).reshape(-1, 3, 32, 32)
        self.data = pixels.transpose(0, 2, 3, 1)
        if not check_integrity(self._path(self.meta["filename"]), self.meta["md5"]):
            raise RuntimeError(f"Dataset metadata file {_MISSING}")
        self.classes = self._read(self.meta["filename"])[self.meta["key"]]
        self.class_to_idx = {name: i for i, name in enumerate(self.classes)}

    def _read(self, name):
        with open(self._path(name), "rb") as file:
            return pickle.load(file, encoding="latin1")

    def __getitem__(self, index):
        return self._transformed(Image.fromarray(self.data[index]), self.targets[index])

    def __len__(self):
        return len(self.data)

    def extra_repr(self):
        """Which part of the data."""
        return f"Split: {'Train' if self.train is True else 'Test'}"


class CIFAR100(CIFAR10):
    """As CIFAR10, with 100 classes."""

    base_folder = "cifar-100-python"
    url = "https://www.cs.toronto.edu/~kriz/cifar-100-python.tar.gz"
    filename = "cifar-100-python.tar.gz"
    tgz_md5 = "eb9058c3a382ffc7106e4002c42a8d85"
    train_list = [["train", "16019d7e3df5f24257cddd939b257f8d"]]
    test_list = [["test", "f0ef6b0ae62326f3e7ffdfab6717acfc"]]
    meta = {"filename": "meta", "key": "fine_label_names", "md5": "7973b15100ade9c7d40fb424638fde48"}
