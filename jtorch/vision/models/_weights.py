"""Which weights there are for a net, where they lie and what they are good for: the facts in weights.toml."""

import tomllib
from dataclasses import dataclass
from enum import Enum
from functools import cache, partial
from pathlib import Path
from typing import Any

from jtorch.hub import load_state_dict_from_url
from jtorch.vision.transforms._modes import InterpolationMode
from jtorch.vision.transforms._presets import ImageClassification, ObjectDetection, VideoClassification

_HERE = Path(__file__).parent
_HOST = "https://download.pytorch.org/models/"


@dataclass
class Weights:
    """Where weights lie, what images go through before them, and what else is known of them."""

    url: str
    transforms: Any
    meta: dict[str, Any]

    def __eq__(self, other):
        if not isinstance(other, Weights):
            return NotImplemented
        return (self.url, self.meta, _parts(self.transforms)) == (other.url, other.meta, _parts(other.transforms))


def _parts(transforms):
    """What tells two partial functions apart."""
    if isinstance(transforms, partial):
        return transforms.func, transforms.args, transforms.keywords
    return transforms


class WeightsEnum(Enum):
    """The weights of one net. `Net_Weights.DEFAULT` are the best."""

    @classmethod
    def verify(cls, obj):
        """One of these weights, given as such or by name; None as it is. Raises TypeError and KeyError for others."""
        if type(obj) is str:
            return cls[obj.replace(f"{cls.__name__}.", "")]
        if obj is not None and not isinstance(obj, cls):
            raise TypeError(
                f"Invalid Weight class provided; expected {cls.__name__} but received {type(obj).__name__}."
            )
        return obj

    def get_state_dict(self, *args, **kwargs):
        """The state dict, fetched or out of the cache. Arguments: of `hub.load_state_dict_from_url`."""
        return load_state_dict_from_url(self.url, *args, **kwargs)

    def __repr__(self):
        return f"{type(self).__name__}.{self._name_}"

    url = property(lambda self: self.value.url)
    transforms = property(lambda self: self.value.transforms)
    meta = property(lambda self: self.value.meta)


@cache
def _facts():
    with open(_HERE / "weights.toml", "rb") as file:
        return tomllib.load(file)


@cache
def categories(of="imagenet"):
    """The names of the classes of ImageNet (1000), COCO (91, with gaps) or Kinetics (400)."""
    return (_HERE / f"{of}.txt").read_text(encoding="utf-8").splitlines()


def _detection(facts):
    """The Weights of an entry of a detector."""
    rest = dict(facts)
    meta = {
        "categories": categories("coco"),
        "min_size": (1, 1),
        "num_params": rest["num_params"],
        "recipe": rest["recipe"],
    }
    meta |= {"_metrics": {"COCO-val2017": rest["coco"]}, "_ops": rest["ops"], "_file_size": rest["file_size"]}
    return Weights(_HOST + rest["file"], ObjectDetection, meta)


def _video(facts):
    """The Weights of an entry of a net for clips."""
    rest = dict(facts)
    file, correct = rest.pop("file"), rest.pop("kinetics")
    images = {name: tuple(value) for name, value in rest.pop("images").items()}
    meta = {
        "min_size": tuple(rest.pop("min_size")),
        "categories": categories("kinetics"),
        "_metrics": {"Kinetics-400": {"acc@1": correct[0], "acc@5": correct[1]}},
        "_ops": rest.pop("ops"),
        "_file_size": rest.pop("file_size"),
        **rest,
    }
    return Weights(_HOST + file, partial(VideoClassification, **images), meta)


def _one(facts):
    """The Weights of one entry."""
    if "coco" in facts:
        return _detection(facts)
    if "kinetics" in facts:
        return _video(facts)
    rest = dict(facts)
    rest.pop("default", None)
    file, images, correct = rest.pop("file"), rest.pop("images"), rest.pop("acc")
    if "interpolation" in images:
        images = {**images, "interpolation": InterpolationMode(images["interpolation"])}
    for name in ("mean", "std"):
        if name in images:
            images = {**images, name: tuple(images[name])}
    meta = {
        "min_size": tuple(rest.pop("min_size")),
        "categories": categories() if rest.pop("categories", True) else None,
        "_metrics": {"ImageNet-1K": {"acc@1": correct[0], "acc@5": correct[1]}},
        "_ops": rest.pop("ops"),
        "_file_size": rest.pop("file_size"),
        **rest,
    }
    return Weights(_HOST + file, partial(ImageClassification, **images), meta)


def published(name, module):
    """The enum of the weights that are published under a name, as if written in a module."""
    facts = _facts()[name]
    members = {key: _one(entry) for key, entry in facts.items()}
    best = next((key for key, entry in facts.items() if entry.get("default")), next(iter(facts)))
    return WeightsEnum(name, {**members, "DEFAULT": members[best]}, module=module)
