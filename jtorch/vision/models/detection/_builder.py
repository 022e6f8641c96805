"""Builders of detectors: weights of the whole net or of the net below, and how much of that is frozen."""

from jtorch import nn
from jtorch.vision.models._utils import dressed, named
from jtorch.vision.models.detection._utils import overwrite_eps
from jtorch.vision.models.detection.backbone_utils import _validate_trainable_layers
from jtorch.vision.ops.misc import FrozenBatchNorm2d


def detector(weights_enum, backbone, extract, layers, *, downloads=True, freezes=True, eps=None):
    """Make a function (body, num_classes, **kwargs) that builds a detector into torchvision's builder of it.

    backbone: (builder of the net below, its weights); extract(net, trainable layers): the body made of it, of which
    `layers` may be trained. downloads: whether the net below is a trained one by default; freezes: whether its norms
    are frozen then; eps: of frozen norms under published weights.
    """
    below, below_enum = backbone
    default = below_enum["IMAGENET1K_V1"] if downloads else None
    more = {
        "num_classes": (int, None),
        "weights_backbone": (below_enum, default),
        "trainable_backbone_layers": (int, None),
    }

    def decorate(make):
        def build(kwargs):
            weights, base = weights_enum.verify(kwargs.pop("weights", None)), kwargs.pop("weights_backbone", default)
            base = below_enum.verify(base) if weights is None else None
            if kwargs.get("num_classes") is None:
                kwargs.pop("num_classes", None)
            classes = 91 if weights is None else len(weights.meta["categories"])
            if weights is not None:
                named(kwargs, "num_classes", classes)
            trained, progress = weights is not None or base is not None, kwargs.pop("progress", True)
            count = _validate_trainable_layers(trained, kwargs.pop("trainable_backbone_layers", None), layers, 3)
            norm = {"norm_layer": FrozenBatchNorm2d if trained else nn.BatchNorm2d} if freezes else {}
            body = extract(below(weights=base, progress=progress, **norm), count)
            net = make(body, kwargs.pop("num_classes", classes), **kwargs)
            if weights is not None:
                net.load_state_dict(weights.get_state_dict(progress=progress, check_hash=True))
                if eps is not None:
                    overwrite_eps(net, eps)
            return net

        old = {"pretrained": ("weights", weights_enum, "COCO_V1")}
        old["pretrained_backbone"] = ("weights_backbone", below_enum, "IMAGENET1K_V1")
        return dressed(make, build, weights_enum, old, more)

    return decorate
