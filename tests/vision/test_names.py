"""What jtorch.vision shows: torchvision's names at torchvision's places, also in scripts that import torchvision."""

import importlib
import inspect
import pkgutil
import subprocess
import sys
from enum import Enum
from types import ModuleType

import pytest

import jtorch.vision
from tests.vision.reference import torchvision

# What torchvision has and we have not: kinds of data and nets that nobody asked for, video, quantization, export.
LEFT_OUT = {
    "torchvision.ops": {
        "DeformConv2d", "DropBlock2d", "DropBlock3d", "PSRoIAlign",
        "PSRoIPool", "RoIPool", "complete_box_iou_loss", "deform_conv2d", "distance_box_iou_loss", "drop_block2d",
        "drop_block3d", "generalized_box_iou_loss", "ps_roi_align", "ps_roi_pool", "roi_pool",
    },
    "torchvision.io": {"decode_avif", "decode_heic"},
    # of networks in integers, which are refused
    "torchvision.models.quantization.mobilenetv2": {"MobileNet_V2_QuantizedWeights"},
    "torchvision.models.quantization.resnet": {
        "ResNet18_QuantizedWeights", "ResNet50_QuantizedWeights", "ResNeXt101_32X8D_QuantizedWeights",
        "ResNeXt101_64X4D_QuantizedWeights",
    },
    "torchvision.utils": {"_Image_fromarray", "flow_to_image"},
}  # fmt: skip


def modules():
    """The dotted names of jtorch.vision's public modules that torchvision has too."""
    found = [info.name for info in pkgutil.walk_packages(jtorch.vision.__path__, "jtorch.vision.")]
    public = [name for name in found if not any(part.startswith("_") for part in name.split("."))]
    return [name for name in ["jtorch.vision", *public] if _theirs(name) is not None]


def _theirs(name):
    try:
        return importlib.import_module(name.replace("jtorch.vision", "torchvision", 1))
    except ModuleNotFoundError:
        return None


@pytest.mark.parametrize("name", modules())
def test_a_module_shows_only_what_torchvision_has_there(name):
    ours, theirs = importlib.import_module(name), _theirs(name)
    shown = getattr(ours, "__all__", None) or [
        key
        for key, value in vars(ours).items()
        if not key.startswith("_") and not isinstance(value, ModuleType) and _is_its_own(ours, value)
    ]
    assert {key for key in shown if not hasattr(theirs, key)} == set()


def _is_its_own(module, value):
    home = getattr(value, "__module__", "") or ""
    return home == module.__name__ if not hasattr(module, "__path__") else home.startswith(module.__name__)


@pytest.mark.parametrize("name", [name for name in modules() if hasattr(_theirs(name), "__all__")])
def test_what_torchvision_promises_is_there(name):
    theirs = _theirs(name)
    if name == "jtorch.vision.datasets":
        return  # of its 70 data sets we have those that were asked for
    lacking = {key for key in theirs.__all__ if not hasattr(importlib.import_module(name), key)}
    assert lacking == LEFT_OUT.get(theirs.__name__, set())


def arguments(function):
    """(name, default) of each argument, classes and functions by their names."""
    found = [
        p for p in inspect.signature(function).parameters.values() if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)
    ]
    return [(p.name, str(getattr(p.default, "__name__", p.default))) for p in found]


@pytest.mark.parametrize("place", ("transforms", "transforms.functional", "datasets", "utils", "ops", "io"))
def test_arguments_and_defaults(place):
    ours, theirs = importlib.import_module(f"jtorch.vision.{place}"), importlib.import_module(f"torchvision.{place}")
    for name, value in vars(ours).items():
        callables = inspect.isfunction(value) or (inspect.isclass(value) and not issubclass(value, Enum))
        if callables and value.__module__.startswith("jtorch.vision") and hasattr(theirs, name):
            assert arguments(value) == arguments(getattr(theirs, name)), name


SCRIPT = """
import torch, torchvision
import torchvision.transforms as transforms
from torchvision import datasets, models
from torchvision.datasets.utils import download_url
from torchvision.io import read_image
from torchvision.models import resnet50, ResNet50_Weights
from torchvision.models.resnet import BasicBlock
from torchvision.ops import nms
from torchvision.transforms import v2, InterpolationMode
from torchvision.transforms.v2 import functional as F
from torchvision.utils import make_grid
data = datasets.FakeData(2, (3, 8, 8), transform=transforms.Compose([transforms.ToTensor()]))
print(torchvision.__version__.split("+")[0], data[0][0].shape, make_grid([x for x, _ in data]).shape)
print(models.resnet18().fc, ResNet50_Weights.DEFAULT)
"""


def test_scripts_that_import_torchvision(tmp_path):
    (tmp_path / "main.py").write_text(SCRIPT)
    done = subprocess.run(
        [sys.executable, "-m", "jtorch", "run", "main.py"], cwd=tmp_path, capture_output=True, text=True, timeout=120
    )
    assert done.stdout.splitlines() == [
        f"{torchvision.__version__.split('+')[0]} torch.Size([3, 8, 8]) torch.Size([3, 12, 22])",
        "Linear(in_features=512, out_features=1000, bias=True) ResNet50_Weights.IMAGENET1K_V2",
    ], done.stderr
