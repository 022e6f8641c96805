"""meshgrid, cartesian_prod, combinations and triangles of indices beside torch."""

import numpy as np
import pytest
import torch

from tests.edges import ordinary
from tests.oracle import check, same, same_warnings

X = ordinary((3, 4), "float32")
SCALAR = np.array(2.0, np.float32)
WHOLE = np.array([3, 1, 2])


@pytest.mark.parametrize("indexing", ["ij", "xy", "zz"])
def test_meshgrid(indexing):
    check("meshgrid", X[0], X[1, :2], indexing=indexing, strides=True)
    check("meshgrid", [X[0], X[1, :3], X[2, :2]], indexing=indexing)
    check("meshgrid", SCALAR, X[0], indexing=indexing)
    check("meshgrid", X[0], indexing=indexing)
    check("meshgrid", X[0], WHOLE, indexing=indexing)
    check("meshgrid", indexing=indexing)


def test_meshgrid_warns_without_indexing():
    same_warnings(lambda t: t.meshgrid(t.arange(2), t.arange(3)))


def test_cartesian_prod():
    check("cartesian_prod", X[0])
    check("cartesian_prod", X[0], X[1, :2], X[2, :3])
    check("cartesian_prod", X)
    check("cartesian_prod")


@pytest.mark.parametrize("r", [0, 1, 2, 3, 9, -1])
@pytest.mark.parametrize("with_replacement", [False, True])
def test_combinations(r, with_replacement):
    for x in (WHOLE, X[0], X):
        check("combinations", x, r, with_replacement)


@pytest.mark.parametrize("name", ["tril_indices", "triu_indices"])
@pytest.mark.parametrize("args", [(3, 3), (3, 4, 1), (0, 3), (3, -1), (-1, 3), (4, 2, -1)])
def test_triangles(name, args):
    check(name, *args)
    check(name, *args, dtype=torch.int32)
    check(name, *args, dtype=torch.float32)


def test_places_of_a_triangle_as_numpy():
    same(lambda torch: torch.triu_indices(5, 6, -2).numpy())
