"""Indices out of range, refused where the call is made if their values are at hand: later nobody knows the line."""

from jtorch._tensor import Tensor, aval
from jtorch.api.indices import outside
from jtorch.shapes import numel

_OUT = "index {i} is out of bounds for dimension {dim} with size {n}"
_FLAT = "out of range: tried to access index {i} on a tensor of {n} elements."

# op: (torch's class, its words, whether an index may count from the end)
BOUNDS = {
    "gather": (RuntimeError, _OUT, False),
    "scatter": (RuntimeError, _OUT, False),
    "scatter_add": (RuntimeError, _OUT, False),
    "scatter_reduce": (RuntimeError, _OUT, False),
    "index_add": (RuntimeError, _OUT, False),
    "index_copy": (IndexError, f"index_copy_(): {_OUT}", False),
    "index_fill": (IndexError, _OUT, True),
    "index_select": (IndexError, "index out of range in self", False),
    "take": (IndexError, _FLAT, True),
    "put": (IndexError, _FLAT, True),
}


def out_of_bounds(name, input, index, dim=None):
    """torch's error for an index of the op that is out of range, if that can be told without running anything."""
    if not isinstance(input, Tensor) or not isinstance(index, Tensor):
        return None
    shape = aval(input).shape
    if dim is not None and (type(dim) is not int or not -len(shape) <= dim < len(shape)):
        return None
    n = numel(shape) if dim is None else shape[dim]
    if not n and dim is None:
        return None  # the op has words for that
    kind, words, backwards = BOUNDS[name]
    wrong = outside(index, -n if backwards else 0, n)
    if wrong is None:
        return None
    if name == "index_select" and dim % len(shape) == 1:
        return RuntimeError(f"INDICES element is out of DATA bounds, id={wrong} axis_dim={n}")
    return kind(words.format(i=wrong, dim=dim and dim % len(shape), n=n))
