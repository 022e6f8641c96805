"""Transforms of samples that change what an image is, or its dtype; Lambda and Identity."""

import warnings

import numpy as np

from jtorch import dtypes
from jtorch._tensor import Tensor
from jtorch.vision.pillow import is_image
from jtorch.vision.transforms.v2 import functional as F
from jtorch.vision.transforms.v2._sample import Transform, leaves, rebuilt
from jtorch.vision.tv_tensors import BoundingBoxes, Mask, TVTensor, wrap
from jtorch.vision.tv_tensors._tv_tensor import plain


class Identity(Transform):
    """The sample itself."""

    def transform(self, inpt, params):
        return inpt


class ToPureTensor(Identity):
    """tv_tensors as plain tensors; all else as it is."""

    _everything = True

    def _part(self, leaf, params):
        return plain(leaf) if isinstance(leaf, TVTensor) else leaf


class Lambda(Transform):
    """A function of the user's on every part of the sample, or on those of some types."""

    def __init__(self, lambd, *types):
        super().__init__()
        self.lambd = lambd
        self.types = types or (object,)

    def forward(self, *inputs):
        sample = inputs if len(inputs) > 1 else inputs[0]
        parts = [self.transform(x, {}) if isinstance(x, self.types) else x for x in leaves(sample)]
        return rebuilt(sample, iter(parts))

    def transform(self, inpt, params):
        return self.lambd(inpt)

    def extra_repr(self):
        name = getattr(self.lambd, "__name__", None)
        return ", ".join([*([name] if name else []), f"types={[t.__name__ for t in self.types]}"])


class ToImage(Transform):
    """A Pillow image or an array (H, W, C) as a tensor (C, H, W) of the same dtype."""

    def takes(self, leaf):
        """Whether a part of the sample is something to change."""
        return isinstance(leaf, np.ndarray) or super().takes(leaf)

    def transform(self, inpt, params):
        return F.to_image(inpt)


class ToPILImage(ToImage):
    """A tensor (C, H, W) or an array (H, W, C) as a Pillow image of a mode, or of the one that fits."""

    def __init__(self, mode=None):
        super().__init__()
        self.mode = mode

    def takes(self, leaf):
        """Whether a part of the sample is something to change."""
        return isinstance(leaf, (Tensor, np.ndarray))

    def transform(self, inpt, params):
        return F.to_pil_image(inpt, mode=self.mode)


class PILToTensor(Transform):
    """A Pillow image as a tensor (C, H, W) of the same dtype."""

    def takes(self, leaf):
        """Whether a part of the sample is something to change."""
        return is_image(leaf)

    def transform(self, inpt, params):
        return F.pil_to_tensor(inpt)


class ToTensor(Transform):
    """A Pillow image or an array as a tensor with floats in [0, 1], as torchvision deprecates it."""

    def __init__(self):
        warnings.warn(
            "The transform `ToTensor()` is deprecated and will be removed in a future release. Instead, please use "
            "`v2.Compose([v2.ToImage(), v2.ToDtype(torch.float32, scale=True)])`."
            "Output is equivalent up to float precision.",
            stacklevel=2,
        )
        super().__init__()

    def takes(self, leaf):
        """Whether a part of the sample is something to change."""
        return isinstance(leaf, np.ndarray) or is_image(leaf)

    def transform(self, inpt, params):
        return F.to_tensor(inpt)


class _OfTensors(Transform):
    def takes(self, leaf):
        """Whether a part of the sample is something to change."""
        return isinstance(leaf, Tensor) and (self._everything or not isinstance(leaf, (Mask, BoundingBoxes)))


class ToDtype(_OfTensors):
    """A tensor in another dtype. scale: whether white stays white. dtype: one, or {Tensor or "others": one or None}."""

    def __init__(self, dtype, scale=False):
        super().__init__()
        if not isinstance(dtype, (dict, dtypes.dtype)):
            raise ValueError(f"dtype must be a dict or a torch.dtype, got {type(dtype)} instead")
        self.dtype = dtype
        self.scale = scale
        self._everything = isinstance(dtype, dict)  # torchvision: one dtype is meant for images alone

    def _part(self, leaf, params):
        dtype = self.dtype
        if isinstance(dtype, dict):
            dtype = dtype[type(leaf)] if type(leaf) in dtype else dtype.get("others")
        if dtype is None:
            return leaf
        scale = self.scale and not isinstance(leaf, (Mask, BoundingBoxes))
        out = F.to_dtype(plain(leaf) if isinstance(leaf, TVTensor) else leaf, dtype, scale)
        return wrap(out, like=leaf) if isinstance(leaf, TVTensor) else out


class ConvertImageDtype(_OfTensors):
    """A tensor in another dtype, scaled so that white stays white."""

    def __init__(self, dtype=dtypes.float32):
        super().__init__()
        self.dtype = dtype

    def transform(self, inpt, params):
        return F.to_dtype(inpt, self.dtype, True)


class Normalize(_OfTensors):
    """(x - mean) / std, channel by channel. Raises: TypeError for Pillow images."""

    def __init__(self, mean, std, inplace=False):
        super().__init__()
        self.mean = list(mean)
        self.std = list(std)
        self.inplace = inplace

    def check_inputs(self, flat_inputs):
        """Raise TypeError for Pillow images."""
        if any(map(is_image, flat_inputs)):
            raise TypeError(f"{type(self).__name__}() does not support PIL images.")

    def transform(self, inpt, params):
        return F.normalize(inpt, self.mean, self.std, self.inplace)


class RGB(Transform):
    """A grey image in three channels; any other as it is."""

    def transform(self, inpt, params):
        return F.grayscale_to_rgb(inpt)
