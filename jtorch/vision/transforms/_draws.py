"""The few random numbers that a transform needs, drawn from the default generator as torch draws them, as Python's."""

import numpy as np

from jtorch import dtypes
from jtorch.rng import generator as rng
from jtorch.rng import samplers

_FLOAT, _LONG = dtypes.float32, dtypes.int64


def rand():
    """A number in [0, 1), as torch.rand(1) has it."""
    return float(samplers.uniform(rng.default, (1,), _FLOAT)[0])


def rands(count):
    """A list of numbers in [0, 1)."""
    return samplers.uniform(rng.default, (count,), _FLOAT).tolist()


def chance(p):
    """Whether a draw is below p, compared in float32 as a tensor is."""
    return rand() < np.float32(p)


def uniform(low, high):
    """A number in [low, high), as torch.empty(1).uniform_(low, high) has it."""
    return float(samplers.uniform(rng.default, (1,), _FLOAT, float(low), float(high))[0])


def normal(shape):
    """An array of normal numbers."""
    return samplers.normal(rng.default, tuple(shape), _FLOAT)


def randint(low, high):
    """A whole number in [low, high)."""
    return int(samplers.randint(rng.default, (1,), _LONG, low, high)[0])


def randints(count, high):
    """A list of whole numbers in [0, high)."""
    return samplers.randint(rng.default, (count,), _LONG, 0, high).tolist()


def randperm(n):
    """A list of the numbers from 0 to n - 1 in random order."""
    return samplers.randperm(rng.default, (n,), _LONG).tolist()


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
