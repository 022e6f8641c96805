"""Boxes (x1, y1, x2, y2): their areas, overlaps and formats, and which of many to keep."""

import math

import numpy as np

from jtorch import dtypes
from jtorch._tensor import aval, from_host, host
from jtorch.autograd.apply import call
from jtorch.autograd.grad_mode import no_grad

__all__ = [
    "batched_nms", "box_area", "box_convert", "box_iou", "clip_boxes_to_image", "complete_box_iou",
    "distance_box_iou", "generalized_box_iou", "masks_to_boxes", "nms", "remove_small_boxes",
]  # fmt: skip

_ALIGNED = ("xyxy", "xywh", "cxcywh")
_ROTATED = ("cxcywhr", "xywhr", "xyxyxyxy")


def _upcast(t):
    """A dtype in which products do not run over: at least 32 bits."""
    dtype = aval(t).dtype
    if dtype.is_floating_point:
        return t if dtype in (dtypes.float32, dtypes.float64) else t.to(dtypes.float32)
    return t if dtype in (dtypes.int32, dtypes.int64) else t.to(dtypes.int32)


# Which to keep. How many that are depends on the values, so they are read.


def _check_nms(boxes, scores):
    if boxes.dim() != 2:
        raise RuntimeError(f"boxes should be a 2d tensor, got {boxes.dim()}D")
    if boxes.size(1) != 4:
        raise RuntimeError(f"boxes should have 4 elements in dimension 1, got {boxes.size(1)}")
    if scores.dim() != 1:
        raise RuntimeError(f"scores should be a 1d tensor, got {scores.dim()}D")
    if boxes.size(0) != scores.size(0):
        raise RuntimeError(
            "boxes and scores should have same number of elements in dimension 0, got "
            f"{boxes.size(0)} and {scores.size(0)}"
        )


def _kept(boxes, scores, iou_threshold, classes=None):
    """The numbers of boxes to keep, from the highest score down; boxes of other classes do not matter to each other."""
    x1, y1, x2, y2 = boxes.T
    areas = (x2 - x1) * (y2 - y1)
    order, kept = np.argsort(-scores, kind="stable"), []
    while order.size:
        best, order = order[0], order[1:]
        kept.append(best)
        width = np.maximum(np.minimum(x2[best], x2[order]) - np.maximum(x1[best], x1[order]), 0)
        height = np.maximum(np.minimum(y2[best], y2[order]) - np.maximum(y1[best], y1[order]), 0)
        inter = width * height
        with np.errstate(divide="ignore", invalid="ignore"):
            covered = inter / (areas[best] + areas[order] - inter) > iou_threshold
        order = order[~covered if classes is None else ~(covered & (classes[order] == classes[best]))]
    return np.array(kept, np.int64)


def _as_floats(tensor):
    """An array of at least float32."""
    array = host(tensor)
    return array if array.dtype in (np.float32, np.float64) else array.astype(np.float32)


def nms(boxes, scores, iou_threshold: float):
    """The numbers of boxes that no better box covers, by score. Shape: (N, 4), (N,) -> (kept,), int64.

    A box is covered by one whose intersection over union with it exceeds the threshold. Raises RuntimeError for shapes.
    """
    _check_nms(boxes, scores)
    return from_host(_kept(_as_floats(boxes), host(scores), iou_threshold), device=aval(boxes).device)


def batched_nms(boxes, scores, idxs, iou_threshold: float):
    """As nms, for each class alone. Shape: (N, 4), (N,), idxs (N,) -> (kept,), int64."""
    _check_nms(boxes, scores)
    kept = _kept(_as_floats(boxes), host(scores), iou_threshold, host(idxs))
    return from_host(kept, device=aval(boxes).device)


def remove_small_boxes(boxes, min_size: float):
    """The numbers of boxes whose sides are at least so long. Shape: (N, 4) -> (kept,)."""
    width, height = boxes[..., 2] - boxes[..., 0], boxes[..., 3] - boxes[..., 1]
    return ((width >= min_size) & (height >= min_size)).nonzero().squeeze(1)


def clip_boxes_to_image(boxes, size: tuple[int, int]):
    """Boxes cut to an image of (height, width). Shape: (*, 4) -> the same."""
    height, width = size
    x, y = boxes[..., 0::2].clamp(min=0, max=width), boxes[..., 1::2].clamp(min=0, max=height)
    return call("stack", [x, y], boxes.dim()).reshape(boxes.shape)


# Formats.


