"""The few random numbers that a transform needs, drawn from the default generator as torch draws them, as Python's."""

import numpy as np

from jtorch import dtypes
from jtorch.rng import generator as rng
from jtorch.rng import samplers

_FLOAT, _LONG = dtypes.float32, dtypes.int64
_WIDE = 1e30  # bounds beyond are left to the sampler, which says what is wrong with them
_SMALL = 1 << 28  # torch: a range from here on takes two words


def _word():
    """The next 32 bits."""
    return int(rng.default.words(1)[0])


def rand():
    """A number in [0, 1), as torch.rand(1) has it: 24 bits."""
    return (_word() & 0xFFFFFF) * 2.0**-24


def rands(count):
    """A list of numbers in [0, 1)."""
    return [rand() for _ in range(count)]


def chance(p):
    """Whether a draw is below p, compared in float32 as a tensor is."""
    return rand() < float(np.float32(p))


def uniform(low, high):
    """A number in [low, high), as torch.empty(1).uniform_(low, high) has it. Raises RuntimeError for no range."""
    if not -_WIDE < low < high < _WIDE:
        return float(samplers.uniform(rng.default, (1,), _FLOAT, float(low), float(high))[0])
    low, high = np.float32(low), np.float32(high)
    # torch: multiplied and added with one rounding, for which doubles are wide enough.
    value = np.float32(rand() * float(high - low) + float(low))
    return float(low if value == high else value)


def normal(shape):
    """An array of normal numbers."""
    return samplers.normal(rng.default, tuple(shape), _FLOAT)


def randint(low, high):
    """A whole number in [low, high). Raises RuntimeError where there is none."""
    if not 0 < high - low < _SMALL:
        return int(samplers.randint(rng.default, (1,), _LONG, low, high)[0])
    return low + _word() % (high - low)


def randints(count, high):
    """A list of whole numbers in [0, high)."""
    return [randint(0, high) for _ in range(count)]


def randperm(n):
    """A list of the numbers from 0 to n - 1 in random order."""
    out = list(range(n))
    for i in range(n - 1):
        other = i + _word() % (n - i)
        out[i], out[other] = out[other], out[i]
    return out


def dirichlet(alpha, rows):
    """Points of the simplex. Shape: alpha a list of n -> (rows, n)."""
    return samplers.dirichlet(rng.default, (rows, len(alpha)), _FLOAT, np.array([alpha] * rows, np.float32))


def log_uniform(low, high):
    """e to a number that is uniform between the logarithms of two numbers, all in float32."""
    low, high = (float(np.log(np.float32(x))) for x in (low, high))
    return float(np.exp(np.float32(uniform(low, high))))


def rand_array(shape):
    """An array of numbers in [0, 1)."""
    return samplers.uniform(rng.default, tuple(shape), _FLOAT)
