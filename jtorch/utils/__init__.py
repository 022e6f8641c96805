"""Utilities, as torch.utils has them."""

from jtorch.utils import _pytree, data, dlpack

__all__ = ["data", "dlpack"]
