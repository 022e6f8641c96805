"""Handwritten digits and what is published in their format: MNIST, Fashion-MNIST, KMNIST, EMNIST, QMNIST."""

import os
import shutil
import string
import warnings
from urllib.error import URLError

import numpy as np

from jtorch import devices
from jtorch._tensor import from_host, host
from jtorch.utils.data._utils.collate import host_array
from jtorch.vision.datasets.utils import (
    check_integrity,
    download_and_extract_archive,
    extract_archive,
    verify_str_arg,
)
from jtorch.vision.datasets.vision import VisionDataset
from jtorch.vision.pillow import of_array

_DIGITS = [f"{i} - {name}" for i, name in enumerate("zero one two three four five six seven eight nine".split())]


class MNIST(VisionDataset):
    """http://yann.lecun.com/exdb/mnist: 28 × 28 bytes in root/MNIST/raw. Attributes: data (N, 28, 28), targets (N,).

    Raises: RuntimeError where the files are missing, and where no mirror has them.
    """

    mirrors = ["https://ossci-datasets.s3.amazonaws.com/mnist/", "http://yann.lecun.com/exdb/mnist/"]
    resources = [
        ("train-images-idx3-ubyte.gz", "f68b3c2dcbeaaa9fbdd348bbdeb94873"),
        ("train-labels-idx1-ubyte.gz", "d53e105ee54ea40749a09fcbcd1e9432"),
        ("t10k-images-idx3-ubyte.gz", "9fb629c4189551a2d022fa330f9573f3"),
        ("t10k-labels-idx1-ubyte.gz", "ec29112dd5afa0611ce80d1b7f02629c"),
    ]
    classes = _DIGITS

    def __init__(self, root, train=True, transform=None, target_transform=None, download=False):
        super().__init__(root, transform=transform, target_transform=target_transform)
        self.train = train
        if download:
            self.download()
        if not self._check_exists():
            raise RuntimeError("Dataset not found. You can use download=True to download it")
        self.data, self.targets = self._load_data()

    def _old_name(self, old, new):
        warnings.warn(f"{old} has been renamed {new}", stacklevel=3)
        return getattr(self, new)

    train_labels = property(lambda self: self._old_name("train_labels", "targets"))
    test_labels = property(lambda self: self._old_name("test_labels", "targets"))
    train_data = property(lambda self: self._old_name("train_data", "data"))
    test_data = property(lambda self: self._old_name("test_data", "data"))

    def _files(self):
        """The paths of images and labels."""
        name = "train" if self.train else "t10k"
        return [os.path.join(self.raw_folder, f"{name}-{what}-ubyte") for what in ("images-idx3", "labels-idx1")]

    def _load_data(self):
        images, labels = self._files()
        return read_image_file(images), read_label_file(labels)

    def __getitem__(self, index):
        image = of_array(_row(self.data, index), "L")
        return self._transformed(image, int(_row(self.targets, index)))

    def __len__(self):
        return len(self.data)

    @property
    def raw_folder(self):
        """Where the files lie as they are published."""
        return os.path.join(self.root, type(self).__name__, "raw")

    @property
    def processed_folder(self):
        """Where old versions of torchvision kept tensors."""
        return os.path.join(self.root, type(self).__name__, "processed")

    @property
    def class_to_idx(self):
        """{name: number}"""
        return {name: i for i, name in enumerate(self.classes)}

    def _check_exists(self):
        names = [os.path.splitext(os.path.basename(url))[0] for url, _ in self.resources]
        return all(check_integrity(os.path.join(self.raw_folder, name)) for name in names)

    def download(self):
        """Fetch and unpack the files, unless they are there; from the next mirror where one fails."""
        if self._check_exists():
            return
        os.makedirs(self.raw_folder, exist_ok=True)
        for name, md5 in self.resources:
            self._from_a_mirror(name, md5)

    def _from_a_mirror(self, name, md5):
        said = f"Error downloading {name}:\n"
        for mirror in self.mirrors:
            try:
                download_and_extract_archive(f"{mirror}{name}", self.raw_folder, filename=name, md5=md5)
            except (RuntimeError, URLError) as error:
                said += f"Tried {mirror}, got:\n{error}\n"
            else:
                return
        raise RuntimeError(said)

    def extra_repr(self):
        """Which part of the data."""
        return f"Split: {'Train' if self.train is True else 'Test'}"


