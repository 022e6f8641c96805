"""nn.init gives torch's numbers from the same seed, and draws no more and no fewer of them."""

import warnings

import numpy as np
import pytest
import torch

import jtorch
from jtorch import _tensor
from tests.labels import label
from tests.rng.draws import FLOATS, array, avx2_roundings

pytestmark = avx2_roundings

SHAPES = [(3, 4), (20, 30), (64, 3, 3, 3), (12, 5, 7), (5, 0), (7,), ()]
BOUNDS = [
    (), (0.0, 0.02), (0.0, 1.0, -0.3, 0.9), (0.0, 1.0, 0.1, 0.2), (0.0, 1.0, 2.0, 3.0), (0.5, 2.0, -1.0, 0.0),
    (5.0, 1.0, -2.0, 2.0), (-5.0, 1.0, -2.0, 2.0),
]  # fmt: skip


def both(name, make, *args, **kwargs):
    """Run an initialiser on both sides from one seed: (result or error, warnings, state) of each."""
    sides = []
    for module in (torch, jtorch):
        module.manual_seed(3)
        tensor = make(module)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            try:
                result = getattr(module.nn.init, name)(tensor, *args, **kwargs)
                assert result is tensor
            except Exception as error:
                result = error
        state = module.get_rng_state().numpy()
        sides.append((result, [(w.category, str(w.message)) for w in caught], state))
    return sides


def assert_same(name, make, *args, rtol=0.0, **kwargs):
    """The same values (to the last bit, unless rtol is given), errors, warnings and random state afterwards."""
    (theirs, their_warnings, their_state), (mine, my_warnings, my_state) = both(name, make, *args, **kwargs)
    assert my_warnings == their_warnings
    if isinstance(theirs, Exception) or isinstance(mine, Exception):
        assert (type(mine), str(mine)) == (type(theirs), str(theirs))
        return
    found, expected = _tensor.host(mine), array(theirs.detach())
    assert found.dtype == expected.dtype
    assert found.shape == expected.shape
    if rtol:
        np.testing.assert_allclose(found, expected, rtol=0, atol=rtol)
    else:
        assert found.tobytes() == np.ascontiguousarray(expected).tobytes()
    np.testing.assert_array_equal(my_state, their_state)


def filled(shape, dtype="float32"):
    """A maker of the same tensor for either module."""
    return lambda module: module.full(shape, 7.0, dtype=getattr(module, dtype))


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("shape", SHAPES, ids=label)
@pytest.mark.parametrize(
    ("name", "args"),
    [
        ("uniform_", ()), ("uniform_", (-0.1, 0.3)), ("normal_", ()), ("normal_", (0.1, 0.3)), ("constant_", (0.3,)),
        ("ones_", ()), ("zeros_", ()), ("eye_", ()), ("dirac_", ()), ("xavier_uniform_", ()), ("xavier_normal_", ()),
        ("xavier_uniform_", (2.0,)), ("kaiming_uniform_", ()), ("kaiming_normal_", ()),
        ("kaiming_uniform_", (5**0.5,)), ("kaiming_normal_", (0, "fan_out", "relu")), ("sparse_", (0.3,)),
        ("sparse_", (0.5, 2.0)),
    ],
)  # fmt: skip
def test_values(name, args, shape, dtype):
    assert_same(name, filled(shape, dtype), *args)


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("bounds", BOUNDS, ids=label)
def test_trunc_normal(bounds, dtype):
    for shape in SHAPES:
        assert_same("trunc_normal_", filled(shape, dtype), *bounds)


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("shape", [*SHAPES, (30, 4), (3, 4, 5)], ids=label)
def test_orthogonal(shape, dtype):
    # The same draws, factorised by another LAPACK: equal to the dtype's precision.
    tolerance = {"float32": 1e-6, "float64": 1e-14}.get(dtype, 0.0)
    assert_same("orthogonal_", filled(shape, dtype), rtol=tolerance)
    assert_same("orthogonal_", filled(shape, dtype), 2.0, rtol=2 * tolerance)


@pytest.mark.parametrize(("shape", "groups"), [((6, 3, 3), 2), ((6, 3, 3, 3), 3), ((6, 3, 2, 3, 4), 1), ((6, 3, 3), 4)])
def test_dirac_groups(shape, groups):
    assert_same("dirac_", filled(shape), groups)


