"""Dropout in all forms draws torch's mask on the CPU, and is the same multiplication to the graph; rrelu likewise."""

import pytest

from jtorch.engine import stats
from tests.rng.draws import avx2_roundings, drawn_alike

pytestmark = avx2_roundings

NAMES = ("dropout", "alpha_dropout", "feature_dropout", "feature_alpha_dropout")


def numbers(m, dtype="float32", shape=(4, 6)):
    return m.arange(24.0).reshape(shape).to(getattr(m, dtype))


@pytest.mark.parametrize("name", [*NAMES, *(f"{name}_" for name in NAMES), "native_dropout"])
def test_functions(name):
    def run(p, train=True, dtype="float32", view=lambda x: x):
        return lambda m, g: getattr(m, name)(view(numbers(m, dtype)), p, train)

    drawn_alike(*(run(p, train) for p in (0.4, 0.0, 1.0, 1.5) for train in (True, False)), close="alpha" in name)
    drawn_alike(run(0.3, view=lambda x: x[:, ::2]), run(0.3, view=lambda x: x[0]), close="alpha" in name)
    drawn_alike(run(0.3, view=lambda x: x[:0]), run(0.5, dtype="int64"), run(0.5, dtype="complex64"))
    for dtype in ("float64", "float16", "bfloat16"):
        drawn_alike(run(0.3, dtype=dtype), run(0.9, dtype=dtype), close="alpha" in name)


def test_nothing_is_kept_of_what_is_no_number():
    drawn_alike(lambda m, g: m.dropout(m.tensor([float("inf"), float("nan"), 1, -2.0, 0.0, -0.0]), 0.5, True))


def test_a_transposed_tensors_mask_follows_its_memory():
    drawn_alike(lambda m, g: m.dropout(numbers(m).t(), 0.4, True).contiguous())


@pytest.mark.parametrize(
    ("name", "shape"),
    [
        ("dropout", (4, 6)), ("dropout1d", (4, 6)), ("dropout1d", (2, 4, 3)), ("dropout2d", (2, 3, 4)),
        ("dropout2d", (2, 3, 2, 2)), ("dropout3d", (2, 3, 2, 2)), ("dropout3d", (1, 3, 2, 2, 2)),
        ("alpha_dropout", (4, 6)), ("feature_alpha_dropout", (2, 4, 3)), ("dropout1d", (24,)),
    ],
)  # fmt: skip
def test_functional(name, shape):
    def run(**options):
        return lambda m, g: getattr(m.nn.functional, name)(numbers(m, "float64", shape), 0.3, **options)

    drawn_alike(run(training=True), run(training=True, inplace=True), run(training=False), run(), close="alpha" in name)


@pytest.mark.parametrize("name", ["Dropout", "Dropout1d", "AlphaDropout", "FeatureAlphaDropout"])
@pytest.mark.parametrize("inplace", [False, True])
def test_modules_and_their_gradients(name, inplace):
    def run(m, g):
        x = numbers(m, "float64", (2, 4, 3)).requires_grad_()
        y = getattr(m.nn, name)(0.3, inplace=inplace)(x * 1)
        (y * y).sum().backward()
        return y, x.grad, [type(node).__name__ for node, _ in y.grad_fn.next_functions]

    drawn_alike(run, close=True)


def test_double_backward():
    def run(m, g):
        x = numbers(m).requires_grad_()
        (first,) = m.autograd.grad((m.dropout(x, 0.5, True) ** 2).sum(), x, create_graph=True)
        first.sum().backward()
        return first.detach(), x.grad

    drawn_alike(run)


def test_rrelu():
    def run(call, dtype="float32"):
        def both(m, g):
            x = (numbers(m, dtype) - 12).requires_grad_()
            y = call(m, x * 1)
            y.sum().backward()
            return y, x.grad, [type(node).__name__ for node, _ in y.grad_fn.next_functions]

        return both

    for dtype in ("float32", "float64", "bfloat16", "float16"):
        drawn_alike(
            run(lambda m, x: m.nn.functional.rrelu(x, training=True), dtype),
            run(lambda m, x: m.rrelu(x, 0.2, 0.4, True), dtype),
            run(lambda m, x: m.nn.functional.rrelu(x), dtype),
        )
    drawn_alike(
        run(lambda m, x: m.nn.RReLU()(x)),
        run(lambda m, x: m.rrelu_(x, 0.1, 0.2, True)),
        run(lambda m, x: m.nn.functional.rrelu(x.t(), training=True).contiguous()),
        lambda m, g: m.nn.functional.rrelu(m.tensor([0.0, -0.0, 1.0, float("nan"), -2]), training=True),
        lambda m, g: m.nn.functional.rrelu(m.ones(3), 0.5, 0.2, training=True),
    )


def test_gumbel_softmax():
    def hard(m, g):
        x = m.randn(5, 6, requires_grad=True)
        y = m.nn.functional.gumbel_softmax(x, hard=True)
        (y * m.arange(6.0)).sum().backward()
        return y, x.grad

    drawn_alike(
        lambda m, g: m.nn.functional.gumbel_softmax(m.randn(5, 6), tau=0.5),
        lambda m, g: m.nn.functional.gumbel_softmax(m.randn(5, 6).t(), dim=0),
        hard, close=True,
    )  # fmt: skip


def test_attention_drops_torchs_probabilities():
    def run(queries, keys, **options):
        def both(m, g):
            q, k, v = m.randn(*queries, 5), m.randn(*keys, 5), m.randn(*keys, 6)
            return m.nn.functional.scaled_dot_product_attention(q, k, v, **options)

        return both

    drawn_alike(
        run((2, 3, 4), (2, 3, 7), dropout_p=0.5), run((2, 4), (2, 4), dropout_p=0.3, is_causal=True),
        run((4,), (4,), dropout_p=0.3), run((2, 4, 6), (2, 2, 7), dropout_p=0.5, enable_gqa=True),
        run((2, 3, 4), (2, 3, 4), dropout_p=1.0), close=True,
    )  # fmt: skip


def test_a_training_loop_draws_anew_in_every_step_and_follows_torch():
    """The mask is an input of the step's program: the losses are torch's, and nothing is compiled after step 2."""
    compiles = []

    def losses(m, g):
        model = m.nn.Sequential(m.nn.Linear(6, 16), m.nn.ReLU(), m.nn.Dropout(0.5), m.nn.Linear(16, 1))
        optimizer = m.optim.SGD(model.parameters(), lr=0.05)
        x, y, found = m.rand(8, 6), m.rand(8, 1), []
        for _ in range(6):
            before = stats.compiles
            optimizer.zero_grad()
            loss = m.nn.functional.mse_loss(model(x), y)
            loss.backward()
            optimizer.step()
            found.append(loss.detach())
            compiles.append(stats.compiles - before)
        return found

    drawn_alike(losses, close=True)
    assert compiles[-3:] == [0, 0, 0]
