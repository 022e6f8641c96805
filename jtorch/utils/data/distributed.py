"""DistributedSampler: each of several processes takes its own part of a dataset."""

import math
from itertools import cycle, islice
from typing import TypeVar

from jtorch import dtypes
from jtorch.groups import world
from jtorch.rng import generator as rng
from jtorch.rng import samplers
from jtorch.utils.data.sampler import Sampler

_T_co = TypeVar("_T_co", covariant=True)


class DistributedSampler(Sampler[_T_co]):
    """Every num_replicas-th index from `rank` on, of an order that all processes share: shuffled by seed + epoch.

    https://pytorch.org/docs/stable/data.html#torch.utils.data.distributed.DistributedSampler
    Call `set_epoch` before each epoch, else all have the same order.
    num_replicas, rank: those of the default process group where they are not given.
    Raises: ValueError for a rank out of range, and without both where there is no process group.
    """

    def __init__(self, dataset, num_replicas=None, rank=None, shuffle=True, seed=0, drop_last=False):
        num_replicas = world.get_world_size() if num_replicas is None else num_replicas
        rank = world.get_rank() if rank is None else rank
        if rank >= num_replicas or rank < 0:
            raise ValueError(f"Invalid rank {rank}, rank should be in the interval [0, {num_replicas - 1}]")
        self.dataset = dataset
        self.num_replicas = num_replicas
        self.rank = rank
        self.epoch = 0
        self.drop_last = drop_last
        count = len(dataset)
        if drop_last and count % num_replicas:
            count -= num_replicas
        self.num_samples = math.ceil(count / num_replicas)
        self.total_size = self.num_samples * num_replicas
        self.shuffle = shuffle
        self.seed = seed

    def __iter__(self):
        indices = range(len(self.dataset))
        if self.shuffle:
            generator = rng.Generator().manual_seed(self.seed + self.epoch)
            indices = samplers.randperm(generator, (len(self.dataset),), dtypes.int64).tolist()
        # All parts are equally long: the first indices come again, or with drop_last the last ones are left out.
        return islice(cycle(indices), self.rank, self.total_size, self.num_replicas)

    def __len__(self):
        return self.num_samples

    def set_epoch(self, epoch):
        """Shuffle from now on as in this epoch."""
        self.epoch = epoch
