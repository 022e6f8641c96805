"""All transforms but the policies of `autoaugment`, under the names of torchvision's file."""

from jtorch.vision.transforms._chance import (
    RandomAdjustSharpness,
    RandomApply,
    RandomAutocontrast,
    RandomChoice,
    RandomEqualize,
    RandomGrayscale,
    RandomHorizontalFlip,
    RandomInvert,
    RandomOrder,
    RandomPosterize,
    RandomSolarize,
    RandomVerticalFlip,
)
from jtorch.vision.transforms._crops import CenterCrop, FiveCrop, RandomCrop, RandomErasing, RandomResizedCrop, TenCrop
from jtorch.vision.transforms._maps import ElasticTransform, RandomAffine, RandomPerspective, RandomRotation
from jtorch.vision.transforms._modes import InterpolationMode
from jtorch.vision.transforms._pixels import ColorJitter, GaussianBlur, Grayscale, LinearTransformation, Pad, Resize
from jtorch.vision.transforms._plain import (
    Compose,
    ConvertImageDtype,
    Lambda,
    Normalize,
    PILToTensor,
    ToPILImage,
    ToTensor,
)

__all__ = [
    "Compose", "ToTensor", "PILToTensor", "ConvertImageDtype", "ToPILImage", "Normalize", "Resize", "CenterCrop", "Pad",
    "Lambda", "RandomApply", "RandomChoice", "RandomOrder", "RandomCrop", "RandomHorizontalFlip", "RandomVerticalFlip",
    "RandomResizedCrop", "FiveCrop", "TenCrop", "LinearTransformation", "ColorJitter", "RandomRotation", "RandomAffine",
    "Grayscale", "RandomGrayscale", "RandomPerspective", "RandomErasing", "GaussianBlur", "InterpolationMode",
    "RandomInvert", "RandomPosterize", "RandomSolarize", "RandomAdjustSharpness", "RandomAutocontrast",
    "RandomEqualize", "ElasticTransform",
]  # fmt: skip
