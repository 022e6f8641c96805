"""What proposals hold: classes, exact boxes and masks, and the losses of these."""

import numpy as np

from jtorch import dtypes, nn
from jtorch._tensor import aval, from_host, host
from jtorch.autograd.apply import call
from jtorch.nn import functional as F
from jtorch.vision.models.detection import _utils as det_utils
from jtorch.vision.models.detection.masks import maskrcnn_inference, maskrcnn_loss, paste_masks_in_image
from jtorch.vision.ops.boxes import _as_floats, _kept, box_iou, clip_boxes_to_image

__all__ = ["RoIHeads", "fastrcnn_loss", "maskrcnn_inference", "maskrcnn_loss", "paste_masks_in_image"]

# Regions whose masks are learnt from are filled up to a multiple of this, so that few programs serve all steps.
_BUCKET = 32


def fastrcnn_loss(class_logits, box_regression, labels, regression_targets):
    """(loss of the classes, loss of the boxes). Shape: (K, classes), (K, 4 * classes), [(L,)], [(L, 4)] -> (), ()."""
    device, marks = aval(class_logits).device, np.concatenate([host(part) for part in labels])
    codes = box_regression.reshape(len(marks), -1, 4)
    codes = codes[from_host(np.arange(len(marks)), device=device), from_host(np.maximum(marks, 0), device=device)]
    targets = call("cat", list(regression_targets), 0)
    loss = F.cross_entropy(class_logits, from_host(marks, device=device))
    return loss, det_utils.box_loss(codes, targets, marks > 0, len(marks))


