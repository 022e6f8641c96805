"""Orthogonal polynomials of an order that is a tensor, too, by their three-term recurrences."""

from jax import lax
from jax import numpy as jnp

from jtorch import dtypes
from jtorch.ops.op import Operand, op


def _recurrence(x, n, first, step):
    """p_n(x) from p_0 = 1, p_1 = first and p_(k+1) = step(k, p_k, p_(k-1)); 0 for orders below 0."""
    last = jnp.max(n, initial=0)

    def onward(state):
        k, before, now = state
        here = k < n
        return k + 1, jnp.where(here, now, before), jnp.where(here, step(k.astype(x.dtype), now, before), now)

    start = (jnp.ones((), n.dtype), jnp.ones_like(x), first)
    now = lax.while_loop(lambda state: state[0] < last, onward, start)[2]
    return jnp.where(n < 0, 0, jnp.where(n == 0, 1, now))


def _sign(n):
    return jnp.where(n % 2 == 0, 1, -1)


def _chebyshev(x, n, first, at_one, at_minus_one, closed):
    """A Chebyshev polynomial: known at ±1, a closed form of the angle for high orders in between."""
    turned = jnp.clip(x, -1, 1)
    inside = (jnp.abs(x) < 1) & (n > 8)
    order = jnp.where(inside, 0, n)
    plain = _recurrence(x, order, first, lambda k, now, before: (x + x) * now - before)
    found = jnp.where(inside, closed(jnp.arccos(turned), n.astype(x.dtype)), plain)
    at_one, at_minus_one = (jnp.asarray(value).astype(x.dtype) for value in (at_one, at_minus_one))
    found = jnp.where(x == 1, at_one, jnp.where(x == -1, at_minus_one, found))
    return jnp.where(n < 0, 0, found)


def _t(x, n):
    return _chebyshev(x, n, x, 1, _sign(n), lambda angle, n: jnp.cos(n * angle))


def _u(x, n):
    return _chebyshev(x, n, x + x, n + 1, _sign(n) * (n + 1),
                      lambda angle, n: jnp.sin((n + 1) * angle) / jnp.sin(angle))  # fmt: skip


def _v(x, n):
    return _chebyshev(x, n, x + x - 1, 1, _sign(n) * (2 * n + 1),
                      lambda angle, n: jnp.cos((n + 0.5) * angle) / jnp.cos(angle / 2))  # fmt: skip


def _w(x, n):
    return _chebyshev(x, n, x + x + 1, 2 * n + 1, _sign(n),
                      lambda angle, n: jnp.sin((n + 0.5) * angle) / jnp.sin(angle / 2))  # fmt: skip


def _limited(x, n, found):
    # torch: a Hermite polynomial of an order above this is nan.
    return jnp.where(n > (128 if x.dtype == jnp.float32 else 512), jnp.nan, found)


def _h(x, n):
    low = jnp.minimum(n, 1024)
    return _limited(x, n, _recurrence(x, low, x + x, lambda k, now, before: (x + x) * now - 2 * k * before))


def _he(x, n):
    low = jnp.minimum(n, 1024)
    return _limited(x, n, _recurrence(x, low, x, lambda k, now, before: x * now - k * before))


def _l(x, n):
    found = _recurrence(x, n, 1 - x, lambda k, now, before: ((2 * k + 1 - x) * now - k * before) / (k + 1))
    return jnp.where((x == 0) & (n >= 0), 1, found)


def _p(x, n):
    found = _recurrence(x, n, x, lambda k, now, before: ((2 * k + 1) * x * now - k * before) / (k + 1))
    return jnp.where((jnp.abs(x) == 1) & (n >= 0), jnp.where(x > 0, 1, _sign(n)), found)


def _register(name, words, fn):
    def function(x: Operand, n: Operand):
        x, n = jnp.broadcast_arrays(x, n)
        return fn(x, n.astype(jnp.int64)).astype(x.dtype)

    function.__doc__ = f"{words} of order n, cut to a whole number, at x. Shape: broadcast. Has no gradient."
    op(f"special_{name}", door="special", rule=dtypes.real(f"{name}_cpu"), out=True, differentiable=False)(function)


for _kind, _fn in (("t", _t), ("u", _u), ("v", _v), ("w", _w)):
    _register(f"chebyshev_polynomial_{_kind}", f"The Chebyshev polynomial {_kind.upper()}", _fn)
    _register(f"shifted_chebyshev_polynomial_{_kind}", f"The Chebyshev polynomial {_kind.upper()}, moved to [0, 1],",
              lambda x, n, fn=_fn: fn(x + x - 1, n))  # fmt: skip
_register("hermite_polynomial_h", "The physicists' Hermite polynomial", _h)
_register("hermite_polynomial_he", "The probabilists' Hermite polynomial", _he)
_register("laguerre_polynomial_l", "The Laguerre polynomial", _l)
_register("legendre_polynomial_p", "The Legendre polynomial", _p)
