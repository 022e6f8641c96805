"""Pseudo-inverses, least squares and the matrix exponential beside torch."""

import numpy as np
import pytest

from tests.edges import ordinary
from tests.oracle import check

SHAPES = [(4, 3), (3, 4), (2, 3, 3)]
LOW = ordinary((4, 2), "float64") @ ordinary((2, 3), "float64")


@pytest.mark.parametrize("shape", SHAPES)
def test_pinv(shape):
    check("linalg.pinv", ordinary(shape, "float64"), grad=2 if shape == (4, 3) else True)
    check("linalg.pinv", ordinary(shape, "complex128"), rtol=1e-3)


def test_pinv_of_low_rank():
    check("linalg.pinv", LOW)
    check("linalg.pinv", LOW.T @ LOW, hermitian=True)
    check("linalg.pinv", LOW, atol=0.5)
    check("pinverse", LOW)
    check("linalg.pinv", np.zeros((0, 3)))
    check("linalg.pinv", np.zeros(3))
    check("linalg.pinv", np.full((2, 2), np.nan))


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("driver", [None, "gels", "gelsd"])
def test_lstsq(shape, driver):
    if driver == "gels" and shape[-2] < shape[-1]:
        shape = (3, 3)
    check("linalg.lstsq", ordinary(shape, "float64"), ordinary((*shape[:-1], 2), "float64") + 1, driver=driver)


def test_lstsq_of_others():
    check("linalg.lstsq", ordinary((4, 3), "complex128"), ordinary((4, 2), "complex128"))
    check("linalg.lstsq", LOW, ordinary((4, 1), "float64"), grad=False)
    check("linalg.lstsq", ordinary((2, 4, 3), "float64"), ordinary((2, 4), "float64"), grad=False)


def test_lstsq_refuses():
    x = np.eye(3)
    for b in (np.zeros(2), np.zeros((2, 2)), np.zeros((3, 1), np.float32), np.float64(1), np.zeros((2, 3, 1))):
        check("linalg.lstsq", x, np.asarray(b))
    check("linalg.lstsq", np.zeros(3), np.zeros(3))
    check("linalg.lstsq", x, x, driver="gel")
