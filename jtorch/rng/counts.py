"""Counts as torch's CPU draws them: Poisson and binomial numbers, one element after the other."""

import math

import numpy as np

from jtorch.rng.integers import not_implemented
from jtorch.rng.stream import Stream

F32 = np.float32
_REJECT = 10  # torch: from this mean on, the transformed rejection of Hörmann 1993 draws
# log(k!) minus Stirling's approximation, for k = 0 .. 9.
_TAIL = (
    0.0810614667953272, 0.0413406959554092, 0.0276779256849983, 0.02079067210376509, 0.0166446911898211,
    0.0138761288230707, 0.0118967099458917, 0.0104112652619720, 0.00925546218271273, 0.00833056343336287,
)  # fmt: skip


def poisson(generator, shape, dtype, rates):
    """A Poisson number for each rate. Shape: of the rates. Raises RuntimeError for rates < 0."""
    if not dtype.is_floating_point or dtype.itemsize == 1:
        raise not_implemented("poisson_cpu", dtype)
    with Stream(generator) as uniform:
        drawn = [_poisson(rate, uniform) for rate in rates.astype(np.float64).reshape(-1).tolist()]
    return np.array(drawn, np.float64).astype(dtype.numpy).reshape(shape)


def _poisson(rate, uniform):
    if not rate >= 0:
        raise RuntimeError("invalid Poisson rate, expected rate to be non-negative")
    if rate >= _REJECT:
        return _poisson_rejected(rate, uniform)
    if rate == 0:
        return 0
    count, product, floor = 0, uniform(), math.exp(-rate)
    while product > floor:
        count += 1
        product *= uniform()
    return count


def _poisson_rejected(rate, uniform):
    """Algorithm PTRS of Hörmann 1993."""
    log_rate = math.log(rate)
    b = 0.931 + 2.53 * math.sqrt(rate)
    a = -0.059 + 0.02483 * b
    log_alpha = math.log(1.1239 + 1.1328 / (b - 3.4))
    tight = 0.9277 - 3.6224 / (b - 2)
    while True:
        u, v = uniform() - 0.5, uniform()
        us = 0.5 - abs(u)
        if us == 0:
            continue
        k = math.floor((2 * a / us + b) * u + rate + 0.43)
        if us >= 0.07 and v <= tight:
            return k
        if k < 0 or (us < 0.013 and v > us):
            continue
        height = math.log(v) if v else -math.inf
        if height + log_alpha - math.log(a / (us * us) + b) <= -rate + k * log_rate - math.lgamma(k + 1):
            return k


def check_binomial(count, prob):
    """Raise for dtypes of count and prob that torch does not take."""
    for name, dtype in (("count", count), ("prob", prob)):
        if not dtype.is_floating_point:
            raise ValueError(f"binomial only supports floating-point dtypes for {name}, got: {dtype.label}")
    if count.name not in ("float32", "float64"):
        raise not_implemented("binomial_cpu", count)
    if prob is not count:
        raise RuntimeError(f"Found dtype {prob.label} but expected {count.label}")


def binomial(generator, shape, dtype, count, prob):
    """How many of `count` trials of probability `prob` succeed. Shape: of both."""
    # torch works these out in the dtype of count and prob, and the rest in double.
    with np.errstate(all="ignore"):
        p = np.where(prob > 0.5, 1 - prob, prob)
        log_rest, ratio, middle = np.log1p(-p), p / (1 - p), np.floor((count + 1) * p)
        mean, spread = count * p, np.sqrt(count * p * (1 - p))
    columns = (count, prob, p, mean, log_rest, spread, ratio, middle)
    rows = zip(*(x.reshape(-1).astype(np.float64).tolist() for x in columns), strict=True)
    with Stream(generator) as uniform:
        drawn = [_binomial(row, uniform) for row in rows]
    return np.array(drawn, dtype.numpy).reshape(shape)


def _binomial(row, uniform):
    n, prob, p, mean, log_rest, spread, ratio, middle = row
    if n <= 0 or prob <= 0:
        return 0
    if prob >= 1:
        return n
    if not 0 < p <= 0.5:
        return math.nan
    if mean >= _REJECT:
        found = _binomial_rejected(n, p, mean, spread, ratio, middle, uniform)
    else:
        found = _binomial_inverted(n, log_rest, uniform)
    return n - found if prob > 0.5 else found


def _binomial_inverted(n, log_rest, uniform):
    """Successes counted by the geometric gaps between them."""
    total, count = 0.0, 0
    while True:
        u = uniform()
        total += math.ceil(math.log(u) / log_rest) if u else math.inf
        if total > n:
            return count
        count += 1


def _binomial_rejected(n, p, mean, spread, ratio, middle, uniform):
    """Algorithm BTRS of Hörmann 1993."""
    start = mean + 0.5
    b = 1.15 + 2.53 * spread
    a = -0.0873 + 0.0248 * b + 0.01 * p
    tight = 0.92 - 4.2 / b
    alpha = (2.83 + 5.1 / b) * spread
    while True:
        u, v = uniform() - 0.5, uniform()
        us = 0.5 - abs(u)
        if us == 0:
            continue
        k = math.floor((2 * a / us + b) * u + start)
        if us >= 0.07 and v <= tight:
            return k
        if k < 0 or k > n:
            continue
        height = v * alpha / (a / (us * us) + b)
        bound = (
            (middle + 0.5) * math.log((middle + 1) / (ratio * (n - middle + 1)))
            + (n + 1) * math.log((n - middle + 1) / (n - k + 1))
            + (k + 0.5) * math.log(ratio * (n - k + 1) / (k + 1))
            + _tail(middle) + _tail(n - middle) - _tail(k) - _tail(n - k)
        )  # fmt: skip
        if not height or math.log(height) <= bound:
            return k


def _tail(k):
    if k <= 9:
        return _TAIL[int(k)]
    square = (k + 1) ** 2
    return (1 / 12 - (1 / 360 - 1 / 1260 / square) / square) / (k + 1)
