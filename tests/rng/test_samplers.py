"""Samplers draw torch's numbers, to the last bit and in step."""

import warnings

import numpy as np
import pytest
import torch

from jtorch import dtypes
from jtorch.rng import samplers
from jtorch.rng.generator import Generator
from tests.rng.draws import FLOATS, INTS, Pair, array, assert_same_bits, avx2_roundings, same_error

pytestmark = avx2_roundings
SEEDS = (0, 5, 2**32 + 7, -1)
SIZES = (0, 1, 2, 3, 15, 16, 17, 31, 33, 1000, 8193, 20001)


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize(
    ("kind", "params"),
    [
        ("uniform", ()), ("uniform", (-0.3, 1.7)), ("uniform", (1.0, 1.0)), ("uniform", (-2e4, 3e4)),
        ("normal", ()), ("normal", (0.1, 1.7)), ("normal", (3.0, 0.0)), ("normal", (-2.0, 1e-3)),
        ("log_normal", ()), ("log_normal", (0.1, 0.7)),
        ("cauchy", ()), ("cauchy", (0.1, 1.3)), ("geometric", (0.3,)), ("geometric", (0.999,)), ("random", ()),
    ],
)  # fmt: skip
def test_draws(kind, params, dtype):
    for seed in SEEDS:
        pair = Pair(seed)
        for size in SIZES:
            pair.fill(kind, (size,), dtype, *params)
        pair.assert_in_step()


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("lambd", [1.0, 1.3, 1e-3, float("inf")])
def test_exponential(dtype, lambd):
    pair = Pair(5)
    for size in SIZES:
        pair.fill("exponential", (size,), dtype, lambd)
    pair.assert_in_step()


@pytest.mark.parametrize("dtype", ["float32", "float64", "float16", "bfloat16"])
def test_uniform_never_gives_its_upper_bound(dtype):
    # Two numbers of the dtype lie in [1, high]: half of the draws round up to high and are given as 1.
    high = 1 + 2 * float(torch.finfo(getattr(torch, dtype)).eps)
    pair = Pair(3)
    pair.fill("uniform", (5000,), dtype, 1.0, high)
    drawn = samplers.uniform(pair.mine, (5000,), dtypes.by_name(dtype), 1.0, high)
    assert (drawn < high).all()


@pytest.mark.parametrize("dtype", ["complex64", "complex128"])
@pytest.mark.parametrize("shape", [(), (3,), (8,), (5, 7)])
def test_complex(dtype, shape):
    pair = Pair(1)
    pair.fill("normal", shape, dtype)
    pair.fill("normal", shape, dtype, 1.0, 2.0)
    pair.fill("uniform", shape, dtype)
    pair.fill("uniform", shape, dtype, -1.0, 2.0)
    pair.assert_in_step()


@pytest.mark.parametrize("dtype", ["float32", "float64", "float16"])
def test_normal_of_a_strided_tensor_is_drawn_one_by_one(dtype):
    pair = Pair(2)
    for size in (15, 33):
        theirs = torch.empty(size, 2, dtype=getattr(torch, dtype))[:, 0].normal_(0.5, 2.0, generator=pair.torch)
        mine = samplers.normal(pair.mine, (size,), dtypes.by_name(dtype), 0.5, 2.0, contiguous=False)
        assert_same_bits(mine, theirs)
    pair.assert_in_step()


@pytest.mark.parametrize("dtype", INTS)
def test_geometric_of_integers(dtype):
    pair = Pair(4)
    pair.fill("geometric", (1000,), dtype, 0.2)
    pair.assert_in_step()


@pytest.mark.parametrize("dtype", (*FLOATS, *INTS, "bool"))
@pytest.mark.parametrize("p", [0.0, 0.3, 1.0])
def test_bernoulli_of_a_number(dtype, p):
    pair = Pair(6)
    for size in SIZES:
        pair.bernoulli((size,), dtype, p)
    pair.assert_in_step()


@pytest.mark.parametrize("dtype", ("float32", "float64", "int64", "bool"))
@pytest.mark.parametrize("p_dtype", FLOATS)
def test_bernoulli_of_a_tensor(dtype, p_dtype):
    pair = Pair(6)
    p = torch.linspace(0, 1, 100, dtype=getattr(torch, p_dtype))
    pair.bernoulli((100,), dtype, p)
    pair.bernoulli((7, 100), dtype, p)
    pair.bernoulli((7, 4), dtype, p[40])
    pair.assert_in_step()


def test_dropout_draws_as_bernoulli():
    torch.manual_seed(11)
    theirs = torch.nn.functional.dropout(torch.ones(37, 5), 0.3)
    kept = samplers.bernoulli(Generator().manual_seed(11), (37, 5), dtypes.float32, 1 - 0.3)
    np.testing.assert_array_equal(kept, (theirs != 0).numpy())


WEIGHTS = [(1,), (7,), (3, 50), (2, 1), (4, 5000)]


@pytest.mark.parametrize("dtype", ("float32", "float64", "float16"))
@pytest.mark.parametrize("shape", WEIGHTS)
def test_multinomial_without_replacement(dtype, shape):
    pair = Pair(8)
    weights = torch.rand(shape, dtype=getattr(torch, dtype), generator=pair.torch) + 0.1
    samplers.uniform(pair.mine, shape, dtypes.by_name(dtype))
    for count in {1, min(2, shape[-1]), shape[-1] if dtype != "float16" else 1}:
        pair.multinomial(weights, count, False)
    pair.multinomial(weights, 1, True)
    pair.assert_in_step()


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("shape", WEIGHTS)
def test_multinomial_with_replacement(dtype, shape):
    pair = Pair(9)
    weights = torch.rand(shape, dtype=getattr(torch, dtype), generator=pair.torch)
    samplers.uniform(pair.mine, shape, dtypes.by_name(dtype))
    weights[..., ::3] *= 0 if shape[-1] > 3 else 1
    for count in (2, 300):
        pair.multinomial(weights, count, True)
    pair.assert_in_step()


