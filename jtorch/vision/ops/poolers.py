"""Regions of feature pyramids, each taken from the map of its own scale (arXiv:1612.03144)."""

import math

import numpy as np

from jtorch import dtypes
from jtorch._tensor import aval, from_host, host
from jtorch.autograd.apply import call
from jtorch.nn.modules.module import Module
from jtorch.vision.ops.roi_align import roi_align

__all__ = ["LevelMapper", "MultiScaleRoIAlign", "initLevelMapper"]


class LevelMapper:
    """Which map of a pyramid a box belongs to: the paper's level, lvl0 + log2(√area / s0). Shape: [(L, 4)] -> (K,)."""

    def __init__(self, k_min: int, k_max: int, canonical_scale: int = 224, canonical_level: int = 4, eps: float = 1e-6):
        self.k_min = k_min
        self.k_max = k_max
        self.s0 = canonical_scale
        self.lvl0 = canonical_level
        self.eps = eps

    def __call__(self, boxlists):
        return from_host(self.of(np.concatenate([host(boxes) for boxes in boxlists])))

    def of(self, boxes):
        """The levels of an array of boxes. Shape: (K, 4) -> (K,), int64."""
        kind = boxes.dtype.type
        side = np.sqrt((boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1]))
        with np.errstate(divide="ignore"):
            level = np.floor(kind(self.lvl0) + np.log2(side / kind(self.s0)) + kind(self.eps))
        return np.clip(level, self.k_min, self.k_max).astype(np.int64) - self.k_min


def initLevelMapper(k_min: int, k_max: int, canonical_scale: int = 224, canonical_level: int = 4, eps: float = 1e-6):
    """A LevelMapper."""
    return LevelMapper(k_min, k_max, canonical_scale, canonical_level, eps)


def _scale(size, image):
    """From an image to a map: the closest power of two."""
    return 2.0 ** float(np.float32(np.log2(np.float32(size / image))).round())


def _places(start, end, bins, ratio, size):
    """Where samples lie along an axis: two neighbours each, and their weights. Shape: (K,) -> (K, bins * ratio, 2)."""
    kind = start.dtype.type
    step = np.maximum(end - start, kind(1)) / kind(bins)
    inside = (np.arange(ratio, dtype=start.dtype) + kind(0.5)) / kind(ratio) + np.arange(bins)[:, None]
    at = start[:, None] + inside.astype(start.dtype).reshape(-1) * step[:, None]
    beyond = (at < -1) | (at > size[:, None])
    at = np.clip(at, 0, (size - 1)[:, None].astype(start.dtype))
    low = at.astype(np.int64)
    high = np.minimum(low + 1, (size - 1)[:, None])
    share = at - low
    weights = np.where(beyond[..., None], kind(0), np.stack([1 - share, share], -1))
    return np.stack([low, high], -1), weights.astype(start.dtype)


def _samples(maps, levels, images, boxes, output_size, ratio, scales):
    """(rows of the flattened maps, weights) of all that a bin takes. Shape: (K, bins, 4 * ratio²) each."""
    sizes = np.array([aval(m).shape[2:] for m in maps])
    starts = np.concatenate([[0], np.cumsum([aval(m).shape[0] * h * w for m, (h, w) in zip(maps, sizes, strict=True)])])
    corners = boxes * np.array(scales, boxes.dtype)[levels, None]
    height, width = sizes[levels].T
    down, across = output_size
    rows, row_weights = _places(corners[:, 1], corners[:, 3], down, ratio, height)
    columns, column_weights = _places(corners[:, 0], corners[:, 2], across, ratio, width)
    first = starts[levels] + images * height * width
    index = first[:, None, None] + rows.reshape(len(boxes), down, 2 * ratio) * width[:, None, None]
    index = index[:, :, None, :, None] + columns.reshape(len(boxes), 1, across, 1, 2 * ratio)
    weights = row_weights.reshape(len(boxes), down, 1, 2 * ratio, 1)
    weights = weights * column_weights.reshape(len(boxes), 1, across, 1, 2 * ratio) / boxes.dtype.type(ratio * ratio)
    shape = (len(boxes), down * across, 4 * ratio * ratio)
    return index.reshape(shape), weights.reshape(shape)


