"""The LU factorization, and what is solved with it: inverses, linear systems, determinants."""

from jax import lax
from jax import numpy as jnp
from jax.lax import linalg as lapack

from jtorch.matrices import (
    broadcast_batches,
    factor,
    is_vector_batch,
    label,
    mh,
    need_inexact,
    need_kernel,
    need_same_dtype,
    need_solvable,
    need_square,
    real_dtype,
    refuse_shape,
    solve_factored,
)  # fmt: skip
from jtorch.ops.op import EXACT, Array, op
from jtorch.shapes import listed


def _need_pivot(pivot):
    if not pivot:
        raise RuntimeError("linalg.lu_factor: LU without pivoting is not implemented on the CPU")


@op("linalg_lu_factor_ex", door=None)
def linalg_lu_factor_ex(A: Array, *, pivot=True):
    """L below the diagonal and U above it in one matrix, pivots, info. Shape: (*, m, n) -> itself, (*, k), (*)."""
    if A.ndim < 2:
        raise refuse_shape("torch.lu_factor", A, 2)
    need_kernel(A, "lu_cpu")
    _need_pivot(pivot)
    lu, pivots, _, info = factor(A)
    return lu, pivots, info


def _unpacked(lu):
    """(L, U) of matrices that hold both."""
    m, n = lu.shape[-2:]
    rank = min(m, n)
    lower = jnp.tril(lu[..., :rank], -1) + jnp.eye(m, rank, dtype=lu.dtype)
    return lower, jnp.triu(lu[..., :rank, :])


def _permutations(rows, dtype):
    """The matrices that put rows back from the order in which a factorization left them."""
    return (jnp.arange(rows.shape[-1], dtype=rows.dtype)[:, None] == rows[..., None, :]).astype(dtype)


@op("linalg_lu", door="linalg", out=EXACT, returns=("P", "L", "U"), constant=("P",))
def linalg_lu(A: Array, *, pivot=True):
    """A = P L U. Shape: (*, m, n) -> (*, m, m), (*, m, k), (*, k, n), k = min(m, n)."""
    if A.ndim < 2:
        raise refuse_shape("linalg.lu", A, 2)
    need_kernel(A, "lu_cpu")
    _need_pivot(pivot)
    lu, _, rows, _ = factor(A)
    return _permutations(rows, A.dtype), *_unpacked(lu)


def _empty(x):
    return jnp.zeros((0,), x.dtype)


@op("lu_unpack", out=EXACT, returns=("P", "L", "U"), constant=("P",))
def lu_unpack(LU_data: Array, LU_pivots: Array, unpack_data=True, unpack_pivots=True):
    """P, L and U from what lu_factor gives; empty tensors for what is not wanted. Shape: as linalg.lu."""
    if LU_data.ndim < 2:
        raise refuse_shape("torch.lu_unpack", LU_data, 2)
    _check_pivots(LU_pivots, unpack_pivots)
    lower, upper = _unpacked(LU_data) if unpack_data else (_empty(LU_data),) * 2
    if not unpack_pivots:
        return _empty(LU_data), lower, upper
    return _permutations(_rows(LU_pivots, LU_data.shape[-2]), LU_data.dtype), lower, upper


def _rows(pivots, count):
    if not pivots.size:
        return jnp.broadcast_to(jnp.arange(count, dtype=jnp.int32), (*pivots.shape[:-1], count))
    return lapack.lu_pivots_to_permutation(pivots - 1, count)


def _check_pivots(pivots, wanted):
    if not wanted:
        return
    if pivots.dtype != jnp.int32:
        raise RuntimeError(
            "torch.lu_unpack: LU_pivots is expected to be a contiguous tensor of torch.int32 dtype.\n"
            "Note: this function is intended to be used with the output produced by torch.linalg.lu_factor"
        )


