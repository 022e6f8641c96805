"""SVHN: 600,000 digits of house numbers, 32 × 32 pixels (Netzer et al. 2011)."""

import os

import numpy as np
from scipy.io import loadmat

from jtorch.vision.datasets.utils import check_integrity, download_url, verify_str_arg
from jtorch.vision.datasets.vision import VisionDataset
from jtorch.vision.pillow import Image

_HOST = "http://ufldl.stanford.edu/housenumbers/"


class SVHN(VisionDataset):
    """http://ufldl.stanford.edu/housenumbers. Attributes: data (N, 3, 32, 32) bytes, labels (N,), 0 to 9.

    split: train, test or extra. Raises: RuntimeError where the file is missing or has another checksum.
    """

    split_list = {
        "train": [f"{_HOST}train_32x32.mat", "train_32x32.mat", "e26dedcc434d2e4c54c9b2d4a06d8373"],
        "test": [f"{_HOST}test_32x32.mat", "test_32x32.mat", "eb5a983be6a315427106f1b164d9cef3"],
        "extra": [f"{_HOST}extra_32x32.mat", "extra_32x32.mat", "a93ce644f1a588dc4d68dda5feec44a7"],
    }

    def __init__(self, root, split="train", transform=None, target_transform=None, download=False):
        super().__init__(root, transform=transform, target_transform=target_transform)
        self.split = verify_str_arg(split, "split", tuple(self.split_list))
        self.url, self.filename, self.file_md5 = self.split_list[split]
        if download:
            self.download()
        if not self._check_integrity():
            raise RuntimeError("Dataset not found or corrupted. You can use download=True to download it")
        found = loadmat(os.path.join(self.root, self.filename))
        self.labels = found["y"].astype(np.int64).squeeze() % 10  # the file has 10 for 0
        self.data = found["X"].transpose(3, 2, 0, 1)

    def __getitem__(self, index):
        return self._transformed(Image.fromarray(self.data[index].transpose(1, 2, 0)), int(self.labels[index]))

    def __len__(self):
        return len(self.data)

    def _check_integrity(self):
        return check_integrity(os.path.join(self.root, self.filename), self.file_md5)

    def download(self):
        """Fetch the file, unless it is there."""
        download_url(self.url, self.root, self.filename, self.file_md5)

    def extra_repr(self):
        """Which part of the data."""
        return f"Split: {self.split}"
