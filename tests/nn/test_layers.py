"""Layers against torch's: weights from the same seed, printed form, values, gradients, errors."""

import numpy as np
import pytest

import jtorch
from tests.nn.paths import raises
from tests.oracle import check, same, same_print, same_warnings

draw = np.random.default_rng(0)


def real(*shape):
    """Normal draws. Shape: () -> shape."""
    return draw.normal(size=shape)


def whole(high, *shape):
    """Draws from 0..high-1. Shape: () -> shape."""
    return draw.integers(0, high, size=shape)


PARAMETRIC = {
    "Linear": (lambda nn: nn.Linear(3, 4), [real(2, 3)]),
    "Linear of 4 dims": (lambda nn: nn.Linear(3, 2, bias=False), [real(2, 1, 2, 3)]),
    "Linear of 1 dim": (lambda nn: nn.Linear(3, 2), [real(3)]),
    "Bilinear": (lambda nn: nn.Bilinear(2, 3, 4), [real(5, 2), real(5, 3)]),
    "Bilinear without bias": (lambda nn: nn.Bilinear(2, 3, 4, bias=False), [real(2), real(3)]),
    "Conv1d": (lambda nn: nn.Conv1d(2, 4, 3, stride=2, padding=1), [real(2, 2, 9)]),
    "Conv1d unbatched": (lambda nn: nn.Conv1d(2, 4, 3, dilation=2, bias=False), [real(2, 9)]),
    "Conv2d": (lambda nn: nn.Conv2d(2, 4, (3, 2), stride=(2, 1), padding=(1, 0)), [real(2, 2, 6, 5)]),
    "Conv2d 1x1": (lambda nn: nn.Conv2d(3, 4, 1), [real(2, 3, 4, 5)]),
    "Conv2d grouped": (lambda nn: nn.Conv2d(4, 6, 3, groups=2, dilation=2), [real(1, 4, 7, 7)]),
    "Conv2d same": (lambda nn: nn.Conv2d(2, 2, (3, 4), padding="same"), [real(1, 2, 5, 6)]),
    "Conv2d same reflect": (
        lambda nn: nn.Conv2d(2, 2, (3, 4), padding="same", padding_mode="reflect"), [real(1, 2, 5, 6)]
    ),
    "Conv2d circular": (lambda nn: nn.Conv2d(2, 2, 3, padding=(1, 2), padding_mode="circular"), [real(1, 2, 5, 6)]),
    "Conv2d replicate": (lambda nn: nn.Conv2d(2, 2, 3, padding=1, padding_mode="replicate"), [real(2, 5, 6)]),
    "Conv2d of more weights than pixels": (
        lambda nn: nn.Conv2d(9, 12, (3, 2), (2, 1), (1, 0), dilation=(1, 2)), [real(2, 9, 4, 5)]
    ),
    "Conv3d": (lambda nn: nn.Conv3d(2, 3, 2, stride=2, padding=1), [real(1, 2, 4, 4, 3)]),
    "ConvTranspose1d": (lambda nn: nn.ConvTranspose1d(2, 3, 3, stride=2, padding=1, output_padding=1), [real(2, 2, 4)]),
    "ConvTranspose2d": (lambda nn: nn.ConvTranspose2d(4, 4, 3, stride=2, groups=2), [real(1, 4, 3, 4)]),
    "ConvTranspose2d dilated": (lambda nn: nn.ConvTranspose2d(2, 3, 2, dilation=2, bias=False), [real(2, 3, 4)]),
    "ConvTranspose2d of more weights than pixels": (
        lambda nn: nn.ConvTranspose2d(12, 5, 4, stride=2, padding=1, bias=False), [real(2, 12, 2, 1)]
    ),
    "ConvTranspose3d": (lambda nn: nn.ConvTranspose3d(2, 2, 2, stride=2), [real(1, 2, 2, 3, 2)]),
    "BatchNorm1d": (lambda nn: nn.BatchNorm1d(3), [real(4, 3)]),
    "BatchNorm1d of 3 dims": (lambda nn: nn.BatchNorm1d(3, eps=1e-3, momentum=0.3), [real(4, 3, 5)]),
    "BatchNorm2d": (lambda nn: nn.BatchNorm2d(3), [real(2, 3, 4, 4)]),
    "BatchNorm2d cumulative": (lambda nn: nn.BatchNorm2d(3, momentum=None), [real(2, 3, 4, 4)]),
    "BatchNorm2d bare": (
        lambda nn: nn.BatchNorm2d(3, affine=False, track_running_stats=False), [real(2, 3, 4, 4)]
    ),
    "BatchNorm2d without bias": (lambda nn: nn.BatchNorm2d(3, bias=False), [real(2, 3, 4, 4)]),
    "BatchNorm3d": (lambda nn: nn.BatchNorm3d(2), [real(2, 2, 3, 2, 2)]),
    "InstanceNorm1d": (lambda nn: nn.InstanceNorm1d(3, affine=True), [real(2, 3, 5)]),
    "InstanceNorm2d": (
        lambda nn: nn.InstanceNorm2d(3, affine=True, track_running_stats=True), [real(2, 3, 4, 4)]
    ),
    "InstanceNorm2d unbatched": (lambda nn: nn.InstanceNorm2d(3), [real(3, 4, 4)]),
    "InstanceNorm3d": (lambda nn: nn.InstanceNorm3d(2), [real(2, 2, 3, 2, 2)]),
    "LayerNorm": (lambda nn: nn.LayerNorm(4), [real(2, 3, 4)]),
    "LayerNorm of 2 dims": (lambda nn: nn.LayerNorm((3, 4), eps=1e-3, bias=False), [real(2, 3, 4)]),
    "LayerNorm bare": (lambda nn: nn.LayerNorm([4], elementwise_affine=False), [real(2, 3, 4)]),
    "GroupNorm": (lambda nn: nn.GroupNorm(2, 4), [real(2, 4, 3)]),
    "GroupNorm bare": (lambda nn: nn.GroupNorm(2, 4, affine=False), [real(2, 4, 3, 2)]),
    "RMSNorm": (lambda nn: nn.RMSNorm(4), [real(2, 3, 4)]),
    "RMSNorm with eps": (lambda nn: nn.RMSNorm((3, 4), eps=1e-3, elementwise_affine=False), [real(2, 3, 4)]),
    "Embedding": (lambda nn: nn.Embedding(5, 3), [whole(5, 2, 4)]),
    "Embedding with padding": (lambda nn: nn.Embedding(5, 3, padding_idx=-2), [np.array([0, 3, 3, 1])]),
    "PReLU": (lambda nn: nn.PReLU(), [real(2, 3)]),
    "PReLU per channel": (lambda nn: nn.PReLU(3, init=0.1), [real(2, 3, 4)]),
}  # fmt: skip


