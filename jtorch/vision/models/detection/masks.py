"""Masks of things: of their targets in a region, their loss, and put back into whole images (arXiv:1703.06870)."""

import numpy as np

from jtorch._tensor import aval, from_host, host
from jtorch.autograd.apply import call
from jtorch.nn import functional as F
from jtorch.vision.ops.roi_align import _shares


def maskrcnn_inference(x, labels):
    """The masks of the classes that were found. Shape: (K, classes, M, M), [(L,)] -> [(L, 1, M, M)]."""
    counts, device = [len(part) for part in labels], aval(x).device
    marks, rows = call("cat", list(labels), 0), from_host(np.arange(sum(counts)), device=device)
    return x.sigmoid()[rows, marks][:, None].split(counts, 0)


def _targets(masks, boxes, numbers, size):
    """What of its target's mask lies in each box: arrays, for nothing of it carries a gradient. Shape: -> (K, M, M)."""
    tall, wide = masks.shape[1:]
    rows = _shares(boxes[:, 1], boxes[:, 3], size, tall, -1, False)
    columns = _shares(boxes[:, 0], boxes[:, 2], size, wide, -1, False)
    parts = [row @ masks[n].astype(row.dtype) @ column.T for row, n, column in zip(rows, numbers, columns, strict=True)]
    return np.stack(parts) if parts else np.zeros((0, size, size), boxes.dtype)


def maskrcnn_loss(mask_logits, proposals, gt_masks, gt_labels, mask_matched_idxs):
    """The loss of masks. Shape: (K, classes, M, M), [(L, 4)], [(G, H, W)], [(G,)], [(L,)] -> ().

    There may be more logits than proposals: the rest counts for nothing.
    """
    size, device, dtype = mask_logits.shape[-1], aval(mask_logits).device, aval(mask_logits).dtype
    groups = zip(*(map(host, part) for part in (gt_masks, proposals, gt_labels, mask_matched_idxs)), strict=True)
    parts = [(_targets(masks, boxes, numbers, size), labels[numbers]) for masks, boxes, labels, numbers in groups]
    wanted, marks = (np.concatenate([one[i] for one in parts]) for i in (0, 1))
    if not len(wanted):
        return mask_logits.sum() * 0
    rows, spare = len(mask_logits), len(mask_logits) - len(wanted)
    wanted = np.concatenate([wanted, np.zeros((spare, size, size), wanted.dtype)])
    weight = np.repeat(np.array([rows / (rows - spare), 0.0]), [rows - spare, spare])[:, None, None]
    index = [from_host(i, device=device) for i in (np.arange(rows), np.concatenate([marks, np.zeros(spare, np.int64)]))]
    weight = from_host(weight, dtype, device) if spare else None
    return F.binary_cross_entropy_with_logits(mask_logits[tuple(index)], from_host(wanted, dtype, device), weight)


def expand_boxes(boxes, scale):
    """Boxes made larger around their middles: arrays. Shape: (K, 4) -> the same."""
    kind = boxes.dtype.type
    middle, half = (boxes[:, 2:] + boxes[:, :2]) * kind(0.5), (boxes[:, 2:] - boxes[:, :2]) * kind(0.5) * kind(scale)
    return np.concatenate([middle - half, middle + half], 1)


def _spread(start, end, cells, size):
    """What each pixel takes from each cell of a mask that spans [start, end]. Shape: -> (K, size, cells)."""
    length = np.maximum(end - start + 1, 1)[:, None]
    at = np.arange(size) - start[:, None]
    place = np.maximum((at + np.float32(0.5)) * (np.float32(cells) / length.astype(np.float32)) - np.float32(0.5), 0)
    place = np.minimum(place, cells - 1)
    shares = np.maximum(1 - np.abs(place[..., None] - np.arange(cells, dtype=np.float32)), 0)
    return np.where(((at >= 0) & (at < length))[..., None], shares, 0).astype(np.float32)


def paste_masks_in_image(masks, boxes, img_shape, padding=1):
    """Masks of boxes in whole images of (height, width). Shape: (K, 1, M, M), (K, 4) -> (K, 1, height, width).

    One product with matrices that hold where each box lies: boxes of all sizes run the same program.
    """
    device, dtype, size = aval(masks).device, aval(masks).dtype, masks.shape[-1]
    around = size + 2 * padding
    corners = expand_boxes(host(boxes), around / size).astype(np.int64)
    tall, wide = img_shape
    if not len(corners):
        return masks.new_empty((0, 1, tall, wide))
    inner = slice(padding, padding + size)
    rows = _spread(corners[:, 1], corners[:, 3], around, tall)[..., inner]
    columns = _spread(corners[:, 0], corners[:, 2], around, wide)[..., inner].swapaxes(1, 2)
    left, right = (from_host(np.ascontiguousarray(x[:, None]), dtype, device) for x in (rows, columns))
    return left.matmul(masks).matmul(right)