class RoIHeads(nn.Module):
    """Detections of each image, or in training the losses.

    Shape: {name: (N, C, H, W)}, [(proposals, 4)], sizes, targets -> [{"boxes": (K, 4), "labels": (K,), "scores": (K,),
    "masks": (K, 1, M, M)}], losses. The thresholds are those of RegionProposalNetwork; detections_per_img: the most.
    Raises: ValueError in training for targets that lack something, TypeError for their dtypes, NotImplementedError for
    heads of keypoints.
    """

    def __init__(
        self,
        box_roi_pool,
        box_head,
        box_predictor,
        fg_iou_thresh,
        bg_iou_thresh,
        batch_size_per_image,
        positive_fraction,
        bbox_reg_weights,
        score_thresh,
        nms_thresh,
        detections_per_img,
        mask_roi_pool=None,
        mask_head=None,
        mask_predictor=None,
        keypoint_roi_pool=None,
        keypoint_head=None,
        keypoint_predictor=None,
    ):
        super().__init__()
        if keypoint_head is not None:
            raise NotImplementedError("jtorch has no heads of keypoints; those of boxes and masks are there")
        self.box_similarity = box_iou
        self.proposal_matcher = det_utils.Matcher(fg_iou_thresh, bg_iou_thresh, False)
        self.fg_bg_sampler = det_utils.BalancedPositiveNegativeSampler(batch_size_per_image, positive_fraction)
        self.box_coder = det_utils.BoxCoder((10.0, 10.0, 5.0, 5.0) if bbox_reg_weights is None else bbox_reg_weights)
        self.box_roi_pool = box_roi_pool
        self.box_head = box_head
        self.box_predictor = box_predictor
        self.score_thresh = score_thresh
        self.nms_thresh = nms_thresh
        self.detections_per_img = detections_per_img
        self.mask_roi_pool = mask_roi_pool
        self.mask_head = mask_head
        self.mask_predictor = mask_predictor
        self.keypoint_roi_pool = keypoint_roi_pool
        self.keypoint_head = keypoint_head
        self.keypoint_predictor = keypoint_predictor

    def has_mask(self):
        """Whether masks are found too."""
        return not any(part is None for part in (self.mask_roi_pool, self.mask_head, self.mask_predictor))

    def has_keypoint(self):
        """Whether keypoints are found too: never."""
        return False

    def check_targets(self, targets):
        """Raise ValueError for targets that lack something."""
        if targets is None:
            raise ValueError("targets should not be None")
        for key in ("boxes", "labels", *(["masks"] if self.has_mask() else [])):
            if not all(key in target for target in targets):
                raise ValueError(f"Every element of targets should have a {key} key")

    def select_training_samples(self, proposals, targets):
        """(proposals to learn from, numbers of their targets, their labels, their codes), a list for each image."""
        self.check_targets(targets)
        first = aval(proposals[0])
        wanted = [_as_floats(target["boxes"].to(first.dtype)) for target in targets]
        boxes = [np.concatenate([_as_floats(p), w]) for p, w in zip(proposals, wanted, strict=False)]
        found = [
            det_utils.labels_of(self.proposal_matcher, b, w, host(target["labels"]))
            for b, w, target in zip(boxes, wanted, targets, strict=False)
        ]
        masks = self.fg_bg_sampler([from_host(marks) for _, marks in found])
        drawn = [np.flatnonzero(host(pos) | host(neg)) for pos, neg in zip(*masks, strict=True)]

        def tensors(arrays, dtype=None):
            return [from_host(a[d], dtype, first.device) for a, d in zip(arrays, drawn, strict=True)]

        matched, labels = ([one[i] for one in found] for i in (0, 1))
        padded = [w if len(w) else np.zeros((1, 4), np.float32) for w in wanted]
        aims = tensors([w[m] for w, m in zip(padded, matched, strict=True)], first.dtype)
        boxes = tensors(boxes, first.dtype)
        return boxes, tensors(matched), tensors(labels), self.box_coder.encode(aims, boxes)

    def _best(self, boxes, scores):
        """The numbers of the detections that stay, of arrays. Shape: (K, 4), (K,), classes in turn -> (kept,)."""
        classes = np.arange(len(scores)) % self._foreground
        sides = boxes[:, 2:] - boxes[:, :2]
        good = np.flatnonzero((scores > self.score_thresh) & (sides >= boxes.dtype.type(1e-2)).all(1))
        kept = _kept(boxes[good], scores[good], self.nms_thresh, classes[good])
        return good[kept[: self.detections_per_img]]

    def postprocess_detections(self, class_logits, box_regression, proposals, image_shapes):
        """The best boxes of each image, their scores and labels. Shape: -> [(K, 4)], [(K,)], [(K,)]."""
        device, self._foreground = aval(class_logits).device, class_logits.shape[-1] - 1
        counts = [len(boxes) for boxes in proposals]
        boxes = self.box_coder.decode(box_regression, proposals).split(counts, 0)
        scores = F.softmax(class_logits, -1).split(counts, 0)
        boxes = [
            clip_boxes_to_image(b, size)[:, 1:].reshape(-1, 4) for b, size in zip(boxes, image_shapes, strict=False)
        ]
        scores = [s[:, 1:].reshape(-1) for s in scores]
        best = [self._best(_as_floats(b), _as_floats(s)) for b, s in zip(boxes, scores, strict=True)]
        index = [from_host(part, device=device) for part in best]
        labels = [from_host(part % self._foreground + 1, device=device) for part in best]
        pick = zip(boxes, scores, index, strict=True)
        return *map(list, zip(*((b[i], s[i]) for b, s, i in pick), strict=True)), labels

    def _check_dtypes(self, targets):
        for target in targets or ():
            boxes, labels = target["boxes"].dtype, target["labels"].dtype
            if boxes not in (dtypes.float32, dtypes.float64, dtypes.float16):
                raise TypeError(f"target boxes must of float type, instead got {boxes}")
            if labels != dtypes.int64:
                raise TypeError(f"target labels must of int64 type, instead got {labels}")

    def _seen(self, features, boxes, image_shapes):
        return self.mask_predictor(self.mask_head(self.mask_roi_pool(features, boxes, image_shapes)))

    def _mask_loss(self, features, proposals, matched, labels, image_shapes, targets):
        """The loss of the masks of the positive proposals."""
        chosen = [np.flatnonzero(host(part) > 0) for part in labels]
        device = aval(proposals[0]).device
        boxes, numbers = (
            [from_host(host(t)[c], device=device) for t, c in zip(given, chosen, strict=True)]
            for given in (proposals, matched)
        )
        # A norm of batches would see what is filled in.
        norms = any(isinstance(m, nn.modules.batchnorm._BatchNorm) for m in self.mask_head.modules())
        filled = 0 if norms else -sum(map(len, chosen)) % _BUCKET
        padding = np.zeros((filled, 4), host(boxes[-1]).dtype)
        regions = [*boxes[:-1], from_host(np.concatenate([host(boxes[-1]), padding]), device=device)]
        logits = self._seen(features, regions, image_shapes)
        masks, marks = ([target[key] for target in targets] for key in ("masks", "labels"))
        return maskrcnn_loss(logits, boxes, masks, marks, numbers)

    def forward(self, features, proposals, image_shapes, targets=None):
        self._check_dtypes(targets)
        if self.training:
            proposals, matched, labels, codes = self.select_training_samples(proposals, targets)
        seen = self.box_predictor(self.box_head(self.box_roi_pool(features, proposals, image_shapes)))
        if self.training:
            losses = dict(zip(("loss_classifier", "loss_box_reg"), fastrcnn_loss(*seen, labels, codes), strict=True))
            if self.has_mask():
                losses["loss_mask"] = self._mask_loss(features, proposals, matched, labels, image_shapes, targets)
            return [], losses
        found = zip(*self.postprocess_detections(*seen, proposals, image_shapes), strict=True)
        result = [{"boxes": b, "labels": mark, "scores": s} for b, s, mark in found]
        if self.has_mask():
            logits = self._seen(features, [one["boxes"] for one in result], image_shapes)
            masks = maskrcnn_inference(logits, [one["labels"] for one in result])
            for one, mask in zip(result, masks, strict=True):
                one["masks"] = mask
        return result, {}
