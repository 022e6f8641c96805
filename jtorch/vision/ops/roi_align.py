"""Regions of feature maps, resampled to one size (arXiv:1703.06870)."""

import numpy as np

from jtorch import dtypes
from jtorch._tensor import Tensor, aval, host
from jtorch.api.construct import as_tensor
from jtorch.autograd.apply import call
from jtorch.nn.modules.module import Module
from jtorch.nn.modules.utils import _pair

__all__ = ["RoIAlign", "roi_align"]


def _regions(boxes):
    """(image, x1, y1, x2, y2) of each region, as an array. Shape: (K, 5). Raises AssertionError for other shapes."""
    if isinstance(boxes, (list, tuple)):
        if any(part.size(1) != 4 for part in boxes):
            raise AssertionError("The shape of the tensor in the boxes list is not correct as List[Tensor[L, 4]]")
        parts = [host(part) for part in boxes]
        numbers = np.repeat(np.arange(len(parts)), [len(part) for part in parts])
        return np.concatenate([numbers[:, None].astype(parts[0].dtype), np.concatenate(parts)], 1)
    if not isinstance(boxes, Tensor):
        raise AssertionError("boxes is expected to be a Tensor[L, 5] or a List[Tensor[K, 4]]")
    if boxes.size(1) != 5:
        raise AssertionError("The boxes tensor shape is not correct as Tensor[K, 5]")
    return host(boxes)


def _shares(start, end, bins, size, sampling_ratio, aligned):
    """What each of `size` places along an axis gives to each bin of a region. Shape: (K,) twice -> (K, bins, size).

    Along both axes apart, for a bin's mean of bilinear samples is a sum over rows of sums over columns.
    """
    kind = start.dtype.type
    length = end - start if aligned else np.maximum(end - start, kind(1))
    step = length / kind(bins)
    counts = np.full(len(step), sampling_ratio) if sampling_ratio > 0 else np.ceil(step).astype(int)
    out = np.zeros((len(step), bins, size), start.dtype)
    for region, count in enumerate(counts):
        inside = (np.arange(count, dtype=start.dtype) + kind(0.5)) * (step[region] / kind(max(count, 1)))
        at = start[region] + np.arange(bins, dtype=start.dtype)[:, None] * step[region] + inside
        near = np.clip(at, 0, size - 1)[..., None]
        weights = np.maximum(1 - np.abs(near - np.arange(size, dtype=start.dtype)), 0)
        weights[(at < -1) | (at > size)] = 0
        out[region] = weights.sum(1) / max(count, 1)
    return out


def roi_align(
    input,
    boxes,
    output_size,
    spatial_scale: float = 1.0,
    sampling_ratio: int = -1,
    aligned: bool = False,
):
    """The means of bilinear samples in the bins of each region. Shape: (N, C, H, W) -> (K, C, *output_size).

    boxes: (K, 5) with the image's number first, or a list of (L, 4), one for each image. spatial_scale: from boxes to
    the map; sampling_ratio: samples along a bin, -1 for as many as fit; aligned: whether pixels' middles are at 0.5.
    Gradients are those of the map alone. Raises AssertionError for other shapes.
    """
    regions = _regions(boxes)
    seen = aval(input)
    work = np.dtype(np.float64 if seen.dtype is dtypes.float64 else np.float32)
    corners = regions[:, 1:].astype(work) * work.type(spatial_scale) - work.type(0.5 if aligned else 0.0)
    down, across = _pair(output_size)
    rows = _shares(corners[:, 1], corners[:, 3], down, seen.shape[2], sampling_ratio, aligned)
    columns = _shares(corners[:, 0], corners[:, 2], across, seen.shape[3], sampling_ratio, aligned)
    images, parts, order = regions[:, 0].astype(int), [], []
    for image in np.unique(images):
        mine = np.flatnonzero(images == image)
        # (k, 1, bins, H) @ (C, H, W) @ (k, 1, W, bins)
        left, right = (_device(x, seen) for x in (rows[mine][:, None], columns[mine][:, None].swapaxes(-1, -2)))
        parts.append(left.matmul(input[int(image)]).matmul(right))
        order.append(mine)
    if not parts:
        return input.new_zeros((0, seen.shape[1], down, across))
    back = np.argsort(np.concatenate(order))
    out = parts[0] if len(parts) == 1 else call("cat", parts, 0)
    return out if (back == np.arange(len(back))).all() else out[as_tensor(back, device=seen.device)]


def _device(array, seen):
    return as_tensor(np.ascontiguousarray(array), dtype=seen.dtype, device=seen.device)


class RoIAlign(Module):
    """`roi_align` as a layer. Shape: (N, C, H, W), boxes -> (K, C, *output_size)."""

    def __init__(self, output_size, spatial_scale: float, sampling_ratio: int, aligned: bool = False) -> None:
        super().__init__()
        self.output_size = output_size
        self.spatial_scale = spatial_scale
        self.sampling_ratio = sampling_ratio
        self.aligned = aligned

    def forward(self, input, rois):
        return roi_align(input, rois, self.output_size, self.spatial_scale, self.sampling_ratio, self.aligned)

    def __repr__(self) -> str:
        fields = ("output_size", "spatial_scale", "sampling_ratio", "aligned")
        return f"{type(self).__name__}({', '.join(f'{name}={getattr(self, name)}' for name in fields)})"
