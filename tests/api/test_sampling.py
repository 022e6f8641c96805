"""Functions that draw give torch's numbers, dtypes and strides, and leave its generator where torch does."""

import numpy as np
import pytest
import torch

import jtorch
from tests.oracle import same
from tests.rng.draws import avx2_roundings, drawn_alike

pytestmark = avx2_roundings

FLOATING = ("float32", "float64", "float16", "bfloat16", "complex64", "complex128")
OTHERS = ("int64", "int32", "int16", "int8", "uint8", "bool", "uint16")


@pytest.mark.parametrize("dtype", FLOATING + OTHERS)
def test_dtypes(dtype):
    def kind(m):
        return getattr(m, dtype)

    def filled(m, value=1):
        return m.full((6, 5), value, dtype=kind(m))

    drawn_alike(
        lambda m, g: m.rand(5, 7, dtype=kind(m)),
        lambda m, g: m.randn(5, 7, dtype=kind(m)),
        lambda m, g: m.randn(3, dtype=kind(m)),
        lambda m, g: m.randint(0, 2, (4, 9), dtype=kind(m)),
        lambda m, g: m.randint(-5, 100, (4, 9), dtype=kind(m)),
        lambda m, g: m.randint(-(2**40), 2**41, (9,), dtype=kind(m)),
        lambda m, g: m.randperm(20, dtype=kind(m)),
        lambda m, g: m.randperm(300, dtype=kind(m)),
        lambda m, g: m.rand_like(filled(m)),
        lambda m, g: m.randn_like(filled(m)),
        lambda m, g: m.randint_like(filled(m), 10),
        lambda m, g: m.randint_like(filled(m), -3, 10),
        lambda m, g: m.bernoulli(filled(m)),
        lambda m, g: m.bernoulli(filled(m), 0.4),
        lambda m, g: m.multinomial(filled(m), 3),
        lambda m, g: m.multinomial(filled(m), 8, True),
        lambda m, g: m.normal(filled(m), 2.0),
        lambda m, g: m.normal(1.0, 2.0, (20,), dtype=kind(m)),
        lambda m, g: m.poisson(filled(m)),
        lambda m, g: m.binomial(filled(m), filled(m)),
        lambda m, g: m._standard_gamma(filled(m)),
    )
    # The sum that Dirichlet numbers are divided by is added up in an order of its own on each kind of processor.
    drawn_alike(lambda m, g: m._sample_dirichlet(filled(m)), close=True)
    if dtype != "uint16":  # torch says that it lacks the check of std, not that it lacks the draw
        drawn_alike(
            lambda m, g: m.normal(2.0, filled(m)),
            lambda m, g: m.normal(filled(m), filled(m)),
        )


def test_sizes_and_options():
    drawn_alike(
        lambda m, g: m.rand(3, generator=g),
        lambda m, g: m.rand([2, 3], requires_grad=True),
        lambda m, g: m.rand(size=(2, 3)),
        lambda m, g: m.rand(m.Size([2, 3]), dtype=float),
        lambda m, g: m.rand(()),
        lambda m, g: m.randn(2, 0, 3),
        lambda m, g: m.rand(-1),
        lambda m, g: m.rand(3, dtype=m.float32, device="cpu", layout=m.strided, pin_memory=False),
        lambda m, g: m.rand(3, dtype=int),
        lambda m, g: m.randn(2, 3, generator=g, dtype=m.float64),
        lambda m, g: m.randint(3, (2, 2)),
        lambda m, g: m.randint(0, 3, (2, 2), generator=g, dtype=m.int32),
        lambda m, g: m.randint(low=1, high=5, size=(3,)),
        lambda m, g: m.randint(high=5, size=(3,)),
        lambda m, g: m.randint(5, size=(3,)),
        lambda m, g: m.randint(0, 5, [3]),
        lambda m, g: m.randint(5, 5, (2,)),
        lambda m, g: m.randint(5, 2, (2,)),
        lambda m, g: m.randint(0, (2,)),
        lambda m, g: m.randint(0, 10, (2,), requires_grad=True),
        lambda m, g: m.randint(0, 10, (2,), dtype=m.float32, requires_grad=True),
        lambda m, g: m.randint(0, 2**63 - 1, (50,)),
        lambda m, g: m.randint(-(2**63), 2**63 - 1, (50,)),
        lambda m, g: m.randint(0, 2**63, (5,)),
        lambda m, g: m.randint(0, 300, (5,), dtype=m.uint8),
        lambda m, g: m.randint(-1, 30, (5,), dtype=m.uint8),
        lambda m, g: m.randint(m.tensor(1), np.int64(5), (3,)),
        lambda m, g: m.randint_like(m.zeros(3), 5, dtype=m.int64),
        lambda m, g: m.randint_like(m.zeros(3), m.tensor(5)),
        lambda m, g: m.randint_like(m.zeros(3), high=5),
        lambda m, g: m.randint_like(m.zeros(3), low=2, high=5, generator=g),
        lambda m, g: m.rand_like(m.zeros(3), generator=g),
        lambda m, g: m.rand_like(m.zeros(3), dtype=m.float64, device="cpu", requires_grad=True),
        lambda m, g: m.randperm(5, generator=g),
        lambda m, g: m.randperm(-1),
        lambda m, g: m.randperm(m.tensor(5)),
        lambda m, g: m.randperm(5, dtype=m.float32, requires_grad=True),
        lambda m, g: m.randperm(32768, dtype=m.int16),
        lambda m, g: m.randperm(32769, dtype=m.int16),
        lambda m, g: m.randperm(256, dtype=m.uint8),
        lambda m, g: m.randperm(70000, dtype=m.int32),
    )


