"""What jtorch.vision.transforms holds. Written by `python -m tests.stubs`."""

from jtorch.vision.transforms import functional as functional
from jtorch.vision.transforms import v2 as v2
from jtorch.vision.transforms.autoaugment import *
from jtorch.vision.transforms.transforms import *
