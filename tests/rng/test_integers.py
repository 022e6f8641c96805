"""random_, randint and randperm give torch's whole numbers, and refuse what torch refuses."""

import warnings

import pytest
import torch

from jtorch import dtypes
from jtorch.rng import samplers
from jtorch.rng.generator import Generator
from tests.labels import label
from tests.rng.draws import FLOATS, INTS, Pair, same_error

ALL = (*INTS, *FLOATS, "bool", "uint16", "uint32", "uint64", "complex64", "float8_e4m3fn")
RANGES = [
    (), (0, 2), (0, 1), (7, 8), (-5, 100), (0, 2**28 - 1), (0, 2**28), (-(2**31), 2**31), (0, 2**32), (1, 2**31 - 1),
    (-(2**60), 2**61), (-(2**63), 2**63 - 1), (-(2**63), None), (3, None), (-3, None), (200, None), (5, 3), (3, 3),
    (0, 255), (0, 256), (0, 257), (-128, 128), (0, 2049), (0, 2050), (-70000, 3), (0, 70000), (2**24 + 1, 2**24 + 3),
    (-(2**24) - 5, 2**24 + 9), (1001, 1003), (300, 303), (2**53 + 1, 2**53 + 9), (-(2**62), 2**62),
]  # fmt: skip


@pytest.mark.parametrize("dtype", ALL)
@pytest.mark.parametrize("bounds", RANGES, ids=label)
def test_random(dtype, bounds):
    """The same numbers, or the same error; and the same warnings where a float dtype has gaps in the range."""
    pair = Pair(5)
    with warnings.catch_warnings(record=True) as theirs:
        warnings.simplefilter("always")
        try:
            torch.empty(2, dtype=getattr(torch, dtype)).random_(*bounds)
        except (RuntimeError, NotImplementedError):
            same_error(
                lambda: samplers.random(pair.mine, (2,), dtypes.by_name(dtype), *bounds),
                lambda: torch.empty(2, dtype=getattr(torch, dtype)).random_(*bounds),
            )
            return
    with warnings.catch_warnings(record=True) as mine:
        warnings.simplefilter("always")
        samplers.random(Generator(), (2,), dtypes.by_name(dtype), *bounds)
    assert [str(w.message) for w in mine] == [str(w.message).partition(" (Triggered")[0] for w in theirs]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for size in (1, 3, 1000, 20001):
            pair.fill("random", (size,), dtype, *bounds)
    pair.assert_in_step()


@pytest.mark.parametrize("dtype", ["int64", "int32", "uint8", "float32", "float16", "bfloat16"])
def test_randperm(dtype):
    pair = Pair(7)
    for n in (0, 1, 2, 3, 10, 100, 255) + ((1000, 2049) if dtype != "uint8" else ()):
        pair.perm(n, dtype)
    pair.assert_in_step()


@pytest.mark.parametrize("n", [60000, 300001])
def test_randperm_of_many(n):
    pair = Pair(0)
    pair.perm(n)
    pair.assert_in_step()


@pytest.mark.parametrize(
    ("n", "dtype"),
    [(-1, "int64"), (300, "uint8"), (130, "int8"), (2**24 + 2, "float32"), (2050, "float16"),
     (3, "bool"), (2, "complex64"), (3, "uint16")],
)  # fmt: skip
def test_randperm_errors(n, dtype):
    same_error(
        lambda: samplers.randperm(Generator(), (n,), dtypes.by_name(dtype)),
        lambda: torch.randperm(n, dtype=getattr(torch, dtype)),
    )


def test_randint_is_random_in_a_range():
    pair = Pair(1)
    theirs = torch.randint(-3, 12, (50,), generator=pair.torch)
    assert samplers.randint(pair.mine, (50,), dtypes.int64, -3, 12).tolist() == theirs.tolist()
