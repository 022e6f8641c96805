"""Detectors that look twice: at proposals, and at what they hold."""

from collections import OrderedDict

import numpy as np

from jtorch import nn
from jtorch._tensor import Tensor, host


class GeneralizedRCNN(nn.Module):
    """A transform, a backbone, proposals and heads. [(C, H, W)], targets -> losses in training, otherwise detections.

    Raises AssertionError for images, targets and boxes that are none.
    """

    def __init__(self, backbone: nn.Module, rpn: nn.Module, roi_heads: nn.Module, transform: nn.Module):
        super().__init__()
        self.transform = transform
        self.backbone = backbone
        self.rpn = rpn
        self.roi_heads = roi_heads

    def eager_outputs(self, losses, detections):
        """What the net returns: in training the losses."""
        return losses if self.training else detections

    def forward(self, images, targets=None):
        if self.training:
            _check_targets(targets)
        sizes = [_size(image) for image in images]
        images, targets = self.transform(images, targets)
        for number, target in enumerate(targets or ()):
            _check_boxes(number, host(target["boxes"]))
        features = self.backbone(images.tensors)
        if isinstance(features, Tensor):
            features = OrderedDict([("0", features)])
        proposals, proposal_losses = self.rpn(images, features, targets)
        detections, losses = self.roi_heads(features, proposals, images.image_sizes, targets)
        detections = self.transform.postprocess(detections, images.image_sizes, sizes)
        return self.eager_outputs({**losses, **proposal_losses}, detections)


def _size(image):
    size = tuple(image.shape[-2:])
    if len(size) != 2:
        raise AssertionError(
            f"expecting the last two dimensions of the Tensor to be H and W instead got {image.shape[-2:]}"
        )
    return size


def _check_targets(targets):
    if targets is None:
        raise AssertionError("targets should not be none when in training mode")
    for boxes in (target["boxes"] for target in targets):
        if not isinstance(boxes, Tensor):
            raise AssertionError(f"Expected target boxes to be of type Tensor, got {type(boxes)}.")
        if boxes.dim() != 2 or boxes.shape[-1] != 4:
            raise AssertionError(f"Expected target boxes to be a tensor of shape [N, 4], got {boxes.shape}.")


def _check_boxes(number, boxes):
    wrong = np.flatnonzero((boxes[:, 2:] <= boxes[:, :2]).any(1))
    if len(wrong):
        raise AssertionError(
            "All bounding boxes should have positive height and width."
            f" Found invalid box {boxes[wrong[0]].tolist()} for target at index {number}."
        )
