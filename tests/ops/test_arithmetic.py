"""Arithmetic beside torch: promotion, numbers, signs of remainders, gradients at edges, refusals."""

import numpy as np
import pytest

from tests.edges import binary, extremes, ordinary, values
from tests.oracle import check, same_error

FOUR = ["add", "sub", "mul", "div"]
EXACT = ["floor_divide", "fmod", "remainder"]
DTYPES = ["float32", "float64", "bfloat16", "int64", "int32", "uint8", "bool", "complex64"]


@pytest.mark.parametrize("name", FOUR)
@pytest.mark.parametrize("dtype", ["float32", "float64", "int64", "uint8"])
def test_two_tensors(name, dtype):
    check(name, *binary(dtype)["values"])
    check(name, *binary(dtype)["broadcast"])


def test_layouts():
    pairs = binary("float32")
    a, b = pairs.pop("extremes")
    check("mul", a, b, grad=False)
    # Their rows' sums are infinite or nan by the order in which they are added: gradients without sums.
    check("mul", *map(np.copy, np.broadcast_arrays(a, b)))
    for a, b in pairs.values():
        check("mul", a, b)


@pytest.mark.parametrize("name", ["mul", "div"])
@pytest.mark.parametrize("a", DTYPES)
@pytest.mark.parametrize("b", DTYPES)
def test_promotion(name, a, b):
    check(name, ordinary((3,), a), ordinary((3,), b, 1) if b != "bool" else np.array([True] * 3), grad=False)


@pytest.mark.parametrize("name", ["mul", "div"])
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("number", [-3, 2.5, True, 1j])
def test_numbers(name, dtype, number):
    check(name, ordinary((3,), dtype), number)
    check(name, number, ordinary((3,), dtype) if name != "div" else values(dtype)[1:3])


@pytest.mark.parametrize("dtype", DTYPES)
def test_tensors_without_dims_are_weak(dtype):
    check("mul", ordinary((3,), dtype), np.array(2.0))
    check("mul", ordinary((3,), dtype), np.array(2))
    check("add", np.array(2.0), ordinary((1,), dtype).reshape(()))


@pytest.mark.parametrize("name", EXACT)
@pytest.mark.parametrize("dtype", ["int64", "int32", "uint8", "float32", "float64"])
def test_whole_quotients(name, dtype):
    a, b = np.meshgrid(values(dtype), values(dtype))
    if np.dtype(dtype).kind in "iu":
        a, b = a[b != 0], b[b != 0]
    check(name, a, b, grad=False)
    check(name, a, 3, grad=False)
    check(name, a, -3 if dtype != "uint8" else 5, grad=False)


@pytest.mark.parametrize("name", ["fmod", "remainder"])
def test_slopes_of_remainders(name):
    check(name, ordinary((6,), "float64") * 5, ordinary((6,), "float64", 1))
    check(name, ordinary((6,), "float64") * 5, 2)


@pytest.mark.parametrize("mode", [None, "floor", "trunc"])
@pytest.mark.parametrize("dtype", ["float32", "float64", "int64", "int32", "uint8"])
def test_rounding_modes(mode, dtype):
    a, b = ordinary((4, 5), dtype), np.where(ordinary((5,), dtype, 1) == 0, 3, ordinary((5,), dtype, 1)).astype(dtype)
    check("div", a, b, rounding_mode=mode, grad_fn=mode is not None)
    check("div", a * 7, 2, rounding_mode=mode, grad_fn=mode is not None)


def test_rounding_mode_is_checked():
    check("div", np.ones(2), np.ones(2), rounding_mode="up")


def test_a_number_over_itself_is_1():
    x = ordinary((50,), "float32")
    check("div", x[:, None], x, exact=True, grad=False)
    check("div", x, float(x[0]), exact=True, grad=False)


@pytest.mark.parametrize("name", FOUR)
def test_broadcast_gradients(name):
    check(name, ordinary((2, 1, 4), "float64"), ordinary((3, 1), "float64", 1) + 3, grad=2)


@pytest.mark.parametrize("name", [*FOUR, "maximum", "pow", "atan2"])
def test_sizes_must_match(name):
    check(name, ordinary((2, 3), "float32"), ordinary((2, 4), "float32"))
    check(name, ordinary((3, 1, 3), "float32"), ordinary((2, 3), "float32"))


@pytest.mark.parametrize("name", ["add", "sub"])
@pytest.mark.parametrize("alpha", [2, -1.5, True, 2j])
@pytest.mark.parametrize("dtype", ["float32", "int64", "bool", "complex64", "bfloat16"])
def test_alpha(name, alpha, dtype):
    check(name, ordinary((3,), dtype), ordinary((3,), dtype, 1), alpha=alpha)


def test_bool_has_no_difference():
    yes = np.array([True, False])
    for other in (yes, True, 1, 2.5, np.ones(2)):
        check("sub", yes, other)
        check(lambda torch, a, b: b - a, yes, other)
        check(lambda torch, a, b: a - b, yes, other)


