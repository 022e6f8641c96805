"""Faster and Mask R-CNN: torchvision's state dicts, draws, losses, gradients and detections, on small pictures."""

import inspect
import sys
import warnings

import numpy as np
import pytest
import torch

import jtorch
from jtorch.engine import stats
from tests.vision.reference import SIDES, pixels, same, torchvision

NAMES = jtorch.vision.models.list_models(module=jtorch.vision.models.detection)
NO_DOWNLOAD = {"weights": None, "weights_backbone": None}


def _nms(boxes, scores, threshold):
    """The boxes that no better one covers, one after the other: torchvision's operator need not load."""
    left, kept = torch.argsort(scores, descending=True, stable=True), []
    while len(left):
        best, left = left[0], left[1:]
        kept.append(best)
        left = left[torchvision.ops.box_iou(boxes[best][None], boxes[left])[0] <= threshold]
    return torch.stack(kept) if kept else torch.zeros(0, dtype=torch.int64)


@pytest.fixture(autouse=True)
def without_operators(monkeypatch):
    """torchvision in Python, where its operators do not load or would be compiled."""
    monkeypatch.setitem(torchvision.ops.nms.__globals__, "nms", _nms)
    align = torchvision.ops.roi_align.__globals__
    if hasattr(align["_roi_align"], "__wrapped__"):
        monkeypatch.setitem(align, "_roi_align", align["_roi_align"].__wrapped__)


def body(torch):
    """A net with two maps, of 8 channels, at a quarter and an eighth."""

    class Body(torch.nn.Module):
        out_channels = 8

        def __init__(self):
            super().__init__()
            self.first, self.second = torch.nn.Conv2d(3, 8, 5, 4, 2), torch.nn.Conv2d(8, 8, 3, 2, 1)

        def forward(self, x):
            one = self.first(x).relu()
            return {"a": one, "b": self.second(one).relu()}

    return Body()


def small(torch, vision):
    """A detector of three classes, small in all its parts."""
    torch.manual_seed(3)
    detection = vision.models.detection
    pool = vision.ops.MultiScaleRoIAlign(["a", "b"], 4, 2, canonical_scale=24, canonical_level=3)
    anchors = detection.rpn.AnchorGenerator(((12,), (24,)), ((0.5, 1.0, 2.0),) * 2)
    options = {
        "min_size": (40, 48), "max_size": 64, "rpn_anchor_generator": anchors, "box_roi_pool": pool,
        "box_head": detection.faster_rcnn.TwoMLPHead(8 * 16, 16), "rpn_batch_size_per_image": 32,
        "box_predictor": detection.faster_rcnn.FastRCNNPredictor(16, 3), "box_batch_size_per_image": 24,
        "box_score_thresh": 0.1, "rpn_post_nms_top_n_train": 60, "rpn_post_nms_top_n_test": 30,
    }  # fmt: skip
    mask = detection.mask_rcnn
    options |= {"mask_roi_pool": vision.ops.MultiScaleRoIAlign(["a", "b"], 4, 2)}
    options |= {"mask_head": mask.MaskRCNNHeads(8, (8,), 1), "mask_predictor": mask.MaskRCNNPredictor(8, 8, 3)}
    return detection.MaskRCNN(body(torch), **options)


def pictures(torch):
    images = [torch.from_numpy(pixels((3, *size), seed, np.float32)) for seed, size in enumerate(((40, 52), (44, 36)))]
    boxes = [[[3.0, 4, 22, 30], [18, 9, 50, 25]], [[6, 8, 30, 40]]]
    targets = [{"boxes": torch.tensor(b), "labels": torch.tensor(m)} for b, m in zip(boxes, ([1, 2], [2]), strict=True)]
    for image, target in zip(images, targets, strict=True):
        target["masks"] = torch.zeros(len(target["labels"]), *image.shape[1:], dtype=torch.uint8)
        for mask, (x1, y1, x2, y2) in zip(target["masks"], target["boxes"].long().tolist(), strict=True):
            mask[y1 + 3 : y2, x1 : x2 - 4] = 1
    return images, targets


def test_losses_gradients_and_detections():
    def seen(torch, vision):
        net, (images, targets) = small(torch, vision), pictures(torch)
        losses = net(images, targets)
        sum(losses.values()).backward()
        gradients = {name: p.grad for name, p in net.named_parameters()}
        found = net.eval()(images)
        names = [type(found[0][key].grad_fn).__name__ for key in ("boxes", "scores")]
        names += [type(loss.grad_fn).__name__ for loss in losses.values()]
        return dict(net.state_dict()), dict(losses), gradients, found, names, repr(net)

    out = same(seen, atol=2e-5, rtol=1e-3)
    assert all(len(one["boxes"]) > 3 for one in out[3]) and all(loss > 0 for loss in out[1].values())


