"""torchvision.models: nets for images, with torchvision's state dicts, so that its weight files load."""

from jtorch.vision.models import detection, quantization, video
from jtorch.vision.models._api import (
    Weights,
    WeightsEnum,
    get_model,
    get_model_builder,
    get_model_weights,
    get_weight,
    list_models,
)
from jtorch.vision.models.alexnet import *
from jtorch.vision.models.convnext import *
from jtorch.vision.models.densenet import *
from jtorch.vision.models.efficientnet import *
from jtorch.vision.models.googlenet import *
from jtorch.vision.models.inception import *
from jtorch.vision.models.mobilenet import *
from jtorch.vision.models.resnet import *
from jtorch.vision.models.shufflenetv2 import *
from jtorch.vision.models.squeezenet import *
from jtorch.vision.models.swin_transformer import *
from jtorch.vision.models.vgg import *
from jtorch.vision.models.vision_transformer import *
