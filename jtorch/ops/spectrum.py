"""Eigenvalues and singular values, with their vectors, and their gradients by torch's formulas."""

from jax import numpy as jnp
from jax.lax import linalg as lapack

from jtorch.matrices import (
    diagonals,
    from_diagonal,
    label,
    mh,
    need_inexact,
    need_kernel,
    need_matrix,
    need_square,
    real_dtype,
)
from jtorch.ops.op import Array, op


def _info(A):
    """1 for a matrix that is not finite, where torch raises, else 0."""
    return (~jnp.isfinite(A).all((-2, -1))).astype(jnp.int32)


def _ratio(x, gaps):
    """x / gaps, 0 where both are 0: what no gradient came to does not mind values that coincide."""
    gaps = gaps.astype(x.dtype)
    return x / jnp.where((gaps == 0) & (x == 0), 1, gaps)


def _gaps(values):
    """values[j] - values[i] at (i, j), 1 on the diagonal."""
    return values[..., None, :] - values[..., :, None] + jnp.eye(values.shape[-1], dtype=values.dtype)


def _only_diagonal(x):
    return from_diagonal(diagonals(x))


@op("linalg_eigh_kernel", door=None, grad_name="LinalgEighBackward0", saves=("result",))
def linalg_eigh_kernel(A: Array, *, uplo):
    """Eigenvalues in rising order and eigenvectors of Hermitian matrices. Shape: (*, n, n) -> (*, n), (*, n, n)."""
    need_square(A, "linalg.eigh")
    if uplo not in ("L", "U", "l", "u"):
        raise RuntimeError(f"Expected UPLO argument to be 'L' or 'U', but got {uplo}")
    need_kernel(A, "linalg_eigh_cpu")
    if not A.size:
        return jnp.zeros(A.shape[:-1], real_dtype(A)), A
    found, values = lapack.eigh(A, lower=uplo in "Ll", symmetrize_input=False)
    return values, found


@linalg_eigh_kernel.gradient
def _(grad, result, A, *, uplo):
    (grad_values, grad_vectors), (values, found) = grad, result
    adjoint = mh(found)
    inner = adjoint @ grad_vectors
    inner = _ratio(inner - _only_diagonal(inner), _gaps(values))
    flow = found @ (inner + from_diagonal(grad_values.astype(found.dtype))) @ adjoint
    return ((flow + mh(flow)) / 2,)


def _complex(A):
    kind = {"float32": jnp.complex64, "float64": jnp.complex128}.get(A.dtype.name, A.dtype)
    return A.astype(kind)


@op("linalg_eig_kernel", door=None, grad_name="LinalgEigBackward0", saves=("result",))
def linalg_eig_kernel(A: Array, *, function, vectors=True):
    """Eigenvalues and, unless they are not wanted, eigenvectors, both complex; and an info: 1 where A is not finite.

    Shape: (*, n, n) -> (*, n), (*, n, n), (*).
    """
    if not jnp.issubdtype(A.dtype, jnp.inexact):
        raise RuntimeError(f"Unknown Complex ScalarType for {label(A)}")
    need_square(A, function)
    need_kernel(A, "linalg_eig_out_cpu")
    wide = _complex(A)
    if not A.size:
        return jnp.zeros(A.shape[:-1], wide.dtype), wide, _info(A)
    safe = jnp.where(_info(A)[..., None, None] == 0, A, jnp.zeros_like(A))
    found = lapack.eig(safe, compute_left_eigenvectors=False, compute_right_eigenvectors=vectors)
    return found[0], found[1] if vectors else wide, _info(A)


@linalg_eig_kernel.gradient
def _(grad, result, A, *, function, vectors):
    (grad_values, grad_vectors, _), (values, found, _) = grad, result
    adjoint = mh(found)
    inner = adjoint @ grad_vectors
    inner = inner - adjoint @ (found * diagonals(inner).real[..., None, :])
    inner = _ratio(inner, jnp.conj(_gaps(values))) * (1 - jnp.eye(values.shape[-1], dtype=inner.dtype))
    return (jnp.linalg.solve(adjoint, (inner + from_diagonal(grad_values)) @ adjoint),)


def _orthonormal(A, rows, columns):
    """Identity matrices of A's batch."""
    return jnp.broadcast_to(jnp.eye(rows, columns, dtype=A.dtype), (*A.shape[:-2], rows, columns))


@op("linalg_svd_kernel", door=None, grad_name="LinalgSvdBackward0", saves=("result",))
def linalg_svd_kernel(A: Array, *, full_matrices):
    """A = U S Vᴴ, S falling; an info: 1 where A is not finite. Shape: (*, m, n) -> U, S, Vᴴ, (*)."""
    need_matrix(A, "linalg.svd")
    need_inexact(A, "linalg.svd", halves=True)
    need_kernel(A, "linalg_svd_cpu")
    m, n = A.shape[-2:]
    k = min(m, n)
    if not A.size:
        sides = (m, n) if full_matrices else (k, k)
        values = jnp.zeros((*A.shape[:-2], k), real_dtype(A))
        return _orthonormal(A, m, sides[0]), values, _orthonormal(A, sides[1], n), _info(A)
    u, s, vh = lapack.svd(A, full_matrices=full_matrices)
    return u, s, vh, _info(A)


@linalg_svd_kernel.gradient
def _(grad, result, A, *, full_matrices):
    k = min(A.shape[-2:])
    grad_u, grad_s, grad_vh, _ = grad
    u, s, vh, _ = result
    return (_svd_gradient(grad_u[..., :k], grad_s, grad_vh[..., :k, :], u[..., :k], s, vh[..., :k, :]),)


def _svd_gradient(grad_u, grad_s, grad_vh, u, s, vh):
    v, grad_v = mh(vh), mh(grad_vh)
    uhgu, vhgv = mh(u) @ grad_u, mh(v) @ grad_v
    squares = _gaps(s * s)
    wide = s.astype(u.dtype)
    inner = _ratio(_skew(uhgu), squares) * wide[..., None, :] + wide[..., :, None] * _ratio(_skew(vhgv), squares)
    inner = inner - _only_diagonal(inner) + from_diagonal(grad_s.astype(u.dtype))
    if jnp.iscomplexobj(u):
        inner = inner + from_diagonal(_ratio(1j * diagonals(uhgu - vhgv).imag, 2 * wide))
    out = u @ inner @ vh
    m, k, n = u.shape[-2], s.shape[-1], vh.shape[-1]
    if m > k:
        out = out + _ratio(grad_u - u @ uhgu, wide[..., None, :]) @ vh
    if n > k:
        out = out + u @ _ratio(mh(grad_v - v @ vhgv), wide[..., :, None])
    return out


def _skew(x):
    return x - mh(x)


@op("linalg_svdvals_kernel", door=None, differentiable=False)
def linalg_svdvals_kernel(A: Array):
    """The singular values alone, where no gradient is wanted, and an info. Shape: (*, m, n) -> (*, k), (*)."""
    need_matrix(A, "linalg.svd")
    need_inexact(A, "linalg.svd", halves=True)
    need_kernel(A, "linalg_svd_cpu")
    if not A.size:
        return jnp.zeros((*A.shape[:-2], min(A.shape[-2:])), real_dtype(A)), _info(A)
    return lapack.svd(A, compute_uv=False), _info(A)
