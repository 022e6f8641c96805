"""Tensor methods and functions that give views, or copies where strides allow none: view, reshape, squeeze, T, real."""

import operator

from jtorch import _tensor, dtypes, shapes
from jtorch._tensor import Tensor, alias, aval
from jtorch.api.guard import Refused, guards, raise_better
from jtorch.api.put import attribute, both, function, method
from jtorch.autograd.apply import apply, call
from jtorch.autograd.apply import view as view_of
from jtorch.autograd.inplace import check_writable
from jtorch.autograd.tangents import pass_on
from jtorch.errors import type_name, warn
from jtorch.ops.op import TABLE
from jtorch.ops.view import viewable

_VIEW = TABLE["view"]
_ALIAS = TABLE["reshape_alias"]
_UNSAFE_VIEW = TABLE["unsafe_view"]


def sizes(given):
    """A tuple of ints from `f(2, 3)`, `f((2, 3))` or `f(x.shape)`. Raises Refused for what is none."""
    if len(given) == 1 and isinstance(given[0], (tuple, list)):
        given = given[0]
    elif not given:
        raise Refused
    found = []
    for n in given:
        if type(n) is not int and not shapes.is_symbolic(n):
            if isinstance(n, float) or (isinstance(n, bool) and not found):
                raise Refused
            n = operator.index(n)
        found.append(n)
    return tuple(found)


@method
@guards
def view(self, *shape, **named):
    """The same memory as another shape, or read as another dtype. Raises RuntimeError where strides forbid it."""
    try:
        if named:
            return _view_named(self, shape, **named)
        if len(shape) == 1 and isinstance(shape[0], dtypes.dtype):
            return _view_dtype(self, shape[0])
        return view_of(_VIEW, self, (sizes(shape),))
    except Exception as error:
        raise_better(error, "Tensor", "view", shape, named)


def _view_named(self, shape, *, size=None, dtype=None):
    if shape or (size is None) == (dtype is None):
        raise Refused
    return view(self, size) if dtype is None else _view_dtype(self, dtype)


def _view_dtype(self, dtype):
    source = aval(self).dtype
    if dtype is source:
        return view_of(TABLE["alias"], self, ())
    return view_of(TABLE["view_dtype"], self, (source, dtype))


@method
@guards
def reshape(self, *shape, **named):
    """The same elements as another shape: a view where strides allow it, else a copy."""
    try:
        if named:
            return _reshape(self, sizes((_only(shape, **named),)))
        return _reshape(self, sizes(shape))
    except Exception as error:
        raise_better(error, "Tensor", "reshape", shape, named)


def _only(given, *, shape):
    """The shape that was given by name, and not in place too."""
    if given:
        raise Refused
    return shape


def _reshape_function(input, shape):
    """The same elements as another shape: a view where strides allow it, else a copy."""
    if not isinstance(shape, (tuple, list)):
        raise Refused
    return _reshape(input, sizes((shape,)))


_reshape_function.__name__ = _reshape_function.__qualname__ = "reshape"
function(_reshape_function)


def _reshape(input, size):
    if input._view is None or input.is_contiguous():
        return view_of(_VIEW, input, (size,))
    if _view_strides(input, size) is None:
        return apply(_UNSAFE_VIEW, (call("clone", input),), (size,))
    return view_of(_ALIAS, input, (size,))


def _view_strides(input, size):
    shape = aval(input).shape
    return viewable(shape, _tensor.strides(input), shapes.infer_size(size, shapes.numel(shape)))


@both
def flatten(input, start_dim=0, end_dim=-1):
    """Dims start_dim to end_dim as one. Raises RuntimeError when the first comes after the last."""
    shape = aval(input).shape
    start, end = shapes.normalize_dim(start_dim, len(shape)), shapes.normalize_dim(end_dim, len(shape))
    if start > end:
        raise RuntimeError("flatten() has invalid args: start_dim cannot come after end_dim")
    if not shape:
        return _reshape(input, (1,))
    if start == end:
        return input
    return _reshape(input, (*shape[:start], shapes.numel(shape[start : end + 1]), *shape[end + 1 :]))


