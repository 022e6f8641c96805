"""LSUN: millions of photographs of rooms and buildings (Yu et al. 2015, arXiv:1506.03365), in databases of lmdb."""

import io
import os
import pickle
import string

from jtorch.optional import Package
from jtorch.vision.datasets.utils import iterable_to_str, verify_str_arg
from jtorch.vision.datasets.vision import VisionDataset
from jtorch.vision.pillow import Image

_CATEGORIES = [
    "bedroom", "bridge", "church_outdoor", "classroom", "conference_room", "dining_room", "kitchen", "living_room",
    "restaurant", "tower",
]  # fmt: skip
_PARTS = ["train", "val", "test"]
_lmdb = Package("lmdb", "LSUN lies in databases of lmdb: pip install lmdb")


class LSUNClass(VisionDataset):
    """One database. Its keys are kept in a file in the working directory. Raises ImportError without lmdb."""

    def __init__(self, root, transform=None, target_transform=None):
        super().__init__(root, transform=transform, target_transform=target_transform)
        self.env = _lmdb.open(root, max_readers=1, readonly=True, lock=False, readahead=False, meminit=False)
        with self.env.begin(write=False) as reader:
            self.length = reader.stat()["entries"]
        cache = "_cache_" + "".join(c for c in root if c in string.ascii_letters)
        if os.path.isfile(cache):
            with open(cache, "rb") as file:
                self.keys = pickle.load(file)
            return
        with self.env.begin(write=False) as reader:
            self.keys = list(reader.cursor().iternext(keys=True, values=False))
        with open(cache, "wb") as file:
            pickle.dump(self.keys, file)

    def __getitem__(self, index):
        with self.env.begin(write=False) as reader:
            data = reader.get(self.keys[index])
        return self._transformed(Image.open(io.BytesIO(data)).convert("RGB"), None)

    def __len__(self):
        return self.length


class LSUN(VisionDataset):
    """https://www.yf.io/p/lsun. The databases must lie in root, as `bedroom_train_lmdb`.

    classes: train, val or test, or a list such as ["bedroom_train"]. A target is the number of its class in that list.
    Raises: ValueError for other classes, ImportError without lmdb.
    """

    def __init__(self, root, classes="train", transform=None, target_transform=None):
        super().__init__(root, transform=transform, target_transform=target_transform)
        self.classes = self._verify_classes(classes)
        self.dbs = [LSUNClass(os.path.join(root, f"{name}_lmdb"), transform) for name in self.classes]
        self.indices, self.length = [], 0
        for db in self.dbs:
            self.length += len(db)
            self.indices.append(self.length)

    def _verify_classes(self, classes):
        if isinstance(classes, str) and classes in _PARTS:
            return [classes] if classes == "test" else [f"{category}_{classes}" for category in _CATEGORIES]
        if not hasattr(classes, "__iter__"):
            raise ValueError(f"Expected type str or Iterable for argument classes, but got type {type(classes)}.")
        for name in (classes := list(classes)):
            words = f"Expected type str for elements in argument classes, but got type {type(name)}."
            verify_str_arg(name, custom_msg=words)
            category, _, part = name.rpartition("_")
            for value, what, known in ((category, "LSUN class", _CATEGORIES), (part, "postfix", _PARTS)):
                words = f"Unknown value '{value}' for {what}. Valid values are {{{iterable_to_str(known)}}}."
                verify_str_arg(value, valid_values=known, custom_msg=words)
        return classes

    def __getitem__(self, index):
        target = next(i for i, end in enumerate(self.indices) if index < end)
        image, _ = self.dbs[target][index - (self.indices[target - 1] if target else 0)]
        return image, target if self.target_transform is None else self.target_transform(target)

    def __len__(self):
        return self.length

    def extra_repr(self):
        """Which databases."""
        return f"Classes: {self.classes}"
