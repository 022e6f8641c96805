"""Modules that work on several devices, as torch.nn.parallel has them."""

from jtorch.nn.parallel.data_parallel import DataParallel

__all__ = ["DataParallel"]
