"""torchvision.models.detection: nets that find things in images, with torchvision's state dicts."""

from jtorch.vision.models.detection.faster_rcnn import *
from jtorch.vision.models.detection.mask_rcnn import *
