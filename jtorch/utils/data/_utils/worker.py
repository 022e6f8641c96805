"""Workers: each has a copy of the dataset and random numbers of its own, and fetches the batches it is given."""

import copy
import random
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from jtorch.rng import generator as rng


@dataclass(frozen=True, slots=True)
class WorkerInfo:
    """What a dataset may ask about the worker that it is used in."""

    id: int
    num_workers: int
    seed: int
    dataset: Any
    rng: Any = None
    worker_method: str | None = "multiprocessing"


class _Current:
    info = None


def get_worker_info():
    """The WorkerInfo inside a worker, None in the main process."""
    return _Current.info


class Worker:
    """One worker, working in this process when it is asked for a batch.

    Its random numbers (Python's, NumPy's, torch's) start from its own seed and leave those of the main program alone.
    """

    def __init__(self, number, count, base_seed, dataset, init_fn, make_fetcher):
        dataset = copy.copy(dataset)
        self._info = WorkerInfo(number, count, base_seed + number, dataset)
        self._make_fetcher = make_fetcher
        self._random = None
        with self._at_work():
            _seed(base_seed, number)
            if init_fn is not None:
                init_fn(number)
            self._fetcher = make_fetcher(dataset)

    def fetch(self, index):
        """The batch for what the sampler gave. Raises StopIteration when a stream has ended."""
        with self._at_work():
            return self._fetcher.fetch(index)

    def resume(self):
        """Begin a new pass over the dataset."""
        with self._at_work():
            self._fetcher = self._make_fetcher(self._info.dataset)

    @contextmanager
    def _at_work(self):
        outside, info = _random_state(), _Current.info
        _Current.info = self._info
        if self._random is not None:
            _set_random_state(self._random)
        try:
            yield
        finally:
            _Current.info = info
            self._random = _random_state()
            _set_random_state(outside)


def _seed(base_seed, number):
    random.seed(base_seed + number)
    rng.default.manual_seed(base_seed + number)
    # torch: mixes the worker's number into NumPy's seed as NumPy's SeedSequence does.
    words = [number, base_seed & 0xFFFFFFFF, base_seed >> 32, 0]
    np.random.seed(np.random.SeedSequence(words).generate_state(4))


def _random_state():
    return random.getstate(), np.random.get_state(), rng.default.get_state()


def _set_random_state(states):
    random.setstate(states[0])
    np.random.set_state(states[1])
    rng.default.set_state(states[2])
