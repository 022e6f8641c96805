"""MobileNetV3 (Howard et al. 2019, arXiv:1905.02244)."""

from collections.abc import Sequence
from functools import partial

from jtorch import nn
from jtorch.vision.models._utils import _make_divisible, builder, kaiming, small
from jtorch.vision.models._weights import published
from jtorch.vision.ops.misc import Conv2dNormActivation
from jtorch.vision.ops.misc import SqueezeExcitation as SElayer

__all__ = [
    "MobileNetV3", "MobileNet_V3_Large_Weights", "MobileNet_V3_Small_Weights", "mobilenet_v3_large",
    "mobilenet_v3_small",
]  # fmt: skip


class InvertedResidualConfig:
    """The sizes of one block, channels times width_mult."""

    def __init__(
        self,
        input_channels: int,
        kernel: int,
        expanded_channels: int,
        out_channels: int,
        use_se: bool,
        activation: str,
        stride: int,
        dilation: int,
        width_mult: float,
    ) -> None:
        self.input_channels = self.adjust_channels(input_channels, width_mult)
        self.kernel = kernel
        self.expanded_channels = self.adjust_channels(expanded_channels, width_mult)
        self.out_channels = self.adjust_channels(out_channels, width_mult)
        self.use_se = use_se
        self.use_hs = activation == "HS"
        self.stride = stride
        self.dilation = dilation

    @staticmethod
    def adjust_channels(channels: int, width_mult: float) -> int:
        """The multiple of 8 next to channels · width_mult."""
        return _make_divisible(channels * width_mult, 8)


_EXCITED = partial(SElayer, scale_activation=nn.Hardsigmoid)


