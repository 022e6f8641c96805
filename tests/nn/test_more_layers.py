"""Lazy layers, bags, clusters and old layers beside torch's: draws, printed form, values, gradients, refusals."""

import copy

import numpy as np
import pytest

from tests.nn.paths import raises
from tests.oracle import same, same_print, same_warnings

draw = np.random.default_rng(0)


def real(*shape):
    """Normal draws. Shape: () -> shape."""
    return draw.normal(size=shape)


LAZY = {
    "LazyLinear(4)": real(2, 3),
    "LazyLinear(4, bias=False)": real(3),
    "LazyConv1d(4, 3)": real(2, 3, 5),
    "LazyConv2d(4, 3, groups=2, bias=False)": real(2, 4, 5),
    "LazyConvTranspose2d(4, 3, 2)": real(1, 2, 3, 3),
    "LazyBatchNorm1d()": real(4, 3),
    "LazyBatchNorm2d(affine=False)": real(2, 3, 2, 2),
    "LazyInstanceNorm1d(affine=True, bias=False)": real(2, 3, 4),
    "LazyConv3d(2, 1)": real(1, 2, 2, 2, 2),
    "LazyConvTranspose1d(2, 2)": real(1, 2, 3),
    "LazyConvTranspose3d(2, 1, dilation=2)": real(1, 2, 2, 2, 2),
    "LazyBatchNorm3d(momentum=None)": real(2, 2, 1, 2, 2),
    "LazyInstanceNorm2d()": real(2, 3, 2, 2),
    "LazyInstanceNorm3d(track_running_stats=True)": real(2, 3, 2, 2, 1),
}


def made(torch, text):
    """The layer of this text, from seed 4."""
    torch.manual_seed(4)
    return eval(f"torch.nn.{text}", {"torch": torch})


def test_lazy_layers():
    def run(torch):
        found = {}
        for text, x in LAZY.items():
            m = made(torch, text)
            before = repr(m), list(m.state_dict()), m.has_uninitialized_params()
            out = m(torch.tensor(x).float())
            found[text] = before, repr(m), type(m).__name__, m.state_dict(), out
        return found

    same(run, grad_fn=False)


def test_lazy_layers_are_loaded_and_copied():
    def run(torch):
        m, given = made(torch, "LazyLinear(2)"), torch.nn.Linear(3, 2)
        again = copy.deepcopy(m)
        again.load_state_dict(given.state_dict())
        return again(torch.ones(1, 3)), repr(again), repr(m), given.load_state_dict(again.state_dict())

    same(run)


BAG = np.array([1, 2, 4, 5, 4, 3, 2, 9])
LAYERS = {
    "EmbeddingBag(10, 3)": lambda torch, m: m(torch.tensor(BAG), torch.tensor([0, 4])),
    "EmbeddingBag(10, 3, mode='sum', padding_idx=-8)": lambda torch, m: m(
        torch.tensor(BAG).view(2, 4), per_sample_weights=torch.ones(2, 4) / 2
    ),
    "EmbeddingBag(10, 3, mode='max', include_last_offset=True)": lambda torch, m: m(
        torch.tensor(BAG), torch.tensor([0, 3, 8])
    ),
    "CTCLoss()": lambda torch, m: m(
        torch.tensor(np.log(0.2 + np.sin(np.arange(30.0)) ** 2)).reshape(5, 2, 3),
        torch.tensor([[1, 2], [2, 1]]), torch.tensor([5, 4]), torch.tensor([2, 1]),
    ),
    "AdaptiveLogSoftmaxWithLoss(8, 12, [3, 6], div_value=2.0)": lambda torch, m: [
        *m(torch.linspace(-1, 1, 32).reshape(4, 8), torch.tensor([0, 2, 5, 11])),
        *m(torch.linspace(-1, 1, 8), torch.tensor(4)),
        m.log_prob(torch.linspace(-1, 1, 16).reshape(2, 8)), m.predict(torch.linspace(-3, 2, 32).reshape(4, 8)),
    ],
    "AdaptiveLogSoftmaxWithLoss(8, 12, [3, 6], head_bias=True) ": lambda torch, m: [
        *m(torch.linspace(-1, 1, 16).reshape(2, 8), torch.tensor([0, 5]))
    ],
    "LinearCrossEntropyLoss(4, 3, out_features=(2,), bias=True)": lambda torch, m: m(
        torch.linspace(-1, 1, 8).reshape(2, 4), torch.tensor([[0, 1], [2, 0]])
    ),
    "FractionalMaxPool2d(2, output_ratio=0.5, return_indices=True)": lambda torch, m: m(
        torch.linspace(-1, 1, 72).sin().reshape(1, 2, 6, 6)
    ),
    "FractionalMaxPool3d(2, output_size=(2, 2, 1))": lambda torch, m: m(
        torch.linspace(-9, 9, 128).sin().reshape(1, 2, 4, 4, 4)
    ),
    "SyncBatchNorm(3)": lambda torch, m: m(torch.linspace(-1, 1, 24).reshape(2, 3, 4)),
}  # fmt: skip


