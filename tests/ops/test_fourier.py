"""Fourier transforms beside torch: every kind, sizes, dims, normalizations, gradients, refusals."""

import numpy as np
import pytest

from tests.edges import ordinary
from tests.oracle import check

REAL, COMPLEX = ordinary((3, 4, 5), "float64"), ordinary((3, 4, 5), "complex128")
KINDS = ["fft", "ifft", "rfft", "irfft", "hfft", "ihfft"]
ONLY_REAL = ("rfft", "ihfft")


ONE = [(), (3,), (8, 0), (None, 1, "ortho"), (None, -2, "forward")]
SEVERAL = [(), ((4, 6), (0, 2), "ortho"), (None, 1), ((2, -1), None, "forward")]


def one_dim(torch, x, kind):
    transform = getattr(torch.fft, kind)
    return [transform(x, *args) for args in ONE] + [transform(x.sum((0, 1))), transform(torch.arange(4))]


def several_dims(torch, x, kind):
    along_all, along_two = (getattr(torch.fft, kind + end) for end in "n2")
    wide = x.new_ones(2, 2, 2, 2, 3) * x[0, 0, 0]
    return [along_all(x, *args) for args in SEVERAL] + [
        along_two(x),
        along_two(x, (3, 3), norm="ortho"),
        along_all(wide),
    ]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("cases", [one_dim, several_dims])
def test_kinds(kind, cases):
    check(cases, REAL, kind)
    if kind not in ONLY_REAL:
        check(cases, COMPLEX, kind) if cases is several_dims else check(f"fft.{kind}", COMPLEX, 7, grad=2)


@pytest.mark.parametrize("kind", KINDS)
def test_refusals(kind):
    for x, args in ((REAL, (0,)), (REAL, (None, 5)), (REAL, (None, -1, "x")), (np.float64(1), ()), (COMPLEX, (-1,)),
                    (REAL.astype(np.float16), ()), (np.zeros((2, 0)), ())):  # fmt: skip
        check(f"fft.{kind}", np.asarray(x), *args)
    for args in (((2,) * 4,), ((2, 2), (0, 0)), ((2,), (0, 1)), (None, (0, 7)), ((0, 2),), (None, None, "x")):
        check(f"fft.{kind}n", REAL, *args)
    check(f"fft.{kind}2", np.ones(()))
    if kind in ONLY_REAL:
        check(f"fft.{kind}", COMPLEX)
        check(f"fft.{kind}n", COMPLEX)
