"""Gamma and Dirichlet numbers as torch's CPU draws them (Marsaglia & Tsang 2000), one element after the other."""

import math

import numpy as np

from jtorch.rng.boxmuller import pair
from jtorch.rng.integers import not_implemented
from jtorch.rng.stream import Stream

_THIRD = np.float32(1 / 3)  # torch: a third of single precision, in double arithmetic too


def standard_gamma(generator, shape, dtype, alpha):
    """Gamma numbers of shape parameter alpha and rate 1. Shape: of alpha."""
    return _least(_drawn(generator, alpha, dtype, "gamma_cpu", alpha.dtype.type), alpha.dtype)


def dirichlet(generator, shape, dtype, alpha):
    """Points of the simplex. Shape: (*, n) -> the same; the last dim sums to 1."""
    drawn = _drawn(generator, alpha, dtype, "dirichlet", np.float64)
    with np.errstate(all="ignore"):
        shares = (drawn / drawn.sum(-1, keepdims=True)).astype(alpha.dtype)
    return np.minimum(_least(shares, alpha.dtype), alpha.dtype.type(1 - np.finfo(alpha.dtype).eps))


def _least(values, dtype):
    # torch: never 0, so that the logarithm is finite; and never nan.
    return np.fmax(values.astype(dtype), np.finfo(dtype).tiny)


def _drawn(generator, alpha, dtype, kernel, real):
    """real: the type in which torch prepares alpha; the draws themselves are double."""
    if dtype.name not in ("float32", "float64"):
        raise not_implemented(kernel, dtype)
    alpha = alpha.astype(real, copy=False)
    small = alpha < 1
    with np.errstate(divide="ignore"):
        powers = np.where(small, 1 / alpha, 0)  # of a uniform number, by which a number of shape alpha + 1 is scaled
    columns = [x.reshape(-1).astype(np.float64).tolist() for x in (powers, np.where(small, alpha + 1, alpha) - _THIRD)]
    rows = zip(*columns, strict=True)
    with Stream(generator) as uniform:
        drawn = [0.0 if power == math.inf else _one(power, d, generator, uniform) for power, d in rows]
    return np.array(drawn, np.float64).reshape(alpha.shape)


def _one(power, d, generator, uniform):
    scale = math.pow(1 - uniform(), power) if power else 1.0
    c = 1 / math.sqrt(9 * d) if d > 0 else math.nan
    while True:
        x = _normal(generator, uniform)
        y = 1 + c * x
        if y <= 0:
            continue
        v = y * y * y
        u = 1 - uniform()
        square = x * x
        if u < 1 - 0.0331 * square * square or math.log(u) < 0.5 * square + d * (1 - v + math.log(v)):
            return scale * d * v


def _normal(generator, uniform):
    """A normal number; of two that are made together, the second waits in the generator."""
    kept = generator.next_normal
    if kept is not None:
        generator.next_normal = None
        return kept
    first, generator.next_normal = pair(uniform(), uniform())
    return first
