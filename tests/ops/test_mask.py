"""masked_scatter beside torch; writes through masks are tested with indexing."""

import numpy as np
import pytest

from tests.edges import ordinary
from tests.oracle import check

X = ordinary((3, 4), "float32")
MASK = X > 0


@pytest.mark.parametrize(
    "args",
    [
        (X, MASK, ordinary((12,), "float32", 1)), (X, MASK[0], ordinary((3, 4), "float32", 1)),
        (X, MASK[:, :1], ordinary((20,), "float32", 1)), (X, MASK.astype("int32"), X), (X, MASK, X.astype("float64")),
        (X, MASK & False, np.zeros((0,), np.float32)),
    ],
)  # fmt: skip
def test_masked_scatter(args):
    check("masked_scatter", *args)
    check("Tensor.masked_scatter_", *args)


def test_masked_scatter_into_fewer_dims():
    check("masked_scatter", X[0], MASK, ordinary((12,), "float32", 1))
    check("masked_scatter", X, MASK[:, :2], X)