@pytest.mark.parametrize("name", PARAMETRIC)
def test_weights_of_the_same_seed(name):
    def run(torch):
        torch.manual_seed(5)
        m = PARAMETRIC[name][0](torch.nn)
        return m.state_dict(), [p.requires_grad for p in m.parameters()], torch.rand(1)

    same(run)


@pytest.mark.parametrize("name", PARAMETRIC)
def test_values_and_gradients(name):
    make, inputs = PARAMETRIC[name]

    def run(torch):
        torch.manual_seed(5)
        m = make(torch.nn).double()
        args = [torch.tensor(a, requires_grad=a.dtype.kind == "f") for a in inputs]
        outputs = [m(*args)]
        if isinstance(m, torch.nn.modules.batchnorm._NormBase):
            outputs += [m(*args), m.eval()(*args)]
        sum((out * out).sum() for out in outputs).backward()
        return outputs, m.state_dict(), [p.grad for p in m.parameters()], [a.grad for a in args]

    same(run)


@pytest.mark.parametrize("name", ["Linear", "Conv2d", "BatchNorm1d", "LayerNorm", "Embedding"])
@pytest.mark.parametrize("dtype", ["float64", "float16", "bfloat16"])
def test_dtype_of_weights(name, dtype):
    classes = {"Linear": (3, 4), "Conv2d": (2, 4, 3), "BatchNorm1d": (3,), "LayerNorm": (4,), "Embedding": (5, 3)}

    def run(torch):
        torch.manual_seed(5)
        m = getattr(torch.nn, name)(*classes[name], dtype=getattr(torch, dtype), device="cpu")
        return m.state_dict()

    same(run)


