"""The LDLᵀ factorization of symmetric matrices, which XLA does not have: LAPACK's, on the host."""

import numpy as np
from scipy.linalg import lapack

from jtorch.matrices import need_inexact, need_kernel, need_same_dtype, need_solvable, need_square
from jtorch.ops.op import Array, op
from jtorch.shapes import broadcast_shapes, listed, normalize_dim

_PREFIX = {"float32": "s", "float64": "d", "complex64": "c", "complex128": "z"}


def _routine(kind, dtype, hermitian):
    family = "he" if hermitian and dtype.kind == "c" else "sy"
    return getattr(lapack, f"{_PREFIX[dtype.name]}{family}{kind}")


@op("linalg_ldl_factor_ex_kernel", door=None, host=True, differentiable=False)
def linalg_ldl_factor_ex_kernel(A: Array, *, hermitian):
    """L below the diagonal and D on it, pivots, info. Shape: (*, n, n) -> the same, (*, n), (*)."""
    function = "torch.linalg.ldl_factor_ex"
    need_square(A, function)
    need_inexact(A, function, halves=True)
    need_kernel(A, "ldl_factor_kernel_cpu")
    batch, n = A.shape[:-2], A.shape[-1]
    factors, pivots, infos = np.tril(A), np.zeros((*batch, n), np.int32), np.zeros(batch, np.int32)
    if n:
        factorize = _routine("trf", A.dtype, hermitian)
        for at in np.ndindex(batch):
            found, order, info = factorize(A[at], lower=1)
            factors[at], pivots[at], infos[at] = np.tril(found), order, info
    return factors, pivots, infos


@op("linalg_ldl_solve_kernel", door=None, host=True, differentiable=False)
def linalg_ldl_solve_kernel(LD: Array, pivots: Array, B: Array, *, hermitian):
    """The X of A X = B from A's LDLᵀ factors. Shape: (*, n, n), (*, n), (*, n, k) -> (*, n, k), `*` broadcast."""
    function = "torch.linalg.ldl_solve"
    need_inexact(LD, function)
    _check_solve(LD, pivots, B, function)
    batch = broadcast_shapes(LD.shape[:-2], B.shape[:-2])
    factors = np.broadcast_to(LD, (*batch, *LD.shape[-2:]))
    orders = np.broadcast_to(pivots, (*batch, pivots.shape[-1]))
    out = np.array(np.broadcast_to(B, (*batch, *B.shape[-2:])))
    if out.size:
        solve = _routine("trs", LD.dtype, hermitian)
        for at in np.ndindex(batch):
            out[at] = solve(factors[at], orders[at], out[at], lower=1)[0]
    return (out,)


def _check_solve(LD, pivots, B, function):
    normalize_dim(-2, B.ndim)
    if pivots.shape != LD.shape[:-1]:
        raise RuntimeError(
            f"{function}: Expected LD.shape[:-1] and pivots.shape to be the same, but got pivots with shape "
            f"{listed(pivots.shape)} instead"
        )
    if pivots.dtype.kind not in "iu":
        raise RuntimeError(f"{function}: Expected pivots to be integers. Got {pivots.dtype.name}")
    need_same_dtype(LD, B, function, ("LD", "B"))
    need_solvable(LD, B, True, function)
