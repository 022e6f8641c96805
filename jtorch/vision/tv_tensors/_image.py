"""Images, videos and masks."""

from jtorch.vision.pillow import is_image
from jtorch.vision.transforms.functional import pil_to_tensor
from jtorch.vision.tv_tensors._tv_tensor import TVTensor, tagged


class Image(TVTensor):
    """An image (..., C, H, W), from a tensor, an array or a Pillow image. Raises ValueError for fewer than two dims."""

    def __new__(cls, data, *, dtype=None, device=None, requires_grad=None):
        data = pil_to_tensor(data) if is_image(data) else data
        tensor = cls._to_tensor(data, dtype, device, requires_grad)
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
        data = pil_to_tensor(data) if is_image(data) else data
        return tagged(cls._to_tensor(data, dtype, device, requires_grad), cls)
