"""View ops that regroup and cut dims: results that share memory with their operand.

A view op is three functions: the op on arrays, `geometry` (sizes, strides and offset of the view, in elements of the
storage, with torch's errors) and `write` (the operand with the viewed elements replaced).
"""

import numpy as np
from jax import lax
from jax import numpy as jnp

from jtorch.ops.op import Array, Scalar, op
from jtorch.shapes import contiguous_strides, infer_size, listed, normalize_dim, normalize_dims, numel

NOT_VIEWABLE = (
    "view size is not compatible with input tensor's size and stride (at least one dimension spans across two "
    "contiguous subspaces). Use .reshape(...) instead."
)


def viewable(shape, strides, size):
    """The strides under which memory laid out by `shape` and `strides` reads as `size`, or None where none exist."""
    if numel(shape) == 0:
        return tuple(strides) if tuple(shape) == tuple(size) else contiguous_strides(size)
    if tuple(strides) == contiguous_strides(shape):
        return contiguous_strides(size)  # also where sizes are symbols, which cannot be compared
    result, at = [0] * len(size), len(size) - 1
    chunk, old = 1, 1  # elements of the block of dims in hand, in the new and in the old shape
    base = strides[-1] if shape else 1
    for dim in range(len(shape) - 1, -1, -1):
        old *= shape[dim]
        if dim and (shape[dim - 1] == 1 or strides[dim - 1] == old * base):
            continue
        while at >= 0 and (chunk < old or size[at] == 1):
            result[at] = chunk * base
            chunk *= size[at]
            at -= 1
        if chunk != old:
            return None
        if dim:
            base, chunk, old = strides[dim - 1], 1, 1
    for rest in range(at, -1, -1):
        result[rest] = chunk * base
    return tuple(result)


@op("view", door=None, view=True)
def view(input: Array, size):
    """The same elements as another shape; one size may be -1. Raises RuntimeError where strides forbid it."""
    return lax.reshape(input, infer_size(size, input.size))


# torch: reshape of a tensor that is not contiguous but can be viewed names its gradient so.
reshape_alias = op("reshape_alias", door=None, view=True)(view.fn)


@reshape_alias.geometry
@view.geometry
def _(shape, strides, offset, size):
    size = infer_size(size, numel(shape))
    strides = viewable(shape, strides, size)
    if strides is None:
        raise RuntimeError(NOT_VIEWABLE)
    return size, strides, offset


@view.write
@reshape_alias.write
def _(base, value, size):
    return lax.reshape(value, base.shape)


@op("unsafe_view", door=None)
def unsafe_view(input: Array, size):
    """The elements of a copy as another shape: a view that nobody can see the base of."""
    return lax.reshape(input, infer_size(size, input.size))


@op("unflatten_view", door=None, view=True, grad_name="ViewBackward0")
def unflatten_view(input: Array, dim, sizes):
    """Dimension `dim` split into `sizes`, which multiply up to it; one of them may be -1."""
    return lax.reshape(input, _unflattened(input.shape, dim, sizes)[0])


def _unflattened(shape, dim, sizes):
    dim = normalize_dim(dim, len(shape))
    if not sizes:
        raise RuntimeError("unflatten: sizes must be non-empty")
    if not shape:
        raise RuntimeError("unflatten got an unexpected error:\nDimension specified as 0 but tensor has no dimensions")
    known = numel([n for n in sizes if n != -1])
    holes = sum(n == -1 for n in sizes)
    if holes > 1:
        raise RuntimeError("unflatten got an unexpected error:\nonly one dimension can be inferred")
    if (holes and (known == 0 or shape[dim] % known)) or (not holes and known != shape[dim]):
        raise RuntimeError(
            f"unflatten: Provided sizes {listed(sizes)} don't multiply up to the size of dim {dim} "
            f"({shape[dim]}) in the input tensor"
        )
    return shape[:dim] + infer_size(sizes, shape[dim]) + shape[dim + 1 :], dim


