"""torchvision.models.quantization: nets that torchvision can quantize, as they are before that, in floating point."""

from jtorch.vision.models.quantization.mobilenetv2 import *
from jtorch.vision.models.quantization.resnet import *
