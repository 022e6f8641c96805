"""Region proposals: which anchors hold something, and where exactly (arXiv:1506.01497)."""

import numpy as np

from jtorch import nn
from jtorch._tensor import aval, from_host, host
from jtorch.autograd.apply import call
from jtorch.nn import functional as F
from jtorch.vision.models.detection import _utils as det_utils
from jtorch.vision.models.detection.anchor_utils import AnchorGenerator
from jtorch.vision.ops.boxes import _as_floats, _kept, box_iou
from jtorch.vision.ops.feature_pyramid_network import rename_old_keys
from jtorch.vision.ops.misc import Conv2dNormActivation

__all__ = ["AnchorGenerator", "RPNHead", "RegionProposalNetwork", "concat_box_prediction_layers", "permute_and_flatten"]


class RPNHead(nn.Module):
    """A score and a correction for each anchor. Shape: [(N, C, H, W)] -> ([(N, A, H, W)], [(N, 4 A, H, W)])."""

    _version = 2

    def __init__(self, in_channels: int, num_anchors: int, conv_depth=1):
        super().__init__()
        convs = [Conv2dNormActivation(in_channels, in_channels, 3, norm_layer=None) for _ in range(conv_depth)]
        self.conv = nn.Sequential(*convs)
        self.cls_logits = nn.Conv2d(in_channels, num_anchors, 1)
        self.bbox_pred = nn.Conv2d(in_channels, num_anchors * 4, 1)
        for layer in self.modules():
            if isinstance(layer, nn.Conv2d):
                nn.init.normal_(layer.weight, std=0.01)
                nn.init.zeros_(layer.bias)

    def _load_from_state_dict(self, state_dict, prefix, local_metadata, *args):
        if (local_metadata.get("version") or 0) < 2:
            rename_old_keys(state_dict, [(f"{prefix}conv", f"{prefix}conv.0.0")])
        super()._load_from_state_dict(state_dict, prefix, local_metadata, *args)

    def forward(self, x):
        seen = [self.conv(m) for m in x]
        pairs = [(self.cls_logits(m), self.bbox_pred(m)) for m in seen]
        return [scores for scores, _ in pairs], [codes for _, codes in pairs]


def permute_and_flatten(layer, N: int, A: int, C: int, H: int, W: int):
    """Channels A C of a map as rows. Shape: (N, A * C, H, W) -> (N, H * W * A, C)."""
    return layer.view(N, -1, C, H, W).permute(0, 3, 4, 1, 2).reshape(N, -1, C)


def concat_box_prediction_layers(box_cls, box_regression):
    """All maps' scores and corrections in the order of the anchors. Shape: -> (N * anchors, C), (N * anchors, 4)."""
    scores, codes = [], []
    for one, other in zip(box_cls, box_regression, strict=False):
        n, _, h, w = one.shape
        anchors = other.shape[1] // 4
        classes = one.shape[1] // anchors
        scores.append(permute_and_flatten(one, n, anchors, classes, h, w))
        codes.append(permute_and_flatten(other, n, anchors, 4, h, w))
    return call("cat", scores, 1).flatten(0, -2), call("cat", codes, 1).reshape(-1, 4)


