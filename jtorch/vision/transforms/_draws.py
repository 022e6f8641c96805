"""The few random numbers that a transform needs, drawn from the default generator as torch draws them, as Python's."""

import numpy as np

from jtorch import dtypes
from jtorch.rng import generator as rng
from jtorch.rng import samplers

_LONG = dtypes.int64
_WIDE = 1e30  # bounds beyond are left to the sampler, which says what is wrong with them
_SMALL = 1 << 28  # torch: a range from here on takes two words


def _word():
    """The next 32 bits."""
    return int(rng.default.words(1)[0])


def _single():
    """Whether floats are float32, whose draws are cheap enough to be made here."""
    return dtypes.Default.float is dtypes.float32


def rand():
    """A number in [0, 1), as torch.rand(1) has it: 24 bits of a word in float32."""
    if not _single():
        return float(samplers.uniform(rng.default, (1,), dtypes.Default.float)[0])
    return (_word() & 0xFFFFFF) * 2.0**-24


def rands(count):
    """A list of numbers in [0, 1)."""
    return [rand() for _ in range(count)]


def rounded(number):
    """A number in the dtype of floats, in which tensors compare it."""
    return dtypes.Default.float.numpy.type(number)


def chance(p):
    """Whether a draw is below p, compared as a tensor is."""
    return rand() < float(rounded(p))


def uniform(low, high):
    """A number in [low, high), as torch.empty(1).uniform_(low, high) has it. Raises RuntimeError for no range."""
    if not _single() or not -_WIDE < low < high < _WIDE:
        return float(samplers.uniform(rng.default, (1,), dtypes.Default.float, float(low), float(high))[0])
    low, high = np.float32(low), np.float32(high)
    # torch: multiplied and added with one rounding, for which doubles are wide enough.
    value = np.float32(rand() * float(high - low) + float(low))
    return float(low if value == high else value)


def normal(shape):
    """An array of normal numbers, of float32 whatever the dtype of floats."""
    return samplers.normal(rng.default, tuple(shape), dtypes.float32)


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
    kind = dtypes.Default.float
    return samplers.dirichlet(rng.default, (rows, len(alpha)), kind, np.array([alpha] * rows, kind.numpy))


def log_uniform(low, high):
    """e to a number that is uniform between the logarithms of two numbers, all in the dtype of floats."""
    low, high = (float(np.log(rounded(x))) for x in (low, high))
    return float(np.exp(rounded(uniform(low, high))))


def rand_array(shape):
    """An array of numbers in [0, 1)."""
    return samplers.uniform(rng.default, tuple(shape), dtypes.Default.float)
