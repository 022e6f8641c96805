"""Faster R-CNN (arXiv:1506.01497) on a feature pyramid, and its second edition (arXiv:2111.11429)."""

from functools import partial

from jtorch import nn
from jtorch.nn import functional as F
from jtorch.vision.models._utils import kaiming
from jtorch.vision.models._weights import published
from jtorch.vision.models.detection._builder import detector
from jtorch.vision.models.detection.anchor_utils import AnchorGenerator
from jtorch.vision.models.detection.backbone_utils import _mobilenet_extractor, _resnet_fpn_extractor
from jtorch.vision.models.detection.generalized_rcnn import GeneralizedRCNN
from jtorch.vision.models.detection.roi_heads import RoIHeads
from jtorch.vision.models.detection.rpn import RegionProposalNetwork, RPNHead
from jtorch.vision.models.detection.transform import GeneralizedRCNNTransform
from jtorch.vision.models.mobilenetv3 import MobileNet_V3_Large_Weights, mobilenet_v3_large
from jtorch.vision.models.resnet import ResNet50_Weights, resnet50
from jtorch.vision.ops.misc import Conv2dNormActivation
from jtorch.vision.ops.poolers import MultiScaleRoIAlign

__all__ = [
    "FasterRCNN", "FasterRCNN_ResNet50_FPN_Weights", "FasterRCNN_ResNet50_FPN_V2_Weights",
    "FasterRCNN_MobileNet_V3_Large_FPN_Weights", "FasterRCNN_MobileNet_V3_Large_320_FPN_Weights",
    "fasterrcnn_resnet50_fpn", "fasterrcnn_resnet50_fpn_v2", "fasterrcnn_mobilenet_v3_large_fpn",
    "fasterrcnn_mobilenet_v3_large_320_fpn",
]  # fmt: skip

_RESNET = (resnet50, ResNet50_Weights)
_MOBILENET = (mobilenet_v3_large, MobileNet_V3_Large_Weights)


def _default_anchorgen():
    return AnchorGenerator(tuple((size,) for size in (32, 64, 128, 256, 512)), ((0.5, 1.0, 2.0),) * 5)


def _check(backbone, num_classes, anchors, pool, predictor):
    if not hasattr(backbone, "out_channels"):
        raise ValueError(
            "backbone should contain an attribute out_channels specifying the number of output channels (assumed to be "
            "the same for all the levels)"
        )
    if not isinstance(anchors, (AnchorGenerator, type(None))):
        raise TypeError(f"rpn_anchor_generator should be of type AnchorGenerator or None instead of {type(anchors)}")
    if not isinstance(pool, (MultiScaleRoIAlign, type(None))):
        raise TypeError(f"box_roi_pool should be of type MultiScaleRoIAlign or None instead of {type(pool)}")
    if num_classes is not None and predictor is not None:
        raise ValueError("num_classes should be None when box_predictor is specified")
    if num_classes is None and predictor is None:
        raise ValueError("num_classes should not be None when box_predictor is not specified")


