"""Layers that nets are made of: torchvision's modules, texts, values, warnings and draws."""

import pytest

from tests.vision.reference import pixels, same

LAYERS = """
ops.Conv2dNormActivation(3, 4)
ops.Conv2dNormActivation(3, 4, kernel_size=(3, 5), dilation=(1, 2))
ops.Conv2dNormActivation(3, 6, groups=3, norm_layer=None, activation_layer=None)
ops.Conv2dNormActivation(3, 4, activation_layer=nn.GELU, inplace=None, stride=2)
ops.SqueezeExcitation(3, 2)
ops.MLP(5, [4, 3], dropout=0.3)
ops.MLP(5, [4, 3], norm_layer=nn.LayerNorm, inplace=True, bias=False)
ops.Permute([0, 3, 1, 2])
ops.FrozenBatchNorm2d(3)
ops.StochasticDepth(0.5, "row")
ops.StochasticDepth(0.5, "batch")
""".strip().split("\n")


def test_layers():
    def seen(torch, vision):
        x, out = torch.from_numpy(pixels((4, 3, 6, 5), dtype="float32")), []
        for written in LAYERS:
            layer = eval(written, {"ops": vision.ops, "nn": torch.nn})
            torch.manual_seed(1)
            out.append((repr(layer), list(layer.state_dict()), layer(x)))
        return out

    same(seen)


def test_stochastic_depth():
    for written in ("ops.stochastic_depth(x, 0.4, 'row')", "ops.stochastic_depth(x, 0.4, 'row', False)",
                    "ops.stochastic_depth(x, 1.0, 'batch')", "ops.stochastic_depth(x, 2, 'row')",
                    "ops.stochastic_depth(x, 0.1, 'column')"):  # fmt: skip
        same(lambda torch, vision, w=written: eval(w, {"ops": vision.ops, "x": torch.ones(6, 2, 2)}), written, 3)


def test_frozen_norms_load_batch_norms():
    def loaded(torch, vision):
        frozen, live = vision.ops.FrozenBatchNorm2d(3), torch.nn.BatchNorm2d(3)
        return str(frozen.load_state_dict(live.state_dict()))

    same(loaded)


@pytest.mark.parametrize("name", ("ConvNormActivation",))
def test_warnings(name):
    same(lambda torch, vision: getattr(vision.ops.misc, name)(3, 4) and None, warns=True)
