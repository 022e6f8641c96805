"""torchvision.transforms.v2, as far as its names are those of v1: the same transforms, on whole samples.

There are no `tv_tensors`: an image is a Pillow image or a tensor, and boxes and masks are handed on as they are.
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
from jtorch.vision.transforms.v2._sample import Transform, of_images

AugMix = of_images(autoaugment.AugMix)
AutoAugment = of_images(autoaugment.AutoAugment)
RandAugment = of_images(autoaugment.RandAugment)
TrivialAugmentWide = of_images(autoaugment.TrivialAugmentWide)
CenterCrop = of_images(_crops.CenterCrop)
FiveCrop = of_images(_crops.FiveCrop)
TenCrop = of_images(_crops.TenCrop)
RandomCrop = of_images(_crops.RandomCrop)
RandomHorizontalFlip = of_images(_chance.RandomHorizontalFlip)
RandomVerticalFlip = of_images(_chance.RandomVerticalFlip)
RandomGrayscale = of_images(_chance.RandomGrayscale)
RandomInvert = of_images(_chance.RandomInvert)
RandomPosterize = of_images(_chance.RandomPosterize)
RandomSolarize = of_images(_chance.RandomSolarize)
RandomAdjustSharpness = of_images(_chance.RandomAdjustSharpness)
RandomAutocontrast = of_images(_chance.RandomAutocontrast)
RandomEqualize = of_images(_chance.RandomEqualize)
RandomRotation = of_images(_maps.RandomRotation)
RandomAffine = of_images(_maps.RandomAffine)
RandomPerspective = of_images(_maps.RandomPerspective)
ElasticTransform = of_images(_maps.ElasticTransform)
ColorJitter = of_images(_pixels.ColorJitter)
Grayscale = of_images(_pixels.Grayscale)
LinearTransformation = of_images(_pixels.LinearTransformation)
