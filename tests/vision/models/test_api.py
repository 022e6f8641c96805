"""Nets and weights by name, published facts, and builders with weights, old arguments and their warnings."""

import contextlib
import copy
import inspect
import pickle

import numpy as np
import pytest

import jtorch
from tests.vision.reference import SIDES, image, pixels, same, torchvision

models = jtorch.vision.models
ENUMS = sorted(name for name in dir(models) if name.endswith("_Weights"))


def facts(weights):
    """What is known of weights, without the prose."""
    meta = {key: value for key, value in weights.meta.items() if key != "_docs"}
    keywords = {key: str(value) for key, value in weights.transforms.keywords.items()}
    return weights.url, meta, keywords, str(weights), repr(weights), weights.name


def test_published_weights():
    assert len(ENUMS) == 60
    for name in ENUMS:

        def known(torch, vision, name=name):
            enum = getattr(vision.models, name)
            return list(enum.__members__), [facts(enum[member]) for member in enum.__members__], enum.DEFAULT.name

        assert not isinstance(same(known, name), str)


def test_transforms_of_weights():
    for name in ("ResNet50_Weights", "Swin_V2_T_Weights", "ViT_B_16_Weights", "EfficientNet_B3_Weights"):
        for member in getattr(models, name).__members__:

            def seen(torch, vision, name=name, member=member):
                preset = getattr(vision.models, name)[member].transforms()
                x = torch.from_numpy(pixels((2, 3, 40, 30), dtype=np.float32))
                return repr(preset), preset(image((33, 50)))[:, ::7, ::7], preset(x)[..., ::7, ::7]

            same(seen, f"{name}.{member}", atol=1e-4)


def test_by_name():
    same(lambda torch, vision: repr(vision.models.get_weight("ResNet50_Weights.IMAGENET1K_V2")))
    same(lambda torch, vision: vision.models.get_weight("ResNet50_Weights"))
    same(lambda torch, vision: vision.models.get_weight("Some_Weights.DEFAULT"))
    same(lambda torch, vision: vision.models.get_weight("ResNet.DEFAULT"))
    same(lambda torch, vision: vision.models.get_weight("ResNet50_Weights.V9"))
    same(lambda torch, vision: vision.models.get_model("resnet"))
    same(lambda torch, vision: vision.models.get_model_builder("ResNet18").__name__)
    same(lambda torch, vision: repr(list(vision.models.get_model_weights("resnet50"))))
    same(lambda torch, vision: vision.models.get_model_weights(vision.models.vgg11).__name__)
    same(lambda torch, vision: vision.models.get_model_weights(len))
    for patterns in (
        {"include": "resnet*"},
        {"include": ["vgg1?", "vit*"], "exclude": "*32"},
        {"exclude": ["*[a-z]*"]},
    ):
        same(lambda torch, vision, p=patterns: vision.models.list_models(**p))
    same(lambda torch, vision: vision.models.list_models(module=vision.models, include="swin*"))


def test_signatures():
    for name in models.list_models(module=models):
        theirs = inspect.signature(getattr(torchvision.models, name))
        ours = inspect.signature(getattr(models, name))
        assert [(p.name, p.kind, p.default) for p in ours.parameters.values()] == [
            (p.name, p.kind, p.default) for p in theirs.parameters.values()
        ]
        assert getattr(models, name).__doc__ and getattr(models, name).__module__.startswith("jtorch.vision.models.")


def test_own_models():
    def own(torch, vision):
        @vision.models._api.register_model("mine")
        def build(weights=None):
            return 3

        try:
            return vision.models.get_model("mine"), "mine" in vision.models.list_models()
        finally:
            del vision.models._api.BUILTIN_MODELS["mine"]

    same(own)
    same(lambda torch, vision: vision.models._api.register_model()(vision.models.resnet18))


def test_weights_are_pickled_and_copied():
    for weights in (models.ResNet50_Weights.DEFAULT, models.ViT_B_16_Weights.IMAGENET1K_SWAG_E2E_V1):
        assert pickle.loads(pickle.dumps(weights)) is weights
        assert copy.deepcopy(weights) is weights


@pytest.fixture
def fetched(monkeypatch):
    """Both sides get the weights of a net of their own in the place of a file."""
    asked = []

    def instead(module, vision):
        def load(url, *args, **kwargs):
            asked.append((url, args, kwargs))
            name, options = {"squ": ("squeezenet1_1", {}), "mob": ("mobilenet_v3_small", {})}[url.rsplit("/")[-1][:3]]
            module.manual_seed(9)
            return getattr(vision.models, name)(**options).state_dict()

        return load

    monkeypatch.setattr(torchvision.models._api, "load_state_dict_from_url", instead(*SIDES[0]))
    monkeypatch.setattr(models._weights, "load_state_dict_from_url", instead(*SIDES[1]))
    return asked


