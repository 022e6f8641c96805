"""torchvision.models.video: nets for clips, with torchvision's state dicts."""

from jtorch.vision.models.video.mvit import *