def test_out():
    drawn_alike(
        lambda m, g: m.rand(3, out=m.zeros(4, dtype=m.float64)),
        lambda m, g: m.rand(3, out=m.zeros(3, dtype=m.float64)),
        lambda m, g: m.rand(3, dtype=m.float32, out=m.zeros(3, dtype=m.float64)),
        lambda m, g: m.rand(3, out=m.zeros(3), device="meta"),
        lambda m, g: m.rand(3, out=m.zeros(3), requires_grad=True),
        lambda m, g: m.rand(3, out=m.zeros(3, requires_grad=True)),
        lambda m, g: m.randn(20, out=m.zeros(4, 5)),
        lambda m, g: m.randn(4, 5, out=m.zeros(5, 4).t()),
        lambda m, g: m.rand(4, 5, out=m.zeros(5, 4).t()),
        lambda m, g: m.rand(3, out=m.zeros(3, dtype=m.int64)),
        lambda m, g: m.randint(0, 10, (5,), out=m.zeros(5)),
        lambda m, g: m.randint(0, 10, (5,), out=m.zeros(2, dtype=m.int32)),
        lambda m, g: m.randperm(5, out=m.zeros(2, dtype=m.int64)),
        lambda m, g: m.randperm(5, out=m.zeros(5)),
        lambda m, g: m.normal(m.arange(20.0), 1.0, out=m.zeros(20)),
        lambda m, g: m.normal(m.arange(20.0), 1.0, out=m.zeros(3)),
        lambda m, g: m.normal(1.0, m.arange(20.0), out=m.zeros(20)),
        lambda m, g: m.normal(1.0, 1.0, (20,), out=m.zeros(20, dtype=m.float64)),
        lambda m, g: m.normal(m.zeros(3), 1.0, out=m.zeros(3, requires_grad=True)),
        lambda m, g: m.bernoulli(m.tensor([0.1, 0.9, 0.5]), out=m.zeros(3, dtype=m.int64)),
        lambda m, g: m.bernoulli(m.tensor([0.1, 0.9, 0.5]), out=m.zeros(7)),
        lambda m, g: m.multinomial(m.tensor([0.1, 0.9, 0.5]), 2, out=m.zeros(2, dtype=m.int64)),
        lambda m, g: m.multinomial(m.tensor([0.1, 0.9, 0.5]), 2, out=m.zeros(2)),
    )


