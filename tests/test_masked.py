"""Reductions and normalizations under a mask beside torch's; refusals."""

import numpy as np
import pytest

from tests.oracle import check, const, same, same_error

X = np.array([[0.5, -2.0, 3.0], [1.0, 0.0, -1.0]], np.float32)
MASK = const(np.array([[True, False, True], [False, False, False]]))
ROW = const(np.array([True, False, True]))
REDUCTIONS = ["sum", "prod", "amax", "amin", "argmax", "argmin", "mean", "logsumexp", "norm", "var", "std"]


@pytest.mark.parametrize("name", REDUCTIONS)
def test_reductions(name):
    for mask in (None, MASK, ROW):
        given = {"mask": mask} if mask is not None else {}
        check(f"masked.{name}", X, **given, grad_fn=False)
        check(f"masked.{name}", X, dim=1, keepdim=True, grad=False, **given)
    if name in ("sum", "prod", "amax", "argmin", "var"):
        check(f"masked.{name}", X.astype(np.int32), dim=0, mask=ROW)


@pytest.mark.parametrize("name", ["softmax", "log_softmax", "softmin", "cumsum", "cumprod", "median"])
def test_along_a_dim(name):
    check(f"masked.{name}", X, 1, mask=ROW, grad_fn=False)
    check(f"masked.{name}", X, 1, mask=MASK, grad=False)


def test_pairs_and_norms():
    check("masked.logaddexp", X, X * 2, input_mask=MASK, other_mask=ROW, grad_fn=False)
    check("masked.normalize", X, 2.0, 1, mask=ROW, grad_fn=False)
    check("masked.norm", X, float("-inf"), 1, mask=MASK, grad=False)


def test_refusals():
    same_error(lambda torch: torch.masked.sum(torch.ones(2), mask=torch.ones(2, 2).bool()))
    same_error(lambda torch: torch.masked.sum(torch.ones(2), dim=(0, 0)))
    same_error(lambda torch: torch.masked.sum(torch.ones(2), dim=2))
    same_error(lambda torch: torch.masked.mean(torch.ones(2, dtype=torch.int64)))
    same_error(lambda torch: torch.masked.median(torch.ones(2, dtype=torch.int64), mask=torch.zeros(2).bool()))
    same(lambda torch: [torch.masked.mean(torch.ones(2), dtype=torch.float64), torch.masked.sum(torch.ones(()))])
