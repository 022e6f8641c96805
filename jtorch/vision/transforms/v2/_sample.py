"""Transform: the base of what takes a whole sample, images beside labels in tuples, lists and dicts."""

import enum
import inspect

from jtorch._tensor import Tensor
from jtorch.nn.modules.module import Module
from jtorch.rng import generator as rng
from jtorch.vision.pillow import is_image
from jtorch.vision.transforms._modes import InterpolationMode
from jtorch.vision.transforms.v2 import _boxes
from jtorch.vision.tv_tensors import BoundingBoxes, Image, Mask, TVTensor, Video, wrap
from jtorch.vision.tv_tensors._tv_tensor import plain

_NO_IMAGES = (Mask, BoundingBoxes)
_GEOMETRY = frozenset(
    "Resize CenterCrop Pad RandomCrop RandomResizedCrop RandomHorizontalFlip RandomVerticalFlip RandomRotation "
    "RandomAffine RandomPerspective ElasticTransform".split()
)


def leaves(sample):
    """What lies in nested tuples, lists and dicts."""
    if isinstance(sample, dict):
        sample = list(sample.values())
    if not isinstance(sample, (tuple, list)):
        return [sample]
    return [leaf for item in sample for leaf in leaves(item)]


def rebuilt(sample, parts):
    """The same nesting around other parts, taken from an iterator."""
    if isinstance(sample, dict):
        return type(sample)((key, rebuilt(item, parts)) for key, item in sample.items())
    if not isinstance(sample, (tuple, list)):
        return next(parts)
    items = [rebuilt(item, parts) for item in sample]
    return type(sample)(*items) if hasattr(sample, "_fields") else type(sample)(items)


class Transform(Module):
    """A transform of samples: subclasses give `transform(inpt, params)`, and `make_params(flat_inputs)` for draws.

    Changed are all Pillow images and all tv_tensors of a sample; where there is no image among them, its first plain
    tensor too. All else is handed on. What comes out of a tv_tensor is one of the same class.
    """

    # Whether masks and boxes are changed too, as geometry does and colours do not.
    _everything = False

    def check_inputs(self, flat_inputs):
        """Raise for samples that won't do."""

    def make_params(self, flat_inputs):
        """What is drawn once for all that is changed, as a dict."""
        return {}

    def transform(self, inpt, params):
        """One image, changed."""
        raise NotImplementedError

    def takes(self, leaf):
        """Whether a part of the sample is something to change."""
        return (isinstance(leaf, Tensor) or is_image(leaf)) and (self._everything or not isinstance(leaf, _NO_IMAGES))

    def transform_mask(self, mask, params):
        """A plain tensor of masks, changed."""
        return self.transform(mask, params)

    def transform_boxes(self, boxes, params):
        """BoundingBoxes, changed. Raises NotImplementedError where there is no rule for them."""
        raise NotImplementedError(f"{type(self).__name__} is not there for BoundingBoxes; flips and Resize are")

    def _part(self, leaf, params):
        if not isinstance(leaf, TVTensor):
            return self.transform(leaf, params)
        if isinstance(leaf, BoundingBoxes):
            return self.transform_boxes(leaf, params)
        change = self.transform_mask if isinstance(leaf, Mask) else self.transform
        out = change(plain(leaf), params)
        return wrap(out, like=leaf) if isinstance(out, Tensor) else out

    def forward(self, *inputs):
        sample = inputs if len(inputs) > 1 else inputs[0]
        flat = leaves(sample)
        self.check_inputs(flat)
        chosen, tensors = [], not any(is_image(leaf) or isinstance(leaf, (Image, Video)) for leaf in flat)
        for leaf in flat:
            pure = isinstance(leaf, Tensor) and not isinstance(leaf, TVTensor)
            chosen.append(self.takes(leaf) and (tensors or not pure))
            tensors = tensors and not (chosen[-1] and pure)
        params = self.make_params([leaf for leaf, yes in zip(flat, chosen, strict=True) if yes])
        parts = [self._part(x, params) if yes else x for x, yes in zip(flat, chosen, strict=True)]
        return rebuilt(sample, iter(parts))

    def extra_repr(self):
        shown = (bool, int, float, str, tuple, list, enum.Enum)
        return ", ".join(
            f"{name}={value}"
            for name, value in vars(self).items()
            if not name.startswith("_") and name != "training" and isinstance(value, shown)
        )


class _OfImages(Transform):
    """A transform of images made into one of samples: all images of a sample meet the same random numbers."""

    def make_params(self, flat_inputs):
        """Where the generator stands, which matters where there are several images."""
        return {"states": [rng.default.get_state()] * (len(flat_inputs) - 1)}

    def transform(self, inpt, params):
        """One image, changed."""
        return self._next(self._one(inpt), params)

    def transform_mask(self, mask, params):
        """Masks, of which no values are mixed."""
        mode = vars(self).get("interpolation")
        if mode is not None:
            self.interpolation = InterpolationMode.NEAREST
        try:
            out = self._one(mask[None] if mask.dim() == 2 else mask)
        finally:
            if mode is not None:
                self.interpolation = mode
        return self._next(out[0] if mask.dim() == 2 else out, params)

    def transform_boxes(self, boxes, params):
        """Boxes, by the rule of the transform."""
        rule = _boxes.RULES.get(self._name) or super().transform_boxes
        return self._next(rule(self, boxes), params) if self._name in _boxes.RULES else rule(boxes, params)

    def _next(self, out, params):
        if params["states"]:
            rng.default.set_state(params["states"].pop())
        return out

    def __init__(self, *args, **kwargs):
        given = self._signature.bind(*args, **kwargs).arguments
        mode = given.get("interpolation")
        if isinstance(mode, str):
            given["interpolation"] = InterpolationMode(mode)
        super().__init__(**given)
        if "interpolation" in self._signature.parameters:
            # What v2 shows: the name, unless a mode was given.
            self._shown = self.interpolation.value if mode is None or isinstance(mode, str) else self.interpolation

    def extra_repr(self):
        text = super().extra_repr()
        return text.replace(str(self.interpolation), str(self._shown)) if hasattr(self, "_shown") else text

    __repr__ = Module.__repr__


def of_images(v1):
    """A class of `transforms` as one that takes samples, with torchvision's names of modes beside the modes."""
    signature = inspect.signature(v1)
    made = type(v1.__name__, (_OfImages, v1), {"__doc__": v1.__doc__, "_one": v1.forward, "_signature": signature})
    made._name, made._everything = v1.__name__, v1.__name__ in _GEOMETRY
    made.__module__ = __name__.rpartition(".")[0]
    return made
