"""Every operator on every pair of dtypes, as tensors, 0-d tensors and Python numbers: result dtype, error, values."""

import operator

import numpy as np
import pytest
import torch

import jtorch
from tests.oracle import COMPLEX, FLOATS, INTS, same, same_error

ORDINARY = ("bool", *INTS, *FLOATS, *COMPLEX)
BARE = (
    "uint16", "uint32", "uint64", "float8_e4m3fn", "float8_e5m2", "float8_e4m3fnuz", "float8_e5m2fnuz",
    "float8_e8m0fnu",
)  # fmt: skip
ARITHMETIC = ("add", "sub", "mul", "truediv", "floordiv", "mod", "pow")
BITS = ("and_", "or_", "xor", "lshift", "rshift")
ORDER = ("eq", "ne", "lt", "le", "gt", "ge")
IN_PLACE = tuple(f"i{name.strip('_')}" for name in (*ARITHMETIC, *BITS))
PYTHON = (True, 3, 2.5, 1.5j)

# Result dtype, shape and error: known without running anything.

MATRIX = [(name, d) for name in (*ORDINARY, *BARE) for d in (0, 1)]


def operands(module):
    """{(dtype, ndim): tensor} of 2s, and the Python numbers."""
    made = {(name, d): module.full((3,) * d, 2.0).to(getattr(module, name)) for name, d in MATRIX}
    return made | {number: number for number in PYTHON}


THEIRS, OURS = operands(torch), operands(jtorch)


def facts(module, fn, a, b, copied=False):
    """(dtype, shape) of a result, or the class and words of the error."""
    try:
        made = fn(a.clone() if copied else a, b)
    except Exception as error:
        return f"{type(error).__name__}: {str(error).splitlines()[0]}"
    return (str(made.dtype), tuple(made.shape)) if isinstance(made, module.Tensor) else repr(made)


def excused(theirs, ours):
    """Whether a difference is allowed: torch has no kernel for a bare dtype, or its result is a complex32."""
    if "complex32" in str(theirs) or "ComplexHalf" in str(theirs):
        return True  # test_half_with_a_complex_number
    missing = str(theirs).partition(" not implemented for ")[2].strip("'")
    if missing not in LABELS:
        return False
    return isinstance(ours, tuple) or str(ours).endswith(f" not implemented for '{missing}'")


LABELS = {getattr(jtorch, name).label for name in BARE}


@pytest.mark.parametrize("name", [*ARITHMETIC, *BITS, *ORDER, "matmul", *IN_PLACE])
def test_dtypes_and_errors(name):
    fn, copied = getattr(operator, name), name in IN_PLACE
    pairs = [(a, b) for a in MATRIX for b in (*MATRIX, *PYTHON)]
    if not copied:
        pairs += [(a, b) for a in PYTHON for b in MATRIX]
    wrong = []
    for a, b in pairs:
        theirs = facts(torch, fn, THEIRS[a], THEIRS[b], copied)
        ours = facts(jtorch, fn, OURS[a], OURS[b], copied)
        if theirs != ours and not excused(theirs, ours):
            wrong.append(f"{a} {name} {b}\n  torch  {theirs}\n  jtorch {ours}")
    assert not wrong, f"{len(wrong)} of {len(pairs)}:\n" + "\n".join(wrong[:20])
    assert len(pairs) == (40 * 48 if not copied else 40 * 44)


@pytest.mark.parametrize("fn", [operator.add, operator.mul, torch.result_type])
def test_half_with_a_complex_number(fn):
    name = getattr(fn, "__name__", "")
    same(lambda torch: str(getattr(torch, name)(torch.ones(2, dtype=torch.float16), 1j)))


# Values.


def points(name, nonzero=False):
    """Values at which operators turn, wrap, overflow or are undefined."""
    if name == "bool":
        return [True] if nonzero else [False, True]
    if name in COMPLEX:
        return [0j, 1 + 0j, -1j, 0.5 + 2j, -2 - 3j, complex("nan"), complex("inf")]
    if name in INTS:
        low, high = np.iinfo(name).min, np.iinfo(name).max
        found = [0, 1, 2, 3, 7, high, high - 1, *([-1, -2, -7, low, low + 1] if low else [])]
        return [n for n in found if n or not nonzero]
    inf = float("inf")
    return [0.0, -0.0, 1.0, -1.0, 0.5, 2.5, -2.5, 7.0, -7.3, 100.0, -1000.0, inf, -inf, float("nan")]


def tensor(module, name, nonzero=False):
    return module.tensor(points(name, nonzero), dtype=getattr(module, name))


def outcome(fn, a, b):
    """A result, or the class and words of the error."""
    try:
        return fn(a, b)
    except Exception as error:
        return f"{type(error).__name__}: {str(error).splitlines()[0]}"


def whole(name):
    """Whether an operator divides integers, which torch refuses for a divisor of 0."""
    return name in ("floordiv", "mod", "ifloordiv", "imod")


@pytest.mark.parametrize("name", [*ARITHMETIC, *BITS, *ORDER])
def test_values(name):
    fn = getattr(operator, name)

    def table(module):
        return {
            dtype: outcome(fn, tensor(module, dtype)[:, None], tensor(module, dtype, whole(name)))
            for dtype in ORDINARY
        }  # fmt: skip

    same(table)


@pytest.mark.parametrize("name", ["mul", "lt"])
def test_values_of_mixtures(name):
    fn = getattr(operator, name)

    def table(module):
        return {
            (a, b): outcome(fn, tensor(module, a)[:, None], tensor(module, b))
            for a in ORDINARY for b in ORDINARY if a != b
        }  # fmt: skip

    same(table)


