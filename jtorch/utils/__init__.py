"""Utilities, as torch.utils has them."""

from jtorch.utils import (
    _foreach_utils,
    _pytree,
    _triton,
    checkpoint,
    data,
    dlpack,
    flop_counter,
    hooks,
    model_zoo,
    module_tracker,
)
from jtorch.utils._swap import swap_tensors

__all__ = ["checkpoint", "data", "dlpack", "hooks", "model_zoo", "swap_tensors"]
