"""What is lowered by hand has torch's values where the plain way was wrong or breaks easily: nan, inf, ties, sizes."""

import numpy as np
import pytest

from tests.oracle import check

draw = np.random.default_rng(3)
TIES = draw.integers(-3, 4, (5, 1024)).astype(np.float32)
HOLES = TIES.copy()
HOLES.flat[::997] = np.nan
WAVES = np.concatenate([draw.standard_normal(500) * scale for scale in (1e-20, 1, 1e3, 1e6, 1e30)]).astype(np.float32)
ODD = np.array([0.0, -0.0, np.inf, -np.inf, np.nan], np.float32)
SIGNED_ZEROS = np.array([[0.0, -0.0, 1, -0.0, 0.0, -1, np.inf, np.nan, -np.inf, np.nan]], np.float32)


@pytest.mark.parametrize("name", ["amax", "amin", "argmax", "argmin", "max", "min", "aminmax"])
def test_extremes_of_many_see_nan(name):
    for x in (TIES, HOLES, -np.abs(HOLES), TIES.astype(np.int64)):
        check(name, x, dim=1)
        if name not in ("max", "min"):
            check(name, x[:, :1000], dim=0)


def test_norms_of_many_see_nan():
    for p in (np.inf, -np.inf):
        check("linalg.vector_norm", HOLES, p, grad=False)
        check("linalg.vector_norm", TIES, p, 1)


def test_cumsum():
    spoiled = TIES[:2].copy()
    spoiled[0, 5], spoiled[1, 9] = np.inf, np.nan
    for x, dim in ((TIES, 1), (spoiled, 1), (TIES.T, 0), (TIES[:, :17], -1), (TIES.reshape(-1)[:5000], 0)):
        check("cumsum", x, dim, dtypes=("float32", "float64"))
    check("cumsum", draw.standard_normal((3, 300)).astype(np.float32), 1)
    check("cumsum", TIES.astype(np.int32), 1)


@pytest.mark.parametrize("name", ["sin", "cos"])
def test_circular(name):
    for x in (WAVES, WAVES[:1500], ODD):
        check(name, x, grad=2 if x is not ODD else False)
    check(name, ODD[:2], exact=True)


@pytest.mark.parametrize("descending", [False, True])
def test_sort_keeps_the_order_of_equals(descending):
    for kind in ("float32", "float16", "float64"):
        x = SIGNED_ZEROS.astype(kind)
        check("sort", x, dim=1, descending=descending, stable=True, exact=True)
    for kind in ("int8", "uint8", "bool", "int32", "int64"):
        check("sort", np.abs(TIES).astype(kind), dim=1, descending=descending, stable=True, exact=True)


def test_scatter_add_in_three_dims():
    x, index = draw.standard_normal((3, 4, 5)), draw.integers(0, 4, (2, 3, 5))
    check("scatter_add", x, 1, index, draw.standard_normal((2, 3, 5)))
    check("gather", x, 1, index)