def test_pictures_without_things():
    def losses(torch, vision):
        net, (images, _) = small(torch, vision), pictures(torch)
        nothing = {"boxes": torch.zeros(0, 4), "labels": torch.zeros(0, dtype=torch.int64)}
        nothing["masks"] = torch.zeros(0, 40, 52, dtype=torch.uint8)
        return [dict(net(images[:1], [nothing]))]

    assert same(losses, atol=2e-5, rtol=1e-3)[0]["loss_mask"] == 0


def on_meta(torch, models, name):
    with torch.device("meta"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        net = models.get_model(name, **NO_DOWNLOAD, num_classes=7)
    frozen = [name for name, p in net.named_parameters() if not p.requires_grad]
    return repr(net), [(key, tuple(value.shape), str(value.dtype)) for key, value in net.state_dict().items()], frozen


@pytest.mark.parametrize("name", NAMES)
def test_modules_state_dict_and_counts(name):
    theirs, ours = (on_meta(module, vision.models, name) for module, vision in SIDES)
    assert ours == theirs
    their, our = (inspect.signature(getattr(v.models.detection, name)) for _, v in SIDES)
    assert [(p.name, p.kind, str(p.default)) for p in our.parameters.values()] == [
        (p.name, p.kind, str(p.default)) for p in their.parameters.values()
    ]


def test_published_weights():
    for name in NAMES:
        enum = jtorch.vision.models.get_model_weights(name)

        def facts(torch, vision, name=enum.__name__):
            weights = vision.models.get_weight(f"{name}.DEFAULT")
            meta = {key: value for key, value in weights.meta.items() if key != "_docs"}
            return (
                weights.url,
                meta,
                repr(weights),
                repr(weights.transforms()),
                weights.transforms()(torch.ones(3, 2, 2)),
            )

        assert not isinstance(same(facts), str)


def test_frozen_layers():
    def frozen(torch, vision, layers, returned):
        utils = vision.models.detection.backbone_utils
        with torch.device("meta"):
            net = utils.resnet_fpn_backbone(
                backbone_name="resnet18", weights=None, trainable_layers=layers, returned_layers=returned
            )
        return [name for name, p in net.named_parameters() if not p.requires_grad], list(net.state_dict())

    for layers, returned in ((3, None), (5, [2, 4]), (0, None), (6, None), (2, [0, 1])):
        same(lambda torch, vision, a=layers, b=returned: frozen(torch, vision, a, b))
    for layers, fpn in ((2, False), (0, True), (7, True)):

        def mobile(torch, vision, layers=layers, fpn=fpn):
            with torch.device("meta"):
                net = vision.models.detection.backbone_utils.mobilenet_backbone(
                    backbone_name="mobilenet_v2", weights=None, fpn=fpn, trainable_layers=layers
                )
            return [name for name, p in net.named_parameters() if not p.requires_grad], repr(net)

        same(mobile)
    same(lambda t, vision: vision.models._utils.IntermediateLayerGetter(t.nn.Sequential(), {"x": "y"}))


def test_parts():
    def parts(torch, vision):
        detection = vision.models.detection
        utils, boxes = sys.modules[detection.__name__ + "._utils"], torch.tensor([[1.0, 2, 9, 12], [4, 4, 8, 20]])
        coder, others = utils.BoxCoder((1.0, 1.0, 2.0, 2.0)), boxes + torch.tensor([1.0, -1, 3, 2])
        codes = coder.encode([boxes], [others])[0]
        quality = torch.tensor([[0.1, 0.45, 0.8, 0.3], [0.2, 0.5, 0.1, 0.3]])
        matched = [utils.Matcher(0.7, 0.4, low)(quality) for low in (False, True)]
        drawn = utils.BalancedPositiveNegativeSampler(4, 0.5)([torch.tensor([1, 0, -1, 2, 0, 1, 0, 0])])
        anchors = detection.anchor_utils.AnchorGenerator((8, 16), (0.5, 2.0))
        images = detection.image_list.ImageList(torch.zeros(2, 3, 32, 40), [(30, 40), (32, 32)]).to("cpu")
        made = anchors(images, [torch.zeros(2, 3, 4, 5), torch.zeros(2, 3, 2, 3)])
        return codes, coder.decode(codes, [others]), matched, drawn, made, anchors.num_anchors_per_location()

    same(parts)


def test_pasted_masks():
    def pasted(torch, vision):
        masks = torch.from_numpy(pixels((4, 1, 6, 6), dtype=np.float32))
        boxes = torch.tensor([[2.0, 3, 15, 12], [-4, -6, 8, 30], [10, 10, 10.4, 10.2], [20, 5, 60, 9]])
        paste = sys.modules[vision.models.detection.__name__ + ".roi_heads"].paste_masks_in_image
        return paste(masks, boxes, (24, 30)), paste(masks[:0], boxes[:0], (4, 5))

    same(pasted)


def test_regions_of_pyramids():
    def pooled(torch, vision, ratio):
        maps = {
            n: torch.from_numpy(pixels((2, 3, s, s + 2), s, np.float32)).requires_grad_()
            for n, s in (("a", 16), ("b", 8))
        }
        maps["c"] = torch.zeros(2, 3, 1, 1)
        boxes = [torch.tensor([[1.0, 2, 30, 40], [40, 50, 64, 60], [0, 0, 64, 64]]), torch.tensor([[5.0, 5, 9, 9]])]
        pool = vision.ops.MultiScaleRoIAlign(["a", "b"], (3, 2), ratio, canonical_scale=32, canonical_level=3)
        out = pool(maps, boxes, [(64, 60), (50, 64)])
        out.pow(2).sum().backward()
        one = vision.ops.MultiScaleRoIAlign(["b"], 2, ratio)(maps, boxes, [(64, 60), (50, 64)])
        return out, one, maps["a"].grad, maps["b"].grad, repr(pool), pool.scales

    for ratio in (2, -1):
        same(lambda torch, vision, ratio=ratio: pooled(torch, vision, ratio), atol=1e-5, rtol=1e-4)
    same(lambda torch, vision: vision.ops.MultiScaleRoIAlign(["a"], 2, 2)({"a": torch.ones(1, 1, 4, 4)}, [], []))


def test_pyramids():
    def pyramid(torch, vision):
        ops = sys.modules[vision.__name__ + ".ops.feature_pyramid_network"]
        maps = {n: torch.from_numpy(pixels((1, c, s, s), s, np.float32)) for n, c, s in (("a", 2, 9), ("b", 3, 5))}
        out = []
        for extra in (ops.LastLevelMaxPool(), ops.LastLevelP6P7(3, 4)):
            torch.manual_seed(1)
            out.append(dict(ops.FeaturePyramidNetwork([2, 3], 4, extra)(maps)))
        return out

    same(pyramid, atol=1e-5)
    same(lambda torch, vision: vision.ops.FeaturePyramidNetwork([0], 4))
    same(lambda torch, vision: vision.ops.FeaturePyramidNetwork([1], 4, torch.nn.Identity()) and 0)


def test_state_dicts_of_old_names_load():
    for make in (
        lambda m: m.rpn.RPNHead(4, 3),
        lambda m: m.mask_rcnn.MaskRCNNHeads(3, (4, 4), 1),
        lambda m: jtorch.vision.ops.FeaturePyramidNetwork([2, 3], 4),
    ):
        net = make(jtorch.vision.models.detection)
        old = {}
        for key, value in net.state_dict().items():
            for now, was in ((r"conv.0.0.", "conv."), ("blocks.0.0.", "blocks.0."), ("blocks.1.0.", "blocks.1.")):
                key = key.replace(now, was)
            old[f"mask_fcn{int(key[0]) + 1}.{key[4:]}" if key[0].isdigit() else key] = value
        assert old.keys() != net.state_dict().keys()
        assert str(net.load_state_dict(old)) == "<All keys matched successfully>"


def test_errors():
    def raised(torch, vision, change):
        net, (images, targets) = small(torch, vision), pictures(torch)
        change(torch, images, targets)
        return net(images, targets) and 0

    def to(key, make):
        return lambda torch, images, targets: targets[0].update({key: make(torch, targets[0][key])})

    for change in (
        to("boxes", lambda torch, boxes: boxes.flip(1)),
        to("boxes", lambda torch, boxes: boxes[0]),
        to("boxes", lambda torch, boxes: 3),
        to("labels", lambda torch, labels: labels.int()),
        lambda torch, images, targets: targets[1].pop("masks"),
        lambda torch, images, targets: targets.clear(),
        lambda torch, images, targets: images.__setitem__(0, images[0].long()),
        lambda torch, images, targets: images.__setitem__(0, images[0][None]),
    ):
        assert isinstance(same(lambda torch, vision, c=change: raised(torch, vision, c)), str)
    for wrong in (
        {"num_classes": None},
        {"num_classes": 3, "rpn_anchor_generator": 3},
        {"num_classes": 3, "box_roi_pool": 3},
        {"num_classes": 3, "box_predictor": 3},
    ):
        same(lambda torch, vision, w=wrong: vision.models.detection.FasterRCNN(body(torch), **w) and 0)
    same(lambda torch, vision: vision.models.detection.FasterRCNN(torch.nn.Identity(), 3) and 0)
    same(lambda torch, vision: vision.models.detection.MaskRCNN(body(torch), 3, mask_predictor=3) and 0)
    same(lambda torch, vision: vision.models.detection.MaskRCNN(body(torch), 3, mask_roi_pool=3) and 0)


def test_steps_of_other_boxes_run_the_same_programs():
    net, (images, targets) = small(jtorch, jtorch.vision), pictures(jtorch)
    net.transform.min_size, compiled = (44,), []
    for step in range(4):
        before, boxes = stats.compiles, np.array([[3 + step, 4, 22, 30], [18, 9, 50 - step, 25]], np.float32)
        with jtorch.no_grad():
            sum(net(images[:1], [{**targets[0], "boxes": jtorch.from_numpy(boxes)}]).values()).item()
        compiled.append(stats.compiles - before)
    assert sum(compiled[:2]) and not compiled[3], compiled