def test_normal_around_tensors():
    drawn_alike(
        lambda m, g: m.normal(0, 1, (3,)),
        lambda m, g: m.normal(mean=0.5, std=2.0, size=(20,), generator=g),
        lambda m, g: m.normal(m.arange(20.0)),
        lambda m, g: m.normal(mean=m.arange(20.0), std=2.5),
        lambda m, g: m.normal(mean=2.5, std=m.arange(20.0)),
        lambda m, g: m.normal(mean=m.arange(20.0), std=m.arange(20.0) + 1, generator=g),
        lambda m, g: m.normal(m.arange(1.0), m.arange(20.0) + 1),
        lambda m, g: m.normal(m.arange(20.0).view(4, 5), m.arange(5.0)),
        lambda m, g: m.normal(m.arange(20.0).view(4, 5).t(), 1.0),
        lambda m, g: m.normal(m.arange(20.0), m.arange(20.0, dtype=m.float64)),
        lambda m, g: m.normal(m.arange(20.0, dtype=m.float64), m.arange(20.0)),
        lambda m, g: m.normal(m.arange(20.0, dtype=m.bfloat16), m.arange(20.0, dtype=m.bfloat16)),
        lambda m, g: m.normal(m.arange(3.0), m.tensor(2.0)),
        lambda m, g: m.normal(m.tensor(1.0), 2.0),
        lambda m, g: m.normal(m.tensor(1.0), 1.0, (3,)),
        lambda m, g: m.normal(m.arange(0.0), m.arange(0.0)),
        lambda m, g: m.normal(m.arange(3.0), m.arange(4.0)),
        lambda m, g: m.normal(m.arange(3.0), -1.0),
        lambda m, g: m.normal(m.arange(3.0), -m.ones(3)),
        lambda m, g: m.normal(0.0, -1.0, (3,)),
        lambda m, g: m.normal(m.arange(20.0), m.ones(20, dtype=m.complex64)),
    )


LAYOUTS = [
    lambda m: m.zeros(6, 7).t(),
    lambda m: m.zeros(6, 7)[:, ::2],
    lambda m: m.zeros(2, 3, 4, 5).permute(3, 1, 0, 2),
    lambda m: m.zeros(1, 6, 1, 7).transpose(1, 3),
    lambda m: m.zeros(3, 1).expand(3, 4),
]


@pytest.mark.parametrize("make", LAYOUTS)
def test_another_tensors_layout(make):
    """Numbers are drawn in the order of memory, and what is like a tensor lies in memory as it does."""
    drawn_alike(
        lambda m, g: m.rand_like(make(m)),
        lambda m, g: m.randn_like(make(m), requires_grad=True),
        lambda m, g: m.randint_like(make(m), 10),
        lambda m, g: m.rand_like(make(m), memory_format=m.contiguous_format),
        lambda m, g: m.bernoulli(make(m) + 0.4),
        lambda m, g: m.bernoulli(make(m), 0.3),
        lambda m, g: m.poisson(make(m) + 3),
        lambda m, g: m.normal(make(m), 1.0),
    )


def test_channels_last():
    drawn_alike(lambda m, g: m.rand_like(m.zeros(1, 2, 3, 4), memory_format=m.channels_last))


def test_bernoulli_multinomial_and_counts():
    drawn_alike(
        lambda m, g: m.bernoulli(m.tensor([0.1, 0.9, 0.5]), generator=g),
        lambda m, g: m.bernoulli(m.tensor([1, 2, 3]), p=0.5),
        lambda m, g: m.bernoulli(m.tensor([1, 0, 1])),
        lambda m, g: m.bernoulli(m.tensor([0.1, 0.9, 0.5]), 2.0),
        lambda m, g: m.tensor([0.1, 0.9, 0.5]).bernoulli(p=0.5, generator=g),
        lambda m, g: m.multinomial(m.tensor([0.1, 0.9, 0.5]), num_samples=2, replacement=True, generator=g),
        lambda m, g: m.tensor([0.1, 0.9, 0.5]).multinomial(2),
        lambda m, g: m.multinomial(m.tensor([0.1, 0.9, 0.5]), 5),
        lambda m, g: m.multinomial(m.rand(5, 40).t(), 3),
        lambda m, g: m.multinomial(m.rand(40, 5).t(), 30, True),
        lambda m, g: m.multinomial(m.rand(3, 5000), 100),
        lambda m, g: m.multinomial(m.ones(2**24 + 1), 1),
        lambda m, g: m.poisson(m.rand(5, 4) * 50, g),
        lambda m, g: m.poisson(m.tensor([-1.0])),
        lambda m, g: m.binomial(m.full((5, 1), 200.0), m.rand(4), generator=g),
        lambda m, g: m.binomial(m.ones(3), m.ones(3, dtype=m.float64)),
        lambda m, g: m.binomial(m.ones(3), m.ones(2)),
        lambda m, g: m._standard_gamma(m.rand(50) * 5, generator=g),
    )


