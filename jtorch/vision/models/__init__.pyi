"""What jtorch.vision.models holds. Written by `python -m tests.stubs`."""

from jtorch.vision.models import detection as detection
from jtorch.vision.models import quantization as quantization
from jtorch.vision.models import video as video
from jtorch.vision.models._api import Weights as Weights
from jtorch.vision.models._api import WeightsEnum as WeightsEnum
from jtorch.vision.models._api import get_model as get_model
from jtorch.vision.models._api import get_model_builder as get_model_builder
from jtorch.vision.models._api import get_model_weights as get_model_weights
from jtorch.vision.models._api import get_weight as get_weight
from jtorch.vision.models._api import list_models as list_models
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
