"""Draws as torch's CPU makes them: from the words of a Generator to NumPy arrays, in torch's order and roundings.

Every sampler takes the generator, the shape and a `jtorch` dtype, and raises torch's errors. Elements are drawn in
row-major order; torch fills a dense tensor in the order of its memory, so pass the shape as it lies there.
"""

import math

import ml_dtypes
import numpy as np

from jtorch import dtypes
from jtorch.rng import boxmuller, libm
from jtorch.rng.boxmuller import unit32, unit64
from jtorch.rng.counts import binomial, check_binomial, poisson
from jtorch.rng.gamma import dirichlet, standard_gamma
from jtorch.rng.integers import not_implemented, randint, random, randperm
from jtorch.rng.rounding import fma32, fma64

__all__ = [
    "bernoulli", "binomial", "cauchy", "check_binomial", "check_weights", "dirichlet", "exponential", "geometric",
    "log_normal", "multinomial", "normal", "normal_around", "poisson", "randint", "random", "randperm",
    "standard_gamma", "uniform",
]  # fmt: skip

F32 = np.float32
PIECE = 1 << 15  # elements drawn at a time: the scratch arrays stay in the cache
_FLOATS = ("float32", "float64", "float16", "bfloat16")
_INTS = ("int64", "int32", "int16", "int8", "uint8")


def uniform(generator, shape, dtype, low=0.0, high=1.0):
    """Uniform numbers in [low, high): 24 bits of a word, for float64 53 bits of two. Shape: as given.

    Raises RuntimeError for bounds that are no range of the dtype.
    """
    if dtype.is_complex:
        return uniform(generator, (*shape, 2), dtype.to_real(), low, high).view(dtype.numpy)[..., 0]
    _supported(dtype, "check_uniform_bounds", _FLOATS)
    _check_bounds(dtype, low, high)
    if dtype.name == "float64":
        return _drawn(generator, shape, dtype, lambda n: _stretched64(unit64(generator, n), low, high))
    if (low, high) == (0.0, 1.0) and dtype.name == "float32":
        return _drawn(generator, shape, dtype, lambda n: unit32(generator, n))
    low, width, high = F32(low), F32(high) - F32(low), np.asarray(high, F32).astype(dtype.numpy)

    def draw(count):
        values = fma32(unit32(generator, count), width, low).astype(dtype.numpy)
        # torch: a value rounded up to `high` becomes `low`, for high itself is excluded.
        values[values == high] = low
        return values

    return _drawn(generator, shape, dtype, draw)


def normal(generator, shape, dtype, mean=0.0, std=1.0, contiguous=True):
    """Normal numbers: 16 and more elements by Box-Muller in blocks of 16, fewer (or not contiguous) one by one.

    Shape: as given. Raises RuntimeError when std is negative.
    """
    if not std >= 0:
        raise RuntimeError(f"normal expects std >= 0.0, but found std {std:g}")
    if dtype.is_complex:
        # torch: real and imaginary part share the variance, and the mean is added to both.
        parts = normal(generator, (*shape, 2), dtype.to_real(), mean, std / math.sqrt(2.0), contiguous)
        return parts.view(dtype.numpy)[..., 0]
    if not math.prod(shape):
        return np.empty(shape, dtype.numpy)
    _supported(dtype, "normal_kernel_cpu", _FLOATS)
    with generator.lock:
        if math.prod(shape) < boxmuller.BLOCK or not contiguous:
            values = boxmuller.serial(generator, math.prod(shape), dtype, mean, std)
        else:
            values = boxmuller.blocks(generator, math.prod(shape), dtype, mean, std)
    return _narrow(values, dtype).reshape(shape)


def normal_around(generator, shape, dtype, mean, std):
    """Normal numbers times an array std plus mean, an array or a number; the product is rounded before the sum.

    Shape: as given, to which mean and std broadcast.
    """
    drawn = normal(generator, shape, dtype)
    if dtype.is_complex:
        return ((drawn * std).astype(dtype.numpy) + mean).astype(dtype.numpy)
    wide = np.float64 if np.float64 in (drawn.dtype, std.dtype, getattr(mean, "dtype", None)) else F32
    product = _narrow(drawn.astype(wide) * std.astype(wide), dtype)
    return _narrow(product.astype(wide) + np.asarray(mean, wide), dtype)