class FasterRCNN(GeneralizedRCNN):
    """Boxes and classes of things. [(C, H, W)], targets {"boxes": (K, 4), "labels": (K,)} -> losses or detections.

    backbone: (N, C, H, W) -> a map or {name: map}, with an attribute out_channels; num_classes: background included.
    min_size, max_size, image_mean, image_std: of GeneralizedRCNNTransform; rpn_*: of RegionProposalNetwork; box_*: of
    RoIHeads. Raises: ValueError, TypeError for parts that do not fit together.
    """

    def __init__(
        self,
        backbone,
        num_classes=None,
        min_size=800,
        max_size=1333,
        image_mean=None,
        image_std=None,
        rpn_anchor_generator=None,
        rpn_head=None,
        rpn_pre_nms_top_n_train=2000,
        rpn_pre_nms_top_n_test=1000,
        rpn_post_nms_top_n_train=2000,
        rpn_post_nms_top_n_test=1000,
        rpn_nms_thresh=0.7,
        rpn_fg_iou_thresh=0.7,
        rpn_bg_iou_thresh=0.3,
        rpn_batch_size_per_image=256,
        rpn_positive_fraction=0.5,
        rpn_score_thresh=0.0,
        box_roi_pool=None,
        box_head=None,
        box_predictor=None,
        box_score_thresh=0.05,
        box_nms_thresh=0.5,
        box_detections_per_img=100,
        box_fg_iou_thresh=0.5,
        box_bg_iou_thresh=0.5,
        box_batch_size_per_image=512,
        box_positive_fraction=0.25,
        bbox_reg_weights=None,
        **kwargs,
    ):
        _check(backbone, num_classes, rpn_anchor_generator, box_roi_pool, box_predictor)
        anchors = _default_anchorgen() if rpn_anchor_generator is None else rpn_anchor_generator
        if rpn_head is None:
            rpn_head = RPNHead(backbone.out_channels, anchors.num_anchors_per_location()[0])
        rpn = RegionProposalNetwork(
            anchors,
            rpn_head,
            rpn_fg_iou_thresh,
            rpn_bg_iou_thresh,
            rpn_batch_size_per_image,
            rpn_positive_fraction,
            {"training": rpn_pre_nms_top_n_train, "testing": rpn_pre_nms_top_n_test},
            {"training": rpn_post_nms_top_n_train, "testing": rpn_post_nms_top_n_test},
            rpn_nms_thresh,
            rpn_score_thresh,
        )
        pool = MultiScaleRoIAlign(["0", "1", "2", "3"], 7, 2) if box_roi_pool is None else box_roi_pool
        if box_head is None:
            box_head = TwoMLPHead(backbone.out_channels * pool.output_size[0] ** 2, 1024)
        if box_predictor is None:
            box_predictor = FastRCNNPredictor(1024, num_classes)
        heads = RoIHeads(
            pool,
            box_head,
            box_predictor,
            box_fg_iou_thresh,
            box_bg_iou_thresh,
            box_batch_size_per_image,
            box_positive_fraction,
            bbox_reg_weights,
            box_score_thresh,
            box_nms_thresh,
            box_detections_per_img,
        )
        mean = [0.485, 0.456, 0.406] if image_mean is None else image_mean
        std = [0.229, 0.224, 0.225] if image_std is None else image_std
        super().__init__(backbone, rpn, heads, GeneralizedRCNNTransform(min_size, max_size, mean, std, **kwargs))


class TwoMLPHead(nn.Module):
    """Two linear layers. Shape: (K, C, H, W) -> (K, representation_size)."""

    def __init__(self, in_channels, representation_size):
        super().__init__()
        self.fc6 = nn.Linear(in_channels, representation_size)
        self.fc7 = nn.Linear(representation_size, representation_size)

    def forward(self, x):
        return F.relu(self.fc7(F.relu(self.fc6(x.flatten(1)))))


class FastRCNNConvFCHead(nn.Sequential):
    """Convolutions, then linear layers. Shape: (K, *input_size) -> (K, fc_layers[-1])."""

    def __init__(self, input_size, conv_layers, fc_layers, norm_layer=None):
        width, tall, wide = input_size
        blocks = []
        for after in conv_layers:
            blocks.append(Conv2dNormActivation(width, after, norm_layer=norm_layer))
            width = after
        blocks.append(nn.Flatten())
        width *= tall * wide
        for after in fc_layers:
            blocks += [nn.Linear(width, after), nn.ReLU(inplace=True)]
            width = after
        super().__init__(*blocks)
        kaiming(self)


