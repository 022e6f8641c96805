"""The QR factorization and Householder reflectors."""

import math

from jax import lax
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
    solve_triangular,
)  # fmt: skip
from jtorch.ops.op import EXACT, Array, op
from jtorch.shapes import listed

MODES = ("reduced", "complete", "r")


@op("linalg_qr", door="linalg", out=EXACT, returns=("Q", "R"), saves=("result",))
def linalg_qr(A: Array, mode="reduced"):
    """A = Q R, with Q unitary and R triangular. Shape: (*, m, n) -> (*, m, k), (*, k, n); k = m where complete.

    Raises RuntimeError for a mode that is none of reduced, complete, r (whose Q is empty).
    """
    need_matrix(A, "linalg.qr")
    need_inexact(A, "linalg.qr", halves=True)
    if mode not in MODES:
        raise RuntimeError(
            f"qr received unrecognized mode '{mode}' but expected one of 'reduced' (default), 'r', or 'complete'"
        )
    need_kernel(A, "geqrf_cpu")
    m, n = A.shape[-2:]
    if not A.size:
        k = m if mode == "complete" else min(m, n)
        q = jnp.broadcast_to(jnp.eye(m, k, dtype=A.dtype), (*A.shape[:-2], m, k))
        q, r = q, jnp.zeros((*A.shape[:-2], k, n), A.dtype)
    else:
        q, r = lapack.qr(A, full_matrices=mode == "complete")
    return (jnp.zeros((0,), A.dtype) if mode == "r" else q), r


def _hermitian_halved(x):
    """x + xᴴ with the diagonal counted once."""
    both = x + mh(x)
    return both - from_diagonal(diagonals(both) / 2)


def _tall_gradient(grad_q, grad_r, q, r):
    inner = _hermitian_halved(jnp.triu(grad_r @ mh(r) - mh(q) @ grad_q))
    return solve_triangular(r, grad_q + q @ inner, left=False, upper=True, adjoint=True)


@linalg_qr.gradient
def _(grad, result, A, mode):
    if mode == "r":
        raise RuntimeError(
            "The derivative of linalg.qr depends on Q, which is not computed when mode='r'. Please use linalg.qr(A, "
            "mode='reduced') if you are going to differentiate through linalg.qr."
        )
    m, n = A.shape[-2:]
    if mode == "complete" and m > n:
        raise RuntimeError("The QR decomposition is not differentiable when mode='complete' and nrows > ncols.")
    (grad_q, grad_r), (q, r) = grad, result
    if m >= n:
        return (_tall_gradient(grad_q, grad_r, q, r),)
    # A = (X | Y), R = (U | V): X = Q U and V = Qᴴ Y.
    y = q @ r[..., m:]
    square = _tall_gradient(grad_q + y @ mh(grad_r[..., m:]), grad_r[..., :m], q, r[..., :m])
    return (jnp.concatenate([square, q @ grad_r[..., m:]], -1),)


@op("geqrf", method=True, out=True, returns=("a", "tau"), grad_name="NotImplemented", saves=("result",))
def geqrf(input: Array):
    """R above the diagonal and Householder vectors below it, and their factors. Shape: (*, m, n) -> itself, (*, k)."""
    if input.ndim < 2:
        raise RuntimeError("torch.geqrf: input must have at least 2 dimensions.")
    need_kernel(input, "geqrf_cpu")
    if not input.size:
        return input, jnp.zeros((*input.shape[:-2], min(input.shape[-2:])), input.dtype)
    raw, tau = jnp.linalg.qr(input, mode="raw")
    return jnp.swapaxes(raw, -1, -2), tau


@geqrf.gradient
def _(grad, result, input):
    raise NotImplementedError("the derivative for 'geqrf' is not implemented.")


def _reflect(vectors, tau, x, backwards):
    """Apply the reflectors I - tau v vᴴ to matrices from the left, the last one first where backwards."""

    def step(x, pair):
        v, t = pair
        return x - (t[..., None] * v)[..., None] * (jnp.conj(v)[..., None, :] @ x), None

    columns = jnp.moveaxis(vectors, -1, 0)
    return lax.scan(step, x, (columns, jnp.moveaxis(tau, -1, 0)), reverse=backwards)[0]


def _vectors(input, count):
    """Householder vectors as columns: what stands below the diagonal, and 1 on it."""
    below = jnp.tril(input[..., :count], -1)
    return below + jnp.eye(input.shape[-2], count, dtype=input.dtype)


