"""Functions of any number of vectors, and lists of indices: meshgrid, cartesian_prod, block_diag, tril_indices."""

import itertools

import numpy as np

from jtorch import dtypes, shapes
from jtorch._tensor import aval, from_host
from jtorch.api.put import function
from jtorch.api.viewing import check_tensors, listed
from jtorch.autograd.apply import apply, call
from jtorch.autograd.apply import view as view_of
from jtorch.errors import warn
from jtorch.ops.op import TABLE

_VIEW = TABLE["view"]


@function
def meshgrid(*tensors, indexing=None):
    """Views of vectors, each along its own dim of a common grid; indexing "xy" exchanges the first two dims."""
    tensors = listed(tensors)
    if not tensors:
        raise RuntimeError("meshgrid expects a non-empty TensorList")
    _check_one_dtype(tensors)
    if indexing is None:
        warn("torch.meshgrid: in an upcoming release, it will be required to pass the indexing argument.")
    elif indexing not in ("ij", "xy"):
        raise RuntimeError(f'torch.meshgrid: indexing must be one of "xy" or "ij", but received: {indexing}')
    swapped = indexing == "xy" and len(tensors) > 1
    if swapped:
        tensors = (tensors[1], tensors[0], *tensors[2:])
    grids = _grids(tensors)
    if swapped:
        grids = (grids[1], grids[0], *grids[2:])
    return tuple(grids)


def _check_one_dtype(tensors):
    if any(aval(t).dtype is not aval(tensors[0]).dtype for t in tensors):
        raise RuntimeError("meshgrid expects all tensors to have the same dtype")


def _grids(tensors):
    size = []
    for t in tensors:
        if aval(t).ndim > 1:
            raise RuntimeError(f"torch.meshgrid: Expected 0D or 1D tensor in the tensor list but got: {t}")
        size.append(shapes.numel(aval(t).shape))
    places = [tuple(-1 if j == i else 1 for j in range(len(size))) for i in range(len(size))]
    expand = TABLE["expand"]
    return [
        view_of(expand, view_of(_VIEW, t, (place,)), (tuple(size),)) for t, place in zip(tensors, places, strict=True)
    ]


@function
def cartesian_prod(*tensors):
    """All combinations of elements of vectors, one per row. Raises RuntimeError for other than vectors."""
    check_tensors(tensors)
    for t in tensors:
        if aval(t).ndim != 1:
            raise RuntimeError(f"Expect a 1D vector, but got shape {shapes.listed(aval(t).shape)}")
    if len(tensors) == 1:
        return tensors[0]
    if not tensors:
        raise RuntimeError("meshgrid expects a non-empty TensorList")
    _check_one_dtype(tensors)
    return call("stack", [g.flatten() for g in _grids(tensors)], 1)


@function
def block_diag(*tensors):
    """Matrices along the diagonal of a matrix of zeros, vectors as rows. Raises RuntimeError beyond two dims."""
    check_tensors(tensors)
    return call("block_diag_kernel", tensors)


@function
def combinations(input, r=2, with_replacement=False):
    """All choices of r elements of a vector, in its order, one per row. Raises RuntimeError for other than a vector."""
    shape = aval(input).shape
    if len(shape) != 1:
        raise RuntimeError(f"Expect a 1D vector, but got shape {shapes.listed(shape)}")
    if r < 0:
        raise RuntimeError(f"Expect a non-negative number, but got {r}")
    if not r:
        return from_host(np.zeros((0,), aval(input).dtype.numpy), device=aval(input).device)
    choose = itertools.combinations_with_replacement if with_replacement else itertools.combinations
    places = np.array(list(choose(range(shape[0]), r)), np.int64).reshape(-1, r)
    columns = [from_host(places[:, i].copy(), device=aval(input).device) for i in range(r)]
    return call("stack", [apply(TABLE["masked_select"], (input, column), (1, (0,))) for column in columns], 1)


def _triangle(name, inside):
    def make(row, col, offset=0, *, dtype=dtypes.int64, device=None, layout=None, pin_memory=None):
        for size, what in ((row, "row"), (col, "col")):
            if size < 0:
                raise RuntimeError(f"{what} must be non-negative, got{size}")
        if dtype.category != dtypes.INT:
            raise NotImplementedError(f"\"{name}\" not implemented for '{dtype.label}'")
        rows, columns = np.indices((row, col)).reshape(2, -1)
        return from_host(np.stack([rows, columns])[:, inside(columns - rows, offset)], dtype, device)

    make.__name__ = make.__qualname__ = name
    make.__doc__ = f"Rows and columns of a triangle of a matrix, (2, count); see torch.{name}."
    function(make)


_triangle("tril_indices", lambda above, offset: above <= offset)
_triangle("triu_indices", lambda above, offset: above >= offset)
