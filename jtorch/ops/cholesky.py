"""The Cholesky factorization, and what is solved with it."""

import functools

import jax
from jax import lax
from jax import numpy as jnp
from jax.lax import linalg as lapack

from jtorch.matrices import (
    broadcast_batches,
    diagonals,
    from_diagonal,
    label,
    mh,
    need_inexact,
    need_kernel,
    need_square,
    solve_triangular,
)  # fmt: skip
from jtorch.ops.op import Array, op


def _factor(a, upper):
    """(the factor, info): the order of the first leading minor that is not positive-definite, or 0."""
    if not a.size:
        return a, jnp.zeros(a.shape[:-2], jnp.int32)
    lower = jnp.tril(mh(a) if upper else a)
    factor = lapack.cholesky(lower, symmetrize_input=False)
    failed = jnp.isnan(diagonals(factor).real).any(-1)
    none = jnp.zeros(failed.shape, jnp.int32)
    info = lax.cond(failed.any(), lambda a: jnp.where(failed, _failing_minor(a), none), lambda a: none, lower)
    return mh(factor) if upper else factor, lax.stop_gradient(info)


def _failing_minor(lower):
    """The order of the first leading minor that is not above 0, of Hermitian matrices given by a triangle."""

    def eliminate(k, state):
        rest, info = state
        pivot = rest[..., k, k].real
        bad = ~(pivot > 0)
        column = rest[..., :, k]
        scale = jnp.where(bad, 1, pivot)[..., None, None]
        rest = rest - column[..., :, None] * jnp.conj(column)[..., None, :] / scale
        return rest, jnp.where((info == 0) & bad, k + 1, info).astype(jnp.int32)

    whole = lower + mh(jnp.tril(lower, -1))
    start = (whole, jnp.zeros(lower.shape[:-2], jnp.int32))
    return lax.fori_loop(0, lower.shape[-1], eliminate, start)[1]


def _gradient(grad, factor, upper):
    """torch's gradient of a factor, which is Hermitian."""
    factor, grad = (mh(factor), mh(grad)) if upper else (factor, grad)
    inner = jnp.tril(mh(factor) @ grad)
    # torch: an imaginary part of the diagonal's gradient, which the factor does not have, goes on.
    both = (inner + mh(inner) - from_diagonal(jnp.conj(diagonals(inner)))) / 2
    return solve_triangular(factor, solve_triangular(factor, both, adjoint=True), left=False)


@op("linalg_cholesky_ex", door=None, saves=("result",))
def linalg_cholesky_ex(A: Array, *, upper=False):
    """The triangular factor of positive-definite matrices, and where it failed. Shape: (*, n, n) -> (*, n, n), (*)."""
    need_square(A, "linalg.cholesky")
    need_inexact(A, "linalg.cholesky", halves=True)
    need_kernel(A, "cholesky_cpu")
    return _factor(A, upper)


@linalg_cholesky_ex.gradient
def _(grad, result, A, *, upper):
    return (_gradient(grad[0], result[0], upper),)


@op("cholesky_kernel", door=None, grad_name="CholeskyBackward0", saves=("result",))
def cholesky_kernel(input: Array, *, upper=False):
    """As linalg_cholesky_ex, with the words of the older function."""
    need_square(input, "cholesky")
    need_kernel(input, "cholesky_cpu")
    return _factor(input, upper)


@cholesky_kernel.gradient
def _(grad, result, input, *, upper):
    return (_gradient(grad[0], result[0], upper),)


@functools.partial(jax.custom_jvp, nondiff_argnums=(2,))
def _solve(b, factor, upper):
    first = solve_triangular(factor, b, upper=upper, adjoint=upper)
    return solve_triangular(factor, first, upper=upper, adjoint=not upper)


@_solve.defjvp
def _(upper, primals, tangents):
    # torch: the factor counts as a whole matrix, not as a triangle.
    (b, factor), (change, along) = primals, tangents
    x = _solve(b, factor, upper)
    half = mh(factor) @ along if upper else along @ mh(factor)
    return x, _solve(change - (half + mh(half)) @ x, factor, upper)


@op("cholesky_solve", method=True, out=True, saves=("L", "result"))
def cholesky_solve(input: Array, L: Array, upper=False):
    """The X of A X = input, from the Cholesky factor L of A. Shape: (*, n, k), (*, n, n) -> (*, n, k)."""
    for x, name in ((input, "b"), (L, "u")):
        if x.ndim < 2:
            raise RuntimeError(f"{name} should have at least 2 dimensions, but has {x.ndim} dimensions instead")
    _check_solve(input, L)
    b, factor = broadcast_batches(input, L)
    return _solve(b, factor, upper)


def _check_solve(b, factor):
    if b.shape[-2] != factor.shape[-2]:
        raise RuntimeError(
            f"Incompatible matrix sizes for cholesky_solve: each A matrix is {factor.shape[-1]} by {factor.shape[-1]} "
            f"but each b matrix is {b.shape[-2]} by {b.shape[-1]}"
        )
    need_square(factor, "cholesky_solve")
    if b.dtype != factor.dtype:
        raise RuntimeError(
            f"Expected b and A to have the same dtype, but found b of type {label(b)} and A of type "
            f"{label(factor)} instead."
        )
    need_kernel(b, "cholesky_solve_cpu")


@cholesky_solve.gradient
def _(grad, result, input, L, upper):
    grad, factor = broadcast_batches(grad, L)
    along = _solve(grad, factor, upper)
    return along, _along_factor(along @ mh(result), factor, upper)


def _along_factor(half, factor, upper):
    both = half + mh(half)
    return -(factor @ both if upper else both @ factor)


@op("cholesky_inverse", method=True, out=True, saves=("input", "result"))
def cholesky_inverse(input: Array, upper=False):
    """The inverse of A, from its Cholesky factor. Shape: (*, n, n) -> the same."""
    need_square(input, "cholesky_inverse")
    need_kernel(input, "cholesky_inverse_out_cpu")
    eye = jnp.broadcast_to(jnp.eye(input.shape[-1], dtype=input.dtype), input.shape)
    return _solve(eye, input, upper)


@cholesky_inverse.gradient
def _(grad, result, input, upper):
    return (_along_factor(result @ grad @ result, input, upper),)
