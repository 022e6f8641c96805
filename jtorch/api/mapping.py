"""Python functions on each element: apply_, map_, map2_. They run on the host, as they do in torch."""

import numpy as np

from jtorch import devices, dtypes, shapes
from jtorch._tensor import Tensor, aval, from_host, host
from jtorch.api.put import method
from jtorch.autograd.inplace import overwrite
from jtorch.errors import bad_argument


def _checked(name, self, others):
    if any(t.requires_grad for t in (self, *others)):
        raise RuntimeError(f"Can't call {name}() on Variable that requires grad. Use var.detach().{name}() instead.")
    if aval(self).device is not devices.CPU:
        raise TypeError(f"{name} is only implemented on CPU tensors")
    for t in others:
        if aval(t).dtype is not aval(self).dtype:
            raise TypeError(
                f"{name}: expected all tensors to have the dtype {aval(self).dtype!r}, but got {aval(t).dtype!r}"
            )


def _run(name, self, others, fn):
    _checked(name, self, others)
    a = aval(self)
    shapes.broadcast_shapes(a.shape, *(aval(t).shape for t in others))
    columns = [np.broadcast_to(host(t), a.shape).reshape(-1).tolist() for t in (self, *others)]
    convert = float if a.dtype.category == dtypes.FLOAT else complex if a.dtype.is_complex else int
    found = [_number(convert, fn(*values)) for values in zip(*columns, strict=True)]
    return overwrite(self, from_host(np.array(found, a.dtype.numpy).reshape(a.shape), device=a.device))


def _number(convert, value):
    if not isinstance(value, (bool, int, float, complex, np.generic, Tensor)):
        raise TypeError(f"must be real number, not {type(value).__name__}")
    return convert(value)


@method
def apply_(self, callable):
    """Replace each element by callable(element). Slow; for the CPU. Raises RuntimeError when it requires grad."""
    return _run("apply_", self, (), callable)


@method
def map_(self, tensor, callable):
    """Replace each element by callable(element, the other tensor's element)."""
    if not isinstance(tensor, Tensor):
        raise bad_argument("map_", 1, "other", "Tensor", tensor)
    return _run("map_", self, (tensor,), callable)


@method
def map2_(self, x, y, callable):
    """Replace each element by callable(element, x's, y's)."""
    return _run("map2_", self, (x, y), callable)
