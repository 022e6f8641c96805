"""Images: what tutorials take from torchvision, under its names. https://docs.pytorch.org/vision/stable"""

from jtorch.vision import datasets, models, ops, transforms, utils
