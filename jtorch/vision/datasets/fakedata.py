"""Images and labels that are only noise."""

import numpy as np

from jtorch import dtypes
from jtorch.rng import samplers
from jtorch.rng.generator import Generator
from jtorch.vision.datasets.vision import VisionDataset
from jtorch.vision.transforms.functional import to_pil_image


class FakeData(VisionDataset):
    """`size` random images with random labels; sample i is drawn from seed i + random_offset at each access."""

    def __init__(
        self,
        size=1000,
        image_size=(3, 224, 224),
        num_classes=10,
        transform=None,
        target_transform=None,
        random_offset=0,
    ):
        super().__init__(transform=transform, target_transform=target_transform)
        self.size = size
        self.num_classes = num_classes
        self.image_size = image_size
        self.random_offset = random_offset

    def __getitem__(self, index):
        if index >= len(self):
            raise IndexError(f"{type(self).__name__} index out of range")
        generator = Generator().manual_seed(index + self.random_offset)
        pixels = samplers.normal(generator, tuple(self.image_size), dtypes.float32)
        target = int(samplers.randint(generator, (1,), dtypes.int64, 0, self.num_classes)[0])
        image = to_pil_image(np.moveaxis(pixels, 0, -1))
        if self.transform is not None:
            image = self.transform(image)
        return image, target if self.target_transform is None else self.target_transform(target)

    def __len__(self):
        return self.size
