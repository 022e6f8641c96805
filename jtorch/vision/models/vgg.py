"""VGG (Simonyan and Zisserman 2014, arXiv:1409.1556)."""

from jtorch import nn
from jtorch.vision.models._utils import builder, kaiming, small
from jtorch.vision.models._weights import published

__all__ = [
    "VGG", "VGG11_Weights", "VGG11_BN_Weights", "VGG13_Weights", "VGG13_BN_Weights", "VGG16_Weights",
    "VGG16_BN_Weights", "VGG19_Weights", "VGG19_BN_Weights", "vgg11", "vgg11_bn", "vgg13", "vgg13_bn", "vgg16",
    "vgg16_bn", "vgg19", "vgg19_bn",
]  # fmt: skip


class VGG(nn.Module):
    """Convolutions of 3 × 3 between poolings, and three linear layers. Shape: (N, 3, H, W) -> (N, num_classes)."""

    def __init__(
        self, features: nn.Module, num_classes: int = 1000, init_weights: bool = True, dropout: float = 0.5
    ) -> None:
        super().__init__()
        self.features = features
        self.avgpool = nn.AdaptiveAvgPool2d((7, 7))
        self.classifier = nn.Sequential(
            nn.Linear(512 * 7 * 7, 4096),
            nn.ReLU(True),
            nn.Dropout(p=dropout),
            nn.Linear(4096, 4096),
            nn.ReLU(True),
            nn.Dropout(p=dropout),
            nn.Linear(4096, num_classes),
        )
        if init_weights:
            kaiming(self, linear=small)

    def forward(self, x):
        return self.classifier(self.avgpool(self.features(x)).flatten(1))


# Channels of the convolutions; M is a pooling.
cfgs = {
    "A": [64, "M", 128, "M", 256, 256, "M", 512, 512, "M", 512, 512, "M"],
    "B": [64, 64, "M", 128, 128, "M", 256, 256, "M", 512, 512, "M", 512, 512, "M"],
    "D": [64, 64, "M", 128, 128, "M", *[256] * 3, "M", *[512] * 3, "M", *[512] * 3, "M"],
    "E": [64, 64, "M", 128, 128, "M", *[256] * 4, "M", *[512] * 4, "M", *[512] * 4, "M"],
}


def make_layers(cfg, batch_norm=False):
    """The convolutions and poolings of a list of channels."""
    layers, width = [], 3
    for channels in cfg:
        if channels == "M":
            layers.append(nn.MaxPool2d(kernel_size=2, stride=2))
            continue
        layers.append(nn.Conv2d(width, channels, kernel_size=3, padding=1))
        layers += [nn.BatchNorm2d(channels)] if batch_norm else []
        layers.append(nn.ReLU(inplace=True))
        width = channels
    return nn.Sequential(*layers)


def _prepare(kwargs, weights):
    kwargs["init_weights"] = False


VGG11_Weights = published("VGG11_Weights", __name__)
VGG11_BN_Weights = published("VGG11_BN_Weights", __name__)
VGG13_Weights = published("VGG13_Weights", __name__)
VGG13_BN_Weights = published("VGG13_BN_Weights", __name__)
VGG16_Weights = published("VGG16_Weights", __name__)
VGG16_BN_Weights = published("VGG16_BN_Weights", __name__)
VGG19_Weights = published("VGG19_Weights", __name__)
VGG19_BN_Weights = published("VGG19_BN_Weights", __name__)


@builder(VGG11_Weights, prepare=_prepare)
def vgg11(**kwargs):
    """VGG-11."""
    return VGG(make_layers(cfgs["A"], batch_norm=False), **kwargs)


@builder(VGG11_BN_Weights, prepare=_prepare)
def vgg11_bn(**kwargs):
    """VGG-11 with batch norm."""
    return VGG(make_layers(cfgs["A"], batch_norm=True), **kwargs)


@builder(VGG13_Weights, prepare=_prepare)
def vgg13(**kwargs):
    """VGG-13."""
    return VGG(make_layers(cfgs["B"], batch_norm=False), **kwargs)


@builder(VGG13_BN_Weights, prepare=_prepare)
def vgg13_bn(**kwargs):
    """VGG-13 with batch norm."""
    return VGG(make_layers(cfgs["B"], batch_norm=True), **kwargs)


@builder(VGG16_Weights, prepare=_prepare)
def vgg16(**kwargs):
    """VGG-16."""
    return VGG(make_layers(cfgs["D"], batch_norm=False), **kwargs)


@builder(VGG16_BN_Weights, prepare=_prepare)
def vgg16_bn(**kwargs):
    """VGG-16 with batch norm."""
    return VGG(make_layers(cfgs["D"], batch_norm=True), **kwargs)


@builder(VGG19_Weights, prepare=_prepare)
def vgg19(**kwargs):
    """VGG-19."""
    return VGG(make_layers(cfgs["E"], batch_norm=False), **kwargs)


@builder(VGG19_BN_Weights, prepare=_prepare)
def vgg19_bn(**kwargs):
    """VGG-19 with batch norm."""
    return VGG(make_layers(cfgs["E"], batch_norm=True), **kwargs)
