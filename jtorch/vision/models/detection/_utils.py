"""What a detector is trained with: which box belongs to which, a fair sample of them, and how boxes are written.

Which boxes are looked at depends on values and never carries a gradient: that is worked out in NumPy, so that what
runs on the device keeps its shapes from step to step.
"""

import math

import numpy as np

from jtorch._tensor import aval, from_host, host
from jtorch.api.elementwise import where
from jtorch.api.sampling import randperm
from jtorch.autograd.apply import call
from jtorch.vision.ops.misc import FrozenBatchNorm2d


def overlaps(boxes1, boxes2):
    """Intersection over union of all pairs, of arrays. Shape: (N, 4), (M, 4) -> (N, M)."""
    area1, area2 = ((b[:, 2] - b[:, 0]) * (b[:, 3] - b[:, 1]) for b in (boxes1, boxes2))
    low = np.maximum(boxes1[:, None, :2], boxes2[:, :2])
    sides = np.maximum(np.minimum(boxes1[:, None, 2:], boxes2[:, 2:]) - low, 0)
    inter = sides[..., 0] * sides[..., 1]
    with np.errstate(divide="ignore", invalid="ignore"):
        return inter / (area1[:, None] + area2 - inter)


class BalancedPositiveNegativeSampler:
    """Draws so many of an image's boxes, at most a fraction of them positive.

    Shape: labels [(K,)], of which < 0 is left out, 0 is negative and >= 1 positive -> ([(K,)], [(K,)]), uint8 masks of
    the positive and the negative ones drawn.
    """

    def __init__(self, batch_size_per_image: int, positive_fraction: float):
        self.batch_size_per_image = batch_size_per_image
        self.positive_fraction = positive_fraction

    def __call__(self, matched_idxs):
        masks = [], []
        for labels in matched_idxs:
            seen = host(labels)
            positive, negative = np.flatnonzero(seen >= 1), np.flatnonzero(seen == 0)
            most = min(len(positive), int(self.batch_size_per_image * self.positive_fraction))
            rest = min(len(negative), self.batch_size_per_image - most)
            orders = [host(randperm(len(part))) for part in (positive, negative)]
            for out, part, order, count in zip(masks, (positive, negative), orders, (most, rest), strict=True):
                mask = np.zeros(len(seen), np.uint8)
                mask[part[order[:count]]] = 1
                out.append(from_host(mask, device=aval(labels).device))
        return masks


class BoxCoder:
    """Boxes as differences from others: of the middles in sides, of the logarithms of the sides (arXiv:1311.2524).

    weights: factors of dx, dy, dw, dh; bbox_xform_clip: the most that dw and dh may be.
    """

    def __init__(self, weights, bbox_xform_clip: float = math.log(1000.0 / 16)):
        self.weights = weights
        self.bbox_xform_clip = bbox_xform_clip

    def encode(self, reference_boxes, proposals):
        """What leads from proposals to boxes. Shape: [(K, 4)] twice -> [(K, 4)]."""
        sizes = [len(boxes) for boxes in reference_boxes]
        codes = self.encode_single(call("cat", list(reference_boxes), 0), call("cat", list(proposals), 0))
        return codes.split(sizes, 0)

    def encode_single(self, reference_boxes, proposals):
        """As encode, of one image. Shape: (K, 4) twice -> (K, 4)."""
        (x, y, w, h), (px, py, pw, ph) = (_middle_and_sides(boxes) for boxes in (reference_boxes, proposals))
        wx, wy, ww, wh = self.weights
        codes = [wx * (x - px) / pw, wy * (y - py) / ph, ww * (w / pw).log(), wh * (h / ph).log()]
        return call("stack", codes, 1)

    def decode(self, rel_codes, boxes):
        """Where differences lead to. Shape: (K, 4 * classes), [(L, 4)] -> (K, classes, 4)."""
        sizes = sum(len(part) for part in boxes)
        codes = rel_codes.reshape(sizes, -1) if sizes else rel_codes
        out = self.decode_single(codes, call("cat", list(boxes), 0))
        return out.reshape(sizes, -1, 4) if sizes else out

    def decode_single(self, rel_codes, boxes):
        """As decode, without a dim of classes. Shape: (K, 4 * classes), (K, 4) -> the first."""
        x, y, w, h = (part[:, None] for part in _middle_and_sides(boxes.to(rel_codes.dtype)))
        dx, dy, dw, dh = (rel_codes[:, i::4] / weight for i, weight in enumerate(self.weights))
        x, y = dx * w + x, dy * h + y
        half_w, half_h = (0.5 * (d.clamp(max=self.bbox_xform_clip).exp() * side) for d, side in ((dw, w), (dh, h)))
        return call("stack", [x - half_w, y - half_h, x + half_w, y + half_h], 2).flatten(1)


