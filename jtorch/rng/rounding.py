"""Fused multiply-add on arrays: torch's kernels are compiled with it, NumPy has none."""

import numpy as np


def fma32(a, b, c):
    """a·b + c for float32, rounded once: the product is exact in float64, and the sum is rounded from there.

    a: a NumPy or JAX array.
    """
    return (a.astype(np.float64) * b + c).astype(np.float32)


def rounded(a, b):
    """a·b for float32, rounded before anything is added to it, also by XLA. a: a NumPy or JAX array."""
    return (a.astype(np.float64) * np.float64(b)).astype(np.float32)


def fma64(a, b, c):
    """a·b + c in float64, rounded once: Dekker's product and Knuth's sum keep the errors and add them last."""
    product = a * b
    head_a, tail_a = _split(a)
    head_b, tail_b = _split(b)
    slip = ((head_a * head_b - product) + head_a * tail_b + tail_a * head_b) + tail_a * tail_b
    total = product + c
    back = total - product
    slip = slip + ((product - (total - back)) + (c - back))
    result = total + slip
    return np.where(np.isfinite(result), result, total)


def _split(x):
    wide = 134217729.0 * x  # 2^27 + 1 halves the 53 bits
    head = wide - (wide - x)
    return head, x - head
