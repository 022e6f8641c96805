"""torchvision.transforms: what is done to images before a net sees them, on Pillow images and on tensors."""

from jtorch.vision.transforms import functional, v2
from jtorch.vision.transforms.autoaugment import *
from jtorch.vision.transforms.transforms import *
