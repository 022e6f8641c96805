"""ConvNeXt (Liu et al. 2022, arXiv:2201.03545)."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from jtorch import nn
from jtorch.api.creation import full
from jtorch.nn import functional as F
from jtorch.vision.models._utils import builder
from jtorch.vision.models._weights import published
from jtorch.vision.ops.misc import Conv2dNormActivation, Permute
from jtorch.vision.ops.stochastic_depth import StochasticDepth

__all__ = [
    "ConvNeXt", "ConvNeXt_Tiny_Weights", "ConvNeXt_Small_Weights", "ConvNeXt_Base_Weights",
    "ConvNeXt_Large_Weights", "convnext_tiny", "convnext_small", "convnext_base", "convnext_large",
]  # fmt: skip


class LayerNorm2d(nn.LayerNorm):
    """Layer norm of the channels. Shape: (N, C, H, W) -> the same."""

    def forward(self, x):
        x = F.layer_norm(x.permute(0, 2, 3, 1), self.normalized_shape, self.weight, self.bias, self.eps)
        return x.permute(0, 3, 1, 2)


class CNBlock(nn.Module):
    """Each channel convolved alone, then an MLP of them, beside a shortcut. Shape: (N, dim, H, W) -> the same."""

    def __init__(self, dim: int, layer_scale: float, stochastic_depth_prob: float, norm_layer=None) -> None:
        super().__init__()
        norm_layer = norm_layer or partial(nn.LayerNorm, eps=1e-6)
        self.block = nn.Sequential(
            nn.Conv2d(dim, dim, kernel_size=7, padding=3, groups=dim, bias=True),
            Permute([0, 2, 3, 1]),
            norm_layer(dim),
            nn.Linear(in_features=dim, out_features=4 * dim, bias=True),
            nn.GELU(),
            nn.Linear(in_features=4 * dim, out_features=dim, bias=True),
            Permute([0, 3, 1, 2]),
        )
        self.layer_scale = nn.Parameter(full((dim, 1, 1), float(layer_scale)))
        self.stochastic_depth = StochasticDepth(stochastic_depth_prob, "row")

    def forward(self, input):
        result = self.stochastic_depth(self.layer_scale * self.block(input))
        result += input
        return result


@dataclass
class CNBlockConfig:
    """The sizes of one stage. out_channels: of the next, None for the last."""

    input_channels: int
    out_channels: int | None
    num_layers: int


class ConvNeXt(nn.Module):
    """Stages of blocks. Shape: (N, 3, H, W) -> (N, num_classes).

    Raises: ValueError for no setting, TypeError for another kind of it.
    """

    def __init__(
        self,
        block_setting: list[CNBlockConfig],
        stochastic_depth_prob: float = 0.0,
        layer_scale: float = 1e-6,
        num_classes: int = 1000,
        block=None,
        norm_layer=None,
        **kwargs,
    ) -> None:
        super().__init__()
        if not block_setting:
            raise ValueError("The block_setting should not be empty")
        if not (isinstance(block_setting, Sequence) and all(isinstance(s, CNBlockConfig) for s in block_setting)):
            raise TypeError("The block_setting should be List[CNBlockConfig]")
        block, norm_layer = block or CNBlock, norm_layer or partial(LayerNorm2d, eps=1e-6)
        first = block_setting[0].input_channels
        patches = {"kernel_size": 4, "stride": 4, "padding": 0, "bias": True}
        layers = [Conv2dNormActivation(3, first, norm_layer=norm_layer, activation_layer=None, **patches)]
        total, done = sum(cnf.num_layers for cnf in block_setting), 0
        for cnf in block_setting:
            # The deeper a block, the more often it is dropped.
            chances = [stochastic_depth_prob * i / (total - 1.0) for i in range(done, done + cnf.num_layers)]
            layers.append(nn.Sequential(*(block(cnf.input_channels, layer_scale, p) for p in chances)))
            done += cnf.num_layers
            if cnf.out_channels is not None:
                half = nn.Conv2d(cnf.input_channels, cnf.out_channels, kernel_size=2, stride=2)
                layers.append(nn.Sequential(norm_layer(cnf.input_channels), half))
        self.features = nn.Sequential(*layers)
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        last = block_setting[-1].out_channels or block_setting[-1].input_channels
        self.classifier = nn.Sequential(norm_layer(last), nn.Flatten(1), nn.Linear(last, num_classes))
        for m in self.modules():
            if isinstance(m, (nn.Conv2d, nn.Linear)):
                nn.init.trunc_normal_(m.weight, std=0.02)
                if m.bias is not None:
                    nn.init.zeros_(m.bias)

    def forward(self, x):
        return self.classifier(self.avgpool(self.features(x)))


def _net(width, third, drop, kwargs):
    """A net whose stages have width, 2 · width, ... channels, and `third` blocks in the third."""
    sizes = [(width, 2 * width, 3), (2 * width, 4 * width, 3), (4 * width, 8 * width, third), (8 * width, None, 3)]
    setting = [CNBlockConfig(*size) for size in sizes]
    return ConvNeXt(setting, **{"stochastic_depth_prob": drop, **kwargs})


ConvNeXt_Tiny_Weights = published("ConvNeXt_Tiny_Weights", __name__)
ConvNeXt_Small_Weights = published("ConvNeXt_Small_Weights", __name__)
ConvNeXt_Base_Weights = published("ConvNeXt_Base_Weights", __name__)
ConvNeXt_Large_Weights = published("ConvNeXt_Large_Weights", __name__)


@builder(ConvNeXt_Tiny_Weights)
def convnext_tiny(**kwargs):
    """ConvNeXt, tiny."""
    return _net(96, 9, 0.1, kwargs)


@builder(ConvNeXt_Small_Weights)
def convnext_small(**kwargs):
    """ConvNeXt, small."""
    return _net(96, 27, 0.4, kwargs)


@builder(ConvNeXt_Base_Weights)
def convnext_base(**kwargs):
    """ConvNeXt, base."""
    return _net(128, 27, 0.5, kwargs)


@builder(ConvNeXt_Large_Weights)
def convnext_large(**kwargs):
    """ConvNeXt, large."""
    return _net(192, 27, 0.5, kwargs)
