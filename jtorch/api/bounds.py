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


def check_bounds(name, input, index, dim=None):
    """Raise torch's error for an index of the op that is out of range, as far as that can be told without running."""
    if not isinstance(input, Tensor) or not isinstance(index, Tensor):
        return
    shape = aval(input).shape
    if dim is not None and (type(dim) is not int or not -len(shape) <= dim < len(shape)):
        return
    n = numel(shape) if dim is None else shape[dim]
    if not n and dim is None:
        return  # the op has words for that
    if name == "gather" and any(
        m > k for d, (m, k) in enumerate(zip(aval(index).shape, shape, strict=False)) if d != dim
    ):
        return  # of sizes first
    kind, words, backwards = BOUNDS[name]
    wrong = outside(index, -n if backwards else 0, n)
    if wrong is not None and name == "index_select" and dim % len(shape) == 1:
        raise RuntimeError(f"INDICES element is out of DATA bounds, id={wrong} axis_dim={n}")
    if wrong is not None:
        raise kind(words.format(i=wrong, dim=dim and dim % len(shape), n=n))
