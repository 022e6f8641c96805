"""bincount, histc, searchsorted, bucketize, isin beside torch."""

import numpy as np
import pytest

from tests.edges import ordinary
from tests.labels import label
from tests.oracle import check, const

X = ordinary((3, 4), "float32")
WHOLE = np.array([3, 1, 2, 3, 1])
SORTED = np.sort(X)


@pytest.mark.parametrize(
    "x", [WHOLE, WHOLE[:0], np.array([-1]), np.array([1.0]), X.astype("int64"), WHOLE.astype("uint8")]
)
@pytest.mark.parametrize("minlength", [0, 7, -1])
def test_bincount(x, minlength):
    check("bincount", x, minlength=minlength)
    for weights in (ordinary((5,), "float32"), ordinary((5,), "int64"), ordinary((5,), "float64")):
        check("bincount", x, const(weights), minlength)


@pytest.mark.parametrize("args", [(), (4,), (4, 0, 1), (0,), (4, 6, 2), (7, -1, 1), (5, 1, 1)])
def test_histc(args):
    odd = np.array([0.5, np.nan, 0.25, 1.0], np.float32)
    for x in (X, np.ones(3, np.float32), odd, np.array([np.inf, 1.0], np.float32), WHOLE, X.astype("float64")):
        check("histc", const(x), *args)


@pytest.mark.parametrize(
    "options", [{}, {"right": True}, {"side": "right"}, {"side": "up"}, {"out_int32": True}], ids=label
)
def test_searchsorted(options):
    for sequence, values in (
        (SORTED[0], X), (SORTED, X[:, :2]), (SORTED, X[:2]), (SORTED[0], 0.25), (SORTED, 1.0), (SORTED[0], SORTED[0]),
        (np.array(1.5, np.float32), X), (np.array([1, 1, 2, 5]), WHOLE), (np.array([1, 1, 2, 5]), X[0]),
        (SORTED[0], np.array([np.nan, np.inf, -np.inf], np.float32)), (SORTED[0, :0], X[0]),
    ):  # fmt: skip
        given = const(values) if isinstance(values, np.ndarray) else values
        check("searchsorted", const(sequence), given, **options)


def test_searchsorted_with_sorter():
    order = np.argsort(X, -1)
    check("searchsorted", const(X), const(X[:, :2]), sorter=const(order))


def test_bucketize():
    for x in (const(X), 0.25, const(np.array([np.nan, 0.0], np.float32))):
        check("bucketize", x, const(SORTED[0]))
        check("bucketize", x, const(SORTED[0]), right=True, out_int32=True)
    check("bucketize", const(X), const(X))


def test_isin():
    check("isin", WHOLE, np.array([1, 2]))
    check("isin", 3, WHOLE)
    check("isin", WHOLE, 1, invert=True)
    check("isin", const(X), const(X[0]))
    check("isin", X > 0, X > 0)


def test_histc_of_halves():
    check("histc", const(X.astype("float16")), 4)
    check("histc", const(X.astype("float16")), 4, 0, 1)
