"""torch functions on single elements that one table row cannot bind: where, allclose, and what may return its input."""

from jtorch._tensor import Tensor, aval, host
from jtorch.api.put import FUNCTIONS, both, function, method
from jtorch.autograd.apply import apply
from jtorch.autograd.inplace import inplace, write_out
from jtorch.dtypes import complex128, float64
from jtorch.errors import warn
from jtorch.ops.op import TABLE

_WHERE, _CLOSE, _ABS = TABLE["where_kernel"], TABLE["all_close"], TABLE["abs"]
_UNSET = object()


@function
def where(condition, input=_UNSET, other=_UNSET, *, out=None):
    """input where condition holds, else other; with the condition alone, the places where it does not equal 0.

    Shape: broadcast. Raises RuntimeError for a condition that is not bool.
    """
    if input is _UNSET and other is _UNSET and out is None:
        return FUNCTIONS["nonzero"](condition, as_tuple=True)
    given = [x for x in (condition, input, other) if x is not _UNSET]
    if len(given) < 3 or not isinstance(condition, Tensor) or not all(isinstance(x, _OPERANDS) for x in given):
        kinds = [type(x).__name__ for x in given] + (["out=Tensor"] if out is not None else [])
        raise TypeError(f"where() received an invalid combination of arguments - got ({', '.join(kinds)})")
    if aval(condition).dtype.name == "uint8":
        warn(
            "where received a uint8 condition tensor. This behavior is deprecated and will be removed in a future "
            "version of PyTorch. Use a boolean condition instead."
        )
    result = apply(_WHERE, (condition, input, other), ())
    words = "Expected out type to be {Want} but got {Have}"
    return result if out is None else write_out(out, result, words=words)


_OPERANDS = (Tensor, int, float, bool, complex)


def _where_method(self, condition, other):
    """self where condition holds, else other. Shape: broadcast. Raises RuntimeError where condition is not bool."""
    return where(condition, self, other)


Tensor.where = _where_method


@both
def allclose(input, other, rtol=1e-05, atol=1e-08, equal_nan=False):
    """Whether |input - other| <= atol + rtol · |other| holds everywhere. Raises RuntimeError where dtypes differ."""
    return bool(host(apply(_CLOSE, (input, other), (rtol, atol, equal_nan))))


@method
def polygamma(self, n):
    """The n-th derivative of digamma. Raises RuntimeError for negative n."""
    return apply(TABLE["polygamma"], (self,), (n,))


@method
def polygamma_(self, n):
    """polygamma, written into the tensor."""
    return inplace(TABLE["polygamma"], self, (self,), (n,))


# These return the very tensor where there is nothing to do.


@both
def positive(input):
    """The tensor itself. Raises RuntimeError for a bool tensor."""
    if aval(input).dtype.name == "bool":
        raise RuntimeError("The `+` operator, on a bool tensor is not supported.")
    return input


@method
def __pos__(self):
    return positive(self)


@method
def __rtruediv__(self, other):
    # torch: the reciprocal times the number, each rounded.
    try:
        return self.reciprocal() * other
    except TypeError:
        return NotImplemented


Tensor.__rtruediv__.__name__ = "__rdiv__"  # torch: handlers of __torch_function__ see it by its old name
Tensor.__rdiv__ = Tensor.__rtruediv__


@method
def __abs__(self):
    return apply(_ABS, (self,), ())


def _conjugated(input, op):
    return apply(TABLE[op], (input,), ()) if aval(input).dtype.is_complex else input


@both
def conj(input):
    """Complex numbers with the imaginary part negated; the tensor itself where there are none."""
    return _conjugated(input, "conj")


@method
def conj_physical(self):
    """Complex numbers with the imaginary part negated; the tensor itself where there are none."""
    return _conjugated(self, "conj_physical")


def _conj_physical(input, *, out=None):
    """Complex numbers with the imaginary part negated; the tensor itself where there are none."""
    made = _conjugated(input, "conj_physical")
    return made if out is None else write_out(out, made)


_conj_physical.__name__ = "conj_physical"
function(_conj_physical)


@method
def abs_(self):
    """The length of each element, in place. Raises RuntimeError for complex tensors."""
    if aval(self).dtype.is_complex:
        raise RuntimeError("In-place abs is not supported for complex tensors.")
    return inplace(_ABS, self, (self,), ())


Tensor.absolute_ = Tensor.abs_


@method
def float_power_(self, exponent):
    """float_power in place. Raises RuntimeError for a tensor that is not in double precision."""
    given = aval(exponent).dtype.is_complex if isinstance(exponent, Tensor) else isinstance(exponent, complex)
    wanted = complex128 if given or aval(self).dtype.is_complex else float64
    if aval(self).dtype is not wanted:
        raise RuntimeError(
            f"the base given to float_power_ has dtype {aval(self).dtype.label} but the operation's result requires "
            f"dtype {wanted.label}"
        )
    return inplace(TABLE["float_power"], self, (self, exponent), ())


@both
def resolve_conj(input):
    """The tensor itself: conjugates are worked out at once."""
    return input


@both
def resolve_neg(input):
    """The tensor itself: signs are worked out at once."""
    return input


@both
def is_conj(input):
    """Whether a conjugation is still to be done: never."""
    return False


@both
def is_neg(input):
    """Whether a change of sign is still to be done: never."""
    return False
