"""Losses against torch's: values, gradients, reductions, printed form, errors, warnings."""

import numpy as np
import pytest

from tests.nn.paths import raises
from tests.oracle import check, const, same, same_error, same_warnings

draw = np.random.default_rng(1)


def real(*shape):
    """Normal draws. Shape: () -> shape."""
    return draw.normal(size=shape)


def share(*shape):
    """Draws from (0, 1). Shape: () -> shape."""
    return draw.uniform(0.05, 0.95, size=shape)


CLASSES = const(np.array([1, 0, 3]))
SIGNS = const(np.array([1.0, -1.0, 1.0]))
LOSSES = {
    "L1": ("L1Loss()", [real(3, 4), real(3, 4)]),
    "MSE": ("MSELoss()", [real(3, 4), real(3, 4)]),
    "SmoothL1": ("SmoothL1Loss(beta=0.5)", [real(3, 4), real(3, 4)]),
    "Huber": ("HuberLoss(delta=0.7)", [real(3, 4), real(3, 4)]),
    "NLL": ("NLLLoss()", [real(3, 4), CLASSES]),
    "NLL ignoring": ("NLLLoss(ignore_index=0)", [real(3, 4), CLASSES]),
    "NLL of pixels": ("NLLLoss()", [real(3, 4, 2), const(draw.integers(0, 4, (3, 2)))]),
    "CrossEntropy": ("CrossEntropyLoss()", [real(3, 4), CLASSES]),
    "CrossEntropy smoothed": ("CrossEntropyLoss(label_smoothing=0.1, ignore_index=3)", [real(3, 4), CLASSES]),
    "CrossEntropy of shares": ("CrossEntropyLoss()", [real(3, 4), const(share(3, 4))]),
    "CrossEntropy of one": ("CrossEntropyLoss()", [real(4), const(np.array(2))]),
    "KLDiv": ("KLDivLoss()", [real(3, 4), share(3, 4)]),
    "KLDiv of logs": ("KLDivLoss(log_target=True)", [real(3, 4), real(3, 4)]),
    "BCE": ("BCELoss()", [share(3, 4), const(share(3, 4))]),
    "BCEWithLogits": ("BCEWithLogitsLoss()", [real(3, 4), const(share(3, 4))]),
    "PoissonNLL": ("PoissonNLLLoss(full=True)", [real(3, 4), const(share(3, 4) * 3)]),
    "PoissonNLL of rates": ("PoissonNLLLoss(log_input=False)", [share(3, 4), const(share(3, 4) * 3)]),
    "HingeEmbedding": ("HingeEmbeddingLoss(margin=0.5)", [real(3), SIGNS]),
    "SoftMargin": ("SoftMarginLoss()", [real(3), SIGNS]),
    "MultiLabelMargin": ("MultiLabelMarginLoss()", [real(1, 4), const(np.array([[3, 0, -1, 1]]))]),
    "MultiLabelSoftMargin": ("MultiLabelSoftMarginLoss()", [real(3, 4), const(np.round(share(3, 4)))]),
    "CosineEmbedding": ("CosineEmbeddingLoss(margin=0.1)", [real(3, 4), real(3, 4), SIGNS]),
    "MarginRanking": ("MarginRankingLoss(margin=0.1)", [real(3), real(3), SIGNS]),
    "MultiMargin": ("MultiMarginLoss(p=2, margin=0.5)", [real(3, 4), CLASSES]),
    "TripletMargin": ("TripletMarginLoss(swap=True)", [real(3, 4), real(3, 4), real(3, 4)]),
    "TripletMarginWithDistance": ("TripletMarginWithDistanceLoss()", [real(3, 4), real(3, 4), real(3, 4)]),
    "GaussianNLL": ("GaussianNLLLoss()", [real(3, 4), real(3, 4), share(3, 4)]),
}  # fmt: skip


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize("name", LOSSES)
def test_values_and_gradients(name, reduction):
    text, inputs = LOSSES[name]
    start, _, rest = text.partition("(")
    text = f"torch.nn.{start}(reduction={reduction!r}{', ' if rest != ')' else ''}{rest}"
    check(lambda torch, *args: eval(text, {"torch": torch})(*args), *inputs)


