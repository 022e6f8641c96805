"""The base of datasets of images: a root folder, and transforms of image and target."""

import os

from jtorch.utils.data import Dataset


class VisionDataset(Dataset):
    """Base of datasets of images. Subclasses give `__getitem__` and `__len__`.

    transforms: of (image, target) together; transform, target_transform: of each alone. Raises: ValueError for both.
    """

    _repr_indent = 4

    def __init__(self, root=None, transforms=None, transform=None, target_transform=None):
        self.root = os.path.expanduser(root) if isinstance(root, str) else root
        alone = transform is not None or target_transform is not None
        if transforms is not None and alone:
            raise ValueError("Only transforms or transform/target_transform can be passed as argument")
        self.transform = transform
        self.target_transform = target_transform
        self.transforms = StandardTransform(transform, target_transform) if alone else transforms

    def __getitem__(self, index):
        raise NotImplementedError

    def __len__(self):
        raise NotImplementedError

    def __repr__(self):
        body = [f"Number of datapoints: {len(self)}"]
        if self.root is not None:
            body.append(f"Root location: {self.root}")
        body += self.extra_repr().splitlines()
        if getattr(self, "transforms", None) is not None:
            body.append(repr(self.transforms))
        return "\n".join([f"Dataset {type(self).__name__}", *(" " * self._repr_indent + line for line in body)])

    def extra_repr(self):
        """Lines of the text that a subclass adds."""
        return ""

    def _transformed(self, image, target):
        """A sample after its transforms."""
        if self.transform is not None:
            image = self.transform(image)
        return image, target if self.target_transform is None else self.target_transform(target)


class StandardTransform:
    """A transform of the image and one of the target."""

    def __init__(self, transform=None, target_transform=None):
        self.transform = transform
        self.target_transform = target_transform

    def __call__(self, input, target):
        input = input if self.transform is None else self.transform(input)
        return input, target if self.target_transform is None else self.target_transform(target)

    def _format_transform_repr(self, transform, head):
        first, *rest = repr(transform).splitlines()
        return [head + first, *(" " * len(head) + line for line in rest)]

    def __repr__(self):
        body = [type(self).__name__]
        if self.transform is not None:
            body += self._format_transform_repr(self.transform, "Transform: ")
        if self.target_transform is not None:
            body += self._format_transform_repr(self.target_transform, "Target transform: ")
        return "\n".join(body)