def _to_xyxy(boxes, fmt):
    a, b, c, d = boxes.unbind(-1)
    if fmt == "xywh":
        return a, b, a + c, b + d
    return (a - 0.5 * c, b - 0.5 * d, a + 0.5 * c, b + 0.5 * d) if fmt == "cxcywh" else (a, b, c, d)


def box_convert(boxes, in_fmt: str, out_fmt: str):
    """Boxes in another format: xyxy, xywh (corner and size) or cxcywh (middle and size). Shape: (*, 4) -> the same.

    Turned boxes: xywhr and cxcywhr (with degrees) of 5 numbers, xyxyxyxy of 8. Raises ValueError for unknown formats,
    NotImplementedError between the two kinds.
    """
    known = (*_ALIGNED, *_ROTATED)
    if in_fmt not in known or out_fmt not in known:
        raise ValueError(f"Unsupported Bounding Box Conversions for given in_fmt {in_fmt} and out_fmt {out_fmt}")
    if in_fmt == out_fmt:
        return boxes.clone()
    if (in_fmt in _ROTATED) != (out_fmt in _ROTATED):
        raise NotImplementedError(
            f"Unsupported Bounding Box Conversions for given in_fmt {in_fmt} and out_fmt {out_fmt}"
        )
    if in_fmt in _ROTATED:
        return _turned(boxes, in_fmt, out_fmt)
    x1, y1, x2, y2 = _to_xyxy(boxes, in_fmt)
    if out_fmt == "xywh":
        x2, y2 = x2 - x1, y2 - y1
    elif out_fmt == "cxcywh":
        x1, y1, x2, y2 = (x1 + x2) / 2, (y1 + y2) / 2, x2 - x1, y2 - y1
    return call("stack", [x1, y1, x2, y2], -1)


def _turned(boxes, in_fmt, out_fmt):
    """Turned boxes by way of xywhr: a corner, the sides, the angle in degrees. Ints are rounded at each step."""
    dtype = aval(boxes).dtype
    for step in (_TO_CORNER.get(in_fmt), _FROM_CORNER.get(out_fmt)):
        if step is not None:
            boxes = call("stack", step(*boxes.unbind(-1)), -1)
            boxes = boxes if dtype.is_floating_point else boxes.round()
            boxes = boxes.to(dtype)
    return boxes


def _cos_sin(r):
    angle = r * math.pi / 180.0
    return angle.cos(), angle.sin()


def _corner_of_middle(cx, cy, w, h, r):
    cos, sin = _cos_sin(r)
    return [cx - w / 2 * cos - h / 2 * sin, cy - h / 2 * cos + w / 2 * sin, w, h, r]


def _middle_of_corner(x, y, w, h, r):
    cos, sin = _cos_sin(r)
    return [x + w / 2 * cos + h / 2 * sin, y - w / 2 * sin + h / 2 * cos, w, h, r]


def _corner_of_all(x1, y1, x2, y2, x3, y3, x4, y4):
    angle = (y1 - y2).atan2(x2 - x1)
    width, height = ((x2 - x1) ** 2 + (y1 - y2) ** 2).sqrt(), ((x3 - x2) ** 2 + (y3 - y2) ** 2).sqrt()
    return [x1, y1, width, height, angle * 180 / math.pi]


def _all_of_corner(x, y, w, h, r):
    cos, sin = _cos_sin(r)
    x2, y2 = x + w * cos, y - w * sin
    return [x, y, x2, y2, x2 + h * sin, y2 + h * cos, x + h * sin, y + h * cos]


_TO_CORNER = {"cxcywhr": _corner_of_middle, "xyxyxyxy": _corner_of_all}
_FROM_CORNER = {"cxcywhr": _middle_of_corner, "xyxyxyxy": _all_of_corner}


# Areas and overlaps.


def box_area(boxes, fmt: str = "xyxy"):
    """Areas. Shape: (*, 4) -> (*). Raises ValueError for an unknown format."""
    if fmt not in _ALIGNED:
        raise ValueError(f"Unsupported Bounding Box area for given format {fmt}")
    boxes = _upcast(boxes)
    if fmt == "xyxy":
        return (boxes[..., 2] - boxes[..., 0]) * (boxes[..., 3] - boxes[..., 1])
    return boxes[..., 2] * boxes[..., 3]


def _corners(boxes, fmt):
    """(top left, bottom right). Shape: (*, 2) each."""
    one, two = boxes[..., :2], boxes[..., 2:]
    if fmt == "xywh":
        return one, one + two
    return (one - two / 2, one + two / 2) if fmt == "cxcywh" else (one, two)


