"""Nets for images turned into what detectors stand on: maps of several scales, some of it frozen."""

import warnings

from jtorch import nn
from jtorch.vision.models._api import get_model_builder
from jtorch.vision.models._utils import IntermediateLayerGetter
from jtorch.vision.ops.feature_pyramid_network import FeaturePyramidNetwork, LastLevelMaxPool
from jtorch.vision.ops.misc import FrozenBatchNorm2d


class BackboneWithFPN(nn.Module):
    """A feature pyramid on some layers of a net. Shape: (N, C, H, W) -> {name: (N, out_channels, H_i, W_i)}.

    return_layers: {name of a child: name of its map}; in_channels_list: their widths.
    """

    def __init__(
        self,
        backbone: nn.Module,
        return_layers: dict[str, str],
        in_channels_list: list[int],
        out_channels: int,
        extra_blocks=None,
        norm_layer=None,
    ):
        super().__init__()
        extra_blocks = LastLevelMaxPool() if extra_blocks is None else extra_blocks
        self.body = IntermediateLayerGetter(backbone, return_layers=return_layers)
        self.fpn = FeaturePyramidNetwork(in_channels_list, out_channels, extra_blocks, norm_layer)
        self.out_channels = out_channels

    def forward(self, x):
        return self.fpn(self.body(x))


def _freeze(parameters):
    for parameter in parameters:
        parameter.requires_grad_(False)


def resnet_fpn_backbone(
    *,
    backbone_name: str,
    weights,
    norm_layer=FrozenBatchNorm2d,
    trainable_layers: int = 3,
    returned_layers: list[int] | None = None,
    extra_blocks=None,
):
    """A ResNet with a pyramid. trainable_layers: how many, from the end, are not frozen; returned_layers: of 1 to 4.

    Raises ValueError for layers that there are not.
    """
    backbone = get_model_builder(backbone_name)(weights=weights, norm_layer=norm_layer)
    return _resnet_fpn_extractor(backbone, trainable_layers, returned_layers, extra_blocks)


def _resnet_fpn_extractor(backbone, trainable_layers, returned_layers=None, extra_blocks=None, norm_layer=None):
    if not 0 <= trainable_layers <= 5:
        raise ValueError(f"Trainable layers should be in the range [0,5], got {trainable_layers}")
    free = ("layer4", "layer3", "layer2", "layer1", "conv1", "bn1")[: trainable_layers + (trainable_layers == 5)]
    _freeze(p for name, p in backbone.named_parameters() if not name.startswith(free))
    returned_layers = [1, 2, 3, 4] if returned_layers is None else returned_layers
    if min(returned_layers) <= 0 or max(returned_layers) >= 5:
        raise ValueError(f"Each returned layer should be in the range [1,4]. Got {returned_layers}")
    names = {f"layer{k}": str(v) for v, k in enumerate(returned_layers)}
    widths = [backbone.inplanes // 8 * 2 ** (k - 1) for k in returned_layers]
    return BackboneWithFPN(backbone, names, widths, 256, extra_blocks, norm_layer)


def _validate_trainable_layers(is_trained, trainable_backbone_layers, max_value, default_value):
    """How many layers are not frozen. Raises ValueError for more than there are."""
    if not is_trained:
        if trainable_backbone_layers is not None:
            warnings.warn(
                "Changing trainable_backbone_layers has no effect if neither pretrained nor pretrained_backbone have "
                f"been set to True, falling back to trainable_backbone_layers={max_value} so that all layers are "
                "trainable",
                stacklevel=3,
            )
        return max_value
    layers = default_value if trainable_backbone_layers is None else trainable_backbone_layers
    if not 0 <= layers <= max_value:
        raise ValueError(f"Trainable backbone layers should be in the range [0,{max_value}], got {layers} ")
    return layers


def mobilenet_backbone(
    *,
    backbone_name: str,
    weights,
    fpn: bool,
    norm_layer=FrozenBatchNorm2d,
    trainable_layers: int = 2,
    returned_layers: list[int] | None = None,
    extra_blocks=None,
):
    """A MobileNet with a pyramid, or with one map of 256 channels. The arguments are those of resnet_fpn_backbone."""
    backbone = get_model_builder(backbone_name)(weights=weights, norm_layer=norm_layer)
    return _mobilenet_extractor(backbone, fpn, trainable_layers, returned_layers, extra_blocks)


def _mobilenet_extractor(backbone, fpn, trainable_layers, returned_layers=None, extra_blocks=None, norm_layer=None):
    backbone = backbone.features
    strided = [i for i, block in enumerate(backbone) if getattr(block, "_is_cn", False)]
    stages = [0, *strided, len(backbone) - 1]
    if not 0 <= trainable_layers <= len(stages):
        raise ValueError(f"Trainable layers should be in the range [0,{len(stages)}], got {trainable_layers} ")
    frozen = len(backbone) if trainable_layers == 0 else stages[len(stages) - trainable_layers]
    for block in backbone[:frozen]:
        _freeze(block.parameters())
    if not fpn:
        net = nn.Sequential(backbone, nn.Conv2d(backbone[-1].out_channels, 256, 1))
        net.out_channels = 256
        return net
    returned = [len(stages) - 2, len(stages) - 1] if returned_layers is None else returned_layers
    if min(returned) < 0 or max(returned) >= len(stages):
        raise ValueError(f"Each returned layer should be in the range [0,{len(stages) - 1}], got {returned} ")
    names = {f"{stages[k]}": str(v) for v, k in enumerate(returned)}
    widths = [backbone[stages[k]].out_channels for k in returned]
    return BackboneWithFPN(backbone, names, widths, 256, extra_blocks, norm_layer)
