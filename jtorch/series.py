"""Series in which special functions are evaluated: Chebyshev's, with coefficients fitted in 40 digits, and zeta's."""

import functools

import jax
from jax import lax
from jax import numpy as jnp
from jax.scipy import special


def chebyshev(t, coefficients):
    """Σ cᵢ Tᵢ(t) for t in [-1, 1], by Clenshaw's recurrence."""
    after, last = jnp.zeros_like(t), jnp.zeros_like(t)
    for c in reversed(coefficients[1:]):
        after, last = 2 * t * after - last + c, after
    return t * after - last + coefficients[0]


def in_double(fn):
    """Decorator: compute in float64 and round once."""

    @functools.wraps(fn)
    def double(x):
        return fn(x.astype(jnp.float64)).astype(x.dtype)

    return double


@jax.custom_jvp
def hurwitz(s, q):
    """Hurwitz's zeta function Σ (k + q)⁻ˢ, k from 0 on, of broadcast arrays; inf at its poles 0, -1, -2, ..."""
    pole = (q <= 0) & (q == jnp.floor(q))

    def onward(state):
        total, a = state
        low = a < 1
        return total + jnp.where(low, jnp.where(low, a, 1) ** -s, 0), a + low.astype(a.dtype)

    # JAX's own is exact from 1 on: what is below is summed up.
    total, a = lax.while_loop(lambda state: (state[1] < 1).any(), onward, (jnp.zeros_like(q), jnp.where(pole, 1, q)))
    found = total + special.zeta(s, a)
    return jnp.where(pole & ~(s < 1), jnp.inf, jnp.where(s == 1, jnp.inf, found))


@hurwitz.defjvp
def _(primals, tangents):
    (s, q), (_, dq) = primals, tangents
    return hurwitz(s, q), -s * hurwitz(s + 1, q) * dq


@jax.custom_jvp
def log_add(a, b):
    """log(eᵃ + eᵇ) of complex numbers, whose angle goes on from that of the longer one: it may leave (-π, π]."""
    swap = a.real < b.real
    low, high = jnp.where(swap, a, b), jnp.where(swap, b, a)
    equal = low.real == high.real
    found = high + jnp.log1p(jnp.exp(low - high))
    found = jnp.where(equal & (low.real == jnp.inf), jnp.log(jnp.exp(low) + jnp.exp(high)), found)
    return jnp.where(equal & (low.real == -jnp.inf), low, found)


log_add.defjvps(
    lambda tangent, result, a, b: tangent / (1 + jnp.exp(b - a)),
    lambda tangent, result, a, b: tangent / (1 + jnp.exp(a - b)),
)