def test_layers():
    def run(torch):
        found = {}
        for text, call in LAYERS.items():
            m = made(torch, text)
            start = {k: v.clone() for k, v in m.state_dict().items()}
            out = call(torch, m)
            outs = out if isinstance(out, (list, tuple)) else [out]
            wanted = [o for o in outs if o.requires_grad]
            if wanted:
                sum((o * o).sum() for o in wanted).backward()
            found[text] = repr(m), start, out, [p.grad for p in m.parameters()], torch.rand(1)
        return found

    same(run, grad_fn=False)


@pytest.mark.parametrize("size", [3, 4])
def test_normalization_across_channels(size):
    def run(torch):
        x = torch.linspace(-2, 2, 56).double().reshape(2, 7, 2, 2).requires_grad_()
        m = torch.nn.CrossMapLRN2d(size, alpha=0.3, k=2)
        y = m(x)
        (y * torch.linspace(0, 1, 56).reshape(2, 7, 2, 2)).sum().backward()
        return repr(m), y, x.grad

    same(run, grad_fn=False)


def test_conversion_to_sync_batch_norm():
    def run(torch):
        net = torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.Sequential(torch.nn.BatchNorm2d(2, bias=False)))
        made = torch.nn.SyncBatchNorm.convert_sync_batchnorm(net)
        return repr(made), made is net, made[1][0].training

    same_print(run)


@pytest.mark.parametrize(
    "text",
    [
        "EmbeddingBag(3, 4, padding_idx=3)", "EmbeddingBag.from_pretrained(torch.ones(2))",
        "AdaptiveLogSoftmaxWithLoss(4, 5, [])", "AdaptiveLogSoftmaxWithLoss(4, 5, [3, 2])",
        "AdaptiveLogSoftmaxWithLoss(4, 5, [5])",
        "AdaptiveLogSoftmaxWithLoss(4, 5, [2])(torch.ones(2, 4), torch.tensor([1, 7]))",
        "AdaptiveLogSoftmaxWithLoss(4, 5, [2])(torch.ones(2, 4), torch.tensor([1]))",
        "AdaptiveLogSoftmaxWithLoss(4, 5, [2])(torch.ones(2, 4), torch.tensor(1))",
        "FractionalMaxPool2d(2)", "FractionalMaxPool3d(2, 1, 0.5)", "FractionalMaxPool2d(2, output_ratio=2)",
        "SyncBatchNorm(2)(torch.ones(2))", "CrossMapLRN2d(3)(torch.ones(2))", "LazyConv2d(4, 3)(torch.ones(2))",
        "LazyConv2d(4, 3, groups=2)(torch.ones(1, 3, 5, 5))", "LazyLinear(3).weight.shape",
        "LinearCrossEntropyLoss(4, 3, label_smoothing=2.0)", "LinearCrossEntropyLoss(4, 3, weight=torch.ones(2))",
    ],
)  # fmt: skip
def test_errors(text):
    raises(lambda torch: eval(f"torch.nn.{text}", {"torch": torch}))


def test_container_warns():
    def run(torch):
        assert list(torch.nn.Container(a=torch.nn.ReLU())._modules) == ["a"]

    same_warnings(run)
