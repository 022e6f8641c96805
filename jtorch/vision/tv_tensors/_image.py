"""Images, videos and masks."""

import numpy as np

from jtorch._tensor import from_host
from jtorch.vision.pillow import is_image
from jtorch.vision.tv_tensors._tv_tensor import TVTensor, tagged


def _of(data):
    """A Pillow image as a tensor (C, H, W); anything else as it is."""
    if not is_image(data):
        return data
    return from_host(np.ascontiguousarray(np.atleast_3d(np.array(data)).transpose(2, 0, 1)), device="cpu")


class Image(TVTensor):
    """An image (..., C, H, W), from a tensor, an array or a Pillow image. Raises ValueError for fewer than two dims."""

    def __new__(cls, data, *, dtype=None, device=None, requires_grad=None):
        tensor = cls._to_tensor(_of(data), dtype, device, requires_grad)
        if tensor.dim() < 2:
            raise ValueError(f"Tensor must be 2D or higher, got {tensor.dim()}D tensor.")
        return tagged(tensor.unsqueeze(0) if tensor.dim() == 2 else tensor, cls)

    def __repr__(self, *, tensor_contents=None):
        return self._make_repr()


class Video(TVTensor):
    """A video (..., T, C, H, W). Raises ValueError for fewer than four dims."""

    def __new__(cls, data, *, dtype=None, device=None, requires_grad=None):
        tensor = cls._to_tensor(data, dtype, device, requires_grad)
        if tensor.dim() < 4:
            raise ValueError  # torchvision: without words
        return tagged(tensor, cls)

    def __repr__(self, *, tensor_contents=None):
        return self._make_repr()


class Mask(TVTensor):
    """Masks (..., H, W), from a tensor, an array or a Pillow image."""

    def __new__(cls, data, *, dtype=None, device=None, requires_grad=None):
        return tagged(cls._to_tensor(_of(data), dtype, device, requires_grad), cls)
