"""torch functions that are neither rows of the op table nor creation: whole-tensor comparisons, settings."""

import numpy as np

from jtorch import _tensor, dtypes, shapes
from jtorch._tensor import Tensor, aval
from jtorch.api.put import FUNCTIONS, both, function, method
from jtorch.api.size import Size
from jtorch.autograd.apply import call
from jtorch.autograd.inplace import FILL_NUMBER, FILL_TENSOR, ZERO
from jtorch.autograd.inplace import fill as fill_with


def _as_sizes(size):
    return size[0] if len(size) == 1 and isinstance(size[0], (tuple, list)) else size


@method
def fill_(self, value):
    """Write one number, or the value of a 0-d tensor, into every element, in place."""
    if not isinstance(value, Tensor):
        dtypes.check_number(value, aval(self).dtype)
        return fill_with(FILL_NUMBER, self, value)
    if aval(value).ndim:
        raise RuntimeError(
            f"fill_ only supports 0-dimension value tensor but got tensor with {aval(value).ndim} dimensions."
        )
    return fill_with(FILL_TENSOR, self, value)


@both
def zero_(self):
    """Write 0 into every element, in place."""
    return fill_with(ZERO, self, 0)


function(fill_)


@function
def fill(input, value):
    """A copy with one number, or the value of a 0-d tensor, in every element."""
    return fill_(call("clone", input), value)


@method
def fill_diagonal_(self, fill_value, wrap=False):
    """Write one number onto the main diagonal, in place. wrap: once more after each block of a tall matrix."""
    sizes = aval(self).shape
    if len(sizes) < 2:
        raise RuntimeError("dimensions must larger than 1")
    if len(sizes) > 2 and len(set(sizes)) > 1:
        raise RuntimeError("all dimensions of input must be of equal length")
    mask = np.zeros(sizes, np.bool_)
    step = sum(shapes.contiguous_strides(sizes))
    end = mask.size if wrap or len(sizes) > 2 else min(sizes) * step
    mask.reshape(-1)[:end:step] = True
    return self.masked_fill_(_tensor.from_host(mask, device=aval(self).device), fill_value)


@method
def sum_to_size(self, *size):
    """The sum over the dims in which a tensor of this size was broadcast. Raises RuntimeError where it was not."""
    size, sizes = tuple(_as_sizes(size)), aval(self).shape
    extra = len(sizes) - len(size)
    if extra < 0 or any(want not in (1, have) for want, have in zip(size, sizes[extra:], strict=True)):
        raise RuntimeError(f"size {{{list(size)}}} is not expandable to size {{{list(sizes)}}}.")
    dims = [i for i, have in enumerate(sizes) if i < extra or (size[i - extra] == 1 and have != 1)]
    return self.sum(dims, keepdim=True).reshape(size) if dims else self


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


@function
def is_storage(obj):
    """Whether obj is a storage: jtorch hands none out."""
    return False


def namespace(tables):
    """All functions of the torch namespace: the table's, and by hand where a row is not enough."""
    return {**tables, **FUNCTIONS}
