"""einsum, tensordot, kron, cross, bilinear and cdist beside torch."""

import numpy as np
import pytest

from tests.edges import ordinary
from tests.oracle import check, same_warnings


def normal(*shape, seed=0):
    """Normal numbers in double precision."""
    return ordinary(shape, "float64", seed)


EQUATIONS = [
    ("ij,jk->ik", (2, 3), (3, 4)), ("ij,kj", (2, 3), (4, 3)), ("bij,bjk->bik", (5, 2, 3), (5, 3, 4)),
    ("bhqd,bhkd->bhqk", (2, 3, 4, 5), (2, 3, 6, 5)), ("bij,kj->bik", (5, 2, 3), (4, 3)), ("i,j->ij", (2,), (3,)),
    ("ij,ij->", (2, 3), (2, 3)), ("ij,ij->ij", (2, 3), (2, 3)), ("ii->i", (3, 3)), ("ii", (3, 3)), ("ij->ji", (2, 3)),
    ("ij->", (2, 3)), ("...ij,...jk->...ik", (5, 2, 3), (3, 4)), ("...i,...i", (2, 3), (2, 3)), ("->", ()),
    ("ij , jk -> ik", (2, 3), (3, 4)), ("aA,A->a", (2, 3), (3,)), ("ij,jk,kl->il", (2, 3), (3, 4), (4, 5)),
    ("bi,ij,bj->b", (2, 3), (3, 4), (2, 4)), ("ij,jk->ik", (2, 1), (3, 4)), ("iij,jk->ik", (2, 2, 3), (3, 4)),
    ("ij,k->ik", (2, 3), (4,)), ("i,i,i->i", (3,), (3,), (3,)), ("...->...", (2, 3)), ("b...,b->...", (2, 3), (2,)),
]  # fmt: skip


@pytest.mark.parametrize("case", EQUATIONS)
def test_einsum(case):
    equation, *shapes = case
    arrays = [normal(*shape, seed=i) for i, shape in enumerate(shapes)]
    check(lambda torch, *xs: torch.einsum(equation, *xs), *arrays, grad_fn=False)


WRONG = [
    ("ij,jk->ik", (2, 3), (4, 4)), ("ij,jk->ik", (2, 3)), ("ij->ik", (2, 3)), ("ij,jk->ii", (2, 3), (3, 4)),
    ("ijk,jk->ik", (2, 3), (3, 4)), ("ii", (3, 2)), ("i$->i", (2, 3)), ("ij->i->j", (2, 3)), ("..ij->ij", (2, 3)),
    ("ij", (2, 3), (2, 3)), ("...ij", (2,)),
]  # fmt: skip


@pytest.mark.parametrize("case", WRONG)
def test_einsum_refuses(case):
    equation, *shapes = case
    check(lambda torch, *xs: torch.einsum(equation, *xs), *[normal(*shape) for shape in shapes])


def test_einsum_in_other_forms():
    a, b = normal(2, 3), normal(3, 4)
    check(lambda torch, a, b: torch.einsum("ij,jk->ik", [a, b]), a, b, grad_fn=False)
    check(lambda torch, a, b: torch.einsum(a, [0, 1], b, [1, 2], [0, 2]), a, b, grad_fn=False)
    check(lambda torch, a, b: torch.einsum(a, [0, 1], b, [1, 2]), a, b, grad_fn=False)
    check(lambda torch, a: torch.einsum(a, [..., 0], [0, ...]), a, grad_fn=False)
    check(lambda torch, a: torch.einsum("ij", a, 3), a)
    check(lambda torch: torch.einsum("ij"))
    check(lambda torch, a, b: torch.einsum("ij,jk->ik", a, b), a, b.astype(np.float32))
    check(lambda torch, a: torch.einsum("ij,kj->ik", a, a), np.arange(6).reshape(2, 3))


DIMS = [1, 2, 0, ([1], [0]), ([0, 1], [0, 1]), [[-1], [0]], -1, 3, ([0], [0, 1]), ([0], [1])]


@pytest.mark.parametrize("dims", DIMS)
def test_tensordot(dims):
    check("tensordot", normal(3, 3), normal(3, 3, seed=1), dims, grad_fn=False)
    check("tensordot", normal(3, 2), normal(2, 3, seed=1), dims, grad=False)


def test_tensordot_over_all():
    check("tensordot", normal(2, 3), normal(2, 3), grad_fn=False)
    check("tensordot", normal(2, 3), normal(4, 3))


@pytest.mark.parametrize("shapes", [((2, 3), (4, 5)), ((2,), (4, 5)), ((2, 3, 1), (4,)), ((), (2, 3))])
def test_kron(shapes):
    check("kron", *(normal(*shape) for shape in shapes), grad_fn=False)
    check("kron", np.arange(3), normal(2))


CROSS = [
    ((2, 3), (2, 3), 1),
    ((3, 2), (3, 2), 0),
    ((2, 3), (1, 3), -1),
    ((2, 2), (2, 2), 1),
    ((2, 3), (3,), 1),
    ((2, 3), (2, 3), 2),
]


@pytest.mark.parametrize(("a", "b", "dim"), CROSS)
def test_cross(a, b, dim):
    check("cross", normal(*a), normal(*b, seed=1), dim)


def test_cross_without_a_dim():
    check("cross", normal(3, 2), normal(3, 2, seed=1))
    check("cross", normal(2, 2), normal(2, 2))
    same_warnings(lambda torch: torch.cross(torch.ones(3), torch.ones(3)))


@pytest.mark.parametrize("batch", [(2,), (), (2, 5)])
def test_bilinear(batch):
    x, y, w = normal(*batch, 3), normal(*batch, 4, seed=1), normal(5, 3, 4)
    check("bilinear", x, y, w, normal(5), grad_fn=False)
    check("bilinear", x, y, w, None, grad_fn=False)
    check("bilinear", x, y, normal(5, 3, 3), None)


@pytest.mark.parametrize("p", [2.0, 1.0, 3.0, 0.0, float("inf"), 1.5])
def test_cdist(p):
    check("cdist", normal(4, 3), normal(5, 3, seed=1), p, grad_fn=False)
    check("cdist", normal(4, 3), normal(4, 3), p, grad_fn=False, grad=p != 1.5)


def test_cdist_refuses():
    check("cdist", normal(2, 3), normal(2, 4))
    check("cdist", normal(3), normal(2, 3))
    check("cdist", normal(2, 5, 3), normal(5, 3), grad_fn=False)


def test_chain_matmul():
    check("chain_matmul", normal(2, 3), normal(3, 4), normal(4, 2), grad_fn=False)