def _check_reflectors(input, tau, function):
    if input.ndim < 2:
        raise RuntimeError(f"{function}: input must have at least 2 dimensions.")
    if tau.ndim != input.ndim - 1:
        raise RuntimeError(
            f"{function}: Expected tau to have one dimension less than input, but got tau.ndim equal to {tau.ndim} and "
            f"input.ndim is equal to {input.ndim}"
        )


_ORMQR = (
    "torch.ormqr: Expected input and result to have the same dtype, but input has dtype{Want} and result has dtype "
    "{Have}"
)


def _without_reflectors(operands, attrs):
    # torch: of no reflectors the gradients are undefined.
    return () if all(math.prod(x.shape) for x in operands[:2]) else (0, 1)


@op("linalg_householder_product", door="linalg", out=True, undefined=_without_reflectors)
def linalg_householder_product(A: Array, tau: Array):
    """The first n columns of a product of Householder reflectors. Shape: (*, m, n), (*, k) -> (*, m, n)."""
    function = "torch.linalg.householder_product"
    if A.ndim < 2:
        raise RuntimeError(f"{function}: input must have at least 2 dimensions.")
    if A.shape[-2] < A.shape[-1]:
        raise RuntimeError(f"{function}: input.shape[-2] must be greater than or equal to input.shape[-1]")
    if A.shape[-1] < tau.shape[-1]:
        raise RuntimeError(f"{function}: input.shape[-1] must be greater than or equal to tau.shape[-1]")
    _check_reflectors(A, tau, function)
    if tau.shape[:-1] != A.shape[:-2]:
        raise RuntimeError(
            f"{function}: Expected batch dimensions of tau to be equal to input.shape[:-2], but got "
            f"{listed(tau.shape[:-1])}"
        )
    if tau.dtype != A.dtype:
        raise RuntimeError(f"{function}: tau dtype {label(tau)} does not match input dtype {label(A)}")
    need_kernel(A, "orgqr_cpu")
    start = jnp.broadcast_to(jnp.eye(*A.shape[-2:], dtype=A.dtype), A.shape)
    return _reflect(_vectors(A, tau.shape[-1]), tau, start, backwards=True)


@op("ormqr", method=True, out=_ORMQR, undefined=_without_reflectors)
def ormqr(input: Array, tau: Array, other: Array, left=True, transpose=False):
    """Q other, other Q, or these with Qᴴ, for the product Q of Householder reflectors. Shape: other's."""
    for x, name in ((input, "input"), (other, "other")):
        if x.ndim < 2:
            raise RuntimeError(f"torch.ormqr: {name} must have at least 2 dimensions.")
    _check_ormqr(input, tau, other, left)
    need_kernel(input, "ormqr_cpu")
    vectors = _vectors(input, tau.shape[-1])
    if left:
        return _reflect(vectors, jnp.conj(tau) if transpose else tau, other, backwards=not transpose)
    turned = _reflect(vectors, tau if transpose else jnp.conj(tau), mh(other), backwards=transpose)
    return mh(turned)


def _check_ormqr(input, tau, other, left):
    dim = -2 if left else -1
    if other.shape[dim] != input.shape[-2]:
        raise RuntimeError(f"torch.ormqr: other.shape[{dim}] must be equal to input.shape[-2]")
    if tau.shape[-1] != min(other.shape[dim], input.shape[-1]):
        raise RuntimeError(f"torch.ormqr: tau.shape[-1] must be equal to min(other.shape[{dim}], input.shape[-1])")
    _check_reflectors(input, tau, "torch.ormqr")
    if other.ndim != input.ndim:
        raise RuntimeError(
            f"torch.ormqr: Expected other to have the same number of dimensions as input, but got other.ndim equal to "
            f"{other.ndim} and input.ndim is equal to {input.ndim}"
        )
    for x, name, at in ((tau, "tau", -1), (other, "other", -2)):
        if x.shape[:at] != input.shape[:-2]:
            raise RuntimeError(
                f"torch.ormqr: Expected batch dimensions of {name} to be equal to input.shape[:-2], but got "
                f"{listed(x.shape[:at])}"
            )
    for x, name in ((tau, "tau"), (other, "other")):
        if x.dtype != input.dtype:
            raise RuntimeError(
                f"torch.ormqr: Expected input and {name} to have the same dtype, but input has dtype {label(input)} "
                f"and {name} has dtype {label(x)}"
            )