@unflatten_view.geometry
def _(shape, strides, offset, dim, sizes):
    size, dim = _unflattened(shape, dim, sizes)
    inner = [step * strides[dim] for step in contiguous_strides(size[dim : dim + len(sizes)])]
    return size, (*strides[:dim], *inner, *strides[dim + 1 :]), offset


@unflatten_view.write
def _(base, value, dim, sizes):
    return lax.reshape(value, base.shape)


@op("select", view=True, method=True)
def select(input: Array, dim, index: Scalar):
    """The slice at `index` of dimension `dim`, without that dim. Raises IndexError out of bounds."""
    dim = normalize_dim(dim, input.ndim)
    at = lax.index_in_dim if isinstance(index, int) else lax.dynamic_index_in_dim
    return at(input, index, dim, keepdims=False)


@select.geometry
def _(shape, strides, offset, dim, index):
    if not shape:
        raise IndexError("select() cannot be applied to a 0-dim tensor.")
    dim = normalize_dim(dim, len(shape))
    n = shape[dim]
    if not -n <= index < n:
        raise IndexError(f"select(): index {index} out of range for tensor of size {listed(shape)} at dimension {dim}")
    return shape[:dim] + shape[dim + 1 :], strides[:dim] + strides[dim + 1 :], offset + index % n * strides[dim]


@select.write
def _(base, value, dim, index):
    return lax.dynamic_update_index_in_dim(base, value, index, normalize_dim(dim, base.ndim))


@op("slice", door=None, view=True)
def slice(input: Array, dim, start: Scalar, *, length, step=1):
    """`length` elements of dimension `dim`, `step` apart, from `start` on; all of it in bounds and not negative."""
    if isinstance(start, int):
        return lax.slice_in_dim(input, start, start + (length - 1) * step + 1 if length else start, step, dim)
    span = (length - 1) * step + 1 if length else 0
    part = lax.dynamic_slice_in_dim(input, start, span, dim)
    return part if step == 1 else lax.slice_in_dim(part, 0, span, step, dim)


@slice.geometry
def _(shape, strides, offset, dim, start, *, length, step=1):
    return (
        (*shape[:dim], length, *shape[dim + 1 :]),
        (*strides[:dim], strides[dim] * step, *strides[dim + 1 :]),
        offset + start * strides[dim],
    )


@slice.write
def _(base, value, dim, start, *, length, step=1):
    if not length:
        return base
    if step != 1:
        # The elements between the steps are read, and written back as they were.
        span = lax.dynamic_slice_in_dim(base, start, (length - 1) * step + 1, dim)
        spread = [(0, 0, step - 1 if d == dim else 0) for d in range(base.ndim)]
        value = jnp.where(_stepped(span.shape, dim, step), lax.pad(value, np.zeros((), value.dtype), spread), span)
    return lax.dynamic_update_slice_in_dim(base, value, start, dim)


def _stepped(shape, dim, step):
    """True at every step-th place of dimension `dim`."""
    return lax.broadcasted_iota(np.int32, shape, dim) % step == 0


@op("narrow", door=None, view=True, grad_name="SliceBackward0")
def narrow(input: Array, dim, start: Scalar, length):
    """`length` elements of dimension `dim` from `start` on. Raises IndexError or RuntimeError out of bounds."""
    dim = normalize_dim(dim, input.ndim)
    return slice.fn(input, dim, _from_front(start, input.shape[dim]), length=length)


def _from_front(start, n):
    if isinstance(start, int):
        return start + n if start < 0 else start
    return jnp.where(start < 0, start + n, start)


@narrow.geometry
def _(shape, strides, offset, dim, start, length):
    if not shape:
        raise RuntimeError("narrow() cannot be applied to a 0-dim tensor.")
    if length < 0:
        raise RuntimeError("narrow(): length must be non-negative.")
    dim = normalize_dim(dim, len(shape))
    n = shape[dim]
    if not -n <= start <= n:
        raise IndexError(f"start out of range (expected to be in range of [{-n}, {n}], but got {start})")
    start = _from_front(start, n)
    if start + length > n:
        raise RuntimeError(f"start ({start}) + length ({length}) exceeds dimension size ({n}).")
    return (*shape[:dim], length, *shape[dim + 1 :]), strides, offset + start * strides[dim]


