"""Collectives with gradients, as torch.distributed.nn has them."""

from jtorch.distributed.nn import functional

__all__ = ["functional"]
