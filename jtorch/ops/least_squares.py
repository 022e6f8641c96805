"""Pseudo-inverses and least squares."""

import jax
from jax import numpy as jnp

from jtorch.matrices import (
    broadcast_batches,
    is_vector_batch,
    mh,
    need_inexact,
    need_same_dtype,
    real_dtype,
)  # fmt: skip
from jtorch.ops.op import Array, op
from jtorch.shapes import listed


def _inverses(values, atol, rtol):
    """1 / values, 0 where a value is not above max(atol, rtol · the largest)."""
    size = jnp.abs(values)
    bound = jnp.maximum(atol[..., None], rtol[..., None] * size.max(-1, keepdims=True))
    kept = size > bound
    return jnp.where(kept, 1 / jnp.where(kept, values, 1), 0)


@op("linalg_pinv_kernel", door=None, grad_name=("LinalgPinvBackward0", 0), saves=("A", "result"))
def linalg_pinv_kernel(A: Array, atol: Array, rtol: Array, *, hermitian):
    """The pseudo-inverses of matrices, and an info: 1 where one is not finite. Shape: (*, m, n) -> (*, n, m), (*)."""
    info = (~jnp.isfinite(A).all((-2, -1))).astype(jnp.int32)
    if not A.size:
        return jnp.zeros((*A.shape[:-2], A.shape[-1], A.shape[-2]), A.dtype), info
    if hermitian:
        values, vectors = jnp.linalg.eigh(A, symmetrize_input=False)
        inverses = _inverses(values, atol, rtol).astype(A.dtype)
        return (vectors * inverses[..., None, :]) @ mh(vectors), info
    u, s, vh = jnp.linalg.svd(A, full_matrices=False)
    inverses = _inverses(s, atol, rtol).astype(A.dtype)
    return (mh(vh) * inverses[..., None, :]) @ mh(u), info


def _pinv_gradient(grad, result, A):
    adjoint, back = mh(result), mh(grad)
    m, n = A.shape[-2:]
    rows = jnp.eye(m, dtype=A.dtype) - A @ result
    columns = jnp.eye(n, dtype=A.dtype) - result @ A
    return rows @ back @ result @ adjoint + adjoint @ result @ back @ columns - adjoint @ grad @ adjoint


@linalg_pinv_kernel.gradient
def _(grad, result, A, atol, rtol, *, hermitian):
    return _pinv_gradient(grad[0], result[0], A), None, None


def _check_lstsq(A, B, driver):
    function = "torch.linalg.lstsq"
    for x, name, least in ((A, "input", 2), (B, "other", 1)):
        if x.ndim < least:
            raise RuntimeError(f"{function}: {name} must have at least {least} dimension{'s' if least > 1 else ''}.")
    if A.dtype != B.dtype:
        raise RuntimeError(f"{function}: Expected input and other to have the same dtype, but got input's dtype "
                           f"{_label(A)} and other's dtype {_label(B)}")  # fmt: skip
    gap = A.ndim - B.ndim
    if not 0 <= gap <= 1:
        raise RuntimeError(
            f"{function}: input.dim() must be greater or equal to other.dim() and (input.dim() - other.dim()) <= 1"
        )
    if driver not in (None, "gels", "gelsy", "gelsd", "gelss"):
        raise RuntimeError(f"{function}: parameter `driver` should be one of (gels, gelsy, gelsd, gelss)")


def _label(x):
    return {"float32": "Float", "float64": "Double", "complex64": "ComplexFloat", "complex128": "ComplexDouble"}.get(
        x.dtype.name, x.dtype.name.capitalize()
    )


def _fitted(u, s, vh, b, rcond):
    """(the shortest X that makes |A X - b| least, how many singular values count)."""
    kept = s > rcond * s.max(-1, keepdims=True)
    inverses = jnp.where(kept, 1 / jnp.where(kept, s, 1), 0).astype(b.dtype)
    return mh(vh) @ (inverses[..., None] * (mh(u) @ b)), kept.sum(-1)