ACTIVATIONS = [
    "Threshold(0.1, 20)", "ReLU()", "RReLU().eval()", "Hardtanh()", "Hardtanh(-0.5, 0.25)", "ReLU6()", "Sigmoid()",
    "Hardsigmoid()", "Tanh()", "SiLU()", "Mish()", "Hardswish()", "ELU()", "ELU(2.0)", "CELU(0.5)", "SELU()",
    "GLU()", "GLU(0)", "GELU()", "GELU('tanh')", "Hardshrink()", "LeakyReLU()", "LeakyReLU(0.2)", "LogSigmoid()",
    "Softplus()", "Softplus(2.0, 1.0)", "Softshrink()", "Softsign()", "Tanhshrink()", "Softmin(dim=1)",
    "Softmax(dim=0)", "LogSoftmax(dim=-1)", "Dropout().eval()", "Identity(3, a=4)", "Flatten()", "Flatten(0)",
    "Unflatten(1, (2, 2))", "Dropout1d().eval()", "AlphaDropout().eval()",
]  # fmt: skip


@pytest.mark.parametrize("text", ACTIVATIONS)
def test_activations(text):
    name, _, rest = text.partition("(")
    call = f"torch.nn.{name}({rest}"
    x = np.concatenate([real(2, 4) * 3, [[0.0, -0.0, 1.0, -1.0], [6.0, -3.0, 3.0, 20.0]]])
    check(lambda torch, x: eval(call, {"torch": torch})(x), x)


@pytest.mark.parametrize("name", ["ReLU", "ReLU6", "SiLU", "Hardtanh", "LeakyReLU", "ELU", "Dropout", "Mish", "SELU"])
def test_inplace(name):
    def run(torch):
        x = torch.tensor([-1.0, 0.5, 3.0])
        m = getattr(torch.nn, name)(inplace=True).eval()
        return m(x) is x or torch.equal(m(x), x), x

    same(run)


SHAPED = {
    "MaxPool1d": ("MaxPool1d(3, 2, 1)", [real(2, 3, 8)]),
    "MaxPool2d": ("MaxPool2d((2, 3), padding=(1, 0), ceil_mode=True)", [real(2, 3, 7, 8)]),
    "MaxPool2d with indices": ("MaxPool2d(2, return_indices=True)", [real(2, 3, 6, 6)]),
    "MaxPool3d": ("MaxPool3d(2, dilation=2)", [real(1, 2, 5, 5, 5)]),
    "AvgPool1d": ("AvgPool1d(3, 2, 1, count_include_pad=False)", [real(2, 3, 8)]),
    "AvgPool2d": ("AvgPool2d((2, 3), 1, 1, ceil_mode=True)", [real(3, 6, 7)]),
    "AvgPool2d divided": ("AvgPool2d(2, divisor_override=3)", [real(2, 3, 6, 6)]),
    "AvgPool3d": ("AvgPool3d(2)", [real(1, 2, 4, 4, 4)]),
    "LPPool1d": ("LPPool1d(2, 3)", [np.abs(real(2, 3, 9)) + 0.1]),
    "LPPool2d": ("LPPool2d(3, 2, 1)", [np.abs(real(1, 2, 5, 5)) + 0.1]),
    "AdaptiveAvgPool1d": ("AdaptiveAvgPool1d(3)", [real(2, 3, 8)]),
    "AdaptiveAvgPool2d": ("AdaptiveAvgPool2d((3, None))", [real(2, 3, 7, 5)]),
    "AdaptiveAvgPool2d to 1": ("AdaptiveAvgPool2d(1)", [real(2, 3, 7, 5)]),
    "AdaptiveAvgPool3d": ("AdaptiveAvgPool3d((1, 2, 3))", [real(1, 2, 4, 5, 6)]),
    "AdaptiveMaxPool1d": ("AdaptiveMaxPool1d(3)", [real(2, 3, 8)]),
    "AdaptiveMaxPool2d": ("AdaptiveMaxPool2d((3, 2), return_indices=True)", [real(2, 3, 7, 5)]),
    "AdaptiveMaxPool3d": ("AdaptiveMaxPool3d(2)", [real(1, 2, 4, 5, 6)]),
    "ConstantPad1d": ("ConstantPad1d((1, 2), 3.5)", [real(2, 3)]),
    "ConstantPad3d": ("ConstantPad3d(1, 2.0)", [real(1, 2, 2, 3, 2)]),
    "ZeroPad2d": ("ZeroPad2d((1, -1, 2, 0))", [real(1, 2, 3, 4)]),
    "ReflectionPad1d": ("ReflectionPad1d(2)", [real(1, 2, 5)]),
    "ReflectionPad2d": ("ReflectionPad2d((1, 2, 0, 1))", [real(1, 2, 3, 4)]),
    "ReflectionPad3d": ("ReflectionPad3d(1)", [real(1, 2, 3, 4, 3)]),
    "ReplicationPad1d": ("ReplicationPad1d((1, 3))", [real(2, 5)]),
    "ReplicationPad2d": ("ReplicationPad2d(1)", [real(2, 5, 4)]),
    "ReplicationPad3d": ("ReplicationPad3d(1)", [real(1, 2, 3, 4, 3)]),
    "CircularPad1d": ("CircularPad1d((1, 2))", [real(1, 2, 5)]),
    "CircularPad2d": ("CircularPad2d(1)", [real(1, 2, 5, 4)]),
    "CircularPad3d": ("CircularPad3d(1)", [real(1, 2, 3, 4, 3)]),
    "Upsample nearest": ("Upsample(scale_factor=2)", [real(1, 2, 3, 4)]),
    "Upsample bilinear": ("Upsample(size=(5, 7), mode='bilinear', align_corners=True)", [real(1, 2, 3, 4)]),
    "UpsamplingNearest2d": ("UpsamplingNearest2d(scale_factor=(2, 3))", [real(1, 2, 3, 4)]),
    "UpsamplingBilinear2d": ("UpsamplingBilinear2d(5)", [real(1, 2, 3, 4)]),
    "PixelShuffle": ("PixelShuffle(2)", [real(1, 8, 3, 2)]),
    "PixelUnshuffle": ("PixelUnshuffle(2)", [real(1, 2, 4, 6)]),
    "ChannelShuffle": ("ChannelShuffle(2)", [real(1, 4, 2, 2)]),
    "CosineSimilarity": ("CosineSimilarity()", [real(3, 4), real(3, 4)]),
    "PairwiseDistance": ("PairwiseDistance(keepdim=True)", [real(3, 4), real(3, 4)]),
    "Fold": ("Fold((4, 5), 2)", [real(1, 8, 12)]),
    "Unfold": ("Unfold((2, 3), padding=1, stride=2)", [real(1, 2, 5, 6)]),
    "LocalResponseNorm": ("LocalResponseNorm(3)", [real(2, 5, 3, 3)]),
    "Softmax2d": ("Softmax2d()", [real(2, 3, 2, 2)]),
}  # fmt: skip


