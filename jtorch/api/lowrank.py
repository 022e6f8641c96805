"""Singular values of a matrix of low rank, from products with random vectors (Halko, Martinsson, Tropp, 2009)."""

from jtorch._tensor import aval
from jtorch.api.factoring import linalg_svd
from jtorch.api.put import function
from jtorch.api.sampling import randn
from jtorch.autograd.apply import apply
from jtorch.dtypes import FLOAT, float32
from jtorch.ops.op import TABLE


def _orthogonal(x):
    return apply(TABLE["linalg_qr"], (x,), ("reduced",))[0]


def _minus(product, M, factor):
    return product if M is None else product - M.matmul(factor)


def _basis(A, q, niter, M):
    """An orthonormal basis of what A - M maps random vectors to, sharpened niter times."""
    kind = aval(A).dtype if aval(A).dtype.category >= FLOAT else float32
    start = randn(aval(A).shape[-1], q, dtype=kind, device=aval(A).device)
    Q = _orthogonal(_minus(A.matmul(start), M, start))
    for _ in range(niter):
        Q = _orthogonal(_minus(A.mH.matmul(Q), None if M is None else M.mH, Q))
        Q = _orthogonal(_minus(A.matmul(Q), M, Q))
    return Q


@function
def svd_lowrank(A, q=6, niter=2, M=None):
    """(U, S, V) of A - M, q values of it. Shape: (*, m, n) -> (*, m, q), (*, q), (*, n, q)."""
    q, niter = 6 if q is None else q, 2 if niter is None else niter
    wide = aval(A).shape[-2] < aval(A).shape[-1]
    M = None if M is None else M.broadcast_to(aval(A).shape)
    if wide:
        A, M = A.mH, None if M is None else M.mH
    Q = _basis(A, q, niter, M)
    B = Q.mH.matmul(A)
    B = B if M is None else B - Q.mH.matmul(M)
    U, S, Vh = linalg_svd(B, full_matrices=False)
    U, V = Q.matmul(U), Vh.mH
    return (V, S, U) if wide else (U, S, V)


@function
def pca_lowrank(A, q=None, center=True, niter=2):
    """(U, S, V) of a matrix's principal components; its columns are centred first unless told otherwise.

    Shape: (*, m, n) -> (*, m, q), (*, q), (*, n, q). Raises ValueError for a q that does not fit.
    """
    m, n = aval(A).shape[-2:]
    if q is None:
        q = min(6, m, n)
    elif not 0 <= q <= min(m, n):
        raise ValueError(f"q(={q}) must be non-negative integer and not greater than min(m, n)={min(m, n)}")
    if niter < 0:
        raise ValueError(f"niter(={niter}) must be non-negative integer")
    return svd_lowrank(A - A.mean(-2, keepdim=True) if center else A, q, niter)
