"""Boxes: torchvision's areas, overlaps, formats and errors; nms beside a plain loop, for its operator does not load."""

import numpy as np
import pytest

import jtorch
from tests.vision.reference import same


def boxes(count, seed=0, dtype=np.float32):
    """Random boxes within 20 × 30."""
    draw = np.random.default_rng(seed)
    low, high = draw.uniform(-2, 15, (count, 2)), draw.uniform(1, 14, (count, 2))
    return np.concatenate([low, low + high], 1).astype(dtype)


def overlap(one, other):
    """Intersection over union of two boxes, in words."""
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    inter = max(width, 0) * max(height, 0)
    area = (one[2] - one[0]) * (one[3] - one[1]) + (other[2] - other[0]) * (other[3] - other[1])
    return inter / (area - inter)


def kept(given, scores, threshold, classes=None):
    """Greedy suppression as the paper writes it down."""
    left, out = sorted(range(len(scores)), key=lambda i: -scores[i]), []
    while left:
        best = left.pop(0)
        out.append(best)
        left = [
            i for i in left
            if overlap(given[best], given[i]) <= threshold or (classes is not None and classes[i] != classes[best])
        ]  # fmt: skip
    return out


@pytest.mark.parametrize("threshold", (0.1, 0.5, 0.9))
def test_nms(threshold):
    ops = jtorch.vision.ops
    for seed in range(4):
        given, draw = boxes(40, seed), np.random.default_rng(seed)
        scores, classes = draw.permutation(40).astype(np.float32), draw.integers(0, 3, 40)
        tensors = [jtorch.from_numpy(x) for x in (given, scores, classes)]
        out = ops.nms(*tensors[:2], threshold)
        assert out.dtype is jtorch.int64 and out.tolist() == kept(given, scores, threshold)
        assert ops.batched_nms(*tensors, threshold).tolist() == kept(given, scores, threshold, classes)


def test_nms_of_nothing_of_equals_and_of_wrong_shapes():
    nms = jtorch.vision.ops.nms
    assert nms(jtorch.zeros(0, 4), jtorch.zeros(0), 0.5).tolist() == []
    same_boxes = jtorch.tensor([[0, 0, 2, 2]] * 3)
    assert nms(same_boxes, jtorch.tensor([0.5, 0.9, 0.7]), 0.5).tolist() == [1]
    assert nms(same_boxes, jtorch.tensor([0.5, 0.9, 0.7]), 1.0).tolist() == [1, 2, 0]
    for wrong, words in (
        ((jtorch.zeros(4), jtorch.zeros(1)), "boxes should be a 2d tensor, got 1D"),
        ((jtorch.zeros(1, 5), jtorch.zeros(1)), "boxes should have 4 elements in dimension 1, got 5"),
        ((jtorch.zeros(1, 4), jtorch.zeros(1, 1)), "scores should be a 1d tensor, got 2D"),
        ((jtorch.zeros(1, 4), jtorch.zeros(2)), "same number of elements in dimension 0, got 1 and 2"),
    ):
        with pytest.raises(RuntimeError, match=words):
            nms(*wrong, 0.5)


FUNCTIONS = """
ops.box_area(a)
ops.box_area(a, "cxcywh")
ops.box_area(a, "xyxyxyxy")
ops.box_iou(a, b)
ops.box_iou(a, b, "xywh")
ops.box_iou(a, b, "cxcywh")
ops.box_iou(a, b, "abcd")
ops.generalized_box_iou(a, b)
ops.distance_box_iou(a, b)
ops.complete_box_iou(a, b)
ops.remove_small_boxes(a, 5.0)
ops.clip_boxes_to_image(a, (10, 12))
[ops.box_convert(a, i, o) for i in ("xyxy", "xywh", "cxcywh") for o in ("xyxy", "xywh", "cxcywh")]
ops.box_convert(a, "xyxy", "abcd")
""".strip().split("\n")


@pytest.mark.parametrize("dtype", (np.float32, np.float64, np.int64, np.uint8))
def test_functions(dtype):
    for written in FUNCTIONS:

        def called(torch, vision, written=written):
            a, b = (torch.from_numpy(np.abs(boxes(n, n)).astype(dtype)) for n in (5, 7))
            return eval(written, {"ops": vision.ops, "a": a, "b": b})

        same(called, f"{written} {dtype.__name__}")


def test_batches_and_gradients():
    def called(torch, vision):
        a, b = torch.from_numpy(boxes(6).reshape(2, 3, 4)), torch.from_numpy(boxes(4, 1).reshape(2, 2, 4))
        a.requires_grad_()
        out = vision.ops.box_iou(a, b)
        vision.ops.complete_box_iou(a[0], b[0]).sum().backward()
        return out, a.grad

    same(called)


def test_boxes_around_masks():
    def around(torch, vision):
        masks = torch.zeros(3, 6, 7)
        masks[0, 2:4, 1:5] = 1
        masks[1, 5, 6] = 2
        return vision.ops.masks_to_boxes(masks), vision.ops.masks_to_boxes(torch.zeros(0, 4, 4))

    same(around)


@pytest.mark.parametrize("dtype", (np.float32, np.float64, np.int64))
def test_formats_of_turned_boxes(dtype):
    formats = ("cxcywhr", "xywhr", "xyxyxyxy")

    def converted(torch, vision):
        draw = np.random.default_rng(0)
        five, eight = (torch.from_numpy((draw.uniform(1, 50, (4, n))).astype(dtype)) for n in (5, 8))
        return [
            vision.ops.box_convert(eight if one == "xyxyxyxy" else five, one, other)
            for one in formats for other in formats
        ]  # fmt: skip

    same(converted, atol=1e-3)
    same(lambda torch, vision: vision.ops.box_convert(torch.zeros(1, 5), "xywhr", "xyxy"))


def test_overlaps_of_turned_boxes_are_refused():
    box = jtorch.zeros(1, 5)
    with pytest.raises(NotImplementedError, match="box_iou of turned boxes"):
        jtorch.vision.ops.box_iou(box, box, "xywhr")


def test_focal_loss():
    for options in (
        {},
        {"alpha": -1},
        {"gamma": 1.5, "reduction": "mean"},
        {"reduction": "sum"},
        {"alpha": 2},
        {"reduction": "a"},
    ):

        def loss(torch, vision, options=options):
            x = torch.from_numpy(boxes(3)).requires_grad_()
            y = torch.from_numpy((boxes(3, 1) > 5).astype(np.float32))
            out = vision.ops.sigmoid_focal_loss(x, y, **options)
            out.sum().backward()
            return out, x.grad

        same(loss, str(options))
