"""Images and targets brought to one size before a detector, and what it finds brought back."""

import math

import numpy as np

from jtorch import nn
from jtorch._tensor import aval, from_host
from jtorch.api.construct import as_tensor
from jtorch.api.creation import empty
from jtorch.autograd.apply import call
from jtorch.nn import functional as F
from jtorch.vision.models.detection.image_list import ImageList
from jtorch.vision.models.detection.roi_heads import paste_masks_in_image


def _ratios(tensor, original_size, new_size):
    """(down, across), as float32 divides them, tensors of no dims."""
    return [
        from_host(np.float32(new) / np.float32(old), device=aval(tensor).device)
        for new, old in zip(new_size, original_size, strict=True)
    ]


def resize_boxes(boxes, original_size, new_size):
    """Boxes in an image of another (height, width). Shape: (K, 4) -> the same."""
    down, across = _ratios(boxes, original_size, new_size)
    x1, y1, x2, y2 = boxes.unbind(1)
    return call("stack", [x1 * across, y1 * down, x2 * across, y2 * down], 1)


def resize_keypoints(keypoints, original_size, new_size):
    """Points (x, y, seen) in an image of another (height, width). Shape: (K, points, 3) -> the same."""
    down, across = _ratios(keypoints, original_size, new_size)
    x, y, seen = keypoints.unbind(2)
    return call("stack", [x * across, y * down, seen], 2)


def _resize_image_and_masks(image, min_size, max_size, target=None, fixed_size=None):
    tall, wide = image.shape[-2:]
    if fixed_size is not None:
        how = {"size": [fixed_size[1], fixed_size[0]]}
    else:
        factor = min(min_size / min(tall, wide), max_size / max(tall, wide))
        how = {"scale_factor": factor, "recompute_scale_factor": True}
    image = F.interpolate(image[None], mode="bilinear", align_corners=False, **how)[0]
    if target is not None and "masks" in target:
        target["masks"] = F.interpolate(target["masks"][:, None].float(), **how)[:, 0].byte()
    return image, target


class GeneralizedRCNNTransform(nn.Module):
    """Normalizes images, resizes them and their targets, and puts them into one batch.

    Shape: [(C, H, W)], [target] -> ImageList, [target]. min_size: of the shorter side, several are drawn from in
    training; max_size: the most of the longer. size_divisible: what sides are padded to a multiple of; fixed_size:
    (width, height) instead of all this. Raises: ValueError, TypeError for other images.
    """

    def __init__(self, min_size, max_size, image_mean, image_std, size_divisible: int = 32, fixed_size=None, **kwargs):
        super().__init__()
        self.min_size = min_size if isinstance(min_size, (list, tuple)) else (min_size,)
        self.max_size = max_size
        self.image_mean = image_mean
        self.image_std = image_std
        self.size_divisible = size_divisible
        self.fixed_size = fixed_size
        self._skip_resize = kwargs.pop("_skip_resize", False)

    def forward(self, images, targets=None):
        images, targets = list(images), None if targets is None else [dict(target) for target in targets]
        for i, image in enumerate(images):
            if image.dim() != 3:
                raise ValueError(f"images is expected to be a list of 3d tensors of shape [C, H, W], got {image.shape}")
            images[i], target = self.resize(self.normalize(image), None if targets is None else targets[i])
            if targets is not None:
                targets[i] = target
        sizes = [tuple(image.shape[-2:]) for image in images]
        return ImageList(self.batch_images(images, self.size_divisible), sizes), targets

    def normalize(self, image):
        """Less the mean, by the deviation. Shape: (C, H, W) -> the same. Raises TypeError for integers."""
        if not image.is_floating_point():
            raise TypeError(
                f"Expected input images to be of floating type (in range [0, 1]), but found type {image.dtype} instead"
            )
        like = {"dtype": image.dtype, "device": image.device}
        mean, std = (as_tensor(values, **like)[:, None, None] for values in (self.image_mean, self.image_std))
        return (image - mean) / std

    def torch_choice(self, k):
        """One of several, drawn from torch's generator."""
        return k[int(empty(1).uniform_(0.0, float(len(k))).item())]

    def resize(self, image, target=None):
        """An image and its target in the size that is drawn for it."""
        before = image.shape[-2:]
        if self.training and self._skip_resize:
            return image, target
        size = self.torch_choice(self.min_size) if self.training else self.min_size[-1]
        image, target = _resize_image_and_masks(image, size, self.max_size, target, self.fixed_size)
        if target is not None:
            target["boxes"] = resize_boxes(target["boxes"], before, image.shape[-2:])
            if "keypoints" in target:
                target["keypoints"] = resize_keypoints(target["keypoints"], before, image.shape[-2:])
        return image, target

    def max_by_axis(self, the_list):
        """The largest of each place of some lists."""
        return [max(column) for column in zip(*the_list, strict=False)]

    def batch_images(self, images, size_divisible: int = 32):
        """One tensor of images, padded with 0 below and to the right. Shape: [(C, H, W)] -> (N, C, H', W')."""
        channels, *sides = self.max_by_axis([list(image.shape) for image in images])
        tall, wide = (int(math.ceil(side / size_divisible) * size_divisible) for side in sides)
        padded = [
            F.pad(image, (0, wide - image.shape[2], 0, tall - image.shape[1], 0, channels - image.shape[0]))
            for image in images
        ]
        return call("stack", padded, 0)

    def postprocess(self, result, image_shapes, original_image_sizes):
        """What was found, in the pixels of the images that were given; in training as it is."""
        if self.training:
            return result
        for found, now, before in zip(result, image_shapes, original_image_sizes, strict=False):
            found["boxes"] = resize_boxes(found["boxes"], now, before)
            if "masks" in found:
                found["masks"] = paste_masks_in_image(found["masks"], found["boxes"], before)
            if "keypoints" in found:
                found["keypoints"] = resize_keypoints(found["keypoints"], now, before)
        return result

    def __repr__(self) -> str:
        lines = [
            f"{type(self).__name__}(",
            f"    Normalize(mean={self.image_mean}, std={self.image_std})",
            f"    Resize(min_size={self.min_size}, max_size={self.max_size}, mode='bilinear')",
        ]
        return "\n".join(lines) + "\n)"