@op("linalg_lstsq", door="linalg", out=True, returns=("solution", "residuals", "rank", "singular_values"),
    constant=("singular_values",))  # fmt: skip
def linalg_lstsq(A: Array, B: Array, rcond=None, *, driver=None):
    """Least squares. Shape: (*, m, n), (*, m, k) or (*, m) -> (*, n, k), residuals, rank, singular values.

    Raises RuntimeError for sizes that do not fit. Residuals are empty unless m > n and A has full rank.
    """
    _check_lstsq(A, B, driver)
    need_inexact(A, "torch.linalg.lstsq")
    need_same_dtype(A, B, "torch.linalg.lstsq")
    vector = is_vector_batch(A, B) if A.ndim - 1 == B.ndim else False
    b = B[..., None] if vector else B
    m, n = A.shape[-2:]
    if b.shape[-2] != m:
        dims = (-1, -2) if vector else (-2, -2)
        raise RuntimeError(f"torch.linalg.lstsq: input.size({dims[1]}) should match other.size({dims[0]})")
    try:
        a, b = broadcast_batches(A, b)
    except RuntimeError:
        raise RuntimeError(
            f"torch.linalg.lstsq: The batch dimensions of A.shape {listed(A.shape)} do not match {listed(B.shape)}"
        ) from None
    return _least_squares(a, b, rcond, driver or "gelsy", vector)


def _least_squares(a, b, rcond, driver, vector):
    m, n = a.shape[-2:]
    rcond = jnp.finfo(a.dtype).eps * max(m, n) if rcond is None else rcond
    real = real_dtype(a)
    none = jnp.zeros((0,), real)
    batch = a.shape[:-2]
    if not a.size:
        x = jnp.zeros((*batch, n, b.shape[-1]), a.dtype)
        rank, s = jnp.zeros(batch, jnp.int64), jnp.zeros((*batch, min(m, n)), real)
    else:
        u, s, vh = jnp.linalg.svd(a, full_matrices=False)
        x, rank = _fitted(u, s, vh, b, 0 if driver == "gels" else rcond)
    residuals = _residuals(a, x, b) if m > n and driver != "gelsy" else none
    shown = s if driver in ("gelsd", "gelss") else none
    rank = rank.astype(jnp.int64) if driver != "gels" else jnp.zeros((0,), jnp.int64)
    return x[..., 0] if vector else x, residuals, rank, shown


def _residuals(a, x, b):
    gap = a @ x - b
    return (gap * jnp.conj(gap)).real.sum(-2)


@linalg_lstsq.gradient
def _(grad, result, A, B, rcond, *, driver):
    vector = A.ndim - 1 == B.ndim
    m, n = A.shape[-2:]
    relative = jnp.finfo(A.dtype).eps * max(m, n) if rcond is None else rcond

    def fit(a, b):
        b = b[..., None] if vector else b
        a, b = broadcast_batches(a, b)
        x = _pinv(a, relative) @ b
        return (x[..., 0] if vector else x), _residuals(a, x, b)

    def flow(a, b):
        x, rest = fit(a, b)
        total = (jnp.conj(grad[0]) * x).real.sum()
        return total + (grad[1] * rest).sum() if grad[1].size else total

    grads = jax.grad(flow, (0, 1))(A, B)
    return tuple(jnp.conj(g) for g in grads)


@jax.custom_jvp
def _pinv(a, rcond):
    return jnp.linalg.pinv(a, rtol=rcond)


@_pinv.defjvp
def _(primals, tangents):
    # By Golub and Pereyra, whatever the rank; JAX's own derivative wants it to be full.
    a, moved = primals[0], mh(tangents[0])
    found = _pinv(*primals)
    left, right = found @ mh(found) @ moved, moved @ mh(found) @ found
    return found, left - left @ a @ found + right - found @ a @ right - found @ tangents[0] @ found