@narrow.write
def _(base, value, dim, start, length):
    dim = normalize_dim(dim, base.ndim)
    return lax.dynamic_update_slice_in_dim(base, value, _from_front(start, base.shape[dim]), dim)


@op("squeeze", door=None, view=True)
def squeeze(input: Array):
    """Without any dim of size 1."""
    return lax.squeeze(input, _ones(input.shape, range(input.ndim)))


@op("squeeze_dim", door=None, view=True, grad_name="SqueezeBackward1")
def squeeze_dim(input: Array, dim):
    """Without dimension `dim`, if its size is 1."""
    return lax.squeeze(input, _ones(input.shape, normalize_dims(dim, input.ndim)))


@op("squeeze_dims", door=None, view=True, grad_name="SqueezeBackward2")
def squeeze_dims(input: Array, dims):
    """Without those of `dims` whose size is 1."""
    return lax.squeeze(input, _ones(input.shape, _listed_dims(dims, input.ndim)))


def _ones(shape, dims):
    return tuple(d for d in dims if shape[d] == 1)


def _listed_dims(dims, ndim):
    return normalize_dims(dims, ndim) if dims else ()


def _drops(view_op, dims_of):
    """Geometry and write of an op that leaves out the dims of size 1 among dims_of(ndim, *attrs)."""

    @view_op.geometry
    def _(shape, strides, offset, *attrs):
        dims = dims_of(len(shape), *attrs)
        kept = [d for d in range(len(shape)) if shape[d] != 1 or d not in dims]
        return tuple(shape[d] for d in kept), tuple(strides[d] for d in kept), offset

    @view_op.write
    def _(base, value, *attrs):
        return lax.reshape(value, base.shape)


_drops(squeeze, range)
_drops(squeeze_dim, lambda ndim, dim: normalize_dims(dim, ndim))
_drops(squeeze_dims, lambda ndim, dims: _listed_dims(dims, ndim))


@op("unsqueeze", view=True, method=True)
def unsqueeze(input: Array, dim):
    """A dim of size 1 put in at place `dim`."""
    return lax.expand_dims(input, (normalize_dim(dim, input.ndim + 1),))


@unsqueeze.geometry
def _(shape, strides, offset, dim):
    dim = normalize_dim(dim, len(shape) + 1)
    step = shape[dim] * strides[dim] if dim < len(shape) else 1
    return (*shape[:dim], 1, *shape[dim:]), (*strides[:dim], step, *strides[dim:]), offset


@unsqueeze.write
def _(base, value, dim):
    return lax.reshape(value, base.shape)


@op("alias", door=None, view=True)
def alias(input: Array):
    """The tensor itself as another view."""
    return input


@op("detach", door=None, view=True, differentiable=False)
def detach(input: Array):
    """The tensor itself outside the graph; inside a JAX transform no gradient passes."""
    return lax.stop_gradient(input)


# What unpack_dual gives as the value.
fw_primal = op("fw_primal", door=None, view=True, grad_name="Identity")(alias.fn)


@detach.geometry
@alias.geometry
@fw_primal.geometry
def _(shape, strides, offset):
    return shape, strides, offset


@detach.write
@alias.write
@fw_primal.write
def _(base, value):
    return value


@op("split", door=None)
def split(input: Array, sections, dim):
    """The pieces of sizes `sections` along a dim, as results of one call. The caller makes views of them."""
    return tuple(lax.split(input, sections, dim))


op("split_with_sizes", door=None)(split.fn)
op("unsafe_split", door=None)(split.fn)
op("unsafe_split_with_sizes", door=None)(split.fn)


@op("unbind", door=None)
def unbind(input: Array, dim):
    """Every slice along a dim, as results of one call. The caller makes views of them."""
    return tuple(lax.index_in_dim(input, i, dim, keepdims=False) for i in range(input.shape[dim]))


@unbind.gradient
def _(grads, results, input, dim):
    # One stack, where the vjp is a sum of as many padded slices.
    grads = grads if isinstance(grads, tuple) else (grads,)
    return (jnp.stack(grads, dim),)
