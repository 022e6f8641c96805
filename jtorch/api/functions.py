"""torch functions that are neither rows of the op table nor creation: whole-tensor comparisons, settings."""

import numpy as np

from jtorch import _tensor, dtypes, shapes
from jtorch._tensor import Tensor, aval
from jtorch.api.put import FUNCTIONS, both, function, method
from jtorch.api.size import Size
from jtorch.api.viewing import sizes
from jtorch.autograd.apply import apply
from jtorch.autograd.inplace import FILL_NUMBER, FILL_TENSOR, FILLED_NUMBER, FILLED_TENSOR, ZERO
from jtorch.autograd.inplace import fill as write_all


def _as_sizes(size):
    return size[0] if len(size) == 1 and isinstance(size[0], (tuple, list)) else size


@both
def fill_(input, value):
    """Write one number, or the value of a 0-d tensor, into every element, in place."""
    if not isinstance(value, Tensor):
        dtypes.check_number(value, aval(input).dtype)
        return write_all(FILL_NUMBER, input, value)
    if aval(value).ndim:
        raise RuntimeError(
            f"fill_ only supports 0-dimension value tensor but got tensor with {aval(value).ndim} dimensions."
        )
    return write_all(FILL_TENSOR, input, value)


@both
def zero_(input):
    """Write 0 into every element, in place."""
    return write_all(ZERO, input, 0)


@function
def fill(input, value):
    """A tensor like another with one number, or the value of a 0-d tensor, in every element."""
    kind = aval(input)
    op = FILLED_TENSOR if isinstance(value, Tensor) else FILLED_NUMBER
    return apply(op, (input, value), (kind.shape, kind.dtype.numpy))


@method
def fill_diagonal_(self, fill_value, wrap=False):
    """Write a number along the diagonal, in place; wrap: also along those that begin below a square.

    Raises RuntimeError for vectors, and for more than two dims that are not of equal size.
    """
    shape = aval(self).shape
    if len(shape) < 2:
        raise RuntimeError("dimensions must larger than 1")
    if len(shape) > 2 and len(set(shape)) > 1:
        raise RuntimeError("all dimensions of input must be of equal length")
    steps = _tensor.strides(self)
    apart, size = (sum(steps),), min(shape)
    self.as_strided((size,), apart).fill_(fill_value)
    if wrap and len(shape) == 2 and shape[0] > shape[1] + 1:
        offset = self.storage_offset() + steps[0] * (size + 1)
        rest = max((numel(self) + size) // (size + 1) - size, 0)
        self.as_strided((rest,), apart, offset).fill_(fill_value)
    return self


@method
def sum_to_size(self, *size):
    """Summed down to sizes that broadcast to its own. Raises RuntimeError for others."""
    size, shape = sizes(size), aval(self).shape
    try:
        fits = shapes.broadcast_shapes(size, shape) == shape
    except RuntimeError:
        fits = False
    if not fits:
        raise RuntimeError(f"size {{{shapes.listed(size)}}} is not expandable to size {{{shapes.listed(shape)}}}.")
    if not size:
        return self.sum()  # torch: of ints an int64, even where there is nothing to add
    new = len(shape) - len(size)
    dims = [d for d, n in enumerate(shape) if d < new or (size[d - new] == 1 != n)]
    summed = self.sum(dims, keepdim=True) if dims else self
    return summed.view(size) if new else summed


@function
def broadcast_shapes(*shapes_):
    """The size that tensors of these sizes are broadcast to. Raises RuntimeError where they can't be."""
    found = []
    for at, shape in enumerate(shapes_):
        given = (shape,) if isinstance(shape, int) else tuple(shape)
        found[:0] = [1] * (len(given) - len(found))
        for dim in range(-1, -len(given) - 1, -1):
            if given[dim] < 0:
                raise RuntimeError(f"Trying to create tensor with negative dimension ({given[dim]}): ({given[dim]})")
            if given[dim] not in (1, found[dim]):
                if found[dim] != 1:
                    raise RuntimeError(
                        f"Attempting to broadcast a dimension of length {given[dim]} at {dim}! Mismatching argument at "
                        f"index {at} had {given}; but expected shape should be broadcastable to {found}"
                    )
                found[dim] = given[dim]
    return Size(found)


@function
def result_type(*args, **kwargs):
    """The dtype that an operation on two tensors or numbers would have."""
    given = (*args, *kwargs.values())
    named = kwargs.keys() <= {"tensor", "other", "scalar", "scalar1", "scalar2"}
    if len(given) != 2 or not named or not all(isinstance(x, (Tensor, bool, int, float, complex)) for x in given):
        raise TypeError(f"result_type() received an invalid combination of arguments: {given}")
    return dtypes.result_type([_kind(x) for x in given])


def _kind(x):
    return (aval(x).dtype, aval(x).ndim) if isinstance(x, Tensor) else (type(x), None)


@function
def promote_types(type1, type2):
    """The smallest dtype that both promote to."""
    return dtypes.promote_types(type1, type2)


@function
def can_cast(from_, to):
    """Whether torch lets a result of one dtype into a tensor of another."""
    if not isinstance(from_, dtypes.dtype) or not isinstance(to, dtypes.dtype):
        raise TypeError(f"can_cast() takes two dtypes, but got {from_} and {to}")
    return dtypes.can_cast(from_, to)


@both
def numel(input):
    """How many elements."""
    return shapes.numel(aval(input).shape)


@both
def is_floating_point(input):
    """Whether the dtype is a float."""
    return aval(input).dtype.is_floating_point


@both
def is_complex(input):
    """Whether the dtype is complex."""
    return aval(input).dtype.is_complex


@function
def is_signed(input):
    """Whether the dtype has negative values."""
    return aval(input).dtype.is_signed


@both
def equal(input, other):
    """Whether two tensors have the same sizes and the same elements."""
    if aval(input).shape != aval(other).shape:
        return False
    return bool(np.array_equal(_tensor.host(input), _tensor.host(other)))


@both
def is_nonzero(input):
    """Whether a tensor of one element is not zero."""
    return bool(input)


def namespace(tables):
    """All functions of the torch namespace: the table's, and by hand where a row is not enough."""
    return {**tables, **FUNCTIONS}