@pytest.mark.parametrize("name", SHAPED)
def test_layers_without_weights(name):
    text, inputs = SHAPED[name]
    check(lambda torch, *args: eval(f"torch.nn.{text}", {"torch": torch})(*args), *inputs)


def test_unpooling_undoes_pooling():
    def run(torch, x):
        pooled, where = torch.nn.MaxPool2d(2, return_indices=True)(x)
        return torch.nn.MaxUnpool2d(2)(pooled, where, output_size=x.size())

    check(run, real(1, 2, 5, 4))


@pytest.mark.parametrize("size", [(7, 8), (8, 7), (1, 4, 7, 7), [8, 8]])
def test_transposed_convolution_of_a_wanted_size(size):
    def run(torch):
        torch.manual_seed(0)
        return torch.nn.ConvTranspose2d(4, 4, 3, 2)(torch.ones(1, 4, 3, 3), output_size=size)

    same(run)


REPRS = [
    "Linear(2, 3, bias=False)", "Bilinear(1, 2, 3)", "Identity(1)", "Conv2d(3, 4, 3)",
    "Conv2d(3, 4, 3, 2, 1, 2, 1, False, 'circular')", "Conv2d(3, 4, 3, padding='same')",
    "Conv2d(4, 4, 3, groups=4, padding='valid')", "Conv3d(4, 4, (1, 2, 3), 2, 1)", "Conv1d(3, 4, (2,))",
    "ConvTranspose1d(3, 4, 3, output_padding=1, bias=False, dilation=2)", "ConvTranspose2d(3, 4, 3, 2, 1, 1)",
    "MaxPool2d((2, 3), 1, (1, 0), 2, True, True)", "MaxPool1d(3)", "AvgPool1d(2)", "AvgPool2d((2, 3), 1, 1)",
    "AvgPool3d(2)", "AdaptiveAvgPool2d((3, None))", "AdaptiveMaxPool2d(3, True)", "LPPool1d(2, 3)",
    "LPPool2d(2, 3, 2, True)", "MaxUnpool1d(3)", "MaxUnpool2d(3, 2, 1)", "BatchNorm1d(3)",
    "BatchNorm2d(3, affine=False, momentum=None, track_running_stats=False)", "BatchNorm2d(3, bias=False)",
    "LayerNorm(3)", "LayerNorm((3, 4), 1e-3, False)", "GroupNorm(2, 4)", "GroupNorm(2, 4, affine=False)",
    "InstanceNorm1d(3)", "InstanceNorm2d(3, affine=True, track_running_stats=True)", "RMSNorm(3)",
    "RMSNorm((3, 4), 1e-3, False)", "LocalResponseNorm(2)", "Dropout()", "Dropout(0.3, True)", "AlphaDropout()",
    "Embedding(3, 4)", "Embedding(3, 4, 1, 2.0, 3.0, True, True)", "Embedding(3, 4, -1)",
    "Embedding.from_pretrained(torch.ones(2, 3), padding_idx=1)",
    "Upsample(2)", "Upsample(scale_factor=2)",
    "Upsample(scale_factor=(2, 3), mode='bilinear', align_corners=True)", "UpsamplingNearest2d(scale_factor=2)",
    "UpsamplingBilinear2d(4)", "PixelShuffle(2)", "PixelUnshuffle(2)", "ChannelShuffle(2)", "CosineSimilarity()",
    "PairwiseDistance()", "ZeroPad2d(1)", "ConstantPad1d((1, 2), 3.5)", "ConstantPad3d(1, 2)", "ReflectionPad1d(1)",
    "ReplicationPad3d(1)", "CircularPad2d((1, 2, 3, 4))", "ZeroPad1d((1, 2, 3))", "Fold((3, 3), 2)", "Unfold(3)",
    "Flatten()", "Flatten(0, 2)", "Unflatten(1, (2, 3))", "ReLU()", "ReLU(True)", "Threshold(0.1, 20)",
    "Threshold(0.1, 20, True)", "RReLU()", "RReLU(0.1, 0.2, True)", "Hardtanh()", "Hardtanh(-2, 2, True)", "ReLU6()",
    "ReLU6(True)", "Sigmoid()", "Hardsigmoid(True)", "Tanh()", "SiLU()", "SiLU(True)", "Mish(True)",
    "Hardswish(True)", "ELU()", "ELU(2.0, True)", "CELU(2.0, True)", "SELU(True)", "GLU()", "GELU()", "GELU('tanh')",
    "Hardshrink(0.3)", "LeakyReLU()", "LeakyReLU(0.2, True)", "LogSigmoid()", "Softplus()", "Softshrink()",
    "PReLU(3, 0.1)", "Softsign()", "Tanhshrink()", "Softmin()", "Softmax(dim=1)", "Softmax2d()", "LogSoftmax(1)",
]  # fmt: skip