def _pooled(maps, levels, images, boxes, output_size, ratio, scales):
    """The regions of all maps by one gather, whose shape does not depend on which region is whose."""
    device, channels = aval(maps[0]).device, aval(maps[0]).shape[1]
    index, weights = _samples(maps, levels, images, boxes, output_size, ratio, scales)
    rows = [m.permute(0, 2, 3, 1).reshape(-1, channels) for m in maps]
    rows = rows[0] if len(rows) == 1 else call("cat", rows, 0)
    taken = call("index_select", rows, 0, from_host(index.reshape(-1), device=device)).reshape(*index.shape, channels)
    weights = from_host(weights[..., None], aval(rows).dtype, device)
    return (taken * weights).sum(2).permute(0, 2, 1).reshape(len(boxes), channels, *output_size)


def _by_level(maps, levels, regions, output_size, scales):
    """The regions of each map by themselves, as many samples as fit, put back in order."""
    device, parts, order = aval(maps[0]).device, [], []
    for level, (m, scale) in enumerate(zip(maps, scales, strict=True)):
        mine = np.flatnonzero(levels == level)
        if len(mine):
            parts.append(roi_align(m, from_host(regions[mine], device=device), output_size, scale))
            order.append(mine)
    back = np.argsort(np.concatenate(order))
    return call("index_select", call("cat", parts, 0), 0, from_host(back, device=device))


class MultiScaleRoIAlign(Module):
    """roi_align on the map that fits each box. Shape: {name: (N, C, H, W)}, [(L, 4)], sizes -> (K, C, *output_size).

    featmap_names: which maps are looked at, from fine to coarse. canonical_scale, canonical_level: a box of that side
    belongs to that level. Boxes are in pixels of the images, whose (height, width) stand in image_shapes.
    """

    def __init__(
        self,
        featmap_names: list[str],
        output_size,
        sampling_ratio: int,
        *,
        canonical_scale: int = 224,
        canonical_level: int = 4,
    ):
        super().__init__()
        self.featmap_names = featmap_names
        self.sampling_ratio = sampling_ratio
        self.output_size = (output_size, output_size) if isinstance(output_size, int) else tuple(output_size)
        self.scales = None
        self.map_levels = None
        self.canonical_scale = canonical_scale
        self.canonical_level = canonical_level

    def _measure(self, maps, image_shapes):
        """Work out the scales of the maps from those of the first batch. Raises ValueError without images."""
        if not image_shapes:
            raise ValueError("images list should not be empty")
        tallest = max(height for height, _ in image_shapes)
        self.scales = [_scale(aval(m).shape[2], tallest) for m in maps]
        ends = (int(-math.log2(scale)) for scale in (self.scales[0], self.scales[-1]))
        self.map_levels = initLevelMapper(*ends, self.canonical_scale, self.canonical_level)

    def forward(self, x, boxes, image_shapes):
        maps = [x[name] for name in x if name in self.featmap_names]
        if self.scales is None or self.map_levels is None:
            self._measure(maps, image_shapes)
        work = np.float64 if aval(maps[0]).dtype is dtypes.float64 else np.float32
        parts = [host(part).astype(work) for part in boxes]
        corners, images = np.concatenate(parts), np.repeat(np.arange(len(parts)), [len(part) for part in parts])
        if not len(corners):
            return maps[0].new_zeros((0, aval(maps[0]).shape[1], *self.output_size))
        levels = self.map_levels.of(corners) if len(maps) > 1 else np.zeros(len(corners), np.int64)
        if self.sampling_ratio > 0:
            return _pooled(maps, levels, images, corners, self.output_size, self.sampling_ratio, self.scales)
        regions = np.concatenate([images[:, None].astype(work), corners], 1)
        return _by_level(maps, levels, regions, self.output_size, self.scales)

    def __repr__(self) -> str:
        return (
            f"{type(self).__name__}(featmap_names={self.featmap_names}, output_size={self.output_size}, "
            f"sampling_ratio={self.sampling_ratio})"
        )