class RegionProposalNetwork(nn.Module):
    """The best boxes of each image, whatever they hold, and in training the losses.

    Shape: ImageList, {name: (N, C, H, W)}, targets -> [(proposals, 4)], {"loss_objectness": (), …}.
    fg_iou_thresh, bg_iou_thresh: an anchor that overlaps a target by the first is one of it, below the second
    background. batch_size_per_image, positive_fraction: of the anchors that are learnt from. pre_nms_top_n,
    post_nms_top_n: how many are looked at in each map, and kept, {"training": …, "testing": …}; score_thresh: the least
    probability of those. Raises ValueError in training without targets.
    """

    def __init__(
        self,
        anchor_generator,
        head: nn.Module,
        fg_iou_thresh: float,
        bg_iou_thresh: float,
        batch_size_per_image: int,
        positive_fraction: float,
        pre_nms_top_n,
        post_nms_top_n,
        nms_thresh: float,
        score_thresh: float = 0.0,
    ):
        super().__init__()
        self.anchor_generator = anchor_generator
        self.head = head
        self.box_coder = det_utils.BoxCoder((1.0, 1.0, 1.0, 1.0))
        self.box_similarity = box_iou
        self.proposal_matcher = det_utils.Matcher(fg_iou_thresh, bg_iou_thresh, True)
        self.fg_bg_sampler = det_utils.BalancedPositiveNegativeSampler(batch_size_per_image, positive_fraction)
        self._pre_nms_top_n = pre_nms_top_n
        self._post_nms_top_n = post_nms_top_n
        self.nms_thresh = nms_thresh
        self.score_thresh = score_thresh
        self.min_size = 1e-3

    def pre_nms_top_n(self):
        """How many boxes of each map are looked at."""
        return self._pre_nms_top_n["training" if self.training else "testing"]

    def post_nms_top_n(self):
        """How many boxes are kept."""
        return self._post_nms_top_n["training" if self.training else "testing"]

    def assign_targets_to_anchors(self, anchors, targets):
        """The label (1, 0 background, -1 left out) and the target of each anchor. Shape: -> [(K,)], [(K, 4)]."""
        labels, matched = [], []
        for boxes, target in zip(anchors, targets, strict=False):
            wanted, device = _as_floats(target["boxes"]), aval(boxes).device
            ones = np.ones(len(wanted), np.float32)
            found, marks = det_utils.labels_of(self.proposal_matcher, _as_floats(boxes), wanted, ones)
            labels.append(from_host(marks, device=device))
            matched.append(
                from_host(wanted[found] if len(wanted) else np.zeros((len(found), 4), np.float32), device=device)
            )
        return labels, matched

    def _one_image(self, boxes, logits, scores, levels, size):
        """The boxes of one image that stay, and their scores: arrays."""
        best, top = [], self.pre_nms_top_n()
        for level in range(levels[-1] + 1):
            mine = np.flatnonzero(levels == level)
            best.append(mine[np.argsort(-logits[mine], kind="stable")[:top]])
        best = np.concatenate(best)
        boxes, scores, levels = boxes[best], scores[best], levels[best]
        boxes = np.clip(boxes, 0, np.array([size[1], size[0]] * 2, boxes.dtype))
        sides = boxes[:, 2:] - boxes[:, :2]
        good = (sides >= boxes.dtype.type(self.min_size)).all(1) & (scores >= self.score_thresh)
        boxes, scores, levels = boxes[good], scores[good], levels[good]
        kept = _kept(boxes, scores, self.nms_thresh, levels)[: self.post_nms_top_n()]
        return boxes[kept], scores[kept]

    def filter_proposals(self, proposals, objectness, image_shapes, num_anchors_per_level):
        """The best boxes of each image and their scores. Shape: (N, anchors, 4), (N * anchors,) -> [(K, 4)], [(K,)]."""
        device, count = aval(proposals).device, proposals.shape[0]
        logits = objectness.detach().reshape(count, -1)
        boxes, logits, scores = (_as_floats(t) for t in (proposals, logits, logits.sigmoid()))
        levels = np.repeat(np.arange(len(num_anchors_per_level)), num_anchors_per_level)
        kept = [
            self._one_image(*one, levels, size) for *one, size in zip(boxes, logits, scores, image_shapes, strict=True)
        ]
        dtype = aval(proposals).dtype
        return tuple([from_host(one[i], dtype, device) for one in kept] for i in (0, 1))

    def compute_loss(self, objectness, pred_bbox_deltas, labels, regression_targets):
        """(loss of the scores, loss of the corrections), of a sample of the anchors. Shape: -> (), ()."""
        positive, negative = (np.concatenate([host(m) for m in masks]) for masks in self.fg_bg_sampler(labels))
        sampled = np.concatenate([np.flatnonzero(positive), np.flatnonzero(negative)])
        marks = np.concatenate([host(part) for part in labels])[sampled]
        index, wanted = (from_host(x, device=aval(objectness).device) for x in (sampled, marks))
        targets = call("cat", list(regression_targets), 0)
        loss = det_utils.box_loss(pred_bbox_deltas, targets, positive.astype(bool), len(sampled))
        return F.binary_cross_entropy_with_logits(objectness.flatten()[index], wanted), loss

    def forward(self, images, features, targets=None):
        maps = list(features.values())
        objectness, codes = self.head(maps)
        anchors = self.anchor_generator(images, maps)
        counts = [one.shape[1] * one.shape[2] * one.shape[3] for one in objectness]
        objectness, codes = concat_box_prediction_layers(objectness, codes)
        proposals = self.box_coder.decode(codes.detach(), anchors).view(len(anchors), -1, 4)
        boxes, _ = self.filter_proposals(proposals, objectness, images.image_sizes, counts)
        if not self.training:
            return boxes, {}
        if targets is None:
            raise ValueError("targets should not be None")
        labels, matched = self.assign_targets_to_anchors(anchors, targets)
        losses = self.compute_loss(objectness, codes, labels, self.box_coder.encode(matched, anchors))
        return boxes, dict(zip(("loss_objectness", "loss_rpn_box_reg"), losses, strict=True))
