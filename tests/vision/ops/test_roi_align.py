"""roi_align: torchvision's Python form of it, and a plain loop where regions reach beyond the map."""

import math

import numpy as np
import pytest
import torch

import jtorch
from tests.vision.reference import SIDES, close, pixels, plain, same, torchvision

MAPS = pixels((2, 3, 9, 12), dtype=np.float32)
# Within the map at scale 0.5.
INSIDE = np.array([[0, 1, 2, 14, 11], [1, 3, 3, 20, 14.5], [0, 6, 0, 7, 15], [0, 2, 2, 2, 2]], np.float32)
BEYOND = np.array([[0, -9, -7, 14, 30], [1, 15, 10, 50, 44], [1, 60, 60, 70, 70], [0, 5, 5, 1, 1]], np.float32)


def sample(image, y, x):
    """One bilinear sample; 0 beyond the map."""
    channels, height, width = image.shape
    if y < -1 or y > height or x < -1 or x > width:
        return np.zeros(channels)
    y, x = min(max(y, 0), height - 1), min(max(x, 0), width - 1)
    top, left = min(int(y), height - 1), min(int(x), width - 1)
    below, right = min(top + 1, height - 1), min(left + 1, width - 1)
    v, u = y - top, x - left
    row = image[:, top, left] * (1 - u) + image[:, top, right] * u
    return row * (1 - v) + (image[:, below, left] * (1 - u) + image[:, below, right] * u) * v


def by_loop(maps, regions, size, scale, ratio, aligned):
    """The paper's means, sample by sample."""
    out = np.zeros((len(regions), maps.shape[1], *size))

    def place(start, bin, step, number, count):
        return start + (bin + (number + 0.5) / count) * step

    for k, (image, *corners) in enumerate(regions):
        x1, y1, x2, y2 = (c * scale - (0.5 if aligned else 0) for c in corners)
        width, height = x2 - x1, y2 - y1
        if not aligned:
            width, height = max(width, 1), max(height, 1)
        steps = height / size[0], width / size[1]
        counts = [ratio if ratio > 0 else math.ceil(step) for step in steps]
        for i in range(size[0]):
            for j in range(size[1]):
                ys = [place(y1, i, steps[0], a, counts[0]) for a in range(counts[0])]
                xs = [place(x1, j, steps[1], b, counts[1]) for b in range(counts[1])]
                samples = [sample(maps[int(image)], y, x) for y in ys for x in xs]
                out[k, :, i, j] = sum(samples) / max(len(samples), 1) if samples else 0
    return out


OPTIONS = [(size, ratio, aligned) for size in ((3, 2), (1, 1)) for ratio in (2, -1) for aligned in (False, True)]


@pytest.mark.parametrize(("size", "ratio", "aligned"), OPTIONS)
def test_values(size, ratio, aligned):
    inside = torchvision.ops.roi_align.__globals__["_roi_align"].__wrapped__
    theirs = inside(torch.from_numpy(MAPS), torch.from_numpy(INSIDE), 0.5, *size, ratio, aligned)
    ours = [
        jtorch.vision.ops.roi_align(jtorch.from_numpy(MAPS), jtorch.from_numpy(regions), size, 0.5, ratio, aligned)
        for regions in (INSIDE, BEYOND)
    ]
    # torchvision's Python form divides by no samples where a region is empty; its kernel gives 0 there.
    close("inside", np.nan_to_num(theirs.numpy()), plain(ours[0]))
    close("beyond", by_loop(MAPS, BEYOND, size, 0.5, ratio, aligned).astype(np.float32), plain(ours[1]))


def test_gradients_and_lists_of_boxes():
    inside = torchvision.ops.roi_align.__globals__["_roi_align"].__wrapped__

    def seen(module, align):
        x = module.from_numpy(MAPS.copy()).requires_grad_()
        out = align(x)
        (out * out).sum().backward()
        return out, x.grad

    order = [1, 0, 2]  # of images 1, 0, 0: what comes back is in the order given
    regions = INSIDE[order]
    theirs = seen(torch, lambda x: inside(x, torch.from_numpy(regions), 0.5, 2, 2, 2, True))
    ours = seen(jtorch, lambda x: jtorch.vision.ops.roi_align(x, jtorch.from_numpy(regions), 2, 0.5, 2, True))
    close("gradients", plain(theirs), plain(ours))
    boxes = [jtorch.from_numpy(INSIDE[[0, 2], 1:]), jtorch.from_numpy(INSIDE[[1], 1:])]
    of_list = jtorch.vision.ops.roi_align(jtorch.from_numpy(MAPS), boxes, 2, 0.5, 2)
    in_order = jtorch.from_numpy(INSIDE[[0, 2, 1]])
    of_rows = jtorch.vision.ops.RoIAlign(2, 0.5, 2)(jtorch.from_numpy(MAPS), in_order)
    close("lists", plain(of_list), plain(of_rows))
    assert jtorch.vision.ops.roi_align(jtorch.ones(1, 2, 4, 4), jtorch.zeros(0, 5), 3).shape == (0, 2, 3, 3)


def test_text_and_wrong_boxes():
    same(lambda torch, vision: repr(vision.ops.RoIAlign((3, 2), 0.5, -1, True)))
    for boxes in (lambda t: t.zeros(1, 4), lambda t: [t.zeros(1, 5)], lambda t: 3):
        errors = []
        for module, vision in SIDES:
            with pytest.raises(AssertionError) as caught:
                vision.ops.roi_align(module.ones(1, 1, 4, 4), boxes(module), 2)
            errors.append(str(caught.value))
        assert errors[0] == errors[1]
