"""Matrix products beside torch: values, gradients, grad_fn names and errors of every mixture of ranks."""

import numpy as np
import pytest

from tests.oracle import check

draw = np.random.default_rng(0)


def normal(*shape, dtype=np.float32):
    """Normal numbers of a shape."""
    return draw.standard_normal(shape).astype(dtype)


MATMUL = [
    ((3,), (3,)), ((2, 3), (3,)), ((3,), (3, 2)), ((2, 3), (3, 4)), ((5, 2, 3), (3, 4)), ((5, 2, 3), (5, 3, 4)),
    ((6, 5, 2, 3), (6, 5, 3, 4)), ((5, 2, 3), (3,)), ((3,), (5, 3, 4)), ((2, 3), (5, 3, 4)), ((6, 1, 2, 3), (5, 3, 4)),
    ((0, 3), (3, 4)), ((2, 0), (0, 4)), ((0, 2, 3), (0, 3, 4)), ((2, 3), (4, 5)), ((3,), (4,)), ((2, 3), (4,)),
    ((3,), (4, 2)), ((5, 2, 3), (5, 4, 2)), ((5, 2, 3), (4, 3, 2)), ((5, 2, 3), (4, 2)),
]  # fmt: skip


@pytest.mark.parametrize(("a", "b"), MATMUL)
def test_matmul(a, b):
    check("matmul", normal(*a), normal(*b), grad=2)


LINEAR = [
    ((2, 3), (4, 3), (4,)), ((2, 3), (4, 3), None), ((5, 2, 3), (4, 3), (4,)), ((5, 2, 3), (4, 3), None),
    ((3,), (4, 3), (4,)), ((3,), (4, 3), None), ((2, 5), (4, 3), (4,)), ((3,), (3,), None), ((2, 3), (3,), None),
    ((2, 3), (4, 3), (5,)), ((5, 2, 6), (4, 3), (4,)),
]  # fmt: skip


@pytest.mark.parametrize(("x", "w", "b"), LINEAR)
def test_linear(x, w, b):
    check("nn.functional.linear", normal(*x), normal(*w), normal(*b) if b else None)


@pytest.mark.parametrize("name", ["mm", "bmm", "mv", "dot", "inner", "outer", "matmul"])
@pytest.mark.parametrize(
    ("a", "b"), [((2, 3), (3, 4)), ((2, 3, 4), (2, 4, 5)), ((2, 3), (3,)), ((3,), (3,)), ((3,), (4,)), ((2, 3), (4, 5))]
)
def test_products(name, a, b):
    check(name, normal(*a), normal(*b))


@pytest.mark.parametrize("dtype", [np.float64, np.int64, np.complex64])
def test_dtypes(dtype):
    a, b = (normal(3, 3) * 5).astype(dtype), (normal(3, 3) * 5).astype(dtype)
    check("matmul", a, b, grad=dtype is np.float64)


def test_dtypes_must_agree():
    for name in ("mm", "matmul"):
        check(name, normal(2, 3), normal(3, 4, dtype=np.float64))
    check("nn.functional.linear", normal(2, 3, dtype=np.float64), normal(4, 3), normal(4))
    check("dot", normal(3), normal(3, dtype=np.float64))


@pytest.mark.parametrize("beta", [1, 0.5, 0])
@pytest.mark.parametrize("alpha", [1, 2.0])
def test_added_terms(alpha, beta):
    check("addmm", normal(4), normal(2, 3), normal(3, 4), alpha=alpha, beta=beta)
    check("addmv", normal(2), normal(2, 3), normal(3), alpha=alpha, beta=beta)
    check("baddbmm", normal(2, 4), normal(5, 2, 3), normal(5, 3, 4), alpha=alpha, beta=beta)
    check("addbmm", normal(2, 4), normal(5, 2, 3), normal(5, 3, 4), alpha=alpha, beta=beta)
    check("addr", normal(2, 3), normal(2), normal(3), alpha=alpha, beta=beta)


def test_added_terms_must_fit():
    check("addmm", normal(2), normal(2, 3), normal(3, 4))
    check("addmm", normal(4), normal(2, 3), normal(4, 4))
    check("addmm", normal(2, 2, 4), normal(2, 3), normal(3, 4))
    check("addmm", normal(4), normal(3), normal(3, 4))
    check("addmm", normal(4, dtype=np.float64), normal(2, 3), normal(3, 4))
    check("addmv", normal(3), normal(2, 3), normal(3))
    check("addmv", normal(2), normal(2), normal(3))
    check("addr", normal(2, 3), normal(2, 1), normal(3))
    check("addbmm", normal(2, 4), normal(5, 2, 3), normal(4, 3, 4))
    check("addbmm", normal(2, 4), normal(5, 2, 3), normal(5, 4, 4))
    check("baddbmm", normal(2, 4), normal(5, 2, 3), normal(4, 3, 4))
    check("baddbmm", normal(2, 4, dtype=np.float64), normal(5, 2, 3), normal(5, 3, 4))


@pytest.mark.parametrize(
    ("x", "w", "b"),
    [((2, 3), (2, 4, 3), None), ((), (4, 3), (4,)), ((2, 3), (4, 3), (2, 4)), ((2, 3), (4, 3), (1,)),
     ((5, 2, 3), (4, 3), (2, 4)), ((2, 3), (4, 3), (2, 2, 4)), ((0, 3), (4, 3), (4,)), ((2, 0), (4, 0), (4,))],
)  # fmt: skip
def test_linear_at_edges(x, w, b):
    check("nn.functional.linear", normal(*x), normal(*w), normal(*b) if b else None, grad_fn=False)


def test_operators():
    check(lambda torch, a, b: a @ b, normal(2, 3), normal(3, 4))
    check("Tensor.addmm_", normal(2, 4), normal(2, 3), normal(3, 4))


def test_beta_0_drops_nan():
    check("addmm", np.full((2, 4), np.nan, np.float32), normal(2, 3), normal(3, 4), beta=0)
