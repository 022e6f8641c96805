"""Samplers: in which order a DataLoader takes the samples of a dataset, from the same seed the same as torch."""

import itertools
from typing import Generic, TypeVar

from jtorch import dtypes
from jtorch._tensor import host
from jtorch.api.construct import as_tensor
from jtorch.rng import generator as rng
from jtorch.rng import samplers

_T_co = TypeVar("_T_co", covariant=True)
_REPLACED = 32  # torch: draws with replacement come in blocks of this size


class Sampler(Generic[_T_co]):
    """Base of samplers: an iterable of indices. https://pytorch.org/docs/stable/data.html#torch.utils.data.Sampler."""

    def __iter__(self):
        raise NotImplementedError


class SequentialSampler(Sampler[int]):
    """0, 1, 2, ... in order."""

    def __init__(self, data_source):
        self.data_source = data_source

    def __iter__(self):
        return iter(range(len(self.data_source)))

    def __len__(self):
        return len(self.data_source)


class RandomSampler(Sampler[int]):
    """A random order; with replacement, or more samples than there are, drawn piece by piece as they are asked for.

    Raises: TypeError for a replacement that is no bool, ValueError for a num_samples that is no positive int.
    """

    def __init__(self, data_source, replacement=False, num_samples=None, generator=None):
        self.data_source = data_source
        self.replacement = replacement
        self._num_samples = num_samples
        self.generator = generator
        if not isinstance(replacement, bool):
            raise TypeError(f"replacement should be a boolean value, but got replacement={replacement}")
        if not isinstance(self.num_samples, int) or self.num_samples <= 0:
            raise ValueError(f"num_samples should be a positive integer value, but got num_samples={self.num_samples}")

    @property
    def num_samples(self):
        """How many indices there are; the dataset may have changed its length since."""
        return len(self.data_source) if self._num_samples is None else self._num_samples

    def __iter__(self):
        n = len(self.data_source)
        generator = self.generator
        if generator is None:
            generator = rng.Generator().manual_seed(draw_seed())
        if self.replacement:
            for size in _blocks(self.num_samples, _REPLACED):
                yield from samplers.randint(generator, (size,), dtypes.int64, 0, n).tolist()
        else:
            for size in _blocks(self.num_samples, n):
                yield from samplers.randperm(generator, (n,), dtypes.int64)[:size].tolist()

    def __len__(self):
        return self.num_samples


def _blocks(total, size):
    """Whole blocks of `size`, then the rest, which torch draws even when it is empty."""
    yield from itertools.repeat(size, total // size)
    yield total % size


def draw_seed(generator=None):
    """A seed below 2**63 from a generator, the default one where none is given."""
    generator = rng.default if generator is None else generator
    return int(samplers.random(generator, (), dtypes.int64))


class SubsetRandomSampler(Sampler[int]):
    """The given indices in a random order."""

    def __init__(self, indices, generator=None):
        self.indices = indices
        self.generator = generator

    def __iter__(self):
        generator = rng.default if self.generator is None else self.generator
        for i in samplers.randperm(generator, (len(self.indices),), dtypes.int64).tolist():
            yield self.indices[i]

    def __len__(self):
        return len(self.indices)


class WeightedRandomSampler(Sampler[int]):
    """Indices drawn with probabilities in the ratio of the weights (which need not sum to 1).

    Raises: ValueError for a num_samples or replacement of the wrong kind, and for weights that are not 1-d.
    """

    def __init__(self, weights, num_samples, replacement=True, generator=None):
        if not isinstance(num_samples, int) or isinstance(num_samples, bool) or num_samples <= 0:
            raise ValueError(f"num_samples should be a positive integer value, but got num_samples={num_samples}")
        if not isinstance(replacement, bool):
            raise ValueError(f"replacement should be a boolean value, but got replacement={replacement}")
        weights = as_tensor(weights, dtype=dtypes.float64)
        if weights.ndim != 1:
            raise ValueError(f"weights should be a 1d sequence but given weights have shape {tuple(weights.shape)}")
        self.weights = weights
        self.num_samples = num_samples
        self.replacement = replacement
        self.generator = generator

    def __iter__(self):
        generator = rng.default if self.generator is None else self.generator
        yield from samplers.multinomial(generator, host(self.weights), self.num_samples, self.replacement).tolist()

    def __len__(self):
        return self.num_samples


class BatchSampler(Sampler[list[int]]):
    """Lists of batch_size indices of another sampler; the last one is shorter, or left out with drop_last.

    Raises: ValueError for a batch_size that is no positive int or a drop_last that is no bool.
    """

    def __init__(self, sampler, batch_size, drop_last):
        if not isinstance(batch_size, int) or isinstance(batch_size, bool) or batch_size <= 0:
            raise ValueError(f"batch_size should be a positive integer value, but got batch_size={batch_size}")
        if not isinstance(drop_last, bool):
            raise ValueError(f"drop_last should be a boolean value, but got drop_last={drop_last}")
        self.sampler = sampler
        self.batch_size = batch_size
        self.drop_last = drop_last

    def __iter__(self):
        indices = iter(self.sampler)
        while batch := list(itertools.islice(indices, self.batch_size)):
            if len(batch) == self.batch_size or not self.drop_last:
                yield batch

    def __len__(self):
        count = len(self.sampler)
        return count // self.batch_size if self.drop_last else -(-count // self.batch_size)