class FashionMNIST(MNIST):
    """https://github.com/zalandoresearch/fashion-mnist: articles of clothing, as MNIST."""

    mirrors = ["http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/"]
    resources = [
        ("train-images-idx3-ubyte.gz", "8d4fb7e6c68d591d4c3dfef9ec88bf0d"),
        ("train-labels-idx1-ubyte.gz", "25c81989df183df01b3e8a0aad5dffbe"),
        ("t10k-images-idx3-ubyte.gz", "bef4ecab320f06d8554ea6380940ec79"),
        ("t10k-labels-idx1-ubyte.gz", "bb300cfdad3c16e7a12a480ee83cd310"),
    ]
    classes = "T-shirt/top Trouser Pullover Dress Coat Sandal Shirt Sneaker Bag".split() + ["Ankle boot"]


class KMNIST(MNIST):
    """http://codh.rois.ac.jp/kmnist: Japanese characters, as MNIST."""

    mirrors = ["http://codh.rois.ac.jp/kmnist/dataset/kmnist/"]
    resources = [
        ("train-images-idx3-ubyte.gz", "bdb82020997e1d708af4cf47b453dcf7"),
        ("train-labels-idx1-ubyte.gz", "e144d726b3acfaa3e44228e80efcd344"),
        ("t10k-images-idx3-ubyte.gz", "5c965bf0a639b31b8f53240b1b52f4d7"),
        ("t10k-labels-idx1-ubyte.gz", "7320c461ea6c1c855c0b718fb2a4b134"),
    ]
    classes = "o ki su tsu na ha ma ya re wo".split()


_ALL = set(string.digits + string.ascii_letters)
_MERGED = sorted(_ALL - set("cijklmopsuvwxyz"))


class EMNIST(MNIST):
    """https://www.nist.gov/itl/products-and-services/emnist-dataset: letters and digits.

    split: byclass, bymerge, balanced, letters, digits or mnist. Raises: ValueError for others.
    """

    url = "https://biometrics.nist.gov/cs_links/EMNIST/gzip.zip"
    md5 = "58c8d27c78d21e728a6bc7b3cc06412e"
    splits = ("byclass", "bymerge", "balanced", "letters", "digits", "mnist")
    classes_split_dict = {
        "byclass": sorted(_ALL),
        "bymerge": _MERGED,
        "balanced": _MERGED,
        "letters": ["N/A", *string.ascii_lowercase],
        "digits": list(string.digits),
        "mnist": list(string.digits),
    }

    def __init__(self, root, split, **kwargs):
        self.split = verify_str_arg(split, "split", self.splits)
        super().__init__(root, **kwargs)
        self.classes = self.classes_split_dict[self.split]

    def _files(self):
        name = f"emnist-{self.split}-{'train' if self.train else 'test'}"
        return [os.path.join(self.raw_folder, f"{name}-{what}-ubyte") for what in ("images-idx3", "labels-idx1")]

    def _check_exists(self):
        return all(map(check_integrity, self._files()))

    def download(self):
        """Fetch and unpack the files of all splits, unless they are there."""
        if self._check_exists():
            return
        os.makedirs(self.raw_folder, exist_ok=True)
        download_and_extract_archive(self.url, self.raw_folder, md5=self.md5)
        packed = os.path.join(self.raw_folder, "gzip")
        for name in os.listdir(packed):
            if name.endswith(".gz"):
                extract_archive(os.path.join(packed, name), self.raw_folder)
        shutil.rmtree(packed)


_QMNIST = "https://raw.githubusercontent.com/facebookresearch/qmnist/master/"


