"""What jtorch.vision.ops holds. Written by `python -m tests.stubs`."""

from jtorch.vision.ops.boxes import batched_nms as batched_nms
from jtorch.vision.ops.boxes import box_area as box_area
from jtorch.vision.ops.boxes import box_convert as box_convert
from jtorch.vision.ops.boxes import box_iou as box_iou
from jtorch.vision.ops.boxes import clip_boxes_to_image as clip_boxes_to_image
from jtorch.vision.ops.boxes import complete_box_iou as complete_box_iou
from jtorch.vision.ops.boxes import distance_box_iou as distance_box_iou
from jtorch.vision.ops.boxes import generalized_box_iou as generalized_box_iou
from jtorch.vision.ops.boxes import masks_to_boxes as masks_to_boxes
from jtorch.vision.ops.boxes import nms as nms
from jtorch.vision.ops.boxes import remove_small_boxes as remove_small_boxes
from jtorch.vision.ops.feature_pyramid_network import FeaturePyramidNetwork as FeaturePyramidNetwork
from jtorch.vision.ops.focal_loss import sigmoid_focal_loss as sigmoid_focal_loss
from jtorch.vision.ops.misc import MLP as MLP
from jtorch.vision.ops.misc import Conv2dNormActivation as Conv2dNormActivation
from jtorch.vision.ops.misc import Conv3dNormActivation as Conv3dNormActivation
from jtorch.vision.ops.misc import FrozenBatchNorm2d as FrozenBatchNorm2d
from jtorch.vision.ops.misc import Permute as Permute
from jtorch.vision.ops.misc import SqueezeExcitation as SqueezeExcitation
from jtorch.vision.ops.poolers import MultiScaleRoIAlign as MultiScaleRoIAlign
from jtorch.vision.ops.roi_align import RoIAlign as RoIAlign
from jtorch.vision.ops.roi_align import roi_align as roi_align
from jtorch.vision.ops.stochastic_depth import StochasticDepth as StochasticDepth
from jtorch.vision.ops.stochastic_depth import stochastic_depth as stochastic_depth
