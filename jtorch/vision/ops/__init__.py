"""torchvision.ops: boxes and regions of images, and layers that many nets are made of."""

from jtorch.vision.ops.misc import (
    MLP,
    Conv2dNormActivation,
    Conv3dNormActivation,
    FrozenBatchNorm2d,
    Permute,
    SqueezeExcitation,
)
from jtorch.vision.ops.stochastic_depth import StochasticDepth, stochastic_depth
