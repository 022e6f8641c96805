"""All nets: torchvision's modules, state dicts and parameter counts, draws from a seed, results and gradients."""

import warnings

import numpy as np
import pytest
import torch

import jtorch
from tests.vision.models.nets import NETS, QUIET, SIZES
from tests.vision.reference import SIDES, close, pixels, plain, same, torchvision

NAMES = jtorch.vision.models.list_models(module=jtorch.vision.models)
# Those that torchvision draws by SciPy's slow way unless told not to.
SLOW = {"googlenet": {"init_weights": False}, "inception_v3": {"init_weights": False}}


def on_meta(side, name, **options):
    """A net without memory for its numbers, as its text and the sizes in its state dict."""
    module, models = side
    with module.device("meta"):
        net = models.get_model(name, **SLOW.get(name, {}), **options)
    return repr(net), [(key, tuple(value.shape), str(value.dtype)) for key, value in net.state_dict().items()]


def test_the_nets_that_were_asked_for_are_there():
    left = {
        name.split("_")[0].rstrip("0123456789")
        for name in set(torchvision.models.list_models(module=torchvision.models)) - set(NAMES)
    }
    assert not set(NAMES) - set(torchvision.models.list_models())
    assert not left & {"alexnet", "vgg", "resnet", "resnext", "wide", "squeezenet", "densenet", "mobilenet"}
    assert not left & {"efficientnet", "googlenet", "inception", "shufflenet", "vit", "convnext", "swin"} - {
        "mobilenet"
    }


@pytest.mark.parametrize("name", NAMES)
def test_modules_and_state_dict(name):
    theirs, ours = (on_meta(s, name) for s in ((torch, torchvision.models), (jtorch, jtorch.vision.models)))
    assert ours == theirs
    parameters = sum(np.prod(size) for key, size, _ in ours[1] if not _is_buffer(key))
    if not SLOW.get(name):
        assert parameters in {w.meta["num_params"] for w in jtorch.vision.models.get_model_weights(name)}


def _is_buffer(key):
    return key.rsplit(".", 1)[-1] in (
        "running_mean", "running_var", "num_batches_tracked", "relative_position_index", "relative_coords_table",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("resnet18", {"num_classes": 7}),
        ("mobilenet_v3_large", {"width_mult": 0.75, "reduced_tail": True, "dilated": True}),
        ("mobilenet_v2", {"width_mult": 1.4, "dropout": 0.1}),
        ("vit_b_16", {"image_size": 384, "representation_size": 16}),
        ("convnext_tiny", {"stochastic_depth_prob": 0.7, "layer_scale": 0.1}),
        ("efficientnet_b0", {"dropout": 0.9, "stochastic_depth_prob": 0.1}),
        ("densenet121", {"drop_rate": 0.3, "memory_efficient": True}),
    ],
)
def test_options(name, options):
    sides = ((torch, torchvision.models), (jtorch, jtorch.vision.models))
    theirs, ours = (on_meta(side, name, **options) for side in sides)
    assert ours == theirs


def drawn(module, vision, name):
    module.manual_seed(3)
    return NETS[name](module, vision.models)


@pytest.mark.parametrize("name", NETS)
def test_draws_and_results(name):
    """The same seed gives the same weights; the same images the same result, in evaluation and in training."""
    images = pixels((2, 3, SIZES.get(name, 32), SIZES.get(name, 32)), dtype=np.float32)
    theirs, ours = (_seen(module, vision, name, images) for module, vision in SIDES)
    close(f"{name}: weights", theirs[0], ours[0], atol=1e-5, rtol=1e-4)
    for what, one, other in zip(("evaluation", "training", "gradients"), theirs[1:], ours[1:], strict=True):
        scale = max([float(np.abs(x).max()) for x in one], default=1)
        close(f"{name}: {what}", [x / scale for x in one], [x / scale for x in other], atol=1e-4)