@both
def unflatten(input, dim, sizes):
    """Dimension `dim` split into several; one size may be -1. Raises RuntimeError unless they multiply up to it."""
    return call("unflatten_view", input, dim, sizes)


@both
def ravel(input):
    """All elements in one dim: a view where possible, else a copy."""
    return view_of(_VIEW, input.contiguous(), ((-1,),))


@both
def squeeze(input, dim=None, *, axis=None):
    """Without its dims of size 1, or without those of them that `dim` (NumPy: axis) names."""
    op, attrs = _squeezing(dim if axis is None else axis)
    return view_of(op, input, attrs)


@method
def squeeze_(self, dim=None):
    """Leave out dims of size 1, in place."""
    op, attrs = _squeezing(dim)
    return become(self, op.under(_SQUEEZED[op.name]), attrs)


# torch: the in-place forms have numbers of their own.
_SQUEEZED = {"squeeze": "SqueezeBackward3", "squeeze_dim": "SqueezeBackward4", "squeeze_dims": "SqueezeBackward5"}


def _squeezing(dim):
    if dim is None:
        return TABLE["squeeze"], ()
    if isinstance(dim, (tuple, list)):
        return TABLE["squeeze_dims"], (tuple(map(operator.index, dim)),)
    return TABLE["squeeze_dim"], (operator.index(dim),)


@method
def unsqueeze_(self, dim):
    """Put in a dim of size 1, in place."""
    return become(self, TABLE["unsqueeze"].under("UnsqueezeBackward1"), (dim,))


@method
def transpose_(self, dim0, dim1):
    """Exchange two dims, in place."""
    return become(self, TABLE["transpose"].under("TransposeBackward1"), (dim0, dim1))


method(transpose_, "swapaxes_", "swapdims_")


@method
def t_(self):
    """Transpose a matrix, in place. Raises RuntimeError with more than two dims."""
    if aval(self).ndim > 2:
        raise RuntimeError(f"t_() expects a tensor with <= 2 dimensions, but self is {aval(self).ndim}D")
    return become(self, TABLE["t"].under("TBackward1"), ())


def become(self, op, attrs, whole=None):
    """Make a tensor the view of itself, or of `whole`: other sizes on the same storage, in place."""
    check_writable(self)
    if whole is None or whole is self:
        # What the tensor was stands in for it: a view must not be a view of itself.
        whole = alias(self)
        whole._grad_fn, whole._out_nr, whole._rg = self._grad_fn, self._out_nr, self._rg
        if self._view is not None:
            whole._view.base, whole._view.graph, whole._view.made = (
                self._view.base,
                self._view.graph,
                self._view.made,
            )
        pass_on(self, whole)
    root = None if self._view is None else self._view.base
    seen = view_of(op, whole, attrs)
    self._view = seen._view
    self._view.base = root
    if not (self._rg and self._grad_fn is None):  # a leaf, under no_grad, stays one
        self._grad_fn, self._out_nr, self._rg = seen._grad_fn, seen._out_nr, seen._rg
    pass_on(seen, self)
    self._storage.touch()
    return self


@both
def narrow(input, dim, start, length):
    """`length` elements of a dim from `start` on, a number or a 0-d tensor. Raises IndexError out of range."""
    if isinstance(start, Tensor):
        if aval(start).ndim or aval(start).dtype.category != dtypes.INT:
            raise RuntimeError("start must be an 0-dim integral Tensor.")
        start = start.item()
    return call("narrow", input, dim, start, length)


@function
def broadcast_tensors(*tensors):
    """Views of tensors broadcast against each other."""
    tensors = listed(tensors)
    size = shapes.broadcast_shapes(*(aval(t).shape for t in tensors))
    return tuple(t if aval(t).shape == size else view_of(TABLE["expand"], t, (size,)) for t in tensors)


def listed(tensors):
    """The tensors of `f(x, y)` or of `f([x, y])`, as a tuple. Raises TypeError for what is none."""
    tensors = tuple(tensors[0]) if len(tensors) == 1 and isinstance(tensors[0], (tuple, list)) else tensors
    check_tensors(tensors)
    return tensors


def check_tensors(tensors):
    """Raise TypeError where an item of a sequence is no tensor."""
    for i, x in enumerate(tensors):
        if not isinstance(x, Tensor):
            raise TypeError(f"expected Tensor as element {i} in argument 0, but got {type_name(x)}")