def _box_inter_union(boxes1, boxes2, fmt="xyxy"):
    """(intersections, unions) of all pairs. Shape: (*, N, 4), (*, M, 4) -> (*, N, M) each."""
    area1, area2 = box_area(boxes1, fmt), box_area(boxes2, fmt)
    (low1, high1), (low2, high2) = _corners(boxes1[..., None, :], fmt), _corners(boxes2[..., None, :, :], fmt)
    inter = _product(_upcast(high1.minimum(high2) - low1.maximum(low2)).clamp(min=0))
    return inter, area1[..., None] + area2[..., None, :] - inter


def _product(sides):
    return sides[..., 0] * sides[..., 1]


def box_iou(boxes1, boxes2, fmt: str = "xyxy"):
    """Intersection over union of all pairs. Shape: (N, 4), (M, 4) -> (N, M).

    Raises ValueError for an unknown format, NotImplementedError for those of turned boxes.
    """
    if fmt in _ROTATED:
        raise NotImplementedError(f"box_iou of turned boxes ('{fmt}') is not there; '{_ALIGNED[0]}' and its like are")
    if fmt not in _ALIGNED:
        raise ValueError(
            f"Unsupported format '{fmt}'. Supported axis-aligned formats: {_ALIGNED}. "
            f"Supported rotated formats: {_ROTATED}."
        )
    inter, union = _box_inter_union(boxes1, boxes2, fmt)
    return inter / union


def _around(boxes1, boxes2):
    """The sides of the smallest box around each pair. Shape: (N, 4), (M, 4) -> (N, M, 2)."""
    one, two = boxes1[..., None, :], boxes2[..., None, :, :]
    low, high = one[..., :2].minimum(two[..., :2]), one[..., 2:].maximum(two[..., 2:])
    return _upcast(high - low).clamp(min=0)


def generalized_box_iou(boxes1, boxes2):
    """Overlap less what is empty around both (arXiv:1902.09630). Shape: (N, 4), (M, 4) -> (N, M)."""
    inter, union = _box_inter_union(boxes1, boxes2)
    whole = _product(_around(boxes1, boxes2))
    return inter / union - (whole - union) / whole


def distance_box_iou(boxes1, boxes2, eps: float = 1e-7):
    """Overlap less how far apart the middles are (arXiv:1911.08287). Shape: (N, 4), (M, 4) -> (N, M)."""
    return _distance_and_plain(_upcast(boxes1), _upcast(boxes2), eps)[0]


def _distance_and_plain(boxes1, boxes2, eps):
    iou, sides = box_iou(boxes1, boxes2), _around(boxes1, boxes2)
    diagonal = sides[..., 0] ** 2 + sides[..., 1] ** 2 + eps
    middle1, middle2 = ((boxes[..., :2] + boxes[..., 2:]) / 2 for boxes in (boxes1, boxes2))
    apart = _upcast(middle1[..., None, :] - middle2[..., None, :, :]) ** 2
    return iou - (apart[..., 0] + apart[..., 1]) / diagonal, iou


def complete_box_iou(boxes1, boxes2, eps: float = 1e-7):
    """distance_box_iou less how different the shapes are (arXiv:1911.08287). Shape: (N, 4), (M, 4) -> (N, M)."""
    boxes1, boxes2 = _upcast(boxes1), _upcast(boxes2)
    distance, iou = _distance_and_plain(boxes1, boxes2, eps)
    sides1, sides2 = ((boxes[..., 2:] - boxes[..., :2]) for boxes in (boxes1, boxes2))
    slope1, slope2 = ((sides[..., 0] / sides[..., 1]).atan() for sides in (sides1, sides2))
    v = 4 / math.pi**2 * (slope1[..., None] - slope2[..., None, :]) ** 2
    with no_grad():
        alpha = v / (1 - iou + v + eps)
    return distance - alpha * v


def masks_to_boxes(masks):
    """The boxes around masks; 0 for an empty one. Shape: (N, H, W) -> (N, 4)."""
    seen = host(masks) != 0
    out = np.zeros((len(seen), 4), np.float32)
    for box, mask in zip(out, seen, strict=True):
        rows, columns = mask.any(1).nonzero()[0], mask.any(0).nonzero()[0]
        if rows.size:
            box[:] = columns[0], rows[0], columns[-1], rows[-1]
    return from_host(out, device=aval(masks).device)