@pytest.mark.parametrize("text", REPRS)
def test_printed_form_and_attributes(text):
    def run(torch):
        m = eval(f"torch.nn.{text}", {"torch": torch})
        own = {name: value for name, value in vars(m).items() if not name.startswith("_")}
        return f"{m!r} {sorted(own.items(), key=str)} {list(m.state_dict())} {type(m).__mro__[-2].__name__}"

    def seen(torch):
        return run(torch).replace(" Tree", " Module").replace(" Hooks", " Module")

    same_print(seen)


@pytest.mark.parametrize(
    "text",
    [
        "Bilinear(0, 1, 1)", "Conv2d(3, 4, 3, 2, padding='same')", "Conv2d(3, 4, 3, groups=2)",
        "Conv2d(4, 3, 3, groups=2)", "Conv2d(4, 4, 3, groups=0)", "ConvTranspose2d(3, 4, 3, padding_mode='circular')",
        "ConvTranspose2d(4, 4, 3, 2)(torch.ones(1, 4, 5, 5), output_size=(3, 3))",
        "ConvTranspose2d(4, 4, 3, 2)(torch.ones(1, 4, 5, 5), output_size=(3,))", "BatchNorm1d(3)(torch.ones(3))",
        "BatchNorm2d(3)(torch.ones(3, 3))", "BatchNorm3d(3)(torch.ones(3, 3))", "GroupNorm(3, 4)",
        "InstanceNorm1d(3)(torch.ones(1))", "InstanceNorm2d(3)(torch.ones(2, 2))", "InstanceNorm3d(3)(torch.ones(2))",
        "InstanceNorm2d(2, affine=True)(torch.ones(1, 3, 2, 2))", "Dropout(1.5)", "Dropout(-1)", "Embedding(3, 4, 5)",
        "Embedding(3, 4, -4)", "Embedding(3, 4, _weight=torch.ones(2, 2))",
        "Embedding.from_pretrained(torch.ones(2))", "Unflatten(1, (2, 'a'))",
        "Unflatten(1, 3)", "Hardtanh(2, 1)", "Softmax2d()(torch.ones(2, 2))", "CircularPad1d(1)(torch.ones(2))",
        "CircularPad2d(1)(torch.ones(2, 2))", "Linear(3, 4)(torch.ones(2, 2))", "Linear(3)",
        "Conv2d(3, 4, 3)(torch.ones(1, 2, 5, 5))", "ReLU()(1, 2)", "GELU('x')(torch.ones(1))",
        "BatchNorm1d(2, eps=0)(torch.ones(3, 2))", "BatchNorm1d(2, eps=-1).eval()(torch.ones(3, 2))",
    ],
)  # fmt: skip
def test_errors(text):
    raises(lambda torch: eval(f"torch.nn.{text}", {"torch": torch}))


