"""One pass over a DataLoader: in the main process, or by workers."""

import os
import sys
import warnings
from functools import partial
from itertools import cycle, islice

from jtorch import devices
from jtorch.engine import flush, host
from jtorch.utils.data._utils import fetch
from jtorch.utils.data._utils.forkserver import ForkServer
from jtorch.utils.data._utils.pin_memory import pin_memory
from jtorch.utils.data._utils.processes import Guests, Processes, Unloadable
from jtorch.utils.data._utils.worker import Ended, ExceptionWrapper, Job
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
        self._pipes = loader._pipes
        self._shared_seed = None if self._pipes is None else self._pipes.seed(loader.generator)
        self._base_seed = draw_seed(loader.generator)
        self._persistent_workers = loader.persistent_workers
        self._num_yielded = 0

    def __iter__(self):
        return self

    def _reset(self, loader):
        self._sampler_iter = iter(self._index_sampler)
        self._num_yielded = 0
        self._IterableDataset_len_called = loader._IterableDataset_len_called
        if self._pipes is not None:
            self._shared_seed = self._pipes.seed(loader.generator)

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
        if self._pipes is not None:
            self._pipes.shard()
        self._dataset_fetcher = self._make_fetcher(self._dataset)

    def _next_data(self):
        fetcher, index = self._dataset_fetcher, next(self._sampler_iter)
        if getattr(fetcher, "gathers", False):
            return fetcher.fetch(index)
        with host.work():  # what the samples' transforms record is no part of the step
            return fetcher.fetch(index)


class _MultiProcessingDataLoaderIter(_BaseDataLoaderIter):
    """Batches made by workers. As in torch the sampler runs ahead, by prefetch_factor batches per worker."""

    _team = None

    def __init__(self, loader):
        super().__init__(loader)
        self._owner = os.getpid()
        self._timeout = loader.timeout or None
        self._in_order = loader.in_order
        self._stream = self._dataset_kind == _DatasetKind.Iterable
        self._ahead = loader.prefetch_factor * loader.num_workers
        init_fn = loader.worker_init_fn
        if self._pipes is not None:
            init_fn = self._pipes.settling(init_fn, self._shared_seed)
        self._job = Job(self._dataset, init_fn, self._make_fetcher, 0, loader.num_workers, self._base_seed)
        self._team = self._gather()
        self._workers = self._team.workers
        if self._pipes is not None:
            self._pipes.seed(loader.generator)  # torch: draws once more, for nothing
        self._begin()

    def _gather(self):
        if not ForkServer.possible():
            return self._stay("this system does not fork")
        try:
            return Processes(self._job, self._stream, self._ahead)
        except Exception as error:  # whatever the user's own objects raise when they are pickled
            return self._stay(f"{type(error).__name__}: {error}")

    def _stay(self, reason):
        warnings.warn(
            "DataLoader workers do their work in the main process, since they can't be given what they need in another "
            f"({reason}).",
            stacklevel=2,
        )
        return Guests(self._job, self._stream, self._ahead)

    def _begin(self):
        count = self._num_workers
        self._active = [True] * count
        self._given = [0] * count  # tasks that each worker has not answered
        self._turns = cycle(range(count))
        self._tasks = {}  # number of a batch -> (worker, index), until it is handed out
        self._answers = {}  # those that came before their turn
        self._next_task = 0
        for _ in range(self._ahead):
            self._give_task()

    def _reset(self, loader):
        super()._reset(loader)
        self._team.resume(self._shared_seed)
        self._begin()

    def _give_task(self):
        """Give the sampler's next index to the worker whose turn it is."""
        try:
            index = next(self._sampler_iter)
        except StopIteration:
            return
        share = self._ahead // max(1, sum(self._active))
        for number in islice(self._turns, self._num_workers):
            if self._active[number] and (self._in_order or self._given[number] < share):
                self._tasks[self._next_task] = number, index
                self._given[number] += 1
                self._team.give(number, self._next_task, index)
                self._next_task += 1
                return

    def _take(self):
        try:
            taken = self._team.take(self._timeout)
        except Unloadable as error:
            self._team.close()
            self._team = self._stay(str(error))
            self._workers = self._team.workers
            for at, (number, index) in self._tasks.items():
                self._team.give(number, at, index)
            taken = self._team.take()
        if taken is None:
            raise RuntimeError(f"DataLoader timed out after {self._timeout} seconds")
        return taken

    def _next_data(self):
        while self._tasks:
            first = next(iter(self._tasks))
            at = first if first in self._answers else self._await()
            if at == first or not self._in_order:
                answer = self._answers.pop(at)
                number, _ = self._tasks.pop(at)
                self._given[number] -= 1
                self._give_task()
                if isinstance(answer, Ended):
                    continue
                if isinstance(answer, ExceptionWrapper):
                    answer.reraise()
                return answer
        if not self._persistent_workers:
            self._shutdown_workers()
        raise StopIteration

    def _await(self):
        """Wait for the next answer; the number of its batch."""
        at, answer = self._take()
        if isinstance(answer, Ended):
            self._active[self._tasks[at][0]] = False
        self._answers[at] = answer
        return at

    def _shutdown_workers(self):
        team, self._team = self._team, None
        # A fork of this process has the iterator too, and must leave the workers alone.
        if team is not None and self._owner == os.getpid() and not sys.is_finalizing():
            team.close()

    def __del__(self):
        self._shutdown_workers()


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
