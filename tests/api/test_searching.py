"""Functions whose result size depends on values, beside torch."""

import numpy as np
import pytest

from tests.edges import ordinary
from tests.labels import label
from tests.oracle import check, const

X = ordinary((3, 4), "float32")
MASK = X > 0
GIVEN = {
    "floats": X, "whole": np.array([3, 1, 2, 3, 1]), "0-d": np.array(2.0, np.float32),
    "zero": np.array(0.0, np.float32),
    "rows": np.array([[3, 1, 3], [0, 1, 0], [3, 1, 3], [3, 1, 3]]), "mask": MASK, "empty": np.zeros((0, 3), np.float32),
    "nan": np.array([np.nan, 1.0, np.nan, 1.0], np.float32),
}  # fmt: skip


@pytest.mark.parametrize("given", GIVEN)
def test_nonzero(given):
    x = GIVEN[given]
    check("nonzero", x)
    check("nonzero", x, as_tuple=True)
    check("Tensor.argwhere", x)
    check("where", MASK)


@pytest.mark.parametrize("given", GIVEN)
@pytest.mark.parametrize(
    "options", [{}, {"return_inverse": True}, {"return_inverse": True, "return_counts": True}], ids=label
)
def test_unique(given, options):
    x = GIVEN[given]
    for name in ("unique", "Tensor.unique_consecutive"):
        check(name, x, grad=False, **options)
        if given not in ("nan", "0-d", "zero"):
            check(name, x, dim=0, grad=False, **options)
    check("unique", X, dim=9, grad=False)


@pytest.mark.parametrize("mask", [MASK, MASK[0], MASK[:, :1], np.array(True), MASK.astype("int32"), MASK[:, :2]])
def test_masked_select(mask):
    for x in (X, X[0], GIVEN["0-d"]):
        check("masked_select", x, mask)
    check("Tensor.masked_select", X, MASK)


@pytest.mark.parametrize("given", ["floats", "whole", "0-d", "rows"])
@pytest.mark.parametrize("dim", [None, 0, -1, 1])
def test_repeat_interleave(given, dim):
    x = GIVEN[given]
    for repeats in (0, 2, -1, const(np.array(2)), const(np.array([2])), const(np.array([2, 0, 1]))):
        check("repeat_interleave", x, repeats, dim)


def test_repeat_interleave_of_a_known_size():
    repeats = const(np.array([2, 0, 1]))
    for size in (3, 4):
        check("repeat_interleave", X, repeats, 0, output_size=size)
    for size in (6, 7):
        check("repeat_interleave", X, 2, 0, output_size=size)
    check("repeat_interleave", np.array([1, 0, 2]), output_size=3)


@pytest.mark.parametrize("repeats", [[1.0, 2.0], [[1]], [-1], 3], ids=label)
def test_repeat_places(repeats):
    check("repeat_interleave", const(np.array(repeats)))
    check("Tensor.repeat_interleave", X, "a")
