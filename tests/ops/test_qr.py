"""QR and Householder reflectors beside torch: every mode and shape, gradients, refusals."""

import numpy as np
import pytest

from tests.edges import ordinary
from tests.oracle import check

SHAPES = [(4, 3), (3, 4), (2, 3, 3)]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("mode", ["reduced", "complete", "r"])
def test_qr(shape, mode):
    check("linalg.qr", ordinary(shape, "float64"), mode, grad=2)


def test_dtypes():
    check("linalg.qr", ordinary((4, 3), "complex128"))
    check("linalg.qr", ordinary((4, 3), "float32"))
    check("qr", ordinary((3, 4), "float64"), False)


def test_empty():
    for shape in ((0, 3), (3, 0), (0, 2, 2)):
        check("linalg.qr", np.zeros(shape), grad=False)
        check("geqrf", np.zeros(shape), grad=False)


@pytest.mark.parametrize("x", [np.zeros(3), np.zeros((2, 2), np.int64), np.zeros((2, 2), np.float16)])
def test_refusals(x):
    check("linalg.qr", x)
    check("geqrf", x)
    check("linalg.qr", np.eye(2), "half")


@pytest.mark.parametrize("dtype", ["float64", "complex128"])
def test_reflectors(dtype):
    x, tau = ordinary((4, 3), dtype), ordinary((2,), dtype)
    check("geqrf", x, grad=False)
    check("linalg.householder_product", x, tau, grad=2)
    check("orgqr", x, tau)


@pytest.mark.parametrize("transpose", [False, True])
@pytest.mark.parametrize("left", [False, True])
def test_ormqr(left, transpose):
    x, tau = ordinary((4, 3), "complex128"), ordinary((3,), "complex128")
    other = ordinary((4, 2) if left else (2, 4), "complex128")
    check("ormqr", x, tau, other, left, transpose)


def test_without_reflectors():
    for shape, count in (((0, 0), 0), ((3, 0), 0), ((0, 3, 2), 2), ((3, 2), 0)):
        check("linalg.householder_product", np.zeros(shape), np.zeros((*shape[:-2], count)))
    for shape, count, other in (((0, 2, 2), 2, (0, 2, 5)), ((2, 2, 0), 0, (2, 2, 3)), ((2, 2, 2), 2, (2, 2, 0))):
        check("ormqr", np.zeros(shape), np.zeros((*shape[:-2], count)), np.zeros(other))


def test_reflectors_refuse():
    check("geqrf", np.eye(3))
    for x, tau in ((np.eye(3), np.zeros((3, 1))), (np.zeros((2, 3)), np.zeros(2)), (np.eye(2), np.zeros(3)),
                   (np.eye(2), np.zeros(2, np.float32)), (np.zeros((2, 3, 3)), np.zeros((1, 3)))):  # fmt: skip
        check("linalg.householder_product", x, tau)
        check("ormqr", x, tau, np.eye(3))
    check("ormqr", np.eye(3), np.zeros(3), np.eye(2))
    check("ormqr", np.eye(3), np.zeros(3), np.zeros((2, 3, 3)))
