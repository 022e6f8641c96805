"""Singular values of matrices of low rank beside torch, from the same random vectors."""

import numpy as np

from tests.edges import ordinary
from tests.oracle import check

X = ordinary((5, 4), "float64") + 1


def test_lowrank():
    def found(torch, x, m):
        torch.manual_seed(3)
        results = []
        for u, s, v in (torch.svd_lowrank(x, 2), torch.svd_lowrank(x.mT, 3, M=m.mT), torch.pca_lowrank(x, 2)):
            results += [(u * s) @ v.mT, s]
        return results

    check(found, X, np.flip(X).copy(), grad=False)


def test_refusals():
    check("pca_lowrank", X, 9)
    check("pca_lowrank", X, niter=-1)
