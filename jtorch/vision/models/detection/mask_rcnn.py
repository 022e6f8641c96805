"""Mask R-CNN (arXiv:1703.06870) on a feature pyramid, and its second edition (arXiv:2111.11429)."""

from collections import OrderedDict

from jtorch import nn
from jtorch.vision.models._utils import kaiming
from jtorch.vision.models._weights import published
from jtorch.vision.models.detection._builder import detector
from jtorch.vision.models.detection.backbone_utils import _resnet_fpn_extractor
from jtorch.vision.models.detection.faster_rcnn import _RESNET, WITH_NORMS, FasterRCNN, second_edition
from jtorch.vision.ops.feature_pyramid_network import rename_old_keys
from jtorch.vision.ops.misc import Conv2dNormActivation
from jtorch.vision.ops.poolers import MultiScaleRoIAlign

__all__ = [
    "MaskRCNN", "MaskRCNN_ResNet50_FPN_Weights", "MaskRCNN_ResNet50_FPN_V2_Weights", "maskrcnn_resnet50_fpn",
    "maskrcnn_resnet50_fpn_v2",
]  # fmt: skip


class MaskRCNN(FasterRCNN):
    """Boxes, classes and masks of things: FasterRCNN, whose targets have "masks" (K, H, W) too.

    args, kwargs: of FasterRCNN. Raises: ValueError, TypeError for parts that do not fit together.
    """

    def __init__(
        self,
        backbone,
        num_classes=None,
        *args,
        mask_roi_pool=None,
        mask_head=None,
        mask_predictor=None,
        **kwargs,
    ):
        pool, head, predictor = mask_roi_pool, mask_head, mask_predictor
        if not isinstance(pool, (MultiScaleRoIAlign, type(None))):
            raise TypeError(f"mask_roi_pool should be of type MultiScaleRoIAlign or None instead of {type(pool)}")
        if num_classes is not None and predictor is not None:
            raise ValueError("num_classes should be None when mask_predictor is specified")
        pool = MultiScaleRoIAlign(["0", "1", "2", "3"], 14, 2) if pool is None else pool
        head = MaskRCNNHeads(backbone.out_channels, (256, 256, 256, 256), 1) if head is None else head
        predictor = MaskRCNNPredictor(256, 256, num_classes) if predictor is None else predictor
        super().__init__(backbone, num_classes, *args, **kwargs)
        self.roi_heads.mask_roi_pool = pool
        self.roi_heads.mask_head = head
        self.roi_heads.mask_predictor = predictor


class MaskRCNNHeads(nn.Sequential):
    """Convolutions that keep the size. Shape: (K, in_channels, M, M) -> (K, layers[-1], M, M)."""

    _version = 2

    def __init__(self, in_channels, layers, dilation, norm_layer=None):
        blocks = []
        for after in layers:
            conv = Conv2dNormActivation(
                in_channels, after, 3, padding=dilation, dilation=dilation, norm_layer=norm_layer
            )
            blocks.append(conv)
            in_channels = after
        super().__init__(*blocks)
        kaiming(self)

    def _load_from_state_dict(self, state_dict, prefix, local_metadata, *args):
        if (local_metadata.get("version") or 0) < 2:
            rename_old_keys(state_dict, [(f"{prefix}mask_fcn{i + 1}", f"{prefix}{i}.0") for i in range(len(self))])
        super()._load_from_state_dict(state_dict, prefix, local_metadata, *args)


class MaskRCNNPredictor(nn.Sequential):
    """A mask of twice the side for each class. Shape: (K, in_channels, M, M) -> (K, num_classes, 2 M, 2 M)."""

    def __init__(self, in_channels, dim_reduced, num_classes):
        layers = OrderedDict()
        layers["conv5_mask"] = nn.ConvTranspose2d(in_channels, dim_reduced, 2, 2, 0)
        layers["relu"] = nn.ReLU(inplace=True)
        layers["mask_fcn_logits"] = nn.Conv2d(dim_reduced, num_classes, 1, 1, 0)
        super().__init__(layers)
        for name, parameter in self.named_parameters():
            if "weight" in name:
                nn.init.kaiming_normal_(parameter, mode="fan_out", nonlinearity="relu")


MaskRCNN_ResNet50_FPN_Weights = published("MaskRCNN_ResNet50_FPN_Weights", __name__)
MaskRCNN_ResNet50_FPN_V2_Weights = published("MaskRCNN_ResNet50_FPN_V2_Weights", __name__)


@detector(MaskRCNN_ResNet50_FPN_Weights, _RESNET, _resnet_fpn_extractor, 5, eps=0.0)
def maskrcnn_resnet50_fpn(backbone, num_classes, **kwargs):
    """Mask R-CNN on a ResNet-50 with a feature pyramid."""
    return MaskRCNN(backbone, num_classes, **kwargs)


@detector(MaskRCNN_ResNet50_FPN_V2_Weights, _RESNET, WITH_NORMS, 5, downloads=False, freezes=False)
def maskrcnn_resnet50_fpn_v2(backbone, num_classes, **kwargs):
    """The second edition of Mask R-CNN on a ResNet-50 with a feature pyramid."""
    parts = second_edition(backbone)
    head = MaskRCNNHeads(backbone.out_channels, [256, 256, 256, 256], 1, norm_layer=nn.BatchNorm2d)
    return MaskRCNN(backbone, num_classes, **parts, mask_head=head, **kwargs)
