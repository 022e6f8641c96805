"""ImageNet's ILSVRC 2012: 1.28 million photographs of 1000 kinds of things, out of the archives in which they come."""

import os
import shutil
import tempfile

from jtorch.optional import Package
from jtorch.serialization import load, save
from jtorch.vision.datasets.folder import ImageFolder
from jtorch.vision.datasets.utils import check_integrity, extract_archive, verify_str_arg

ARCHIVE_META = {
    "train": ("ILSVRC2012_img_train.tar", "1d675b47d978889d74fa0da5fadfb00e"),
    "val": ("ILSVRC2012_img_val.tar", "29b22e2961454d5413ddabcf34fc5622"),
    "devkit": ("ILSVRC2012_devkit_t12.tar.gz", "fa75699e90414af021442c21a62c3abf"),
}
META_FILE = "meta.bin"

_matlab = Package("scipy.io", "ImageNet's list of classes is a file of Matlab's: pip install scipy")


class ImageNet(ImageFolder):
    """https://image-net.org/challenges/LSVRC/2012. The archives must lie in root; they are unpacked once.

    split: train or val. kwargs: of ImageFolder. Attributes: wnids and wnid_to_idx (folders), classes (tuples of names),
    class_to_idx (each name), imgs, targets. Raises: RuntimeError for archives that are missing or have other checksums.
    """

    def __init__(self, root, split="train", **kwargs):
        root = self.root = os.path.expanduser(root)
        self.split = verify_str_arg(split, "split", ("train", "val"))
        self.parse_archives()
        names = load_meta_file(root)[0]
        super().__init__(self.split_folder, **kwargs)
        self.root = root
        self.wnids, self.wnid_to_idx = self.classes, self.class_to_idx
        self.classes = [names[wnid] for wnid in self.wnids]
        self.class_to_idx = {name: i for i, several in enumerate(self.classes) for name in several}

    def parse_archives(self):
        """Unpack what is not unpacked yet."""
        if not check_integrity(os.path.join(self.root, META_FILE)):
            parse_devkit_archive(self.root)
        if not os.path.isdir(self.split_folder):
            (parse_train_archive if self.split == "train" else parse_val_archive)(self.root)

    @property
    def split_folder(self):
        """Where the images of the split lie."""
        return os.path.join(self.root, self.split)

    def extra_repr(self):
        """Which part of the data."""
        return f"Split: {self.split}"


def load_meta_file(root, file=None):
    """({folder: names}, folders of val's images), as unpacking wrote them. Raises RuntimeError where it did not."""
    path = os.path.join(root, META_FILE if file is None else file)
    if not check_integrity(path):
        raise RuntimeError(
            f"The meta file {path} is not present in the root directory or is corrupted. "
            "This file is automatically created by the ImageNet dataset."
        )
    return load(path, weights_only=True)


def _archive(root, kind, file):
    """The path of an archive. Raises RuntimeError where it is missing or has another checksum."""
    name, md5 = ARCHIVE_META[kind]
    path = os.path.join(root, name if file is None else file)
    if not check_integrity(path, md5):
        raise RuntimeError(
            f"The archive {os.path.basename(path)} is not present in the root directory or is corrupted. "
            f"You need to download it externally and place it in {root}."
        )
    return path


def parse_devkit_archive(root, file=None):
    """Write META_FILE out of the archive of descriptions."""
    path = _archive(root, "devkit", file)
    with tempfile.TemporaryDirectory() as folder:
        extract_archive(path, folder)
        data = os.path.join(folder, "ILSVRC2012_devkit_t12", "data")
        synsets = _matlab.loadmat(os.path.join(data, "meta.mat"), squeeze_me=True)["synsets"]
        kinds = [synset for synset in synsets if synset[4] == 0]  # those that have no kinds below them
        folders = {synset[0]: synset[1] for synset in kinds}
        names = {synset[1]: tuple(synset[2].split(", ")) for synset in kinds}
        with open(os.path.join(data, "ILSVRC2012_validation_ground_truth.txt")) as lines:
            wnids = [folders[int(line)] for line in lines]
        save((names, wnids), os.path.join(root, META_FILE))


def parse_train_archive(root, file=None, folder="train"):
    """Unpack the archive of archives, one for each class."""
    path, target = _archive(root, "train", file), os.path.join(root, folder)
    extract_archive(path, target)
    for name in os.listdir(target):
        inner = os.path.join(target, name)
        extract_archive(inner, os.path.splitext(inner)[0], remove_finished=True)


def parse_val_archive(root, file=None, wnids=None, folder="val"):
    """Unpack the archive of images and put them into the folders of their classes."""
    wnids = load_meta_file(root)[1] if wnids is None else wnids
    path, target = _archive(root, "val", file), os.path.join(root, folder)
    extract_archive(path, target)
    images = sorted(os.listdir(target))
    for wnid in set(wnids):
        os.mkdir(os.path.join(target, wnid))
    for wnid, image in zip(wnids, images, strict=False):
        shutil.move(os.path.join(target, image), os.path.join(target, wnid, image))