@pytest.mark.parametrize(
    ("name", "args"),
    [
        ("kaiming_uniform_", (0, "foo")), ("kaiming_normal_", (0, "fan_in", "foo")), ("kaiming_normal_", ("x",)),
        ("kaiming_uniform_", (0, "FAN_OUT")), ("normal_", (0.0, -1.0)), ("uniform_", (1.0, 0.0)),
    ],
)  # fmt: skip
def test_errors(name, args):
    assert_same(name, filled((4, 6)), *args)


@pytest.mark.parametrize(
    ("name", "args"),
    [
        ("uniform", (0.0, 2.0)), ("normal", ()), ("constant", (1.0,)), ("eye", ()), ("xavier_uniform", ()),
        ("xavier_normal", ()), ("kaiming_uniform", ()), ("kaiming_normal", ()), ("sparse", (0.5,)),
    ],
)  # fmt: skip
def test_old_names_warn(name, args):
    assert_same(name, filled((8, 9)), *args)


def test_old_names_that_need_other_shapes_or_a_tolerance():
    assert_same("dirac", filled((8, 9, 3)))
    assert_same("orthogonal", filled((8, 9)), rtol=1e-6)


@pytest.mark.parametrize("name", ["uniform_", "normal_", "xavier_uniform_", "kaiming_normal_", "trunc_normal_"])
@pytest.mark.parametrize(
    "make",
    [
        lambda module: module.zeros(4, 9).t(),
        lambda module: module.zeros(40, 3, 2).select(1, 1),
        lambda module: module.zeros(20, 30).as_strided((10, 10), (3, 60), 1),
        lambda module: module.zeros(2, 3, 4, 5).permute(2, 0, 3, 1),
        lambda module: module.nn.Parameter(module.zeros(30, 40)),
    ],
)
def test_views_and_parameters(name, make):
    assert_same(name, make)


@pytest.mark.parametrize("name", ["uniform_", "normal_", "trunc_normal_", "xavier_uniform_", "orthogonal_", "sparse_"])
def test_a_generator_of_ones_own(name):
    drawn = []
    for module in (torch, jtorch):
        module.manual_seed(0)
        generator = module.Generator().manual_seed(99)
        args = (0.25,) if name == "sparse_" else ()
        drawn.append(getattr(module.nn.init, name)(module.zeros(20, 30), *args, generator=generator).numpy())
        drawn.append(module.get_rng_state().numpy())
        drawn.append(generator.get_state().numpy())
    np.testing.assert_allclose(drawn[3], drawn[0], rtol=0, atol=1e-6 if name == "orthogonal_" else 0)
    np.testing.assert_array_equal(drawn[4], drawn[1])
    np.testing.assert_array_equal(drawn[5], drawn[2])


def test_a_leaf_stays_a_leaf():
    weight = jtorch.nn.Parameter(jtorch.zeros(5, 6))
    for name in ("uniform_", "trunc_normal_", "orthogonal_", "eye_", "ones_"):
        assert getattr(jtorch.nn.init, name)(weight) is weight
        assert weight.is_leaf
        assert weight.requires_grad
        assert weight.grad_fn is None


@pytest.mark.parametrize(
    "args",
    [("linear",), ("conv2d",), ("sigmoid",), ("tanh",), ("relu",), ("leaky_relu",), ("leaky_relu", 0.2),
     ("leaky_relu", 3), ("leaky_relu", True), ("leaky_relu", "a"), ("selu",), ("gelu",), ("relu", 5)],
)  # fmt: skip
def test_gain(args):
    outcomes = []
    for module in (torch, jtorch):
        try:
            outcomes.append(module.nn.init.calculate_gain(*args))
        except ValueError as error:
            outcomes.append(str(error))
    assert outcomes[0] == outcomes[1]


@pytest.mark.parametrize("shape", [(3, 4), (6, 5, 2, 3), (3, 0)])
def test_fans(shape):
    fans = jtorch.nn.init._calculate_fan_in_and_fan_out(jtorch.zeros(shape))
    assert fans == torch.nn.init._calculate_fan_in_and_fan_out(torch.zeros(shape))


def test_public_names():
    assert set(torch.nn.init.__all__) == set(jtorch.nn.init.__all__)
