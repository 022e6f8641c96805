"""tv_tensors: their classes, texts and metadata, what calls give, and their way through transforms of samples."""

import copy

import numpy as np

from tests.vision.reference import image, pixels, same


def parts(torch, vision):
    """An image, masks and boxes in their classes."""
    tv = vision.tv_tensors
    picture = tv.Image(torch.from_numpy(pixels((3, 12, 10))))
    masks = tv.Mask(torch.from_numpy((pixels((2, 12, 10), 1) > 127).astype(np.uint8)))
    corners = torch.tensor([[1.0, 2, 7, 9], [0, 0, 3, 4]])
    boxes = tv.BoundingBoxes(corners, format="XYXY", canvas_size=(12, 10))
    return picture, masks, boxes


def base(torch, x):
    with torch._C.DisableTorchFunctionSubclass():
        return x.as_subclass(torch.Tensor)


def seen(torch, *values):
    facts = [
        {n: str(getattr(x, n)) for n in ("format", "canvas_size", "clamping_mode") if hasattr(x, n)} for x in values
    ]
    return [(type(x).__name__, str(x.dtype), f, base(torch, x).numpy()) for x, f in zip(values, facts, strict=True)]


def test_classes_and_texts():
    def made(torch, vision):
        tv, (picture, masks, boxes) = vision.tv_tensors, parts(torch, vision)
        more = [
            tv.Image(image()),
            tv.Image(torch.ones(2, 3)),
            tv.Mask(image(mode="L")),
            tv.Video(torch.ones(1, 2, 3, 4)),
        ]
        more.append(tv.BoundingBoxes([1, 2, 3, 4], format="xywh", canvas_size=(5, 6), clamping_mode=None))
        more.append(tv.BoundingBoxes(torch.ones(1, 5), format=tv.BoundingBoxFormat.CXCYWHR, canvas_size=(5, 6)))
        texts = [repr(x) for x in (boxes, tv.Mask(torch.ones(1, 2)), more[1], more[4], more[5])]
        return seen(torch, picture, masks, boxes, *more), texts, isinstance(boxes, torch.Tensor)

    assert not isinstance(same(made), str)


def test_what_calls_give():
    def given(torch, vision):
        tv, (picture, masks, boxes) = vision.tv_tensors, parts(torch, vision)
        kept = [boxes.clone(), boxes.to(torch.float64), picture.detach(), masks.clone(), copy.deepcopy(boxes)]
        lost = [
            picture + 1,
            boxes[:1],
            masks.float(),
            boxes * 2,
            picture.clone().add_(1),
            torch.stack([picture, picture]),
        ]
        with tv.set_return_type("TVTensor"):
            under = [picture + 1, boxes[:1], boxes * 2, boxes.unbind(0)[1]]
        wrapped = [tv.wrap(boxes * 2, like=boxes, canvas_size=(3, 3)), tv.wrap(torch.ones(1, 2, 2), like=masks)]
        numbers = picture.shape, picture.ndim, str(picture.dtype), str(picture.device), picture.sum().item()
        return seen(torch, *kept, *lost, *under, *wrapped, picture - 1), numbers

    assert not isinstance(same(given), str)


def test_errors():
    for written in (
        lambda t, v: v.tv_tensors.Image(t.ones(3)),
        lambda t, v: v.tv_tensors.Video(t.ones(3)),
        lambda t, v: v.tv_tensors.BoundingBoxes(t.ones(1, 1, 4), format="XYXY", canvas_size=(1, 1)),
        lambda t, v: v.tv_tensors.BoundingBoxes(t.ones(1, 4), format="XYXY", canvas_size=(1, 1), clamping_mode="x"),
        lambda t, v: v.tv_tensors.BoundingBoxes([1, 2, 3, 4, 5], format="XYWHR", canvas_size=(1, 1)),
        lambda t, v: v.tv_tensors.BoundingBoxes([1, 2, 3, 4], format="no", canvas_size=(1, 1)),
        lambda t, v: v.tv_tensors.set_return_type("x"),
        lambda t, v: v.tv_tensors.is_rotated_bounding_format(3),
    ):
        assert isinstance(same(written), str)


TRANSFORMS = """
T.RandomHorizontalFlip(1.0)
T.RandomVerticalFlip(0.5)
T.Resize(6)
T.Resize((7, 20))
T.ToDtype(torch.float32, scale=True)
T.ToDtype({tv.Image: torch.float32, tv.Mask: torch.int64, "others": None}, scale=True)
T.Compose([T.RandomHorizontalFlip(0.5), T.ToDtype(torch.float32, scale=True), T.ToPureTensor()])
T.Compose([T.ToDtype(torch.float32, scale=True), T.Normalize([0.5] * 3, [0.2] * 3)])
T.Identity()
""".strip().split("\n")
GEOMETRY = ("T.CenterCrop(8)", "T.RandomCrop(6)", "T.Pad(2)", "T.RandomRotation(40)")


def test_samples_go_through_transforms():
    def through(torch, vision, written, boxes=True):
        picture, masks, corners = parts(torch, vision)
        change = eval(written, {"T": vision.transforms.v2, "torch": torch, "tv": vision.tv_tensors})
        target = {"masks": masks, "labels": torch.arange(2), **({"boxes": corners} if boxes else {})}
        out, target = change(picture, target)
        drawn = torch.rand(1)
        return seen(torch, out, *target.values(), drawn)

    for seed in range(2):
        for written in TRANSFORMS:
            assert not isinstance(same(lambda t, v, w=written: through(t, v, w), written, seed, atol=1), str), written
        for written in GEOMETRY:
            assert not isinstance(same(lambda t, v, w=written: through(t, v, w, False), written, seed, atol=1), str)


def test_boxes_of_other_formats():
    def flipped(torch, vision, form, kind):
        tv = vision.tv_tensors
        boxes = tv.BoundingBoxes(torch.tensor([[4, 5, 6, 7], [1, 2, 3, 3]]), format=form, canvas_size=(20, 30))
        return seen(torch, getattr(vision.transforms.v2, kind)(1.0)(boxes), vision.transforms.v2.Resize(40)(boxes))

    for form in ("XYXY", "XYWH", "CXCYWH"):
        for kind in ("RandomHorizontalFlip", "RandomVerticalFlip"):
            assert not isinstance(same(lambda t, v, f=form, k=kind: flipped(t, v, f, k)), str)
