"""What jtorch.vision.transforms.v2 holds. Written by `python -m tests.stubs`."""

from jtorch.vision.transforms import autoaugment as autoaugment
from jtorch.vision.transforms._modes import InterpolationMode as InterpolationMode
from jtorch.vision.transforms.autoaugment import AutoAugmentPolicy as AutoAugmentPolicy
from jtorch.vision.transforms.v2 import functional as functional
from jtorch.vision.transforms.v2._containers import Compose as Compose
from jtorch.vision.transforms.v2._containers import RandomApply as RandomApply
from jtorch.vision.transforms.v2._containers import RandomChoice as RandomChoice
from jtorch.vision.transforms.v2._containers import RandomOrder as RandomOrder
from jtorch.vision.transforms.v2._conversions import RGB as RGB
from jtorch.vision.transforms.v2._conversions import ConvertImageDtype as ConvertImageDtype
from jtorch.vision.transforms.v2._conversions import Identity as Identity
from jtorch.vision.transforms.v2._conversions import Lambda as Lambda
from jtorch.vision.transforms.v2._conversions import Normalize as Normalize
from jtorch.vision.transforms.v2._conversions import PILToTensor as PILToTensor
from jtorch.vision.transforms.v2._conversions import ToDtype as ToDtype
from jtorch.vision.transforms.v2._conversions import ToImage as ToImage
from jtorch.vision.transforms.v2._conversions import ToPILImage as ToPILImage
from jtorch.vision.transforms.v2._conversions import ToPureTensor as ToPureTensor
from jtorch.vision.transforms.v2._conversions import ToTensor as ToTensor
from jtorch.vision.transforms.v2._kept import GaussianBlur as GaussianBlur
from jtorch.vision.transforms.v2._kept import Pad as Pad
from jtorch.vision.transforms.v2._kept import RandomErasing as RandomErasing
from jtorch.vision.transforms.v2._kept import RandomResizedCrop as RandomResizedCrop
from jtorch.vision.transforms.v2._kept import Resize as Resize
from jtorch.vision.transforms.v2._sample import Transform as Transform