NUMBERS = (True, 0, -3, 300, 2**40, 0.1, 1e40, float("nan"), 0.5 + 2j)
SOME = ("bool", "uint8", "int8", "int64", "float16", "bfloat16", "float32", "complex64")


@pytest.mark.parametrize("name", ["mul", "truediv", "floordiv", "mod", "pow", "lshift", "lt"])
def test_values_with_numbers_on_the_right(name):
    fn = getattr(operator, name)
    same(lambda torch: {
        (dtype, n): outcome(fn, tensor(torch, dtype), n)
        for dtype in SOME for n in NUMBERS if (dtype, type(n)) != ("float16", complex)
    })  # fmt: skip


@pytest.mark.parametrize("name", ["sub", "truediv", "pow"])
def test_values_with_numbers_on_the_left(name):
    fn = getattr(operator, name)
    same(lambda torch: {
        (n, dtype): outcome(fn, n, tensor(torch, dtype, whole(name)))
        for dtype in SOME for n in NUMBERS if (dtype, type(n)) != ("float16", complex)
    })  # fmt: skip


@pytest.mark.parametrize("name", ["iadd", "itruediv", "ipow"])
def test_values_in_place(name):
    fn = getattr(operator, name)
    same(lambda torch: {
        (dtype, n): outcome(fn, tensor(torch, dtype), n) for dtype in SOME for n in NUMBERS[:6]
    })  # fmt: skip


@pytest.mark.parametrize("name", ["uint16", "uint32", "uint64"])
def test_values_of_wide_unsigned(name):
    def table(module):
        kind = getattr(module, name)
        high = np.iinfo(name).max if name != "uint64" else 2**63 - 1
        x, y = module.tensor([0, 1, 2, 7, high - 1, high], dtype=kind), module.tensor([3, 1, 2, 0, 2, high], dtype=kind)
        names = ("mul", "and_", "or_", "xor", "eq", "ne")
        return {fn: getattr(operator, fn)(x, y) for fn in names} | {"div": x / (y + 0.0), "0-d": x * y[1]}

    same(table)


def test_a_number_beside_halves_keeps_its_digits():
    def table(module):
        x = module.linspace(0.1, 3, 200)
        made = {}
        for kind in (module.float16, module.bfloat16):
            half = x.to(kind)
            for n in (0.37373, 70000.0, module.tensor(0.37373), module.tensor(0.37373, dtype=module.float64)):
                made[kind.itemsize, str(kind), str(n)] = [
                    half * n, n * half if type(n) is float else half, half / n, half + n, half - n, half < n,
                    half % n, half // n, module.div(half, n, rounding_mode="trunc"), module.remainder(half, n),
                ]  # fmt: skip
        return made

    same(table, exact=True)


def test_a_number_that_varies_is_the_same_number():
    def table(module):
        x, i, half = module.tensor([1.0, 2.0]), module.tensor([5, -7]), module.tensor([0.5, 3.0], dtype=module.float16)
        numbers = (2, 3, -4, 2**53 + 1, 2**62 + 1)
        made = [(i + n, i * n, i // n, i % n, i ^ n, i == n, x * n) for n in numbers]
        return made + [(x + n, i * n, half * n, half / n, x == n, i < n) for n in (0.1, 0.2, 70000.1, -1e-3)]

    same(table)


def test_false_times_nan_is_nan():
    def table(module):
        mask, x = module.tensor([False, True, False]), module.tensor([float("nan"), float("nan"), float("inf")])
        return mask * x, mask.float() * x, x.double() * mask, mask * float("inf"), mask.to(module.complex64) * x

    same(table)


# Refusals.


@pytest.mark.parametrize("name", ["floordiv", "mod", "ifloordiv", "imod"])
def test_integers_divided_by_the_number_0(name):
    fn = getattr(operator, name)
    same_error(lambda torch: fn(torch.tensor([1, 2]), 0))
    same_error(lambda torch: fn(torch.tensor([1, 2], dtype=torch.uint8), 256))
    same_error(lambda torch: torch.div(torch.tensor([1]), 0, rounding_mode="trunc"))
    same_error(lambda torch: torch.fmod(torch.tensor([1]), 0))
    same(lambda torch: (fn(torch.tensor([1.0, 2.0]), 0), fn(torch.ones(0, dtype=torch.int64), 0)))


@pytest.mark.parametrize("name", ["floordiv", "mod"])
def test_integers_divided_by_a_tensor_of_zeros(name):
    same_error(lambda torch: getattr(operator, name)(torch.tensor([1, 2]), torch.tensor([1, 0])).tolist())


@pytest.mark.parametrize("number", [2**64, 10**30, -(2**63) - 1])
@pytest.mark.parametrize("name", ["add", "mul", "eq", "iadd"])
def test_ints_of_more_than_64_bits(name, number):
    fn = getattr(operator, name)
    same(lambda torch: [
        outcome(fn, torch.ones(2, dtype=getattr(torch, dtype)), number) for dtype in ("int64", "float32", "uint8")
    ])  # fmt: skip


def test_sizes_are_looked_at_before_dtypes():
    same_error(lambda torch: torch.ones(2, dtype=torch.uint16) + torch.ones(3, dtype=torch.int32))
    same_error(lambda torch: torch.ones(2, dtype=torch.complex64) < torch.ones(3))
    same_error(lambda torch: torch.ones(2) & torch.ones(3))


@pytest.mark.parametrize("name", [*ARITHMETIC, *BITS, *ORDER, "matmul"])
def test_foreign_operands(name):
    fn = getattr(operator, name)

    def attempts(module):
        pairs = [(module.ones(2), other) for other in (None, "a", [1], {})]
        pairs += [(other, x) for x, other in pairs if (name, other) != ("mod", "a")]
        return [outcome(fn, a, b) for a, b in pairs]

    same(attempts)