def log_normal(generator, shape, dtype, mean=1.0, std=2.0):
    """exp of normal numbers, drawn one by one. Shape: as given. Raises RuntimeError unless std > 0."""
    if not std > 0:
        raise RuntimeError(f"log_normal_ expects std > 0.0, but found std={std:g}")
    _supported(dtype, "log_normal_cpu", _FLOATS)
    exp = libm.of(dtype.numpy).exp
    with np.errstate(over="ignore"), generator.lock:
        return _narrow(exp(boxmuller.serial(generator, math.prod(shape), dtype, mean, std)), dtype).reshape(shape)


def bernoulli(generator, shape, dtype, p):
    """1 with probability p, else 0. p: a number or a float array that broadcasts to shape.

    A number or a float64 array takes two words per element, other arrays one. `F.dropout` on the CPU is this with
    p = 1 - rate. Raises RuntimeError when a p lies outside [0, 1].
    """
    names = (*_FLOATS, *_INTS, "bool")
    if not isinstance(p, np.ndarray):
        if not 0 <= p <= 1:
            raise RuntimeError(f"bernoulli_ expects p to be in [0, 1], but got p={p:g}")
        _supported(dtype, "bernoulli_scalar_cpu_", names)
        return _drawn(generator, shape, dtype, lambda n: unit64(generator, n) < p)
    _supported(dtype, "bernoulli_tensor_cpu_self_", names)
    _supported(dtypes.from_numpy(p.dtype), "bernoulli_tensor_cpu_p_", _FLOATS)
    if not ((p >= 0) & (p <= 1)).all():
        raise RuntimeError(
            "Expected p_in >= 0 && p_in <= 1 to be true, but got false.  "
            "(Could this error message be improved?  If so, please report an enhancement request to PyTorch.)"
        )
    p = np.broadcast_to(p, shape)
    unit = unit64 if p.dtype == np.float64 else unit32
    with generator.lock:
        return (unit(generator, p.size).reshape(shape) < p.astype(unit.dtype)).astype(dtype.numpy)


def exponential(generator, shape, dtype, lambd=1.0):
    """Exponential numbers of rate lambd. Shape: as given. Raises RuntimeError unless lambd > 0."""
    if not dtype.is_floating_point:
        raise _not_continuous("Exponential", dtype.label)
    if not lambd > 0:
        raise RuntimeError(f"exponential_ expects lambda > 0.0, but found lambda={lambd:g}")
    _supported(dtype, "exponential_cpu", _FLOATS)
    log1p = libm.of(dtype.numpy).log1p
    return _drawn(generator, shape, dtype, lambda n: -1.0 / lambd * log1p(-unit64(generator, n)))


def geometric(generator, shape, dtype, p):
    """The trial at which the first success of probability p comes, from 1. Raises RuntimeError unless 0 < p < 1."""
    if not 0 < p < 1:
        raise RuntimeError(f"geometric_ expects p to be in (0, 1), but got p={p:g}")
    _supported(dtype, "geometric_cpu", (*_FLOATS, *_INTS))
    integer = not dtype.is_floating_point

    def draw(count):
        with np.errstate(divide="ignore"):
            trials = np.ceil(np.log(unit64(generator, count)) / np.log1p(-p))
        return trials.astype(np.int64) if integer else trials

    return _drawn(generator, shape, dtype, draw)


def cauchy(generator, shape, dtype, median=0.0, sigma=1.0):
    """Cauchy numbers. Shape: as given. Raises RuntimeError unless sigma > 0."""
    if not dtype.is_floating_point:
        raise _not_continuous("Cauchy", dtypes.cpp_name(dtype))
    if not sigma > 0:
        raise RuntimeError(f"cauchy_ expects sigma > 0.0, but found sigma={sigma:g}")
    _supported(dtype, "cauchy_cpu", _FLOATS)
    tan = libm.of(dtype.numpy).tan
    return _drawn(generator, shape, dtype, lambda n: fma64(tan(np.pi * (unit64(generator, n) - 0.5)), sigma, median))


def multinomial(generator, weights, num_samples, replacement=False):
    """Indices drawn by weight along the last dim. Shape: (n,) or (m, n) -> int64 (num_samples,) or (m, num_samples).

    Without replacement (or for one sample) the weights race: the largest weight / exponential wins. With it, uniform
    numbers are looked up in the cumulative weights. Raises RuntimeError for weights that are none.
    """
    check_weights(weights.shape, dtypes.from_numpy(weights.dtype), num_samples, replacement)
    if replacement and num_samples > 1:
        return _looked_up(generator, weights, num_samples)
    if not ((weights >= 0) & np.isfinite(weights)).all():
        raise RuntimeError("probability tensor contains either `inf`, `nan` or element < 0")
    if (weights.sum(-1) == 0).any():
        raise RuntimeError("invalid multinomial distribution (sum of probabilities <= 0)")
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        race = weights / _exponential_like(generator, weights)
    if num_samples == 1:
        return race.argmax(-1, keepdims=True)
    return _winners(race, num_samples)


