"""Modules that work on several devices, as torch.nn.parallel has them."""

from jtorch.nn.parallel.data_parallel import DataParallel
from jtorch.nn.parallel.distributed import DistributedDataParallel

__all__ = ["DataParallel", "DistributedDataParallel"]
