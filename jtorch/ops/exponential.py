"""The matrix exponential."""

import math

import jax
from jax import lax
from jax import numpy as jnp

from jtorch.matrices import mh, need_inexact, need_square
from jtorch.ops.op import Array, op, widened

DEGREE = 18  # of the Taylor polynomial, as torch's for all but the smallest matrices
LARGEST = {"float32": 3.010066362817634, "float64": 1.090863719290036}  # 1-norms up to which it is exact (torch's)


@op("linalg_matrix_exp", door="linalg")
@widened
def linalg_matrix_exp(A: Array):
    """The exponential of square matrices. Shape: (*, n, n) -> the same. Raises RuntimeError for others."""
    need_inexact(A, "linalg.matrix_exp", halves=True)
    need_square(A, "linalg.matrix_exp")
    return _exponential(A) if A.size else A


@linalg_matrix_exp.gradient
@widened
def _(grad, result, A):
    return (_turned(A, grad),)


def _turned(a, grad):
    """The gradient: the corner of the exponential of (aᴴ grad; 0 aᴴ)."""
    n = a.shape[-1]
    back = mh(a)
    upper = jnp.concatenate([back, grad], -1)
    lower = jnp.concatenate([jnp.zeros_like(a), back], -1)
    return _exponential(jnp.concatenate([upper, lower], -2))[..., :n, n:]


@jax.custom_vjp
def _exponential(a):
    """By a polynomial of a / 2ˢ, squared s times; s is each matrix's own."""
    norm = jnp.max(jnp.sum(jnp.abs(a), -2), -1)
    bound = LARGEST[norm.dtype.name]
    halvings = jnp.where(norm > bound, jnp.ceil(jnp.log2(norm / bound)), 0)[..., None, None]
    halvings = jnp.where(jnp.isfinite(halvings), halvings, 0)  # nan whatever is done

    def square(state):
        k, x = state
        return k + 1, jnp.where(k < halvings, x @ x, x)

    found = _polynomial(a / jnp.exp2(halvings))
    return lax.while_loop(lambda state: state[0] < halvings.max(), square, (jnp.zeros((), norm.dtype), found))[1]


def _polynomial(a):
    """Taylor's, by Horner's rule in a⁴."""
    powers = [jnp.broadcast_to(jnp.eye(a.shape[-1], dtype=a.dtype), a.shape), a, a @ a]
    powers += [powers[2] @ a, powers[2] @ powers[2]]
    total = None
    for low in range(DEGREE // 4 * 4, -1, -4):
        terms = sum(powers[k] / math.factorial(low + k) for k in range(min(4, DEGREE - low + 1)))
        total = terms if total is None else terms + total @ powers[4]
    return total


def _forward(a):
    return _exponential(a), a


def _backward(a, cotangent):
    # JAX's cotangents are conjugates of torch's.
    return (jnp.conj(_turned(a, jnp.conj(cotangent))),)


_exponential.defvjp(_forward, _backward)
