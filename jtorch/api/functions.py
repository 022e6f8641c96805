"""torch functions that are neither rows of the op table nor creation: whole-tensor comparisons, settings."""

import numpy as np

from jtorch import _tensor, dtypes, shapes
from jtorch._tensor import Tensor, aval
from jtorch.api.arguments import refusal
from jtorch.api.put import FUNCTIONS, both, function, method
from jtorch.autograd.apply import call
from jtorch.autograd.inplace import FILL_NUMBER, FILL_TENSOR, ZERO, fill


def _as_sizes(size):
    return size[0] if len(size) == 1 and isinstance(size[0], (tuple, list)) else size


@method
def fill_(self, value):
    """Write one number, or the value of a 0-d tensor, into every element, in place."""
    if not isinstance(value, Tensor):
        return fill(FILL_NUMBER, self, value)
    if aval(value).ndim:
        raise RuntimeError(
            f"fill_ only supports 0-dimension value tensor but got tensor with {aval(value).ndim} dimensions."
        )
    return fill(FILL_TENSOR, self, value)


@method
def zero_(self):
    """Write 0 into every element, in place."""
    return fill(ZERO, self, 0)


@function
def result_type(tensor1, tensor2):
    """The dtype that an operation on both would have."""
    return dtypes.result_type([_kind(x) for x in (tensor1, tensor2)])


def _kind(x):
    return (aval(x).dtype, aval(x).ndim) if isinstance(x, Tensor) else (type(x), None)


@function
def promote_types(type1, type2):
    """The smallest dtype that both promote to."""
    return dtypes.promote_types(type1, type2)


@function
def can_cast(from_, to):
    """Whether torch lets a result of one dtype into a tensor of another."""
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
def einsum(*args):
    """Sums of products by an equation: einsum("ij,jk->ik", a, b); operands may stand in one list."""
    equation, *operands = args or (None,)
    if len(operands) == 1 and isinstance(operands[0], (list, tuple)):
        operands = operands[0]
    other = isinstance(equation, (str, Tensor)) and all(isinstance(x, (Tensor, list, tuple)) for x in operands)
    if args and not other:
        raise refusal("native", "einsum", (equation, operands), {})
    return call("einsum_kernel", operands, equation=equation.replace(" ", ""))


@function
def is_storage(obj):
    """Whether obj is a storage: jtorch hands none out."""
    return False


def namespace(tables):
    """All functions of the torch namespace: the table's, and by hand where a row is not enough."""
    return {**tables, **FUNCTIONS}
