"""Utilities, as torch.utils has them."""

from jtorch.utils import data

__all__ = ["data"]
