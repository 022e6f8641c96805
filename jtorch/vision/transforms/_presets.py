"""What the images that a net was trained on went through: the `transforms` of weights."""

from jtorch import dtypes
from jtorch._tensor import Tensor
from jtorch.nn.modules.module import Module
from jtorch.vision.transforms import functional as F
from jtorch.vision.transforms._modes import InterpolationMode

__all__ = ["ImageClassification", "ObjectDetection", "VideoClassification"]


class ImageClassification(Module):
    """Resized, the middle cut out, in [0, 1], normalized. Shape: Pillow or (..., C, H, W) -> (..., C, crop, crop)."""

    def __init__(
        self,
        *,
        crop_size: int,
        resize_size: int = 256,
        mean=(0.485, 0.456, 0.406),
        std=(0.229, 0.224, 0.225),
        interpolation=InterpolationMode.BILINEAR,
        antialias: bool | None = True,
    ):
        super().__init__()
        self.crop_size = [crop_size]
        self.resize_size = [resize_size]
        self.mean = list(mean)
        self.std = list(std)
        self.interpolation = interpolation
        self.antialias = antialias

    def forward(self, img):
        img = F.resize(img, self.resize_size, interpolation=self.interpolation, antialias=self.antialias)
        img = F.center_crop(img, self.crop_size)
        img = img if isinstance(img, Tensor) else F.pil_to_tensor(img)
        return F.normalize(F.convert_image_dtype(img, dtypes.float32), mean=self.mean, std=self.std)

    def __repr__(self):
        fields = ("crop_size", "resize_size", "mean", "std", "interpolation")
        return "\n".join([f"{type(self).__name__}(", *(f"    {f}={getattr(self, f)}" for f in fields), ")"])

    def describe(self):
        """What is done, in words."""
        return (
            f"Accepts Pillow images and tensors (B, C, H, W) or (C, H, W): resized to {self.resize_size} "
            f"({self.interpolation}), the middle {self.crop_size} cut out, scaled to [0, 1], then normalized with "
            f"mean {self.mean} and std {self.std}."
        )


class ObjectDetection(Module):
    """In [0, 1], of any size. Shape: Pillow or (..., C, H, W) -> (..., C, H, W)."""

    def forward(self, img):
        return F.convert_image_dtype(img if isinstance(img, Tensor) else F.pil_to_tensor(img), dtypes.float32)

    def __repr__(self):
        return f"{type(self).__name__}()"

    def describe(self):
        """What is done, in words."""
        return "Accepts Pillow images and tensors (B, C, H, W) or (C, H, W): scaled to [0, 1]."


class VideoClassification(Module):
    """Frames resized, the middle cut out, in [0, 1], normalized. Shape: ([B,] T, C, H, W) -> ([B,] C, T, *crop)."""

    def __init__(
        self,
        *,
        crop_size: tuple[int, int],
        resize_size: tuple[int] | tuple[int, int],
        mean=(0.43216, 0.394666, 0.37645),
        std=(0.22803, 0.22145, 0.216989),
        interpolation=InterpolationMode.BILINEAR,
    ):
        super().__init__()
        self.crop_size = list(crop_size)
        self.resize_size = list(resize_size)
        self.mean = list(mean)
        self.std = list(std)
        self.interpolation = interpolation

    def forward(self, vid):
        batches = vid if vid.ndim > 4 else vid.unsqueeze(0)
        count, frames, channels = batches.shape[:3]
        flat = batches.reshape(-1, *batches.shape[2:])
        flat = F.resize(flat, self.resize_size, interpolation=self.interpolation, antialias=False)
        flat = F.convert_image_dtype(F.center_crop(flat, self.crop_size), dtypes.float32)
        flat = F.normalize(flat, mean=self.mean, std=self.std)
        clips = flat.view(count, frames, channels, *self.crop_size).permute(0, 2, 1, 3, 4)
        return clips if vid.ndim > 4 else clips.squeeze(0)

    def __repr__(self):
        fields = ("crop_size", "resize_size", "mean", "std", "interpolation")
        return "\n".join([f"{type(self).__name__}(", *(f"    {f}={getattr(self, f)}" for f in fields), ")"])

    def describe(self):
        """What is done, in words."""
        return (
            f"Accepts clips (B, T, C, H, W) or (T, C, H, W): frames resized to {self.resize_size} by "
            f"{self.interpolation}, cut to {self.crop_size}, scaled to [0, 1], normalized by mean {self.mean} and std "
            f"{self.std}, and turned to (B, C, T, H, W)."
        )
