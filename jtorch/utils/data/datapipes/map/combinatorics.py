"""The pipe that shuffles: a stream of the samples of a MapDataPipe."""

import random
from typing import TypeVar

from jtorch.utils.data.datapipes.datapipe import IterDataPipe, MapDataPipe
from jtorch.utils.data.sampler import draw_seed

_T_co = TypeVar("_T_co", covariant=True)


class ShufflerIterDataPipe(IterDataPipe[_T_co]):
    """The samples in a random order, as a stream. indices: the keys, 0, 1, 2, ... where they are not given."""

    def __init__(self, datapipe, *, indices=None):
        super().__init__()
        self.datapipe = datapipe
        self.indices = list(range(len(datapipe))) if indices is None else indices
        self._enabled = True
        self._seed = None
        self._rng = random.Random()
        self._shuffled_indices = self.indices

    def set_shuffle(self, shuffle=True):
        """Turn shuffling on or off; the pipe itself."""
        self._enabled = shuffle
        return self

    def set_seed(self, seed):
        """Set the seed of the next pass; the pipe itself."""
        self._seed = seed
        return self

    def __iter__(self):
        if not self._enabled:
            for index in self.indices:
                yield self.datapipe[index]
            return
        while self._shuffled_indices:
            yield self.datapipe[self._shuffled_indices.pop()]

    def reset(self):
        """A new order, from a new seed where none was set."""
        if self._enabled and self._seed is None:
            self._seed = draw_seed()
        self._rng.seed(self._seed)
        self._seed = None
        self._shuffled_indices = self._rng.sample(self.indices, len(self.indices))

    def __len__(self):
        return len(self.datapipe)


MapDataPipe.register_datapipe_as_function("shuffle", ShufflerIterDataPipe)

__all__ = ["ShufflerIterDataPipe"]