def _seen(module, vision, name, images):
    """(weights, outputs in evaluation, in training, gradients of some weights), each where it is asked for."""
    net = drawn(module, vision, name)
    weights = {key: value.detach().clone() for key, value in net.state_dict().items()}
    x, quiet, loud, gradients = module.from_numpy(images.copy()), [], [], []
    if name in QUIET:
        with module.no_grad():
            quiet = [net.eval()(x)]
    if name != "inception_parts":
        module.manual_seed(5)
        loud = net.train()(x)
        loud = list(loud) if isinstance(loud, tuple) else [loud]
    if name == "resnet":
        loud[0].pow(2).sum().backward()
        parameters = list(net.parameters())
        gradients = [p.grad for p in (parameters[0], parameters[len(parameters) // 2], parameters[-1])]
    return plain(weights), plain(quiet), plain(loud), plain(gradients)


def test_names_of_outputs_and_warnings():
    same(lambda torch, vision: (vision.models.GoogLeNetOutputs._fields, vision.models.InceptionOutputs._fields))
    blocks = {"blocks": [1], "num_classes": 3}
    same(lambda torch, vision: vision.models.GoogLeNet(**blocks), warns=True)
    same(lambda torch, vision: vision.models.inception.Inception3(inception_blocks=[1]), warns=True)


@pytest.mark.parametrize(
    "written",
    """
m.squeezenet.SqueezeNet("2_0")
m.resnet.ResNet(m.resnet.BasicBlock, [1, 1, 1, 1], replace_stride_with_dilation=[True])
m.resnet.BasicBlock(8, 8, groups=2)
m.resnet.BasicBlock(8, 8, dilation=2)
m.mobilenetv2.InvertedResidual(8, 8, 3, 1)
m.mobilenetv2.MobileNetV2(inverted_residual_setting=[])
m.mobilenetv3.MobileNetV3([], 3)
m.mobilenetv3.MobileNetV3([3], 3)
m.efficientnet.EfficientNet([], 0.1)
m.efficientnet.EfficientNet([3], 0.1)
m.convnext.ConvNeXt([])
m.convnext.ConvNeXt([3])
m.shufflenetv2.InvertedResidual(8, 8, 4)
m.shufflenetv2.InvertedResidual(8, 6, 1)
m.shufflenetv2.ShuffleNetV2([1], [2])
m.shufflenetv2.ShuffleNetV2([1, 1, 1], [2])
m.vision_transformer.VisionTransformer(30, 8, 1, 1, 8, 8)
m.vision_transformer.VisionTransformer(32, 8, 1, 1, 8, 8)(torch.zeros(1, 3, 32, 40))
m.swin_transformer.ShiftedWindowAttention(8, [3], [1, 1], 2)
m.resnext50_32x4d(groups=3)
m.resnet18(weight=1)
""".strip().split("\n"),
)
def test_errors(written):
    def raised(torch, vision):
        eval(written, {"m": vision.models, "torch": torch})
        return 0  # of two sides that do not raise

    assert isinstance(same(raised, written), str)


def test_places_of_another_image_size():
    def moved(torch, vision):
        transformer = vision.models.vision_transformer
        state = {
            "encoder.pos_embedding": torch.from_numpy(pixels((1, 17, 4), dtype=np.float32)),
            "heads.a": torch.ones(1),
        }
        out = transformer.interpolate_embeddings(48, 8, dict(state), reset_heads=True)
        kept = transformer.interpolate_embeddings(32, 8, dict(state), reset_heads=True)
        return dict(out), dict(kept)

    same(moved)
    bad = np.zeros((1, 16, 4), np.float32)
    for shape in (bad, bad.reshape(2, 8, 4)):
        same(
            lambda torch, vision, x=shape: vision.models.vision_transformer.interpolate_embeddings(
                48, 8, {"encoder.pos_embedding": torch.from_numpy(x)}
            )
        )


def test_state_dicts_of_old_names_load():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        net = drawn(jtorch, jtorch.vision, "vit")
    state = net.state_dict()
    old = type(state)()
    for key, value in state.items():
        old[key.replace("mlp.0.", "mlp.linear_1.").replace("mlp.3.", "mlp.linear_2.")] = value
    assert str(net.load_state_dict(old)) == "<All keys matched successfully>"