def _at_least(name, raise_one):
    def make(*tensors):
        if len(tensors) == 1 and isinstance(tensors[0], Tensor):
            return raise_one(tensors[0])
        return tuple(map(raise_one, listed(tensors)))

    make.__name__ = make.__qualname__ = name
    make.__doc__ = f"Tensors as views with no fewer dims; see torch.{name}."
    function(make)


def _one_dim(t):
    return t if aval(t).ndim else _reshape(t, (1,))


def _two_dims(t):
    ndim = aval(t).ndim
    return _reshape(t, (1, 1)) if not ndim else t.unsqueeze(0) if ndim == 1 else t


def _three_dims(t):
    ndim = aval(t).ndim
    if ndim == 0:
        return _reshape(t, (1, 1, 1))
    return t.unsqueeze(0).unsqueeze(-1) if ndim == 1 else t.unsqueeze(-1) if ndim == 2 else t


_at_least("atleast_1d", _one_dim)
_at_least("atleast_2d", _two_dims)
_at_least("atleast_3d", _three_dims)


@attribute
def T(self):
    """All dims in reverse order."""
    ndim = aval(self).ndim
    if not ndim:
        _identity(self, "Tensor.T", "This function is the identity in these cases.")
    elif ndim != 2:
        warn(
            "The use of `x.T` on tensors of dimension other than 2 to reverse their shape is deprecated and it will "
            "throw an error in a future release. Consider `x.mT` to transpose batches of matrices or "
            "`x.permute(*torch.arange(x.ndim - 1, -1, -1))` to reverse the dimensions of a tensor.",
        )
    return view_of(TABLE["numpy_T"], self, ())


def _identity(x, name, advice):
    warn(f"{name} is deprecated on 0-D tensors. {advice}")
    return x


@attribute
def mT(self):
    """The last two dims exchanged."""
    if not aval(self).ndim:
        return _identity(self, "Tensor.mT", "This function is the identity in these cases.")
    return view_of(TABLE["mT"], self, ())


@both
def adjoint(input):
    """The last two dims exchanged, and complex numbers conjugated. Raises RuntimeError for vectors."""
    return _adjoint(input, "adjoint()", "tensor.adjoint() is only supported on matrices or batches of matrices.")


@attribute
def mH(self):
    """The last two dims exchanged, and complex numbers conjugated."""
    return _adjoint(self, "Tensor.mH", "tensor.mH is only supported on matrices or batches of matrices.")


@attribute
def H(self):
    """A matrix transposed, and complex numbers conjugated."""
    ndim = aval(self).ndim
    if ndim > 2:
        raise RuntimeError(
            f"tensor.H is only supported on matrices (2-D tensors). Got {ndim}-D tensor. For batches of matrices, "
            "consider using tensor.mH"
        )
    return _adjoint(self, "Tensor.H", "tensor.H is only supported on matrices (2-D tensors).")


def _adjoint(x, name, wanted):
    ndim = aval(x).ndim
    if ndim == 1:
        raise RuntimeError(f"{wanted} Got 1-D tensor.")
    if not ndim:
        return _conjugated(_identity(x, name, "Consider using x.conj()."))
    return _conjugated(view_of(TABLE["mT"], x, ()))


def _conjugated(x):
    return call("conj", x) if aval(x).dtype.is_complex else x


def real(input):
    """The real parts of complex numbers, as a view; the tensor itself when it has no others."""
    return _part(input, 0) if aval(input).dtype.is_complex else input


def imag(input):
    """The imaginary parts of complex numbers, as a view. Raises RuntimeError for real dtypes."""
    if not aval(input).dtype.is_complex:
        raise RuntimeError("imag is not implemented for tensors with non-complex dtypes.")
    return _part(input, 1)


def _part(input, index):
    pairs = view_of(TABLE["view_as_real"], input, ())
    return view_of(TABLE["select"], pairs, (aval(pairs).ndim - 1,), (index,))


function(real)
function(imag)
Tensor.real = property(real, lambda self, value: real(self).copy_(value))
Tensor.imag = property(imag, lambda self, value: imag(self).copy_(value))