def test_mixed_draws_stay_in_step():
    """One generator through 600 draws of all kinds: words, pairs, blocks and the kept normal never come apart."""
    for seed in (0, 123456789):
        pair, pick = Pair(seed), np.random.default_rng(seed)
        for _ in range(300):
            dtype, size = pick.choice(FLOATS), int(pick.integers(0, 40))
            kind, params = [
                ("uniform", (-1.0, 2.0)), ("normal", ()), ("normal", (1.0, 3.0)), ("log_normal", (0.0, 0.5)),
                ("cauchy", ()), ("random", (-9, 90)), ("geometric", (0.4,)), ("perm", ()), ("bernoulli", ()),
            ][pick.integers(9)]  # fmt: skip
            if kind == "perm":
                pair.perm(size)
            elif kind == "bernoulli":
                pair.bernoulli((size,), dtype, torch.full((size,), 0.3))
            else:
                pair.fill(kind, (size,), dtype, *params)
        pair.assert_in_step()


def torch_call(kind, dtype, *params):
    return getattr(torch.empty(3, dtype=getattr(torch, dtype)), f"{kind}_")(*params)


@pytest.mark.parametrize(
    ("kind", "dtype", "params"),
    [
        ("uniform", "float32", (1.0, 0.0)), ("uniform", "float32", (0.0, float("inf"))),
        ("uniform", "float32", (0.0, float("nan"))), ("uniform", "float32", (-3e38, 3e38)),
        ("uniform", "float16", (0.0, 1e5)), ("uniform", "int64", ()), ("uniform", "bool", ()),
        ("uniform", "float8_e4m3fn", ()),
        ("normal", "float32", (0.0, -1.0)), ("normal", "float32", (0.0, float("nan"))), ("normal", "int64", ()),
        ("normal", "bool", ()), ("normal", "float8_e5m2", ()),
        ("log_normal", "float32", (0.0, 0.0)), ("log_normal", "float32", (0.0, -1.0)), ("log_normal", "int64", ()),
        ("log_normal", "complex64", ()),
        ("exponential", "float32", (0.0,)), ("exponential", "float32", (-1.0,)), ("exponential", "int64", ()),
        ("exponential", "bool", ()), ("exponential", "complex64", ()), ("exponential", "float8_e4m3fn", ()),
        ("cauchy", "float32", (0.0, 0.0)), ("cauchy", "int64", ()), ("cauchy", "complex64", ()),
        ("cauchy", "int16", ()), ("cauchy", "float8_e4m3fn", ()),
        ("geometric", "float32", (0.0,)), ("geometric", "float32", (1.0,)), ("geometric", "bool", (0.5,)),
        ("geometric", "complex64", (0.5,)), ("geometric", "uint16", (0.5,)),
    ],
)  # fmt: skip
def test_errors(kind, dtype, params):
    same_error(
        lambda: getattr(samplers, kind)(Generator(), (3,), dtypes.by_name(dtype), *params),
        lambda: torch_call(kind, dtype, *params),
    )


@pytest.mark.parametrize("p", [2.0, -0.1, float("nan"), [0.1, 2.0, 0.3], [0.1, float("nan"), 0.3], [1, 0, 1]])
@pytest.mark.parametrize("dtype", ["float32", "complex64", "uint16"])
def test_bernoulli_errors(p, dtype):
    theirs = torch.tensor(p) if isinstance(p, list) else p
    mine = array(theirs) if isinstance(p, list) else p
    same_error(
        lambda: samplers.bernoulli(Generator(), (3,), dtypes.by_name(dtype), mine),
        lambda: torch_call("bernoulli", dtype, theirs),
    )


@pytest.mark.parametrize(
    ("weights", "count", "replacement"),
    [
        ([0.0, 0.0], 1, False), ([-1.0, 2.0], 1, False), ([float("inf"), 2.0], 1, False),
        ([float("nan"), 2.0], 1, False), ([1.0, 2.0], 3, False), ([1.0, 2.0], 0, False), ([1.0, 2.0], -1, True),
        ([1, 2], 1, False), (1.0, 1, False), ([[[1.0]]], 1, False), ([], 1, False), ([0.0, 0.0], 3, True),
        ([-1.0, 2.0], 3, True), ([float("inf"), 2.0], 3, True), ([1 + 0j, 2], 3, True),
    ],
)  # fmt: skip
def test_multinomial_errors(weights, count, replacement):
    weights = torch.tensor(weights)
    same_error(
        lambda: samplers.multinomial(Generator(), array(weights), count, replacement),
        lambda: torch.multinomial(weights, count, replacement),
    )


def test_multinomial_of_no_rows():
    drawn = samplers.multinomial(Generator(), np.zeros((0, 3), np.float32), 1)
    assert_same_bits(drawn, torch.multinomial(torch.zeros(0, 3), 1))


def test_no_numpy_warnings():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        g = Generator().manual_seed(0)
        samplers.log_normal(g, (1000,), dtypes.float16, 0.0, 10.0)
        samplers.cauchy(g, (10000,), dtypes.float16, 0.0, 1e4)
        samplers.geometric(g, (1000,), dtypes.uint8, 0.001)
        samplers.multinomial(g, np.array([0.0, 1.0, 0.0], np.float32), 2)
        samplers.exponential(g, (1000,), dtypes.float16, 1e-7)
