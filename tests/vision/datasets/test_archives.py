"""ImageNet and LSUN, out of small archives and databases made in their formats."""

import contextlib
import io
import shutil
import sys
import tarfile
from types import SimpleNamespace

import numpy as np
import pytest
import scipy.io

from tests.vision.reference import SIDES, image, same

KINDS = [(1, "n01", "tench, Tinca tinca", "a fish", 0), (2, "n02", "shark", "a fish", 0), (3, "n03", "fish", "all", 2)]


def packed(path, files, mode="w"):
    """An archive of {name: bytes}."""
    with tarfile.open(path, mode) as archive:
        for name, data in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))


def jpeg(seed):
    out = io.BytesIO()
    image((9, 7), seed=seed).save(out, "JPEG")
    return out.getvalue()


def tar(files):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for name, data in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
    return out.getvalue()


@pytest.fixture
def archives(tmp_path, monkeypatch):
    """A folder with ImageNet's archives, whose checksums neither side looks at."""
    for _, vision in SIDES:
        module = sys.modules[vision.datasets.ImageNet.__module__]
        monkeypatch.setattr(module, "ARCHIVE_META", {k: (name, None) for k, (name, _) in module.ARCHIVE_META.items()})
    root = tmp_path / "archives"
    root.mkdir()
    fields = ["ILSVRC2012_ID", "WNID", "words", "gloss", "num_children"]
    meta = io.BytesIO()
    scipy.io.savemat(meta, {"synsets": np.array(KINDS, dtype=[(f, object) for f in fields])})
    inner = "ILSVRC2012_devkit_t12/data/"
    texts = {inner + "meta.mat": meta.getvalue(), inner + "ILSVRC2012_validation_ground_truth.txt": b"2\n1\n2\n"}
    packed(root / "ILSVRC2012_devkit_t12.tar.gz", texts, "w:gz")
    train = {f"n0{k}.tar": tar({f"n0{k}_{i}.JPEG": jpeg(10 * k + i) for i in range(2)}) for k in (1, 2)}
    packed(root / "ILSVRC2012_img_train.tar", train)
    packed(root / "ILSVRC2012_img_val.tar", {f"ILSVRC2012_val_{i}.JPEG": jpeg(i) for i in range(3)})
    return root


def test_imagenet(archives, tmp_path):
    def seen(torch, vision):
        root = tmp_path / torch.__name__
        shutil.copytree(archives, root)
        out = []
        for split in ("train", "val", "val"):
            data = vision.datasets.ImageNet(root, split, transform=vision.transforms.ToTensor())
            places = [path.replace(str(root), "") for path, _ in data.imgs]
            known = data.classes, data.class_to_idx, data.wnids, data.wnid_to_idx, data.targets
            out.append((places, known, repr(data).replace(str(root), ""), [data[i] for i in range(len(data))]))
        return out

    assert not isinstance(same(seen), str)


def test_what_is_missing_of_imagenet(tmp_path):
    for split in ("train", "test"):
        same(lambda torch, vision, split=split: vision.datasets.ImageNet(tmp_path, split))
    same(lambda torch, vision: sys.modules[vision.datasets.ImageNet.__module__].load_meta_file(str(tmp_path)))


class Database:
    """One of lmdb's environments and its readers, in memory."""

    def __init__(self, root, **options):
        name = root.rpartition("/")[2].partition("_")[0]
        self.held = {f"{name}{i}".encode(): jpeg(len(name) + i) for i in range(2)}

    @contextlib.contextmanager
    def begin(self, write):
        yield SimpleNamespace(
            stat=lambda: {"entries": len(self.held)},
            get=self.held.__getitem__,
            cursor=lambda: SimpleNamespace(iternext=lambda keys, values: iter(self.held)),
        )


def test_lsun(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "lmdb", SimpleNamespace(open=Database))
    monkeypatch.chdir(tmp_path)

    def seen(torch, vision, classes="train"):
        make = vision.transforms.ToTensor()
        data = vision.datasets.LSUN("root", classes, transform=make, target_transform=vision.transforms.Lambda(str))
        return data.classes, data.indices, len(data), [data[i] for i in (0, 1, len(data) - 1)], repr(data)

    for _ in range(2):  # the second time the keys are in a file
        assert not isinstance(same(lambda torch, vision: seen(torch, vision, ["tower_val", "kitchen_train"])), str)
    for classes in ("train", "test", "all", 3, [4], ["house_train"], ["tower_some"]):
        same(lambda torch, vision, c=classes: seen(torch, vision, c)[:3])
