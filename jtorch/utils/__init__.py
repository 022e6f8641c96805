"""Utilities, as torch.utils has them."""

from jtorch.utils import data, dlpack

__all__ = ["data", "dlpack"]
