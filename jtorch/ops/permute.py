"""View ops that put the dims of a tensor in another order."""

import numpy as np
from jax import lax

from jtorch.ops.op import Array, op
from jtorch.shapes import listed, normalize_dim


@op("transpose", "swapdims", view=True, method=True)
def transpose(input: Array, dim0, dim1):
    """Dimensions dim0 and dim1 exchanged. Raises IndexError where one does not exist."""
    return lax.transpose(input, _exchanged(input.ndim, dim0, dim1))


@op("swapaxes", view=True, method=True, grad_name="TransposeBackward0")
def swapaxes(input: Array, axis0, axis1):
    """Dimensions axis0 and axis1 exchanged, as `transpose` does."""
    return lax.transpose(input, _exchanged(input.ndim, axis0, axis1))


@op("t", view=True, method=True)
def t(input: Array):
    """A matrix transposed; a vector or a 0-d tensor as it is. Raises RuntimeError with more than two dims."""
    return lax.transpose(input, _exchanged_t(input.ndim))


@op("mT", door=None, view=True, grad_name="TransposeBackward0")
def mT(input: Array):
    """The last two dims exchanged: a batch of matrices transposed. Raises RuntimeError for vectors."""
    return lax.transpose(input, _exchanged_last(input.ndim))


@op("numpy_T", door=None, view=True, grad_name="PermuteBackward0")
def numpy_T(input: Array):
    """All dims in reverse order."""
    return lax.transpose(input, tuple(reversed(range(input.ndim))))


def _exchanged(ndim, dim0, dim1):
    dim0, dim1 = normalize_dim(dim0, ndim), normalize_dim(dim1, ndim)
    order = list(range(ndim))
    if ndim:
        order[dim0], order[dim1] = dim1, dim0
    return tuple(order)


def _exchanged_t(ndim):
    if ndim > 2:
        raise RuntimeError(f"t() expects a tensor with <= 2 dimensions, but self is {ndim}D")
    return (1, 0) if ndim == 2 else tuple(range(ndim))


def _exchanged_last(ndim):
    if ndim == 1:
        raise RuntimeError("tensor.mT is only supported on matrices or batches of matrices. Got 1-D tensor.")
    return _exchanged(ndim, -2, -1) if ndim else ()


@op("permute", view=True, method=True, varargs="dims")
def permute(input: Array, dims):
    """Dimensions in the order of `dims`. Raises RuntimeError unless each stands there once."""
    return lax.transpose(input, _permutation(input.ndim, dims))


def _permutation(ndim, dims):
    if len(dims) != ndim:
        raise RuntimeError(
            "permute(sparse_coo): number of dimensions in the tensor input does not match the length of the desired "
            f"ordering of dimensions i.e. input.dim() = {ndim} is not equal to len(dims) = {len(dims)}"
        )
    order = tuple(normalize_dim(d, ndim) for d in dims)
    if len(set(order)) != ndim:
        raise RuntimeError("permute(): duplicate dims are not allowed.")
    return order


@op("movedim", "moveaxis", view=True, method=True, grad_name="PermuteBackward0")
def movedim(input: Array, source, destination):
    """Dims `source` moved to the places `destination`, the others kept in order. Raises RuntimeError for repeats."""
    return lax.transpose(input, _moved(input.ndim, source, destination))


def _moved(ndim, source, destination):
    given = [(s,) if isinstance(s, int) else tuple(s) for s in (source, destination)]
    if len(given[0]) != len(given[1]):
        raise RuntimeError(
            f"movedim: Invalid source or destination dims: source ({listed(given[0])} dims) should contain the same "
            f"number of dims as destination ({listed(given[1])} dims)"
        )
    source, destination = (tuple(normalize_dim(d, ndim) for d in dims) for dims in given)
    for name, dims, shown in (("source", source, given[0]), ("destination", destination, given[1])):
        if len(set(dims)) != len(dims):
            raise RuntimeError(f"movedim: repeated dim in `{name}` ({listed(shown)})")
    if not ndim:
        return ()
    moved = dict(zip(destination, source, strict=True))
    rest = iter(d for d in range(ndim) if d not in source)
    return tuple(moved[d] if d in moved else next(rest) for d in range(ndim))


def _reorders(view_op, order_of):
    """Geometry and write of an op whose view is a permutation: order_of(ndim, *attrs) gives it."""

    @view_op.geometry
    def _(shape, strides, offset, *attrs):
        order = order_of(len(shape), *attrs)
        return tuple(shape[d] for d in order), tuple(strides[d] for d in order), offset

    @view_op.write
    def _(base, value, *attrs):
        order = order_of(base.ndim, *attrs)
        return lax.transpose(value, tuple(int(d) for d in np.argsort(order)))


_reorders(transpose, _exchanged)
_reorders(swapaxes, _exchanged)
_reorders(t, _exchanged_t)
_reorders(mT, _exchanged_last)
_reorders(numpy_T, lambda ndim: tuple(reversed(range(ndim))))
_reorders(permute, _permutation)
_reorders(movedim, _moved)