REFLECTED = [
    lambda torch, x: 1 - x, lambda torch, x: 2 / x, lambda torch, x: 2**x, lambda torch, x: 2.5 * x,
    lambda torch, x: 3 + x, lambda torch, x: True + x,
]  # fmt: skip


@pytest.mark.parametrize("reflected", REFLECTED)
@pytest.mark.parametrize("dtype", ["float32", "int64", "uint8"])
def test_reflected_operators(reflected, dtype):
    check(reflected, values(dtype)[1:6])


@pytest.mark.parametrize("dtype", ["float32", "int64"])
def test_operators(dtype):
    a, b = ordinary((4,), dtype), ordinary((4,), dtype, 1)
    b[b == 0] = 5
    check(lambda torch, a, b: (a + b, a - b, a * b, a / b), a, b)
    check(lambda torch, a, b: (a // b, a % b, 7 // b, 7 % b), a, b, grad=False, grad_fn=False)


def test_floor_division_has_no_gradient():
    check("floor_divide", ordinary((3,), "float32"), 2)
    check(lambda torch, x: x // 2, ordinary((3,), "float32"))


@pytest.mark.parametrize("name", ["add_", "sub_", "mul_", "div_"])
def test_in_place(name):
    check(f"Tensor.{name}", ordinary((2, 3), "float32"), ordinary((3,), "float32", 1))
    check(f"Tensor.{name}", ordinary((2, 3), "float32"), 2)
    check(f"Tensor.{name}", ordinary((3,), "float32"), ordinary((2, 3), "float32"))
    check(f"Tensor.{name}", ordinary((3,), "int64"), 2.5)


@pytest.mark.parametrize("name", ["add_", "sub_", "mul_", "div_"])
def test_in_place_with_a_wider_dtype(name):
    check(f"Tensor.{name}", ordinary((3,), "float32"), ordinary((3,), "float64"), grad_fn=False)


def test_augmented_assignment():
    def augmented(torch, x, y):
        x = x.clone()
        x += y
        x -= 2
        x *= y
        x /= 3
        return x

    check(augmented, ordinary((3,), "float32"), ordinary((3,), "float32", 1))


@pytest.mark.parametrize("dtype", ["float32", "float64", "bfloat16", "int64", "complex64"])
def test_addcmul(dtype):
    a, b, c = (ordinary((3,), dtype, seed) for seed in range(3))
    check("addcmul", a, b, c)
    check("addcmul", a, b, c, value=2)
    check("addcmul", a[:, None], b, c[:1])


@pytest.mark.parametrize("dtype", ["float32", "float64", "int64"])
def test_addcdiv(dtype):
    a, b = ordinary((3,), dtype), ordinary((3,), dtype, 1)
    check("addcdiv", a, b, b + 20)
    check("addcdiv", a, b, b.astype(np.float32) + 20, value=0.5)


@pytest.mark.parametrize("weight", [0, 0.2, 0.5, 0.8, 1, 2.0, -1.0])
def test_lerp(weight):
    a, b = ordinary((3,), "float32"), ordinary((3,), "float32", 1)
    check("lerp", a, b, weight, exact=weight in (0, 1))
    check("lerp", a, b, np.full(3, weight, np.float32))
    check("lerp", ordinary((2, 3), "complex64"), ordinary((3,), "complex64"), weight)


def test_lerp_wants_one_dtype():
    check("lerp", ordinary((3,), "float32"), ordinary((3,), "float64"), 0.5)
    check("lerp", ordinary((3,), "float32"), ordinary((3,), "float32"), ordinary((3,), "float64"))


@pytest.mark.parametrize("dtype", ["int64", "int32", "uint8"])
def test_common_divisors(dtype):
    a, b = ordinary((20,), dtype) * 6, ordinary((20,), dtype, 1) * 4
    check("gcd", a, b)
    check("lcm", a, b)


@pytest.mark.parametrize("name", ["hypot", "atan2", "logaddexp", "logaddexp2", "copysign", "ldexp"])
def test_pairs(name):
    check(name, ordinary((3, 1), "float64"), ordinary((4,), "float64", 1), grad=2 if name != "copysign" else True)
    edge = np.array([0.0, -0.0, 1.0, -1.0, np.inf, -np.inf, np.nan])
    check(name, edge[:, None], edge)


def test_pairs_at_the_limits():
    check("nextafter", values("float32")[:, None], extremes("float32"), grad=False)
    check("ldexp", np.ones(3, np.float32), np.array([130, -150, 3]), grad=False)


@pytest.mark.parametrize("name", ["hypot", "gcd", "floor_divide", "atan2", "bitwise_and"])
def test_kernels_that_do_not_exist(name):
    same_error(lambda torch: getattr(torch, name)(torch.tensor([1j]), torch.tensor([2j])), text=False)
