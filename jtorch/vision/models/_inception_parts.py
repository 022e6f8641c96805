"""What GoogLeNet and Inception v3 share: the input transform and how published weights are taken over."""

import warnings

from jtorch import nn
from jtorch.nn import functional as F
from jtorch.vision.models._utils import cat, named


class BasicConv2d(nn.Module):
    """A convolution, batch norm and ReLU."""

    def __init__(self, in_channels: int, out_channels: int, **kwargs) -> None:
        super().__init__()
        self.conv = nn.Conv2d(in_channels, out_channels, bias=False, **kwargs)
        self.bn = nn.BatchNorm2d(out_channels, eps=0.001)

    def forward(self, x):
        return F.relu(self.bn(self.conv(x)), inplace=True)


# Mean and standard deviation of ImageNet's channels.
_CHANNELS = ((0.229, 0.485), (0.224, 0.456), (0.225, 0.406))


def as_google(x):
    """An image normalized by ImageNet's numbers as one in [-1, 1], as the weights out of TensorFlow want it."""
    return cat([x[:, i : i + 1] * (std / 0.5) + (mean - 0.5) / 0.5 for i, (std, mean) in enumerate(_CHANNELS)])


def checked_init(init_weights, name):
    """Whether weights are drawn as in the paper; warns where nobody says so."""
    if init_weights is None:
        warnings.warn(
            f"The default weight initialization of {name} will be changed in future releases of torchvision. If you "
            "wish to keep the old behavior (which leads to long initialization times due to scipy/scipy#11299), please "
            "set init_weights=True.",
            FutureWarning,
            stacklevel=4,
        )
        return True
    return init_weights


def draw(net, usual):
    """Draw weights of convolutions and linear layers: normal, cut off at ±2. usual: their standard deviation."""
    for m in net.modules():
        if isinstance(m, (nn.Conv2d, nn.Linear)):
            std = float(getattr(m, "stddev", usual))
            nn.init.trunc_normal_(m.weight, mean=0.0, std=std, a=-2, b=2)
        elif isinstance(m, nn.BatchNorm2d):
            nn.init.ones_(m.weight)
            nn.init.zeros_(m.bias)


def prepare(kwargs, weights):
    """Published weights have auxiliary heads and are made for the transformed input."""
    kwargs.setdefault("transform_input", True)
    named(kwargs, "aux_logits", True)
    named(kwargs, "init_weights", False)
