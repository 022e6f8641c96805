"""torch.autograd.Variable: what tensors with gradients were before tensors had them; a name that old programs use."""

import warnings

import numpy as np

from jtorch import dtypes
from jtorch._tensor import Tensor, from_host, require_grad

__all__ = ["Variable", "VariableMeta"]


class VariableMeta(type):
    """Lets every Tensor be an instance of Variable."""

    def __instancecheck__(cls, other):
        return isinstance(other, Tensor)


class Variable(metaclass=VariableMeta):
    """A tensor outside the graph that shares memory with `data`. Raises TypeError where that is no tensor."""

    def __new__(cls, data=None, requires_grad=False, volatile=False):
        if volatile:
            warnings.warn(
                "volatile was removed and now has no effect. Use `with torch.no_grad():` instead.", stacklevel=2
            )
        if data is None:
            data = from_host(np.zeros(0), dtypes.Default.float, "cpu")
        if not isinstance(data, Tensor):
            raise TypeError(f"Variable data has to be a tensor, but got {type(data).__name__}")
        made = data.detach()
        if requires_grad:
            require_grad(made)
        return made


def variable(*args, **kwargs):
    """Raise RuntimeError: torch.tensor took its place."""
    raise RuntimeError("torch.autograd.variable(...) is deprecated, use torch.tensor(...) instead")