class InvertedResidual(nn.Module):
    """Many channels between few, convolved each alone and weighed. Raises: ValueError for strides but 1 and 2."""

    def __init__(self, cnf, norm_layer, se_layer=_EXCITED) -> None:
        super().__init__()
        if not (1 <= cnf.stride <= 2):
            raise ValueError("illegal stride value")
        self.use_res_connect = cnf.stride == 1 and cnf.input_channels == cnf.out_channels
        width = cnf.expanded_channels
        conv = partial(
            Conv2dNormActivation, norm_layer=norm_layer, activation_layer=nn.Hardswish if cnf.use_hs else nn.ReLU
        )
        layers = [] if width == cnf.input_channels else [conv(cnf.input_channels, width, kernel_size=1)]
        stride = 1 if cnf.dilation > 1 else cnf.stride
        layers.append(conv(width, width, kernel_size=cnf.kernel, stride=stride, dilation=cnf.dilation, groups=width))
        if cnf.use_se:
            layers.append(se_layer(width, _make_divisible(width // 4, 8)))
        layers.append(conv(width, cnf.out_channels, kernel_size=1, activation_layer=None))
        self.block = nn.Sequential(*layers)
        self.out_channels = cnf.out_channels
        self._is_cn = cnf.stride > 1

    def forward(self, input):
        result = self.block(input)
        if self.use_res_connect:
            result += input
        return result


class MobileNetV3(nn.Module):
    """Inverted residuals with squeeze and excitation. Shape: (N, 3, H, W) -> (N, num_classes).

    Raises: ValueError for no setting, TypeError for another kind of it.
    """

    def __init__(
        self,
        inverted_residual_setting: list[InvertedResidualConfig],
        last_channel: int,
        num_classes: int = 1000,
        block=None,
        norm_layer=None,
        dropout: float = 0.2,
        **kwargs,
    ) -> None:
        super().__init__()
        setting = inverted_residual_setting
        if not setting:
            raise ValueError("The inverted_residual_setting should not be empty")
        if not (isinstance(setting, Sequence) and all(isinstance(s, InvertedResidualConfig) for s in setting)):
            raise TypeError("The inverted_residual_setting should be List[InvertedResidualConfig]")
        block, norm_layer = block or InvertedResidual, norm_layer or partial(nn.BatchNorm2d, eps=0.001, momentum=0.01)
        conv = partial(Conv2dNormActivation, norm_layer=norm_layer, activation_layer=nn.Hardswish)
        first, width = setting[0].input_channels, 6 * setting[-1].out_channels
        self.features = nn.Sequential(
            conv(3, first, kernel_size=3, stride=2),
            *(block(cnf, norm_layer) for cnf in setting),
            conv(setting[-1].out_channels, width, kernel_size=1),
        )
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.classifier = nn.Sequential(
            nn.Linear(width, last_channel),
            nn.Hardswish(inplace=True),
            nn.Dropout(p=dropout, inplace=True),
            nn.Linear(last_channel, num_classes),
        )
        kaiming(self, linear=small)

    def forward(self, x):
        return self.classifier(self.avgpool(self.features(x)).flatten(1))


# (channels in, kernel, channels between, channels out, squeeze and excitation, activation, stride); the last three
# blocks are those of the tail.
_LARGE = [
    (16, 3, 16, 16, False, "RE", 1), (16, 3, 64, 24, False, "RE", 2), (24, 3, 72, 24, False, "RE", 1),
    (24, 5, 72, 40, True, "RE", 2), (40, 5, 120, 40, True, "RE", 1), (40, 5, 120, 40, True, "RE", 1),
    (40, 3, 240, 80, False, "HS", 2), (80, 3, 200, 80, False, "HS", 1), (80, 3, 184, 80, False, "HS", 1),
    (80, 3, 184, 80, False, "HS", 1), (80, 3, 480, 112, True, "HS", 1), (112, 3, 672, 112, True, "HS", 1),
    (112, 5, 672, 160, True, "HS", 2), (160, 5, 960, 160, True, "HS", 1), (160, 5, 960, 160, True, "HS", 1),
]  # fmt: skip
_SMALL = [
    (16, 3, 16, 16, True, "RE", 2), (16, 3, 72, 24, False, "RE", 2), (24, 3, 88, 24, False, "RE", 1),
    (24, 5, 96, 40, True, "HS", 2), (40, 5, 240, 40, True, "HS", 1), (40, 5, 240, 40, True, "HS", 1),
    (40, 5, 120, 48, True, "HS", 1), (48, 5, 144, 48, True, "HS", 1),
    (48, 5, 288, 96, True, "HS", 2), (96, 5, 576, 96, True, "HS", 1), (96, 5, 576, 96, True, "HS", 1),
]  # fmt: skip


def _net(blocks, last, width_mult=1.0, reduced_tail=False, dilated=False, **kwargs):
    """A net with these blocks. reduced_tail: half the channels at the end; dilated: no stride there."""
    less = 2 if reduced_tail else 1
    setting = []
    for i, (width, kernel, between, out, *rest) in enumerate(blocks):
        tail = i - len(blocks) + 3
        if tail >= 0:
            width, between = (width, between) if tail == 0 else (width // less, between // less)
            out //= less
        dilation = 2 if dilated and tail >= 0 else 1
        setting.append(InvertedResidualConfig(width, kernel, between, out, *rest, dilation, width_mult))
    return MobileNetV3(setting, InvertedResidualConfig.adjust_channels(last // less, width_mult), **kwargs)


MobileNet_V3_Large_Weights = published("MobileNet_V3_Large_Weights", __name__)
MobileNet_V3_Small_Weights = published("MobileNet_V3_Small_Weights", __name__)


@builder(MobileNet_V3_Large_Weights)
def mobilenet_v3_large(**kwargs):
    """MobileNetV3, the large one."""
    return _net(_LARGE, 1280, **kwargs)


@builder(MobileNet_V3_Small_Weights)
def mobilenet_v3_small(**kwargs):
    """MobileNetV3, the small one."""
    return _net(_SMALL, 1024, **kwargs)
