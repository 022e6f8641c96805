"""What a DataLoader does to datapipes: seeds, and each process' and worker's part of the samples."""

from dataclasses import dataclass
from typing import Any

from jtorch.api.construct import tensor
from jtorch.groups import collectives, world
from jtorch.rng import generator as rng
from jtorch.utils.data._utils.worker import get_worker_info
from jtorch.utils.data.datapipes.datapipe import (
    IterDataPipe,
    MapDataPipe,
    _IterDataPipeSerializationWrapper,
    _MapDataPipeSerializationWrapper,
)
from jtorch.utils.data.graph_settings import apply_random_seed, apply_sharding
from jtorch.utils.data.sampler import draw_seed


def wrapped(dataset):
    """A dataset as a DataLoader keeps it: a pipe is wrapped."""
    if isinstance(dataset, IterDataPipe):
        return _IterDataPipeSerializationWrapper(dataset)
    return _MapDataPipeSerializationWrapper(dataset) if isinstance(dataset, MapDataPipe) else dataset


def pipes_of(dataset):
    """The Pipes of a dataset, None for one that is no pipe."""
    return Pipes(dataset) if isinstance(dataset, IterDataPipe | MapDataPipe) else None


class Pipes:
    """The pipes that a DataLoader takes its samples from."""

    def __init__(self, dataset):
        self._dataset = dataset

    def seed(self, generator):
        """Give the pipes of a stream their seeds, drawn from one that all processes share; that one, else None."""
        if not isinstance(self._dataset, IterDataPipe):
            return None
        drawn = draw_seed(generator)
        if world.is_initialized():
            shared = tensor(drawn)
            collectives.broadcast(shared, src=0, group=world.new_group(backend="gloo"))
            drawn = int(shared.item())
        _seed(self._dataset, drawn)
        return drawn

    def shard(self):
        """Take only this process' part of the samples."""
        apply_sharding(self._dataset, *_place())

    def settling(self, init_fn, seed):
        """What each worker begins with: its seeds and its part of the samples, then the user's function."""
        return Settling(init_fn, seed, *_place())


@dataclass
class Settling:
    """The worker_init_fn of a DataLoader over pipes."""

    init_fn: Any
    seed: int | None
    processes: int
    rank: int

    def __call__(self, worker):
        info = get_worker_info()
        if self.seed is not None:
            self.again(self.seed)
        apply_sharding(info.dataset, info.num_workers * self.processes, worker * self.processes + self.rank)
        if self.init_fn is not None:
            self.init_fn(worker)

    def again(self, seed):
        """What a new pass begins with: other seeds."""
        _seed(get_worker_info().dataset, seed)


def _place():
    return (world.get_world_size(), world.get_rank()) if world.is_initialized() else (1, 0)


def _seed(dataset, seed):
    apply_random_seed(dataset, rng.Generator().manual_seed(seed))