@pytest.mark.parametrize("name", ["NLLLoss", "CrossEntropyLoss", "MultiMarginLoss"])
@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
def test_class_weights(name, reduction):
    def run(torch, x, y, weight):
        return getattr(torch.nn, name)(weight=weight, reduction=reduction)(x, y)

    check(run, real(3, 4), CLASSES, const(share(4)))


def test_weights_of_binary_losses():
    check(
        lambda torch, x, y, w: torch.nn.BCEWithLogitsLoss(weight=w, pos_weight=w * 2)(x, y),
        real(3, 4), const(share(3, 4)), const(share(4)),
    )  # fmt: skip
    check(lambda torch, x, y, w: torch.nn.BCELoss(weight=w)(x, y), share(3, 4), const(share(3, 4)), const(share(4)))


def test_batchmean():
    check(lambda torch, x, y: torch.nn.KLDivLoss(reduction="batchmean")(x, y), real(3, 4), share(3, 4))


def test_weights_are_buffers():
    def run(torch):
        w = torch.tensor([1.0, 2.0])
        found = [
            torch.nn.CrossEntropyLoss(weight=w),
            torch.nn.BCELoss(weight=w),
            torch.nn.BCEWithLogitsLoss(pos_weight=w),
            torch.nn.NLLLoss(),
        ]
        return [(repr(m), m.state_dict(), list(m._buffers), m.double().state_dict()) for m in found]

    same(run)


@pytest.mark.parametrize(
    "text",
    [
        "MSELoss(reduction='foo')(torch.ones(1), torch.ones(1))", "MultiMarginLoss(p=3)",
        "MultiMarginLoss(weight=torch.ones(2, 2))", "TripletMarginLoss(margin=-1)",
        "TripletMarginWithDistanceLoss(margin=-1)", "CrossEntropyLoss()(torch.ones(2, 3), torch.ones(3).long())",
        "NLLLoss()(torch.ones(2, 3), torch.ones(3).long())", "BCELoss()(torch.ones(2), torch.ones(3))",
        "BCEWithLogitsLoss()(torch.ones(2), torch.ones(3))", "HuberLoss(delta='1')", "HuberLoss(delta=1j)",
    ],
)  # fmt: skip
def test_errors(text):
    raises(lambda torch: eval(f"torch.nn.{text}", {"torch": torch}))


@pytest.mark.parametrize(
    "text",
    [
        "MSELoss(size_average=False)", "MSELoss(reduce=False)", "CrossEntropyLoss(size_average=True)", "NLLLoss2d()",
        "MSELoss()(torch.ones(2, 1), torch.ones(2))", "L1Loss()(torch.ones(2, 1), torch.ones(2))",
        "KLDivLoss()(torch.ones(2, 2), torch.ones(2, 2))",
    ],
)  # fmt: skip
def test_warnings(text):
    same_warnings(lambda torch: eval(f"torch.nn.{text}", {"torch": torch}))


@pytest.mark.parametrize("arguments", ["size_average=False", "reduce=False", "size_average=True, reduce=True"])
@pytest.mark.filterwarnings("ignore:size_average and reduce")
def test_old_spelling_of_reduction(arguments):
    same(lambda torch: eval(f"torch.nn.BCELoss({arguments})", {"torch": torch}).reduction)


@pytest.mark.parametrize("shape", [(3, 4), (3, 1), (1, 4), (3,), (1, 1), (3, 2), (4,)])
def test_shapes_of_variances(shape):
    check("nn.functional.gaussian_nll_loss", real(3, 4), real(3, 4), const(share(*shape)))


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
@pytest.mark.parametrize("dtype", ["float64", "bfloat16", "float16"])
def test_class_weights_of_another_dtype(dtype, smoothing):
    def run(torch):
        scores = torch.ones(2, 3, dtype=getattr(torch, dtype))
        torch.nn.functional.cross_entropy(scores, torch.tensor([0, 2]), torch.ones(3), label_smoothing=smoothing)

    same_error(run)