def of_leaf(draw, back=True):
    """A draw around a leaf, its gradient if that is wanted."""

    def run(m, g):
        leaf = m.full((3,), 0.5, requires_grad=True)
        made = draw(m, leaf)
        if back:
            made.sum().backward()
        return made, leaf.grad

    return run


def test_gradients():
    """Draws have no gradient in what they are drawn from, or none that torch knows."""
    for draw in (
        lambda m, x: m.bernoulli(x),
        lambda m, x: m.bernoulli(x, 0.5),
        lambda m, x: m.normal(x, 1.0),
        lambda m, x: m.normal(0.0, x),
        lambda m, x: m.normal(x[:1], x),
        lambda m, x: m.poisson(x),
        lambda m, x: m.binomial(m.ones(3), x),
        lambda m, x: m._sample_dirichlet(x),
    ):
        drawn_alike(of_leaf(draw), of_leaf(draw, back=False))


ALPHA = np.repeat([0.05, 0.3, 0.9, 1.5, 4.0, 12.0, 60.0], 20)


def gamma_and_gradient(m):
    m.manual_seed(0)
    leaf = m.tensor(ALPHA, requires_grad=True)
    made = m._standard_gamma(leaf)
    made.sum().backward()
    return made.detach().numpy(), leaf.grad.numpy()


def test_gradient_of_gamma():
    np.testing.assert_allclose(gamma_and_gradient(jtorch)[1], gamma_and_gradient(torch)[1], rtol=1e-6)


def test_gradient_of_gamma_is_the_derivative():
    """With F(x, alpha) held, x moves by -F_alpha / F_x: by differences of F, and by its density."""
    made, found = gamma_and_gradient(jtorch)
    alpha, x, step = torch.tensor(ALPHA), torch.tensor(made), torch.tensor(ALPHA) * 1e-5
    slope = (torch.special.gammainc(alpha + step, x) - torch.special.gammainc(alpha - step, x)) / (2 * step)
    density = torch.exp((alpha - 1) * torch.log(x) - x - torch.lgamma(alpha))
    np.testing.assert_allclose(found, (-slope / density).numpy(), rtol=1e-5)


def test_meta():
    drawn_alike(
        lambda m, g: m.rand(3, device="meta"),
        lambda m, g: m.randint(5, (3,), device="meta"),
        lambda m, g: m.randperm(5, device="meta"),
        lambda m, g: m.bernoulli(m.zeros(3, device="meta")),
        lambda m, g: m.multinomial(m.ones(3, device="meta"), 2),
        lambda m, g: m.rand(3, device="meta", generator=g),
    )


def test_default_dtype():
    def drawn(m, g):
        m.set_default_dtype(m.float64)
        try:
            return m.rand(3), m.randn(20), m.normal(0.0, 1.0, (3,)), m.randint(0, 5, (3,))
        finally:
            m.set_default_dtype(m.float32)

    drawn_alike(drawn)


@pytest.mark.parametrize(
    "call",
    [
        lambda m: m.rand(), lambda m: m.rand(2.0), lambda m: m.rand(3, foo=1), lambda m: m.rand(3, generator=5),
        lambda m: m.rand(3, dtype="float32"), lambda m: m.randint(5), lambda m: m.randint(5, 3),
        lambda m: m.randint(0, 5, 3), lambda m: m.randint(0.5, 3, (2,)), lambda m: m.randint(True, 5, (3,)),
        lambda m: m.randperm(5.0), lambda m: m.randperm(True), lambda m: m.normal(), lambda m: m.normal(0.0),
        lambda m: m.normal(0.0, 1.0, 3), lambda m: m.normal("a", 1.0),
    ],
)  # fmt: skip
def test_refusals(call):
    """The words are those of torch's argument parser; here only that there is a TypeError."""
    for module in (torch, jtorch):
        with pytest.raises(TypeError):
            call(module)


def test_normal_does_not_ask_the_default_device():
    def fn(torch):
        with torch.device("meta"):
            return torch.normal(0.0, 1.0, (2,)).device.type

    same(fn)
