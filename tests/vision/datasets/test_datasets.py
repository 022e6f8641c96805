"""Data sets read from files as they are published: torchvision's samples, texts and errors."""

import pickle
from functools import partial

import numpy as np
import pytest

import jtorch
from tests.vision.datasets import files
from tests.vision.reference import SIDES, pixels, same


@pytest.fixture
def unchecked(monkeypatch):
    """Both sides take small files for the real ones: their checksums are not looked at."""
    for _, vision in SIDES:
        for name in ("CIFAR10", "CIFAR100", "STL10"):
            cls = getattr(vision.datasets, name)
            for list_name in ("train_list", "test_list"):
                monkeypatch.setattr(cls, list_name, [[name, None] for name, _ in getattr(cls, list_name)])
            if hasattr(cls, "meta"):
                monkeypatch.setattr(cls, "meta", {**cls.meta, "md5": None})
        split_list = {key: [*entry[:2], None] for key, entry in vision.datasets.SVHN.split_list.items()}
        monkeypatch.setattr(vision.datasets.SVHN, "split_list", split_list)


def read(vision, name, args, transforms=True, **kwargs):
    """All that can be seen of a data set."""
    T = vision.transforms
    if transforms:
        kwargs |= {"transform": T.Compose([T.ToTensor()]), "target_transform": T.Lambda(str)}
    data = getattr(vision.datasets, name)(*args, **kwargs)
    shown = {key: getattr(data, key) for key in ("data", "targets", "labels", "samples", "imgs") if hasattr(data, key)}
    shown |= {key: getattr(data, key) for key in ("classes", "class_to_idx") if hasattr(data, key)}
    return shown, [data[i] for i in range(len(data))], repr(data), type(data[0][1]).__name__


def both_ways(name, *args, **kwargs):
    """Compare a data set, with transforms and without."""
    for transforms in (True, False):
        seen = partial(read, name=name, args=args, transforms=transforms, **kwargs)
        same(lambda torch, vision, seen=seen: seen(vision), f"{name} {kwargs}")


@pytest.mark.parametrize("name", ("MNIST", "FashionMNIST", "KMNIST"))
def test_mnist_and_its_like(name, tmp_path):
    files.mnist(tmp_path, name)
    both_ways(name, str(tmp_path))
    both_ways(name, tmp_path, train=False)
    same(lambda torch, vision: getattr(vision.datasets, name)(tmp_path).train_data, warns=True)
    same(lambda torch, vision: getattr(vision.datasets, name)(tmp_path).test_labels, warns=True)


def test_emnist_and_qmnist(tmp_path):
    for split in ("letters", "balanced", "byclass"):
        for part in ("train", "test"):
            files.idx(tmp_path / "EMNIST" / "raw" / f"emnist-{split}-{part}-images-idx3-ubyte", pixels((3, 28, 28)))
            files.idx(tmp_path / "EMNIST" / "raw" / f"emnist-{split}-{part}-labels-idx1-ubyte", np.arange(3) + 1)
        both_ways("EMNIST", tmp_path, split=split)
        both_ways("EMNIST", tmp_path, split=split, train=False)
    files.idx(tmp_path / "QMNIST" / "raw" / "qmnist-train-images-idx3-ubyte", pixels((3, 28, 28)))
    files.idx(tmp_path / "QMNIST" / "raw" / "qmnist-train-labels-idx2-int", np.arange(24).reshape(3, 8) * 1000, ">i4")
    both_ways("QMNIST", tmp_path)
    same(lambda torch, vision: read(vision, "QMNIST", [tmp_path], compat=False, transforms=False))
    same(lambda torch, vision: vision.datasets.EMNIST(tmp_path, split="words"))
    same(lambda torch, vision: vision.datasets.EMNIST(tmp_path, split=3))
    same(lambda torch, vision: vision.datasets.QMNIST(tmp_path, what="all"))


def test_idx_files(tmp_path):
    whole = files.idx(tmp_path / "whole", np.arange(12).reshape(2, 2, 3) - 5, ">i4")
    real = files.idx(tmp_path / "real", np.arange(4) / 3, ">f4")
    for path in (whole, real):
        same(lambda torch, vision, p=path: vision.datasets.mnist.read_sn3_pascalvincent_tensor(p))
    same(lambda torch, vision: vision.datasets.mnist.read_label_file(whole))
    same(lambda torch, vision: vision.datasets.mnist.read_image_file(real))
    (tmp_path / "text").write_text("this is a text")
    with pytest.raises(AssertionError, match="is no IDX file"):
        jtorch.vision.datasets.mnist.read_image_file(tmp_path / "text")