def _middle_and_sides(boxes):
    x1, y1, x2, y2 = boxes.unbind(1)
    width, height = x2 - x1, y2 - y1
    return x1 + 0.5 * width, y1 + 0.5 * height, width, height


class Matcher:
    """Which box each prediction belongs to: the one of highest quality. Shape: (boxes, predictions) -> (predictions,).

    Below low_threshold it is -1, between the two -2. allow_low_quality_matches: what is best for some box belongs to
    the one that is best for it all the same. Raises ValueError where there is nothing to match.
    """

    BELOW_LOW_THRESHOLD = -1
    BETWEEN_THRESHOLDS = -2

    def __init__(self, high_threshold: float, low_threshold: float, allow_low_quality_matches: bool = False):
        if low_threshold > high_threshold:
            raise AssertionError("low_threshold should be <= high_threshold")
        self.high_threshold = high_threshold
        self.low_threshold = low_threshold
        self.allow_low_quality_matches = allow_low_quality_matches

    def __call__(self, match_quality_matrix):
        return from_host(self.of(host(match_quality_matrix)), device=aval(match_quality_matrix).device)

    def of(self, quality):
        """As the call, of arrays."""
        if not quality.size:
            kind = "proposal" if quality.shape[0] else "ground-truth"
            raise ValueError(f"No {kind} boxes available for one of the images during training")
        best, value = quality.argmax(0), quality.max(0)
        kind = quality.dtype.type
        matches = np.where(value < kind(self.low_threshold), self.BELOW_LOW_THRESHOLD, best)
        between = (value >= kind(self.low_threshold)) & (value < kind(self.high_threshold))
        matches[between] = self.BETWEEN_THRESHOLDS
        if self.allow_low_quality_matches:
            wanted = (quality == quality.max(1, keepdims=True)).any(0)
            matches[wanted] = best[wanted]
        return matches


def labels_of(matcher, boxes, targets, labels):
    """(number of the target of each box, its label), arrays; 0 for background and -1 for what is left out.

    Shape: (K, 4), (M, 4), (M,) -> (K,), (K,).
    """
    if not len(targets):
        return np.zeros(len(boxes), np.int64), np.zeros(len(boxes), labels.dtype)
    matches = matcher.of(overlaps(targets, boxes))
    found = np.maximum(matches, 0)
    out = labels[found]
    out[matches == matcher.BELOW_LOW_THRESHOLD] = 0
    out[matches == matcher.BETWEEN_THRESHOLDS] = -1
    return found, out


def box_loss(codes, targets, positive, count):
    """The smooth L1 distance of the positive rows, summed, by a number. Shape: (K, 4) twice, bool (K,) -> ()."""
    beta, mask = 1 / 9, from_host(positive[:, None], device=aval(codes).device)
    # The rows that are left out may have no difference that is finite, so they must not come near a product.
    far = where(mask, codes - targets, codes.new_zeros(())).abs()
    return where(far < beta, 0.5 * far * far / beta, far - 0.5 * beta).sum() / count


def overwrite_eps(model, eps: float):
    """Give all frozen norms of a net this eps: the first published weights were trained with 0."""
    for module in model.modules():
        if isinstance(module, FrozenBatchNorm2d):
            module.eps = eps