@op("linalg_lu_solve", door="linalg", out=EXACT)
def linalg_lu_solve(LU: Array, pivots: Array, B: Array, *, left=True, adjoint=False):
    """The X of A X = B from A's factors; X A = B where left is False, Aᴴ for A with adjoint.

    Shape: (*, n, n), (*, n), (*, n, k) -> (*, n, k), `*` broadcast. Raises RuntimeError for sizes that do not fit.
    """
    need_inexact(LU, "torch.linalg.lu_solve")
    need_square(LU, "torch.linalg.lu_solve", "LU")
    need_solvable(LU, B, left, "torch.linalg.lu_solve")
    if pivots.dtype != jnp.int32:
        raise RuntimeError(
            f"linalg.lu_solve: pivots should be a Tensor of scalar type torch.int32. Got {label(pivots)}"
        )
    need_same_dtype(LU, B, "linalg.lu_solve", ("LU", "B"))
    if pivots.shape[-1:] != LU.shape[-1:] or LU.shape[:-2] != pivots.shape[:-1]:
        wrong = "Number of pivots per batch should be same as the dimension of the matrix"
        if pivots.shape[-1:] == LU.shape[-1:]:
            wrong = (
                "Expected LU.shape[:-1] and pivots.shape to be the same, but got pivots with shape "
                f"{listed(pivots.shape)} instead"
            )
        raise RuntimeError(f"linalg.lu_solve: {wrong}")
    rows = _rows(pivots, LU.shape[-1])
    lu, b = broadcast_batches(LU, B)
    rows = jnp.broadcast_to(rows, lu.shape[:-1])
    return solve_factored(lu, rows, b, adjoint) if left else mh(solve_factored(lu, rows, mh(b), not adjoint))


@op("linalg_inv_ex", door=None, saves=("result",))
def linalg_inv_ex(A: Array, *, function="linalg.inv"):
    """The inverses of matrices, and where a pivot is 0. Shape: (*, n, n) -> the same, (*)."""
    need_square(A, function)
    need_inexact(A, function)
    lu, _, rows, info = factor(A)
    eye = jnp.broadcast_to(jnp.eye(A.shape[-1], dtype=A.dtype), A.shape)
    return solve_factored(lu, rows, eye), info


@linalg_inv_ex.gradient
def _(grad, result, A, *, function):
    adjoint = mh(result[0])
    return (-(adjoint @ grad[0] @ adjoint),)


@op("linalg_solve_ex", door=None)
def linalg_solve_ex(A: Array, B: Array, *, left=True):
    """The X of A X = B, or of X A = B, and where a pivot of A is 0. Shape: (*, n, n), (*, n, k) or (*, n) -> as B."""
    need_inexact(A, "linalg.solve")
    need_same_dtype(A, B, "linalg.solve")
    vector = is_vector_batch(A, B)
    b = B[..., None] if vector else B
    need_solvable(A, b, left, "linalg.solve")
    if vector and not left:
        raise RuntimeError(
            "linalg.solve: Vector broadcasting of the left hand side is not supported for left=False. In this case "
            "linalg.solve is equivalent to B / A.squeeze(-1)"
        )
    a, b = broadcast_batches(A, b)
    info = factor(lax.stop_gradient(A))[3]
    x = _solve(a, b) if left else mh(_solve(mh(a), mh(b)))
    return (x[..., 0] if vector else x), jnp.broadcast_to(info, A.shape[:-2])


def _solve(a, b):
    # The transpose of a solve is one with the same factors: JAX takes the gradient so, not through them.
    lu, _, rows, _ = factor(lax.stop_gradient(a))
    return lax.custom_linear_solve(
        lambda x: a @ x,
        b,
        lambda _, y: solve_factored(lu, rows, y),
        lambda _, y: jnp.conj(solve_factored(lu, rows, jnp.conj(y), adjoint=True)),
    )


@op("linalg_det", door="linalg", out=EXACT)
def linalg_det(A: Array):
    """The determinants of matrices. Shape: (*, n, n) -> (*)."""
    need_square(A, "linalg.det")
    need_inexact(A, "linalg.det", halves=True)
    need_kernel(A, "lu_cpu")
    return jnp.linalg.det(A) if A.size else jnp.ones(A.shape[:-2], A.dtype)


@op("linalg_slogdet", door="linalg", out=EXACT, returns=("sign", "logabsdet"))
def linalg_slogdet(A: Array):
    """Sign and logarithm of the absolute value of determinants. Shape: (*, n, n) -> (*), (*)."""
    need_square(A, "linalg.slogdet")
    need_inexact(A, "linalg.slogdet")
    if not A.size:
        return jnp.ones(A.shape[:-2], A.dtype), jnp.zeros(A.shape[:-2], real_dtype(A))
    return tuple(jnp.linalg.slogdet(A))