def weights_of(net):
    return net.training, [float(value.sum()) for value in list(net.state_dict().values())[:3]]


CALLS = """
m.squeezenet1_1()
m.squeezenet1_1(weights=None, num_classes=3)
m.squeezenet1_1(weights=m.SqueezeNet1_1_Weights.DEFAULT)
m.squeezenet1_1(weights="DEFAULT", progress=False)
m.squeezenet1_1(weights="SqueezeNet1_1_Weights.IMAGENET1K_V1")
m.squeezenet1_1(weights="IMAGENET1K_V7")
m.squeezenet1_1(weights=m.VGG11_Weights.DEFAULT)
m.squeezenet1_1(weights="DEFAULT", num_classes=3)
m.squeezenet1_1(weights="DEFAULT", num_classes=1000)
m.get_model("squeezenet1_1", weights="DEFAULT")
m.vit_h_14(pretrained=True)
""".strip().split("\n")
OLD_CALLS = """
m.squeezenet1_1(pretrained=True)
m.squeezenet1_1(pretrained=False)
m.squeezenet1_1(True)
m.squeezenet1_1(False, False)
m.squeezenet1_1(m.SqueezeNet1_1_Weights.DEFAULT)
m.squeezenet1_1(weights=True)
m.squeezenet1_1(weights=False)
m.mobilenet_v3_small(pretrained=True, progress=False)
""".strip().split("\n")


def test_builders_with_weights(fetched):
    for written in CALLS:
        same(lambda torch, vision, w=written: weights_of(eval(w, {"m": vision.models})), written, atol=1e-3)
    assert fetched[::2] == fetched[1::2] and len(fetched) == 10
    assert fetched[0][2] == {"progress": True, "check_hash": True}


def test_old_arguments_and_their_warnings(fetched):
    for written in OLD_CALLS:
        same(lambda torch, vision, w=written: weights_of(eval(w, {"m": vision.models})), written, atol=1e-3, warns=True)
    assert fetched[::2] == fetched[1::2]


def test_weights_that_change_arguments(monkeypatch):
    asked = []

    class Stop(Exception):
        pass

    for module, patched in ((torchvision.models._api, torchvision), (models._weights, jtorch.vision)):

        def stop(url, *args, _patched=patched, **kwargs):
            asked.append((_patched.__name__, url))
            raise Stop(url)

        monkeypatch.setattr(module, "load_state_dict_from_url", stop)

    def stopped(torch, vision, written):
        with torch.device("meta"):
            return eval(written, {"m": vision.models})

    for written in (
        'm.googlenet(weights="DEFAULT")',
        'm.googlenet(weights="DEFAULT", aux_logits=False)',
        'm.inception_v3(weights="DEFAULT", init_weights=True)',
        'm.vgg16(weights="IMAGENET1K_FEATURES")',
        'm.vit_b_16(weights="IMAGENET1K_SWAG_E2E_V1")',
        'm.vit_b_16(weights="IMAGENET1K_V1", image_size=32)',
    ):
        assert isinstance(same(lambda torch, vision, w=written: stopped(torch, vision, w), written), str)
    assert len(asked) == 6


def test_old_names_in_files_of_densenet(monkeypatch):
    net = models.densenet.DenseNet(4, (2, 2), 8, num_classes=1000)
    old = {}
    for key, value in net.state_dict().items():
        for name in ("norm1", "norm2", "conv1", "conv2"):
            key = key.replace(f"{name}.", f"{name[:-1]}.{name[-1]}.") if "denselayer" in key else key
        old[key] = value
    assert any("norm.1." in key for key in old)
    other = models.densenet.DenseNet(4, (2, 2), 8, num_classes=1000)
    models.densenet._load(other, old, {})
    assert (other.state_dict()["classifier.weight"] == net.state_dict()["classifier.weight"]).all()


def test_auxiliary_heads_go_unless_they_are_asked_for():
    for given, kept in (({}, False), ({"aux_logits": True}, True)):
        net = models.GoogLeNet(3, init_weights=False)
        with pytest.warns() if kept else contextlib.nullcontext():
            inspect.getmodule(models.GoogLeNet)._load(net, net.state_dict(), given)
        assert (net.aux1 is not None) == kept == net.aux_logits