def test_cifar(tmp_path, unchecked):
    batches = [f"data_batch_{i}" for i in range(1, 6)]
    files.cifar(tmp_path, "cifar-10-batches-py", batches, "test_batch", "batches.meta", "label_names", "labels")
    files.cifar(tmp_path, "cifar-100-python", ["train"], "test", "meta", "fine_label_names", "fine_labels")
    for name in ("CIFAR10", "CIFAR100"):
        both_ways(name, str(tmp_path))
        both_ways(name, tmp_path, train=False, download=True)
    (tmp_path / "cifar-100-python" / "meta").unlink()
    same(lambda torch, vision: vision.datasets.CIFAR100(tmp_path))


def test_stl10_and_svhn(tmp_path, unchecked):
    files.stl10(tmp_path)
    files.svhn(tmp_path)
    for split in ("train", "test", "unlabeled", "train+unlabeled"):
        same(lambda torch, vision, s=split: read(vision, "STL10", [tmp_path], split=s))
    same(lambda torch, vision: read(vision, "STL10", [str(tmp_path)], folds=3, transforms=False))
    same(lambda torch, vision: read(vision, "STL10", [tmp_path], split="train+unlabeled", folds=0))
    for wrong in ({"split": "all"}, {"folds": 10}, {"folds": "a"}):
        same(lambda torch, vision, w=wrong: vision.datasets.STL10(tmp_path, **w))
    both_ways("SVHN", str(tmp_path))
    same(lambda torch, vision: vision.datasets.SVHN(tmp_path, split="val"))


def test_folders(tmp_path):
    files.folders(tmp_path)
    both_ways("ImageFolder", str(tmp_path))
    both_ways("ImageFolder", str(tmp_path), is_valid_file=lambda path: path.endswith("txt") is False)
    both_ways("DatasetFolder", str(tmp_path), len, extensions=("txt",))
    (tmp_path / "empty").mkdir()
    both_ways("ImageFolder", str(tmp_path), allow_empty=True)
    same(lambda torch, vision: vision.datasets.ImageFolder(tmp_path))
    same(lambda torch, vision: vision.datasets.ImageFolder(tmp_path / "empty"))
    same(lambda torch, vision: vision.datasets.DatasetFolder(tmp_path, len))
    same(lambda torch, vision: vision.datasets.folder.make_dataset(tmp_path, {}, "png"))

    def own(torch, vision):
        class Dogs(vision.datasets.ImageFolder):
            def find_classes(self, directory):
                return ["dog"], {"dog": 7}

        return [(target, size.size) for size, target in Dogs(tmp_path)]

    same(own)


def test_noise():
    def noise(torch, vision):
        torch.manual_seed(3)
        data = vision.datasets.FakeData(3, (3, 6, 5), 7, transform=vision.transforms.PILToTensor(), random_offset=2)
        return [data[i] for i in range(3)], torch.rand(2), repr(data)

    same(noise)
    same(lambda torch, vision: vision.datasets.FakeData(2)[2])


@pytest.mark.parametrize("name", ("MNIST", "CIFAR10", "STL10", "SVHN"))
def test_what_is_not_there(name, tmp_path):
    same(lambda torch, vision: getattr(vision.datasets, name)(tmp_path))


def test_own_data_sets_and_their_text(tmp_path):
    def own(torch, vision):
        class Squares(vision.datasets.VisionDataset):
            def __getitem__(self, index):
                return self.transforms(index, -index)

            def __len__(self):
                return 3

        T = vision.transforms
        made = Squares(tmp_path, transforms=lambda x, y: (x * x, y))
        text = repr(Squares("~", transform=T.Compose([T.Pad(1)]), target_transform=T.Lambda(len)))
        return [made[i] for i in range(3)], text.replace(str(tmp_path), "")

    same(own)
    same(lambda torch, vision: vision.datasets.VisionDataset("a", transforms=len, transform=len))


def test_batches_of_a_data_set(tmp_path):
    files.mnist(tmp_path, count=10)

    def batches(torch, vision):
        data = vision.datasets.MNIST(tmp_path, transform=vision.transforms.ToTensor())
        return list(torch.utils.data.DataLoader(data, batch_size=4, shuffle=True))

    same(batches)


def test_data_sets_are_pickled_for_workers(tmp_path):
    files.mnist(tmp_path)
    data = jtorch.vision.datasets.MNIST(tmp_path, transform=jtorch.vision.transforms.ToTensor())
    other = pickle.loads(pickle.dumps(data))
    assert repr(other) == repr(data) and (other[3][0] == data[3][0]).all()
