"""Utilities, as torch.utils has them."""

from jtorch.utils import _pytree, checkpoint, data, dlpack

__all__ = ["checkpoint", "data", "dlpack"]
