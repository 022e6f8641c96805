"""ResNets that torchvision can quantize."""

from jtorch import nn
from jtorch.vision.models._utils import builder
from jtorch.vision.models.quantization._float import MORE, FloatFunctional, Stubs, floating
from jtorch.vision.models.resnet import (
    BasicBlock,
    Bottleneck,
    ResNet,
    ResNet18_Weights,
    ResNet50_Weights,
    ResNeXt101_32X8D_Weights,
    ResNeXt101_64X4D_Weights,
)

__all__ = ["QuantizableResNet", "resnet18", "resnet50", "resnext101_32x8d", "resnext101_64x4d"]


class QuantizableBasicBlock(BasicBlock):
    """A BasicBlock whose sum is a module."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.add_relu = FloatFunctional()

    def forward(self, x):
        out = self.relu(self.bn1(self.conv1(x)))
        out = self.bn2(self.conv2(out))
        return self.add_relu.add_relu(out, x if self.downsample is None else self.downsample(x))


class QuantizableBottleneck(Bottleneck):
    """A Bottleneck whose sum is a module, and each of whose ReLUs is one of its own."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.skip_add_relu = FloatFunctional()
        self.relu1 = nn.ReLU(inplace=False)
        self.relu2 = nn.ReLU(inplace=False)

    def forward(self, x):
        out = self.relu1(self.bn1(self.conv1(x)))
        out = self.relu2(self.bn2(self.conv2(out)))
        out = self.bn3(self.conv3(out))
        return self.skip_add_relu.add_relu(out, x if self.downsample is None else self.downsample(x))


class QuantizableResNet(Stubs, ResNet):
    """A ResNet between the two stubs. Shape: (N, 3, H, W) -> (N, num_classes)."""


def _resnet(block, layers, quantize=False, backend="fbgemm", **kwargs):
    return floating(quantize, QuantizableResNet, block, layers, **kwargs)


@builder(ResNet18_Weights, more=MORE)
def quantized_resnet18(**kwargs):
    """ResNet-18."""
    return _resnet(QuantizableBasicBlock, [2, 2, 2, 2], **kwargs)


@builder(ResNet50_Weights, more=MORE)
def quantized_resnet50(**kwargs):
    """ResNet-50."""
    return _resnet(QuantizableBottleneck, [3, 4, 6, 3], **kwargs)


@builder(ResNeXt101_32X8D_Weights, more=MORE)
def quantized_resnext101_32x8d(**kwargs):
    """ResNeXt-101 of 32 groups with 8 channels."""
    return _resnet(QuantizableBottleneck, [3, 4, 23, 3], groups=32, width_per_group=8, **kwargs)


@builder(ResNeXt101_64X4D_Weights, more=MORE)
def quantized_resnext101_64x4d(**kwargs):
    """ResNeXt-101 of 64 groups with 4 channels."""
    return _resnet(QuantizableBottleneck, [3, 4, 23, 3], groups=64, width_per_group=4, **kwargs)


resnet18, resnet50 = quantized_resnet18, quantized_resnet50
resnext101_32x8d, resnext101_64x4d = quantized_resnext101_32x8d, quantized_resnext101_64x4d
