"""One pass over a DataLoader: in the main process, or by workers."""

import warnings
from collections import deque
from functools import partial
from itertools import cycle

from jtorch import devices
from jtorch.engine import flush
from jtorch.utils.data._utils import fetch
from jtorch.utils.data._utils.pin_memory import pin_memory
from jtorch.utils.data._utils.worker import Worker
from jtorch.utils.data.sampler import draw_seed


class _DatasetKind:
    Map = 0
    Iterable = 1

    @staticmethod
    def create_fetcher(kind, dataset, auto_collation, collate_fn, drop_last):
        """What takes samples from a dataset of a kind."""
        maker = fetch._MapDatasetFetcher if kind == _DatasetKind.Map else fetch._IterableDatasetFetcher
        return maker(dataset, auto_collation, collate_fn, drop_last)


class _BaseDataLoaderIter:
    def __init__(self, loader):
        self._dataset = loader.dataset
        self._dataset_kind = loader._dataset_kind
        self._IterableDataset_len_called = loader._IterableDataset_len_called
        self._index_sampler = loader._index_sampler
        self._num_workers = loader.num_workers
        self._pin_memory = loader.pin_memory and _has_accelerator(loader)
        self._make_fetcher = partial(
            _DatasetKind.create_fetcher,
            loader._dataset_kind,
            auto_collation=loader._auto_collation,
            collate_fn=loader.collate_fn,
            drop_last=loader.drop_last,
        )
        self._sampler_iter = iter(self._index_sampler)
        self._base_seed = draw_seed(loader.generator)
        self._persistent_workers = loader.persistent_workers
        self._num_yielded = 0

    def __iter__(self):
        return self

    def _reset(self, loader):
        self._sampler_iter = iter(self._index_sampler)
        self._num_yielded = 0
        self._IterableDataset_len_called = loader._IterableDataset_len_called

    def _next_data(self):
        raise NotImplementedError

    def __next__(self):
        # The device works on the last step while this batch is fetched.
        flush.boundary()
        data = self._next_data()
        if self._pin_memory:
            data = pin_memory(data)
        self._num_yielded += 1
        called = self._IterableDataset_len_called
        if self._dataset_kind == _DatasetKind.Iterable and called is not None and self._num_yielded > called:
            self._warn_of_length()
        return data

    def _warn_of_length(self):
        message = (
            f"Length of IterableDataset {self._dataset} was reported to be {self._IterableDataset_len_called}"
            f"(when accessing len(dataloader)), but {self._num_yielded} samples have been fetched. "
        )
        if self._num_workers > 0:
            message += (
                "For multiprocessing data-loading, this could be caused by not properly configuring the "
                "IterableDataset replica at each worker. Please see "
                "https://pytorch.org/docs/stable/data.html#torch.utils.data.IterableDataset for examples."
            )
        warnings.warn(message, stacklevel=3)

    def __len__(self):
        return len(self._index_sampler)

    def __getstate__(self):
        raise NotImplementedError("{} cannot be pickled", type(self).__name__)


class _SingleProcessDataLoaderIter(_BaseDataLoaderIter):
    def __init__(self, loader):
        super().__init__(loader)
        if loader.timeout != 0:
            raise AssertionError("_SingleProcessDataLoaderIter requires timeout == 0")
        self._dataset_fetcher = self._make_fetcher(self._dataset)

    def _next_data(self):
        fetcher = self._dataset_fetcher
        data = fetcher.fetch(next(self._sampler_iter))
        if not getattr(fetcher, "gathers", False):
            # What the samples' transforms recorded is a program of its own, not part of the step.
            flush.boundary()
        return data


class _MultiProcessingDataLoaderIter(_BaseDataLoaderIter):
    """Batches by turns from each worker. As in torch the sampler runs ahead, by prefetch_factor batches per worker."""

    def __init__(self, loader):
        super().__init__(loader)
        self._ahead = loader.prefetch_factor * loader.num_workers
        self._workers = [
            Worker(
                number, loader.num_workers, self._base_seed, self._dataset, loader.worker_init_fn, self._make_fetcher
            )
            for number in range(loader.num_workers)
        ]
        self._begin()

    def _begin(self):
        self._active = [True] * len(self._workers)
        self._turns = cycle(range(len(self._workers)))
        self._tasks = deque()
        for _ in range(self._ahead):
            self._give_task()

    def _reset(self, loader):
        super()._reset(loader)
        for worker in self._workers:
            worker.resume()
        self._begin()

    def _give_task(self):
        """Give the sampler's next index to the worker whose turn it is."""
        try:
            index = next(self._sampler_iter)
        except StopIteration:
            return
        if any(self._active):
            number = next(turn for turn in self._turns if self._active[turn])
            self._tasks.append((number, index))

    def _next_data(self):
        while self._tasks:
            number, index = self._tasks.popleft()
            if not self._active[number]:
                continue
            try:
                data = self._workers[number].fetch(index)
            except StopIteration:
                if self._dataset_kind == _DatasetKind.Map:
                    raise
                self._active[number] = False
                self._give_task()
                continue
            self._give_task()
            flush.boundary()
            return data
        raise StopIteration


def _has_accelerator(loader):
    if loader.pin_memory_device:
        warnings.warn(
            "pin_memory_device is deprecated, the current accelerator will be used as the device,"
            f"ignore pin_memory_device='{loader.pin_memory_device}'.",
            stacklevel=5,
        )
    if not devices.cuda_devices():
        warnings.warn(
            "'pin_memory' argument is set as true but no accelerator is found, "
            "then device pinned memory won't be used.",
            stacklevel=5,
        )
        return False
    return True
