"""EfficientNet (Tan and Le 2019, arXiv:1905.11946) and EfficientNetV2 (2021, arXiv:2104.00298)."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from jtorch import nn
from jtorch.vision.models._utils import _make_divisible, builder, kaiming
from jtorch.vision.models._weights import published
from jtorch.vision.ops.misc import Conv2dNormActivation, SqueezeExcitation
from jtorch.vision.ops.stochastic_depth import StochasticDepth

__all__ = [
    "EfficientNet", "EfficientNet_B0_Weights", "EfficientNet_B1_Weights", "EfficientNet_B2_Weights",
    "EfficientNet_B3_Weights", "EfficientNet_B4_Weights", "EfficientNet_B5_Weights", "EfficientNet_B6_Weights",
    "EfficientNet_B7_Weights", "EfficientNet_V2_S_Weights", "EfficientNet_V2_M_Weights",
    "EfficientNet_V2_L_Weights", "efficientnet_b0", "efficientnet_b1", "efficientnet_b2", "efficientnet_b3",
    "efficientnet_b4", "efficientnet_b5", "efficientnet_b6", "efficientnet_b7", "efficientnet_v2_s",
    "efficientnet_v2_m", "efficientnet_v2_l",
]  # fmt: skip


@dataclass
class _MBConvConfig:
    """The sizes of one stage."""

    expand_ratio: float
    kernel: int
    stride: int
    input_channels: int
    out_channels: int
    num_layers: int
    block: Any

    @staticmethod
    def adjust_channels(channels, width_mult, min_value=None):
        """The multiple of 8 next to channels · width_mult."""
        return _make_divisible(channels * width_mult, 8, min_value)


def MBConvConfig(
    expand_ratio, kernel, stride, input_channels, out_channels, num_layers, width_mult=1.0, depth_mult=1.0, block=None
):
    """A stage of MBConv blocks, with channels and layers times the two factors."""
    widths = (_MBConvConfig.adjust_channels(width, width_mult) for width in (input_channels, out_channels))
    return _MBConvConfig(expand_ratio, kernel, stride, *widths, math.ceil(num_layers * depth_mult), block or MBConv)


def FusedMBConvConfig(expand_ratio, kernel, stride, input_channels, out_channels, num_layers, block=None):
    """A stage of FusedMBConv blocks."""
    return _MBConvConfig(expand_ratio, kernel, stride, input_channels, out_channels, num_layers, block or FusedMBConv)


class _Block(nn.Module):
    """Layers beside a shortcut, where the sizes allow one. Raises: ValueError for other strides than 1 and 2."""

    def __init__(self, cnf, stochastic_depth_prob, layers) -> None:
        super().__init__()
        if not (1 <= cnf.stride <= 2):
            raise ValueError("illegal stride value")
        self.use_res_connect = cnf.stride == 1 and cnf.input_channels == cnf.out_channels
        self.block = nn.Sequential(*layers)
        self.stochastic_depth = StochasticDepth(stochastic_depth_prob, "row")
        self.out_channels = cnf.out_channels

    def forward(self, input):
        result = self.block(input)
        if self.use_res_connect:
            result = self.stochastic_depth(result)
            result += input
        return result


class MBConv(_Block):
    """Many channels between few, convolved each alone and weighed."""

    def __init__(self, cnf, stochastic_depth_prob: float, norm_layer, se_layer=SqueezeExcitation) -> None:
        conv = partial(Conv2dNormActivation, norm_layer=norm_layer, activation_layer=nn.SiLU)
        width = cnf.adjust_channels(cnf.input_channels, cnf.expand_ratio)
        layers = [] if width == cnf.input_channels else [conv(cnf.input_channels, width, kernel_size=1)]
        layers += [
            conv(width, width, kernel_size=cnf.kernel, stride=cnf.stride, groups=width),
            se_layer(width, max(1, cnf.input_channels // 4), activation=partial(nn.SiLU, inplace=True)),
            conv(width, cnf.out_channels, kernel_size=1, activation_layer=None),
        ]
        super().__init__(cnf, stochastic_depth_prob, layers)


class FusedMBConv(_Block):
    """Many channels between few, convolved together."""

    def __init__(self, cnf, stochastic_depth_prob: float, norm_layer) -> None:
        conv = partial(Conv2dNormActivation, norm_layer=norm_layer, activation_layer=nn.SiLU)
        width = cnf.adjust_channels(cnf.input_channels, cnf.expand_ratio)
        size = {"kernel_size": cnf.kernel, "stride": cnf.stride}
        if width == cnf.input_channels:
            layers = [conv(cnf.input_channels, cnf.out_channels, **size)]
        else:
            layers = [
                conv(cnf.input_channels, width, **size),
                conv(width, cnf.out_channels, kernel_size=1, activation_layer=None),
            ]
        super().__init__(cnf, stochastic_depth_prob, layers)


class EfficientNet(nn.Module):
    """Stages of MBConv blocks. Shape: (N, 3, H, W) -> (N, num_classes).

    Raises: ValueError for no setting, TypeError for another kind of it.
    """

    def __init__(
        self,
        inverted_residual_setting,
        dropout: float,
        stochastic_depth_prob: float = 0.2,
        num_classes: int = 1000,
        norm_layer=None,
        last_channel: int | None = None,
    ) -> None:
        super().__init__()
        setting = inverted_residual_setting
        if not setting:
            raise ValueError("The inverted_residual_setting should not be empty")
        if not (isinstance(setting, Sequence) and all(isinstance(s, _MBConvConfig) for s in setting)):
            raise TypeError("The inverted_residual_setting should be List[MBConvConfig]")
        norm_layer = norm_layer or nn.BatchNorm2d
        conv = partial(Conv2dNormActivation, norm_layer=norm_layer, activation_layer=nn.SiLU)
        layers = [conv(3, setting[0].input_channels, kernel_size=3, stride=2)]
        total, done = sum(cnf.num_layers for cnf in setting), 0
        for cnf in setting:
            stage = []
            for i in range(cnf.num_layers):
                each = replace(cnf, input_channels=cnf.out_channels, stride=1) if i else cnf
                # The deeper a block, the more often it is dropped.
                stage.append(each.block(each, stochastic_depth_prob * float(done) / total, norm_layer))
                done += 1
            layers.append(nn.Sequential(*stage))
        width = setting[-1].out_channels
        last = 4 * width if last_channel is None else last_channel
        self.features = nn.Sequential(*layers, conv(width, last, kernel_size=1))
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.classifier = nn.Sequential(nn.Dropout(p=dropout, inplace=True), nn.Linear(last, num_classes))
        bound = 1.0 / math.sqrt(num_classes)
        kaiming(self, linear=lambda weight: nn.init.uniform_(weight, -bound, bound))

    def forward(self, x):
        return self.classifier(self.avgpool(self.features(x)).flatten(1))


# (expansion, kernel, stride, channels in, channels out, layers) of each stage; V2 begins with three of FusedMBConv.
_V1 = [
    (1, 3, 1, 32, 16, 1), (6, 3, 2, 16, 24, 2), (6, 5, 2, 24, 40, 2), (6, 3, 2, 40, 80, 3), (6, 5, 1, 80, 112, 3),
    (6, 5, 2, 112, 192, 4), (6, 3, 1, 192, 320, 1),
]  # fmt: skip
_V2_S = [
    (1, 3, 1, 24, 24, 2), (4, 3, 2, 24, 48, 4), (4, 3, 2, 48, 64, 4), (4, 3, 2, 64, 128, 6), (6, 3, 1, 128, 160, 9),
    (6, 3, 2, 160, 256, 15),
]  # fmt: skip
_V2_M = [
    (1, 3, 1, 24, 24, 3), (4, 3, 2, 24, 48, 5), (4, 3, 2, 48, 80, 5), (4, 3, 2, 80, 160, 7), (6, 3, 1, 160, 176, 14),
    (6, 3, 2, 176, 304, 18), (6, 3, 1, 304, 512, 5),
]  # fmt: skip
_V2_L = [
    (1, 3, 1, 32, 32, 4), (4, 3, 2, 32, 64, 7), (4, 3, 2, 64, 96, 7), (4, 3, 2, 96, 192, 10), (6, 3, 1, 192, 224, 19),
    (6, 3, 2, 224, 384, 25), (6, 3, 1, 384, 640, 7),
]  # fmt: skip


_SLOW_NORM = {"norm_layer": partial(nn.BatchNorm2d, eps=0.001, momentum=0.01)}


def _v1(width, depth, dropout, kwargs):
    """A net of the first kind, with channels and layers times two factors."""
    setting = [MBConvConfig(*stage, width_mult=width, depth_mult=depth) for stage in _V1]
    return EfficientNet(setting, **{"dropout": dropout, **kwargs})


def _v2(stages, dropout, kwargs):
    """A net of the second kind."""
    setting = [(FusedMBConvConfig if i < 3 else MBConvConfig)(*stage) for i, stage in enumerate(stages)]
    norm = partial(nn.BatchNorm2d, eps=1e-3)
    return EfficientNet(setting, last_channel=1280, norm_layer=norm, **{"dropout": dropout, **kwargs})


EfficientNet_B0_Weights = published("EfficientNet_B0_Weights", __name__)
EfficientNet_B1_Weights = published("EfficientNet_B1_Weights", __name__)
EfficientNet_B2_Weights = published("EfficientNet_B2_Weights", __name__)
EfficientNet_B3_Weights = published("EfficientNet_B3_Weights", __name__)
EfficientNet_B4_Weights = published("EfficientNet_B4_Weights", __name__)
EfficientNet_B5_Weights = published("EfficientNet_B5_Weights", __name__)
EfficientNet_B6_Weights = published("EfficientNet_B6_Weights", __name__)
EfficientNet_B7_Weights = published("EfficientNet_B7_Weights", __name__)
EfficientNet_V2_S_Weights = published("EfficientNet_V2_S_Weights", __name__)
EfficientNet_V2_M_Weights = published("EfficientNet_V2_M_Weights", __name__)
EfficientNet_V2_L_Weights = published("EfficientNet_V2_L_Weights", __name__)


@builder(EfficientNet_B0_Weights)
def efficientnet_b0(**kwargs):
    """EfficientNet-B0."""
    return _v1(1.0, 1.0, 0.2, kwargs)


@builder(EfficientNet_B1_Weights)
def efficientnet_b1(**kwargs):
    """EfficientNet-B1."""
    return _v1(1.0, 1.1, 0.2, kwargs)


@builder(EfficientNet_B2_Weights)
def efficientnet_b2(**kwargs):
    """EfficientNet-B2."""
    return _v1(1.1, 1.2, 0.3, kwargs)


@builder(EfficientNet_B3_Weights)
def efficientnet_b3(**kwargs):
    """EfficientNet-B3."""
    return _v1(1.2, 1.4, 0.3, kwargs)


@builder(EfficientNet_B4_Weights)
def efficientnet_b4(**kwargs):
    """EfficientNet-B4."""
    return _v1(1.4, 1.8, 0.4, kwargs)


@builder(EfficientNet_B5_Weights)
def efficientnet_b5(**kwargs):
    """EfficientNet-B5."""
    return _v1(1.6, 2.2, 0.4, {**_SLOW_NORM, **kwargs})


@builder(EfficientNet_B6_Weights)
def efficientnet_b6(**kwargs):
    """EfficientNet-B6."""
    return _v1(1.8, 2.6, 0.5, {**_SLOW_NORM, **kwargs})


@builder(EfficientNet_B7_Weights)
def efficientnet_b7(**kwargs):
    """EfficientNet-B7."""
    return _v1(2.0, 3.1, 0.5, {**_SLOW_NORM, **kwargs})


@builder(EfficientNet_V2_S_Weights)
def efficientnet_v2_s(**kwargs):
    """EfficientNetV2-S."""
    return _v2(_V2_S, 0.2, kwargs)


@builder(EfficientNet_V2_M_Weights)
def efficientnet_v2_m(**kwargs):
    """EfficientNetV2-M."""
    return _v2(_V2_M, 0.3, kwargs)


@builder(EfficientNet_V2_L_Weights)
def efficientnet_v2_l(**kwargs):
    """EfficientNetV2-L."""
    return _v2(_V2_L, 0.4, kwargs)