@pytest.mark.parametrize(
    "text",
    [
        "Linear(0, 3)", "Conv2d(0, 4, 3)", "Hardtanh(min_value=-3)", "Hardtanh(max_value=3)",
        "InstanceNorm2d(3)(torch.ones(2, 2, 2, 2))", "InstanceNorm2d(3)(torch.ones(2, 2, 2))",
        "Softmax()(torch.ones(2, 2))", "LogSoftmax()(torch.ones(2, 2))", "Softmin()(torch.ones(2, 2))",
    ],
)  # fmt: skip
def test_warnings(text):
    same_warnings(lambda torch: eval(f"torch.nn.{text}", {"torch": torch}))


@pytest.mark.parametrize("freeze", [True, False])
def test_pretrained_embeddings_share_their_table(freeze):
    def run(torch):
        table = torch.tensor([[1.0, 2.0], [3.0, 4.0]])
        m = torch.nn.Embedding.from_pretrained(table, freeze=freeze)
        table[0, 0] = 9.0
        return m(torch.tensor([0, 1])), m.weight.requires_grad

    same(run)


@pytest.mark.parametrize(
    "name", ["Dropout", "Dropout1d", "Dropout2d", "Dropout3d", "AlphaDropout", "FeatureAlphaDropout"]
)
def test_dropout_in_evaluation_is_nothing(name):
    check(lambda torch, x: getattr(torch.nn, name)(0.9).eval()(x), real(2, 3, 4, 2, 2))


def test_dropout_drops_and_scales():
    def run(torch):
        torch.manual_seed(0)
        y = torch.nn.Dropout(0.25)(torch.ones(10000))
        return sorted(set(y.tolist())), abs(y.mean().item() - 1) < 0.03

    same(run)


def test_dropout2d_drops_whole_channels():
    def run(torch):
        torch.manual_seed(0)
        y = torch.nn.Dropout2d(0.5)(torch.ones(8, 16, 3, 3))
        return sorted(set(y.sum((2, 3)).reshape(-1).tolist()))

    same(run)


def test_constructors_that_refuse():
    """Every layer names itself, or the base that torch gives its constructor, in Python's errors."""
    for name in jtorch.nn.modules.__all__:
        for args, kwargs in ((), {"foo": 1}), ((1,) * 14, {}), ((), {}):

            def make(torch, name=name, args=args, kwargs=kwargs):
                try:
                    getattr(torch.nn, name)(*args, **kwargs)
                except TypeError as error:
                    return str(error)
                except Exception as error:
                    return type(error).__name__

            make.__name__ = f"{name}(*{args}, **{kwargs})"
            same(make)


def test_batch_norm_of_an_empty_batch():
    def run(torch):
        layer = torch.nn.BatchNorm1d(2)
        out = layer(torch.ones(0, 2))
        out.sum().backward()
        return out.detach(), layer.weight.grad, layer.bias.grad, dict(layer.named_buffers())

    same(run)


def test_batch_norm_without_eps_in_evaluation():
    same(lambda torch: torch.nn.BatchNorm1d(2, eps=0).eval()(torch.ones(3, 2)))
