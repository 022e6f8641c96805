"""torchvision.transforms.v2, as far as its names are those of v1: the same transforms, on whole samples.

Images are Pillow images, tensors or `tv_tensors.Image`; masks go through geometry with them, and boxes through flips
and Resize. What `ToImage` gives is a plain tensor.
AutoAugment and its like draw as those of v1 do.
"""

from jtorch.vision.transforms import _chance, _crops, _maps, _pixels, autoaugment
from jtorch.vision.transforms._modes import InterpolationMode
from jtorch.vision.transforms.autoaugment import AutoAugmentPolicy
from jtorch.vision.transforms.v2 import functional
from jtorch.vision.transforms.v2._containers import Compose, RandomApply, RandomChoice, RandomOrder
from jtorch.vision.transforms.v2._conversions import (
    RGB,
    ConvertImageDtype,
    Identity,
    Lambda,
    Normalize,
    PILToTensor,
    ToDtype,
    ToImage,
    ToPILImage,
    ToPureTensor,
    ToTensor,
)
from jtorch.vision.transforms.v2._kept import GaussianBlur, Pad, RandomErasing, RandomResizedCrop, Resize
from jtorch.vision.transforms.v2._sample import Transform
from jtorch.vision.transforms.v2._sample import of_images as _of

AugMix = _of(autoaugment.AugMix)
AutoAugment = _of(autoaugment.AutoAugment)
RandAugment = _of(autoaugment.RandAugment)
TrivialAugmentWide = _of(autoaugment.TrivialAugmentWide)
CenterCrop = _of(_crops.CenterCrop)
FiveCrop = _of(_crops.FiveCrop)
TenCrop = _of(_crops.TenCrop)
RandomCrop = _of(_crops.RandomCrop)
RandomHorizontalFlip = _of(_chance.RandomHorizontalFlip)
RandomVerticalFlip = _of(_chance.RandomVerticalFlip)
RandomGrayscale = _of(_chance.RandomGrayscale)
RandomInvert = _of(_chance.RandomInvert)
RandomPosterize = _of(_chance.RandomPosterize)
RandomSolarize = _of(_chance.RandomSolarize)
RandomAdjustSharpness = _of(_chance.RandomAdjustSharpness)
RandomAutocontrast = _of(_chance.RandomAutocontrast)
RandomEqualize = _of(_chance.RandomEqualize)
RandomRotation = _of(_maps.RandomRotation)
RandomAffine = _of(_maps.RandomAffine)
RandomPerspective = _of(_maps.RandomPerspective)
ElasticTransform = _of(_maps.ElasticTransform)
ColorJitter = _of(_pixels.ColorJitter)
Grayscale = _of(_pixels.Grayscale)
LinearTransformation = _of(_pixels.LinearTransformation)
