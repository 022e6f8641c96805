"""torchvision.datasets: images and labels in the formats in which they are published, fetched on demand."""

from jtorch.vision.datasets.cifar import CIFAR10, CIFAR100
from jtorch.vision.datasets.fakedata import FakeData
from jtorch.vision.datasets.folder import DatasetFolder, ImageFolder
from jtorch.vision.datasets.imagenet import ImageNet
from jtorch.vision.datasets.lsun import LSUN, LSUNClass
from jtorch.vision.datasets.mnist import EMNIST, KMNIST, MNIST, QMNIST, FashionMNIST
from jtorch.vision.datasets.stl10 import STL10
from jtorch.vision.datasets.svhn import SVHN
from jtorch.vision.datasets.vision import VisionDataset

__all__ = [
    "CIFAR10", "CIFAR100", "DatasetFolder", "EMNIST", "FakeData", "FashionMNIST", "ImageFolder", "ImageNet", "KMNIST",
    "LSUN", "LSUNClass", "MNIST", "QMNIST", "STL10", "SVHN", "VisionDataset",
]  # fmt: skip