class QMNIST(MNIST):
    """https://github.com/facebookresearch/qmnist: MNIST with what is known of each digit, targets (N, 8).

    what: train, test, test10k, test50k or nist. compat: whether a target is only the class, as in MNIST.
    """

    subsets = {"train": "train", "test": "test", "test10k": "test", "test50k": "test", "nist": "nist"}
    resources = {
        "train": [
            (f"{_QMNIST}qmnist-train-images-idx3-ubyte.gz", "ed72d4157d28c017586c42bc6afe6370"),
            (f"{_QMNIST}qmnist-train-labels-idx2-int.gz", "0058f8dd561b90ffdd0f734c6a30e5e4"),
        ],
        "test": [
            (f"{_QMNIST}qmnist-test-images-idx3-ubyte.gz", "1394631089c404de565df7b7aeaf9412"),
            (f"{_QMNIST}qmnist-test-labels-idx2-int.gz", "5b5b05890a5e13444e108efe57b788aa"),
        ],
        "nist": [
            (f"{_QMNIST}xnist-images-idx3-ubyte.xz", "7f124b3b8ab81486c9d8c2749c17f834"),
            (f"{_QMNIST}xnist-labels-idx2-int.xz", "5ed0e788978e45d4a8bd4b7caec3d79d"),
        ],
    }

    def __init__(self, root, what=None, compat=True, train=True, **kwargs):
        what = ("train" if train else "test") if what is None else what
        self.what = verify_str_arg(what, "what", tuple(self.subsets))
        self.compat = compat
        super().__init__(root, train, **kwargs)

    def _files(self):
        urls = [url for url, _ in self.resources[self.subsets[self.what]]]
        return [os.path.join(self.raw_folder, os.path.splitext(os.path.basename(url))[0]) for url in urls]

    def _check_exists(self):
        return all(map(check_integrity, self._files()))

    def _load_data(self):
        images, labels = map(_idx, self._files())
        part = {"test10k": slice(0, 10000), "test50k": slice(10000, None)}.get(self.what, slice(None))
        return _tensor(images[part]), _tensor(labels[part].astype(np.int64))

    def download(self):
        """Fetch and unpack the files of this part, unless they are there."""
        if not self._check_exists():
            os.makedirs(self.raw_folder, exist_ok=True)
            for url, md5 in self.resources[self.subsets[self.what]]:
                download_and_extract_archive(url, self.raw_folder, md5=md5)

    def __getitem__(self, index):
        target = int(_row(self.targets, index)[0]) if self.compat else self.targets[index]
        return self._transformed(of_array(_row(self.data, index), "L"), target)

    def extra_repr(self):
        """Which part of the data."""
        return f"Split: {self.what}"


# The format: http://yann.lecun.com/exdb/mnist, "the IDX file format".

_KINDS = {8: "u1", 9: "i1", 11: ">i2", 12: ">i4", 13: ">f4", 14: ">f8"}


def _idx(path, strict=True):
    """The array in an IDX file. Raises AssertionError for what is none, ValueError where the sizes do not fit."""
    with open(path, "rb") as file:
        data = file.read()
    kind, ndim = data[2], data[3]
    if data[:2] != b"\0\0" or not 1 <= ndim <= 3 or kind not in _KINDS:
        raise AssertionError(f"{path} is no IDX file of up to 3 dims: it begins with {data[:4].hex(' ')}")
    shape = np.frombuffer(data, ">i4", ndim, 4)
    found = np.frombuffer(data, _KINDS[kind], offset=4 * (ndim + 1))
    if strict and found.size != shape.prod():
        raise AssertionError(f"{path} has {found.size} numbers, and its sizes are {shape.tolist()}")
    return found.reshape(shape).astype(found.dtype.newbyteorder("="))


def _tensor(array):
    return from_host(np.ascontiguousarray(array), device=devices.CPU)


def _row(tensor, index):
    """A row of a tensor as an array."""
    array = host_array(tensor)
    return (host(tensor) if array is None else array)[index]


def read_sn3_pascalvincent_tensor(path, strict=True):
    """The tensor in an IDX file."""
    return _tensor(_idx(path, strict))


def _of_bytes(path, ndim, words):
    array = _idx(path, strict=False)
    if array.dtype != np.uint8:
        raise TypeError(f"x should be of dtype torch.uint8 instead of torch.{array.dtype}")
    if array.ndim != ndim:
        raise ValueError(f"x should have {words} instead of {array.ndim}")
    return array


def read_label_file(path):
    """The labels in an IDX file. Shape: (N,)."""
    return _tensor(_of_bytes(path, 1, "1 dimension").astype(np.int64))


def read_image_file(path):
    """The images in an IDX file. Shape: (N, H, W)."""
    return _tensor(_of_bytes(path, 3, "3 dimension"))
