"""torch functions that contract dims and whose arguments one table row cannot bind: einsum, tensordot, cross."""

import string

from jtorch._tensor import Tensor, aval
from jtorch.api.arguments import refusal
from jtorch.api.put import both, function
from jtorch.autograd.apply import apply, hashable
from jtorch.autograd.inplace import write_out
from jtorch.errors import bad_argument, warn
from jtorch.ops.op import TABLE

_EINSUM, _TENSORDOT, _CROSS = (TABLE[n] for n in ("einsum_kernel", "tensordot_kernel", "linalg_cross"))


@function
def einsum(*args):
    """Sums of products by an equation: einsum("ij,jk->ik", a, b), or einsum(a, [0, 1], b, [1, 2], [0, 2]).

    Raises RuntimeError for an equation that does not fit its operands.
    """
    if len(args) < 2:
        raise ValueError(
            "einsum(): must specify the equation string and at least one operand, or at least one operand and its "
            "subscripts list"
        )
    if not isinstance(args[0], (str, Tensor)):
        raise refusal("native", "einsum", (args[0], list(args[1:])), {})
    equation, *operands = args if isinstance(args[0], str) else _from_lists(args)
    if len(operands) == 1 and isinstance(operands[0], (list, tuple)):
        operands = operands[0]
    for i, x in enumerate(operands):
        if not isinstance(x, Tensor):
            raise TypeError(f"expected Tensor as element {i} in argument 1, but got {type(x).__name__}")
    return apply(_EINSUM, tuple(operands), (len(operands), equation.replace(" ", "")))


def _from_lists(args):
    """(equation, operands...) of a call that gives subscripts as lists of numbers and Ellipsis."""
    operands, lists = args[0::2], args[1::2]
    output = ""
    if len(args) % 2:
        operands, output = operands[:-1], f"->{_letters(args[-1])}"
    return ",".join(map(_letters, lists)) + output, *operands


def _letters(subscripts):
    for number in subscripts:
        if number is not Ellipsis and not 0 <= number < 52:
            raise ValueError("einsum(): subscript in subscript list is not within the valid range [0, 52)")
    return "".join("..." if i is Ellipsis else (string.ascii_uppercase + string.ascii_lowercase)[i] for i in subscripts)


@function
def tensordot(a, b, dims=2, out=None):
    """Sums of products over the last dims of a and the first of b, or over pairs of dims. Shape: the other dims.

    Raises RuntimeError for dims that do not fit.
    """
    dims_a, dims_b = _pairs(a, b, hashable(dims) if not isinstance(dims, Tensor) else dims.tolist())
    result = apply(_TENSORDOT, (a, b), (dims_a, dims_b))
    return result if out is None else write_out(out, result, words=TABLE["inner"].out)


def _pairs(a, b, dims):
    if isinstance(dims, (tuple, list)) and len(dims) == 2:
        for position, given in ((3, dims[0]), (4, dims[1])):
            if not isinstance(given, (tuple, list)):
                raise bad_argument("tensordot", position, "dims_self" if position == 3 else "dims_other",
                                   "tuple of ints", given)  # fmt: skip
        return tuple(dims[0]), tuple(dims[1])
    if not isinstance(dims, int):
        raise RuntimeError(
            "tensordot expects dims to be int or tuple[list[int], list[int]] or list[list[int]] containing two lists, "
            f"but got dims={dims}"
        )
    if dims < 0:
        raise RuntimeError(f"tensordot expects dims >= 0, but got dims={dims}")
    if dims > min(aval(a).ndim, aval(b).ndim):
        raise RuntimeError(f"tensordot expects dims < ndim_a or ndim_b, but got dims={dims}")
    return tuple(range(-dims, 0)), tuple(range(dims))


@both
def cross(input, other, dim=None, *, out=None):
    """The vector product along a dim of size 3, the first such dim where none is given. Shape: broadcast."""
    if dim is None:
        warn(
            "Using torch.cross without specifying the dim arg is deprecated.\nPlease either pass the dim explicitly "
            "or simply use torch.linalg.cross.\nThe default value of dim will change to agree with that of "
            "linalg.cross in a future release."
        )
        shape = aval(input).shape
        if 3 not in shape:
            raise RuntimeError("no dimension of size 3 in input")
        dim = shape.index(3)
    result = apply(_CROSS, (input, other), (dim,))
    return result if out is None else write_out(out, result, words=_CROSS.out)
