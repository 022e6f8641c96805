"""Batches of matrices: what torch refuses about them, in its words, and the few steps that factorizations share."""

from jax import numpy as jnp
from jax.lax import linalg as lapack

from jtorch import dtypes
from jtorch.shapes import broadcast_shapes, listed


def label(x):
    """torch's name of an array's dtype: Float, Long, ..."""
    return dtypes.from_numpy(x.dtype).label


def need_matrix(x, function, name="A"):
    """Raise RuntimeError for fewer than 2 dims."""
    if x.ndim < 2:
        raise RuntimeError(f"{function}: The input tensor {name} must have at least 2 dimensions.")


def need_square(x, function, name="A"):
    """Raise RuntimeError for fewer than 2 dims or matrices that are not square."""
    need_matrix(x, function, name)
    if x.shape[-1] != x.shape[-2]:
        raise RuntimeError(
            f"{function}: {name} must be batches of square matrices, but they are {x.shape[-2]} by {x.shape[-1]} "
            "matrices"
        )


def need_inexact(x, function, halves=False):
    """Raise RuntimeError for integers and, unless torch takes them, for halves."""
    kind = dtypes.from_numpy(x.dtype)
    if kind.category < dtypes.FLOAT:
        raise RuntimeError(f"{function}: Expected a floating point or complex tensor as input. Got {kind.label}")
    if not halves and kind.itemsize < 4:
        raise RuntimeError(f"{function}: Low precision dtypes not supported. Got {kind.label}")


def need_kernel(x, kernel):
    """Raise NotImplementedError, naming torch's kernel, for integers and halves."""
    kind = dtypes.from_numpy(x.dtype)
    if kind.itemsize < 4 or kind.category < dtypes.FLOAT:
        raise NotImplementedError(f"\"{kernel}\" not implemented for '{kind.label}'")


def need_same_dtype(a, b, function, names=("A", "B")):
    """Raise RuntimeError for two dtypes."""
    if a.dtype != b.dtype:
        raise RuntimeError(
            f"{function}: Expected {names[0]} and {names[1]} to have the same dtype, but found {names[0]} of type "
            f"{label(a)} and {names[1]} of type {label(b)} instead"
        )


def need_solvable(a, b, left, function):
    """Raise RuntimeError unless b's sizes fit a X = b, or X a = b."""
    need_square(a, function)
    need_matrix(b, function, "B")
    if a.shape[-2] != b.shape[-2 if left else -1]:
        raise RuntimeError(
            f"{function}: Incompatible shapes of A and B for the equation {'AX = B' if left else 'XA = B'} "
            f"({a.shape[-2]}x{a.shape[-1]} and {b.shape[-2]}x{b.shape[-1]})"
        )


def is_vector_batch(a, b):
    """Whether torch takes b as a batch of vectors beside the matrices a."""
    return b.ndim == 1 or (a.ndim - 1 == b.ndim and b.shape == a.shape[:-1])


def mh(x):
    """The conjugate transpose of matrices."""
    return jnp.conj(jnp.swapaxes(x, -1, -2))


def real_dtype(x):
    """The dtype of an array's real parts."""
    return dtypes.from_numpy(x.dtype).to_real().numpy


def diagonals(x):
    """The diagonals of matrices. Shape: (*, m, n) -> (*, min(m, n))."""
    return jnp.diagonal(x, axis1=-2, axis2=-1)


def from_diagonal(d):
    """Matrices with these diagonals. Shape: (*, n) -> (*, n, n)."""
    return d[..., None] * jnp.eye(d.shape[-1], dtype=d.dtype)


def broadcast_batches(*xs):
    """Matrices with their batch dims broadcast against each other."""
    batch = broadcast_shapes(*(x.shape[:-2] for x in xs))
    return tuple(jnp.broadcast_to(x, (*batch, *x.shape[-2:])) for x in xs)


def solve_triangular(a, b, *, left=True, upper=False, adjoint=False, unit=False):
    """The X of a X = b, or of X a = b, for triangular matrices with the same batch dims."""
    if not b.size:
        return jnp.zeros(b.shape, b.dtype)
    return lapack.triangular_solve(
        a, b, left_side=left, lower=not upper, transpose_a=adjoint, conjugate_a=adjoint, unit_diagonal=unit
    )


def factor(a):
    """(LU, pivots from 1 on, permutation, info): the first zero on U's diagonal, counted from 1, or 0."""
    batch, rank = a.shape[:-2], min(a.shape[-2:])
    if not a.size:
        rows = jnp.broadcast_to(jnp.arange(a.shape[-2], dtype=jnp.int32), (*batch, a.shape[-2]))
        pivots = jnp.broadcast_to(jnp.arange(1, rank + 1, dtype=jnp.int32), (*batch, rank))
        return a, pivots, rows, jnp.zeros(batch, jnp.int32)
    lu, pivots, rows = lapack.lu(a)
    zero = diagonals(lu) == 0
    info = jnp.where(zero.any(-1), jnp.argmax(zero, -1) + 1, 0).astype(jnp.int32)
    return lu, pivots + 1, rows, info


def solve_factored(lu, rows, b, adjoint=False):
    """The X of A X = b, or of Aᴴ X = b, from A's factors."""
    if adjoint:
        x = solve_triangular(lu, solve_triangular(lu, b, upper=True, adjoint=True), adjoint=True, unit=True)
        return jnp.take_along_axis(x, jnp.argsort(rows, -1)[..., None], -2)
    b = jnp.take_along_axis(b, rows[..., None], -2)
    return solve_triangular(lu, solve_triangular(lu, b, unit=True), upper=True)


def refuse_shape(function, x, least):
    """The RuntimeError for a tensor with too few dims, in the words of torch's older functions."""
    return RuntimeError(
        f"{function}: Expected tensor with {least} or more dimensions. Got size: {listed(x.shape)} instead"
    )
