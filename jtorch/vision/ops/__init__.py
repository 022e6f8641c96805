"""torchvision.ops: boxes and regions of images, and layers that many nets are made of."""

from jtorch.vision.ops.boxes import (
    batched_nms,
    box_area,
    box_convert,
    box_iou,
    clip_boxes_to_image,
    complete_box_iou,
    distance_box_iou,
    generalized_box_iou,
    masks_to_boxes,
    nms,
    remove_small_boxes,
)
from jtorch.vision.ops.feature_pyramid_network import FeaturePyramidNetwork
from jtorch.vision.ops.focal_loss import sigmoid_focal_loss
from jtorch.vision.ops.misc import (
    MLP,
    Conv2dNormActivation,
    Conv3dNormActivation,
    FrozenBatchNorm2d,
    Permute,
    SqueezeExcitation,
)
from jtorch.vision.ops.poolers import MultiScaleRoIAlign
from jtorch.vision.ops.roi_align import RoIAlign, roi_align
from jtorch.vision.ops.stochastic_depth import StochasticDepth, stochastic_depth