def _winners(race, count):
    """The places of the largest numbers along the last dim, largest first. Shape: (*, n) -> (*, count)."""
    if count * 8 > race.shape[-1]:
        return np.argsort(-race, -1, kind="stable")[..., :count]
    places = np.sort(np.argpartition(-race, count, -1)[..., :count], -1)
    order = np.argsort(-np.take_along_axis(race, places, -1), -1, kind="stable")
    return np.take_along_axis(places, order, -1)


def _exponential_like(generator, weights):
    """Exponential numbers, drawn in the order in which the weights lie in memory."""
    dtype = dtypes.from_numpy(weights.dtype)
    if weights.flags.c_contiguous:
        return exponential(generator, weights.shape, dtype)
    return exponential(generator, weights.shape[::-1], dtype).T


def check_weights(shape, dtype, num_samples, replacement):
    """Raise RuntimeError where torch's multinomial takes no weights of this shape and dtype."""
    if len(shape) not in (1, 2):
        raise RuntimeError("prob_dist must be 1 or 2 dim")
    if not dtype.is_floating_point:
        raise RuntimeError(f"multinomial only supports floating-point dtypes for input, got: {dtype.label}")
    if num_samples <= 0:
        raise RuntimeError("cannot sample n_sample <= 0 samples")
    if not replacement and num_samples > shape[-1]:
        raise RuntimeError("cannot sample n_sample > prob_dist.size(-1) samples without replacement")
    if shape[-1] > 1 << 24:
        raise RuntimeError("number of categories cannot exceed 2^24")


def _looked_up(generator, weights, num_samples):
    if not np.isfinite(weights).all():
        raise RuntimeError("invalid multinomial distribution (encountering probability entry = infinity or NaN)")
    if (weights < 0).any():
        raise RuntimeError("invalid multinomial distribution (encountering probability entry < 0)")
    total = np.cumsum(weights, -1, dtype=np.float64 if weights.dtype == np.float64 else F32)
    if not (total[..., -1] > 0).all():
        raise RuntimeError("invalid multinomial distribution (sum of probabilities <= 0)")
    total /= total[..., -1:]
    rows = total.reshape(-1, total.shape[-1])
    with generator.lock:
        unit = unit64(generator, len(rows) * num_samples).reshape(-1, num_samples)
    found = [np.searchsorted(row, wanted) for row, wanted in zip(rows, unit, strict=True)]
    return np.array(found, np.int64).reshape(*weights.shape[:-1], num_samples)


def _drawn(generator, shape, dtype, draw):
    """An array whose elements come from draw(count), a piece at a time."""
    out = np.empty(shape, dtype.numpy)
    flat = out.reshape(-1)
    with generator.lock:
        for start in range(0, flat.size, PIECE):
            piece = flat[start : start + PIECE]
            piece[...] = _narrow(draw(piece.size), dtype)
    return out


def _narrow(values, dtype):
    # torch: a double becomes a half type by way of float32.
    if dtype.itemsize == 2 and values.dtype == np.float64:
        values = values.astype(F32)
    with np.errstate(over="ignore"):
        return values.astype(dtype.numpy, copy=False)


def _stretched64(unit, low, high):
    if (low, high) == (0.0, 1.0):
        return unit
    values = fma64(unit, high - low, low)
    values[values == high] = low
    return values


def _check_bounds(dtype, low, high):
    info = ml_dtypes.finfo(dtype.numpy)
    least, most = float(info.min), float(info.max)
    for name, bound in (("from", low), ("to", high)):
        if not least <= bound <= most:
            raise RuntimeError(f"{name} is out of bounds for {dtypes.cpp_name(dtype)}")
    if low > high:
        raise RuntimeError(f"uniform_ expects to return a [from, to) range, but found from={low:g} > to={high:g}")
    if high - low > most:
        raise RuntimeError(
            f"uniform_ expects to-from <= std::numeric_limits<{dtype.label}>::max(), but found to={high:g} and "
            f"from={low:g} which result in to-from to exceed the limit"
        )


def _supported(dtype, kernel, names):
    if dtype.name not in names:
        raise not_implemented(kernel, dtype)


def _not_continuous(distribution, name):
    return RuntimeError(
        f"{distribution} distribution is a continuous probability distribution. "
        f"dtype must be a floating point but you specified {name}"
    )
