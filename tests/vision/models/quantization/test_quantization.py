"""Nets that torchvision can quantize, in floating point: its modules, state dicts and results."""

import inspect

import numpy as np
import pytest
import torch

import jtorch
from tests.vision.reference import SIDES, close, pixels, plain, same, torchvision

NETS = ["mobilenet_v2", "resnet18", "resnet50", "resnext101_32x8d", "resnext101_64x4d"]
nets = jtorch.vision.models.quantization


@pytest.mark.parametrize("name", NETS[:3])
def test_modules_and_state_dict(name):
    def on_meta(module, vision):
        with module.device("meta"):
            net = getattr(vision.models.quantization, name)()
        return repr(net), [(key, tuple(value.shape), str(value.dtype)) for key, value in net.state_dict().items()]

    theirs, ours = (on_meta(*side) for side in SIDES)
    assert ours == theirs


def test_builders():
    assert [f"quantized_{name}" for name in NETS] == jtorch.vision.models.list_models(module=nets)
    for name in NETS:
        theirs, ours = (inspect.signature(getattr(m, name)) for m in (torchvision.models.quantization, nets))
        assert [(p.name, p.kind, p.default) for p in ours.parameters.values()] == [
            (p.name, p.kind, p.default) for p in theirs.parameters.values()
        ]
        with pytest.raises(NotImplementedError, match="XLA has no quantized types"):
            getattr(nets, name)(quantize=True)
    same(lambda torch, vision: vision.models.quantization.resnet.QuantizableBasicBlock(8, 8).add_relu(3))


def test_results():
    images = pixels((2, 3, 32, 32), dtype=np.float32)

    def seen(module, vision):
        parts = vision.models.quantization
        module.manual_seed(3)
        made = [
            parts.QuantizableResNet(parts.resnet.QuantizableBasicBlock, [1, 1, 1, 1], num_classes=3),
            parts.QuantizableMobileNetV2(
                3, 0.25, [[1, 8, 1, 1], [2, 8, 2, 1]], block=parts.mobilenetv2.QuantizableInvertedResidual
            ),
        ]
        x = module.from_numpy(images.copy())
        return plain([net.eval()(x) for net in made])

    theirs, ours = (seen(*side) for side in ((torch, torchvision), (jtorch, jtorch.vision)))
    close("evaluation", theirs, ours, atol=1e-4)
