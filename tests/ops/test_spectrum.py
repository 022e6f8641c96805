"""Eigenvalues and singular values beside torch; vectors, whose signs are free, by what they rebuild."""

import numpy as np
import pytest

from tests.edges import ordinary
from tests.oracle import check

SHAPES = [(4, 3), (3, 4), (2, 3, 3)]
NAN = np.full((2, 2), np.nan)


def rebuilt(torch, x, full):
    u, s, vh = torch.linalg.svd(x, full_matrices=full)
    k = s.shape[-1]
    return (u[..., :k] * s[..., None, :]) @ vh[..., :k, :], s, u[..., :k].abs(), vh[..., :k, :].abs()


@pytest.mark.parametrize("full", [False, True])
@pytest.mark.parametrize("shape", SHAPES)
def test_svd(shape, full):
    check(rebuilt, ordinary(shape, "float64"), full, grad=True if full else 2)


def test_svd_of_complex_matrices():
    check(rebuilt, ordinary((4, 3), "complex128"), False)
    check(rebuilt, ordinary((3, 4), "complex128"), False)


def test_singular_values():
    check("linalg.svdvals", ordinary((2, 3, 4), "float64"), grad=2)
    check("linalg.svdvals", np.eye(3))  # the values coincide
    check("linalg.svdvals", ordinary((3, 4), "complex64"), grad=False)
    check(lambda torch, x: torch.svd(x)[1], ordinary((4, 3), "float64"))
    check("svd", ordinary((4, 3), "float64"), compute_uv=False)


@pytest.mark.parametrize("uplo", ["L", "U"])
@pytest.mark.parametrize("dtype", ["float64", "complex128"])
def test_eigh(uplo, dtype):
    def values(torch, x):
        found, vectors = torch.linalg.eigh(x, uplo)
        return found, vectors.abs()

    x = ordinary((2, 3, 3), dtype)
    check(values, x, grad=2 if uplo == "L" else True)
    check("linalg.eigvalsh", x, uplo)


def in_order(torch, values):
    order = torch.argsort(values.real * 3 + values.imag)
    return values.gather(-1, order)


@pytest.mark.parametrize("dtype", ["float64", "complex128"])
def test_eig(dtype):
    def found(torch, x):
        values, vectors = torch.linalg.eig(x)
        return in_order(torch, values), vectors @ (values[:, None] * torch.linalg.inv(vectors)), vectors.abs().sum()

    x = ordinary((3, 3), dtype) + np.diag([1, 5, 9])
    check(found, x, grad=2 if dtype == "float64" else True)
    check(lambda torch, x: in_order(torch, torch.linalg.eigvals(x)), x)
    check(lambda torch, x: in_order(torch, torch.linalg.eigvals(x)), x, grad=False)


def test_empty():
    for name in ("svd", "svdvals", "eig", "eigvals", "eigh", "eigvalsh"):
        for shape in ((0, 0), (2, 0, 0), (0, 2, 2)):
            check(f"linalg.{name}", np.zeros(shape), grad=False)
    check("linalg.svd", np.zeros((0, 3)), grad=False)
    check("linalg.svd", np.zeros((2, 0)), full_matrices=False, grad=False)


@pytest.mark.parametrize("x", [np.zeros(3), np.zeros((2, 3)), np.zeros((2, 2), np.int64), np.zeros((2, 2), np.float16)])
def test_refusals(x):
    for name in ("svd", "svdvals", "eig", "eigvals", "eigh", "eigvalsh"):
        if x.shape != (2, 3) or "svd" not in name:
            check(f"linalg.{name}", x)
    check("linalg.eigh", np.eye(2), "X")


def test_not_finite():
    for name in ("svd", "svdvals", "eig", "eigvalsh"):
        check(f"linalg.{name}", NAN)
    check("svd", np.stack([np.eye(2), NAN]))
    check("linalg.svd", np.eye(2), driver="gesvd")
