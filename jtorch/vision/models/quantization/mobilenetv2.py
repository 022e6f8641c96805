"""The MobileNetV2 that torchvision can quantize."""

from jtorch.vision.models._utils import builder
from jtorch.vision.models.mobilenetv2 import InvertedResidual, MobileNet_V2_Weights, MobileNetV2
from jtorch.vision.models.quantization._float import MORE, FloatFunctional, Stubs, floating

__all__ = ["QuantizableMobileNetV2", "mobilenet_v2"]


class QuantizableInvertedResidual(InvertedResidual):
    """An inverted residual whose sum is a module."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.skip_add = FloatFunctional()

    def forward(self, x):
        return self.skip_add.add(x, self.conv(x)) if self.use_res_connect else self.conv(x)


class QuantizableMobileNetV2(Stubs, MobileNetV2):
    """A MobileNetV2 between the two stubs. Shape: (N, 3, H, W) -> (N, num_classes)."""


@builder(MobileNet_V2_Weights, more=MORE)
def quantized_mobilenet_v2(quantize=False, backend="qnnpack", **kwargs):
    """MobileNetV2."""
    return floating(quantize, QuantizableMobileNetV2, block=QuantizableInvertedResidual, **kwargs)


mobilenet_v2 = quantized_mobilenet_v2
