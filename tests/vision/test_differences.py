"""Where jtorch.vision is known to differ from torchvision, said in torch: each kind has its reason in gaps.toml."""

import numpy as np
import torch
from PIL import Image

import jtorch
from jtorch.vision.transforms import functional as F


def test_a_crop_shows_the_memory_of_its_image():
    sums = []
    for module, crop in ((torch, lambda x: x[..., 1:3, 1:3]), (jtorch, lambda x: F.crop(x, 1, 1, 2, 2))):
        image = module.from_numpy(np.zeros((3, 4, 4), np.float32))
        crop(image).fill_(1)
        sums.append(float(image.sum()))
    assert sums[0] == sums[1]


def test_pixels_of_an_image_lie_in_memory_as_it_has_them():
    image = Image.fromarray(np.zeros((4, 5, 3), np.uint8))
    assert F.pil_to_tensor(image).stride() == torch.as_tensor(np.array(image)).permute(2, 0, 1).stride()