class FastRCNNPredictor(nn.Module):
    """Scores of the classes and a box for each. Shape: (K, in_channels) -> (K, num_classes), (K, 4 * num_classes)."""

    def __init__(self, in_channels, num_classes):
        super().__init__()
        self.cls_score = nn.Linear(in_channels, num_classes)
        self.bbox_pred = nn.Linear(in_channels, num_classes * 4)

    def forward(self, x):
        if x.dim() == 4 and list(x.shape[2:]) != [1, 1]:
            raise AssertionError(
                f"x has the wrong shape, expecting the last two dimensions to be [1,1] instead of {list(x.shape[2:])}"
            )
        x = x.flatten(1)
        return self.cls_score(x), self.bbox_pred(x)


def second_edition(backbone):
    """The parts in which the second edition differs, in the order in which they are drawn."""
    anchors = _default_anchorgen()
    head = RPNHead(backbone.out_channels, anchors.num_anchors_per_location()[0], conv_depth=2)
    shape = (backbone.out_channels, 7, 7)
    box_head = FastRCNNConvFCHead(shape, [256, 256, 256, 256], [1024], norm_layer=nn.BatchNorm2d)
    return {"rpn_anchor_generator": anchors, "rpn_head": head, "box_head": box_head}


FasterRCNN_ResNet50_FPN_Weights = published("FasterRCNN_ResNet50_FPN_Weights", __name__)
FasterRCNN_ResNet50_FPN_V2_Weights = published("FasterRCNN_ResNet50_FPN_V2_Weights", __name__)
FasterRCNN_MobileNet_V3_Large_FPN_Weights = published("FasterRCNN_MobileNet_V3_Large_FPN_Weights", __name__)
FasterRCNN_MobileNet_V3_Large_320_FPN_Weights = published("FasterRCNN_MobileNet_V3_Large_320_FPN_Weights", __name__)
WITH_NORMS = partial(_resnet_fpn_extractor, norm_layer=nn.BatchNorm2d)


@detector(FasterRCNN_ResNet50_FPN_Weights, _RESNET, _resnet_fpn_extractor, 5, eps=0.0)
def fasterrcnn_resnet50_fpn(backbone, num_classes, **kwargs):
    """Faster R-CNN on a ResNet-50 with a feature pyramid."""
    return FasterRCNN(backbone, num_classes, **kwargs)


@detector(FasterRCNN_ResNet50_FPN_V2_Weights, _RESNET, WITH_NORMS, 5, downloads=False, freezes=False)
def fasterrcnn_resnet50_fpn_v2(backbone, num_classes, **kwargs):
    """The second edition of Faster R-CNN on a ResNet-50 with a feature pyramid."""
    return FasterRCNN(backbone, num_classes, **second_edition(backbone), **kwargs)


def _on_mobilenet(backbone, num_classes, **kwargs):
    anchors = AnchorGenerator(((32, 64, 128, 256, 512),) * 3, ((0.5, 1.0, 2.0),) * 3)
    return FasterRCNN(backbone, num_classes, rpn_anchor_generator=anchors, **{"rpn_score_thresh": 0.05, **kwargs})


def _with_pyramid(backbone, trainable_layers):
    return _mobilenet_extractor(backbone, True, trainable_layers)


@detector(FasterRCNN_MobileNet_V3_Large_320_FPN_Weights, _MOBILENET, _with_pyramid, 6)
def fasterrcnn_mobilenet_v3_large_320_fpn(backbone, num_classes, **kwargs):
    """Faster R-CNN on a MobileNetV3-Large, for small images."""
    small = {"min_size": 320, "max_size": 640, "rpn_pre_nms_top_n_test": 150, "rpn_post_nms_top_n_test": 150}
    return _on_mobilenet(backbone, num_classes, **{**small, **kwargs})


@detector(FasterRCNN_MobileNet_V3_Large_FPN_Weights, _MOBILENET, _with_pyramid, 6)
def fasterrcnn_mobilenet_v3_large_fpn(backbone, num_classes, **kwargs):
    """Faster R-CNN on a MobileNetV3-Large."""
    return _on_mobilenet(backbone, num_classes, **kwargs)
