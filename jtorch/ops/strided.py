"""View ops that read memory in steps of their own or as another dtype: expand, unfold, as_strided, complex parts."""

import numpy as np
from jax import lax
from jax import numpy as jnp

from jtorch import dtypes
from jtorch.ops.op import FIRST, Array, op, overlaps
from jtorch.shapes import contiguous_strides, listed, normalize_dim, numel


def _overlaid(base, value, places, old, written):
    """base with value at places of the flat base, several of which may be one: what was written there, or has changed.

    old: what places read before. written: which elements of value are new, None where it is not known.
    """
    if written is None:
        written = value != old
        if jnp.issubdtype(value.dtype, jnp.inexact):
            written &= ~(jnp.isnan(value) & jnp.isnan(old))
    flat = lax.reshape(base, (base.size,))
    return lax.reshape(flat.at[jnp.where(written, places, base.size)].set(value, mode="drop"), base.shape)


@op("expand", view=True, method=True, function=False, varargs="size")
def expand(input: Array, size):
    """Dims of size 1 repeated to `size` without a copy, new dims in front; -1 keeps a size. Raises RuntimeError."""
    if len(size) < input.ndim:
        label = dtypes.from_numpy(input.dtype).label
        raise RuntimeError(
            f"expand(torch.{label}Tensor{{{listed(input.shape)}}}, size={listed(size)}): the number of sizes provided "
            f"({len(size)}) must be greater or equal to the number of dimensions in the tensor ({input.ndim})"
        )
    return jnp.broadcast_to(input, _expanded(input.shape, size))


@expand.gradient
def _(grad, result, input, size):
    return (grad,)  # what was repeated is summed up, halves in float32


@op("broadcast_to", view=True, method=True, varargs="size", grad_name="ExpandBackward0")
def broadcast_to(input: Array, size):
    """Dims of size 1 repeated to `size` without a copy, as `expand` does."""
    return expand.fn(input, size)


broadcast_to.gradient(expand._gradient)


def _expanded(shape, size):
    new = len(size) - len(shape)
    result = list(size)
    for i in range(len(size) - 1, -1, -1):
        n = size[i]
        had = shape[i - new] if i >= new else None
        if n == -1 and shape:
            if had is None:
                raise RuntimeError(
                    f"The expanded size of the tensor (-1) isn't allowed in a leading, non-existing dimension {i}"
                )
            n = had
        elif had not in (None, 1, n):
            raise RuntimeError(
                f"The expanded size of the tensor ({n}) must match the existing size ({had}) at non-singleton "
                f"dimension {i}.  Target sizes: {listed(size)}.  Tensor sizes: {listed(shape)}"
            )
        if n < 0:
            raise RuntimeError("numel: integer multiplication overflow")
        result[i] = n
    return tuple(result)


@expand.geometry
@broadcast_to.geometry
def _(shape, strides, offset, size):
    if len(size) < len(shape):
        return size, strides, offset  # the op itself, which knows the dtype, raises
    result = _expanded(shape, size)
    if not shape:
        return result, (0,) * len(result), offset
    new = len(result) - len(shape)
    steps = [0] * len(result)
    for i in range(len(result) - 1, -1, -1):
        if i >= new:
            had, step = shape[i - new], strides[i - new]
        else:
            had, step = 1, result[i + 1] * steps[i + 1] if i + 1 < len(result) else 1
        steps[i] = step if result[i] == had else 0
    return result, tuple(steps), offset


@expand.write
@broadcast_to.write
@overlaps
def _(base, value, size, written=None):
    if value.size <= base.size:
        return lax.reshape(value, base.shape) if value.size else base
    places = np.broadcast_to(np.arange(base.size).reshape(base.shape), value.shape)
    return _overlaid(base, value, places, expand.fn(base, size), written)


@op("view_dtype", door=None, view=True, differentiable=False)
def view_dtype(input: Array, source, target):
    """The bytes of a tensor of dtype `source` read as `target`; the last dim grows or shrinks with the item size."""
    if source.itemsize >= target.itemsize:
        parts = _bitcast(input, target.numpy)
        if parts.ndim > input.ndim:
            parts = lax.reshape(parts, (*input.shape[:-1], input.shape[-1] * parts.shape[-1]))
        return parts
    ratio = target.itemsize // source.itemsize
    return _bitcast(lax.reshape(input, (*input.shape[:-1], input.shape[-1] // ratio, ratio)), target.numpy)


def _bitcast(array, numpy):
    if array.dtype == np.bool_:
        array = array.astype(np.uint8)
    if numpy == np.bool_:
        return lax.bitcast_convert_type(array, np.uint8) != 0
    return lax.bitcast_convert_type(array, numpy)


@view_dtype.geometry
def _(shape, strides, offset, source, target):
    wide, narrow = source.itemsize, target.itemsize
    if wide == narrow:
        return shape, strides, offset
    words = f"to view {source.label} as {target.label} (different element sizes)"
    if not shape:
        raise RuntimeError(f"self.dim() cannot be 0 {words}")
    if narrow < wide:
        ratio = wide // narrow
        _unit_stride(strides, words)
        return (*shape[:-1], shape[-1] * ratio), (*(s * ratio for s in strides[:-1]), 1), offset * ratio
    ratio = narrow // wide
    if shape[-1] % ratio:
        raise RuntimeError(f"self.size(-1) must be divisible by {ratio} {words}, but got {shape[-1]}")
    _unit_stride(strides, words)
    if offset % ratio:
        raise RuntimeError(f"self.storage_offset() must be divisible by {ratio} {words}, but got {offset}")
    for i, s in enumerate(strides[:-1]):
        if s % ratio:
            raise RuntimeError(f"self.stride({i}) must be divisible by {ratio} {words}, but got {s}")
    return (*shape[:-1], shape[-1] // ratio), (*(s // ratio for s in strides[:-1]), 1), offset // ratio


def _unit_stride(strides, words):
    if strides[-1] != 1:
        raise RuntimeError(f"self.stride(-1) must be 1 {words}, but got {strides[-1]}")


@view_dtype.write
def _(base, value, source, target):
    return view_dtype.fn(value, target, source)


@op("diagonal", view=True, method=True)
def diagonal(input: Array, offset=0, dim1=0, dim2=1):
    """The diagonal of the matrices in dims dim1 and dim2, as the last dim. Raises IndexError for a missing dim."""
    dim1, dim2, length = _diagonal(input.shape, offset, dim1, dim2)
    if not length:
        return jnp.zeros(_without(input.shape, dim1, dim2) + (0,), input.dtype)
    return jnp.diagonal(input, offset, dim1, dim2)


@diagonal.gradient
def _(grad, result, input, offset=0, dim1=0, dim2=1):
    # The gradient of JAX's indexing reads the input, which torch's does not: it could not be written to.
    return (_with_diagonal(jnp.zeros(input.shape, grad.dtype), grad, offset, dim1, dim2),)


def _diagonal(shape, offset, dim1, dim2):
    first, second = normalize_dim(dim1, len(shape)), normalize_dim(dim2, len(shape))
    if first == second:
        raise RuntimeError(f"diagonal dimensions cannot be identical {dim1}, {dim2}")
    rows, columns = shape[first], shape[second]
    length = min(rows, columns - offset) if offset >= 0 else min(rows + offset, columns)
    return first, second, max(length, 0)


def _without(sizes, dim1, dim2):
    return tuple(n for d, n in enumerate(sizes) if d not in (dim1, dim2))


@diagonal.geometry
def _(shape, strides, start, offset=0, dim1=0, dim2=1):
    dim1, dim2, length = _diagonal(shape, offset, dim1, dim2)
    if length:
        start += offset * strides[dim2] if offset >= 0 else -offset * strides[dim1]
    sizes = (*_without(shape, dim1, dim2), length)
    return sizes, (*_without(strides, dim1, dim2), strides[dim1] + strides[dim2]), start


@diagonal.write
def _with_diagonal(base, value, offset=0, dim1=0, dim2=1):
    dim1, dim2, length = _diagonal(base.shape, offset, dim1, dim2)
    if not length:
        return base
    # A masked sum over one dim spreads the diagonal out: one fused pass, where XLA's scatter on the CPU is a loop.
    row = lax.broadcasted_iota(np.int32, base.shape, dim1)
    column = lax.broadcasted_iota(np.int32, base.shape, dim2)
    along, other = (dim1, dim2) if offset >= 0 else (dim2, dim1)
    room = [(0, 0, 0)] * (value.ndim - 1) + [(0, base.shape[along] - length, 0)]
    padded = lax.pad(value, np.zeros((), value.dtype), room)
    spread = jnp.moveaxis(padded[..., None], (-2, -1), (along, other))
    return jnp.where(column - row == offset, spread, base)


@op("unfold", view=True, method=True, function=False)
def unfold(input: Array, dimension, size, step):
    """All windows of `size` elements along a dimension, `step` apart; the window is the last dim of the result."""
    if not input.ndim:
        return lax.reshape(input, (1,))[:size]
    dim, count = _windows(input.shape, dimension, size, step)
    if size == step:
        whole = lax.slice_in_dim(input, 0, count * size, axis=dim)
        windows = lax.reshape(whole, (*input.shape[:dim], count, size, *input.shape[dim + 1 :]))
    elif 0 < size <= _FEW:
        # Few strided slices, stacked: their gradient is a sum of pads, where that of a gather is a scatter.
        parts = [lax.slice_in_dim(input, i, i + (count - 1) * step + 1, step, dim) for i in range(size)]
        windows = jnp.stack(parts, dim + 1)
    else:
        windows = jnp.take(input, np.arange(count)[:, None] * step + np.arange(size), dim)
    return jnp.moveaxis(windows, dim + 1, -1)


_FEW = 32


def _windows(shape, dimension, size, step):
    dim = normalize_dim(dimension, len(shape))
    n = shape[dim] if shape else 1
    if size < 0:
        raise RuntimeError(f"size is {size} but must be >= 0")
    if size > n:
        raise RuntimeError(f"maximum size for tensor at dimension {dim} is {n} but size is {size}")
    if step <= 0:
        raise RuntimeError(f"step is {step} but must be > 0")
    return dim, (n - size) // step + 1


@unfold.geometry
def _(shape, strides, offset, dimension, size, step):
    dim, count = _windows(shape, dimension, size, step)
    if not shape:
        return (size,), (1,), offset
    apart = (*strides[:dim], strides[dim] * step, *strides[dim + 1 :], strides[dim])
    return (*shape[:dim], count, *shape[dim + 1 :], size), apart, offset


@unfold.write
@overlaps
def _(base, value, dimension, size, step, written=None):
    if not base.ndim:
        return lax.reshape(value, ()) if size else base
    dim, count = _windows(base.shape, dimension, size, step)
    rows = np.arange(count)[:, None] * step + np.arange(size)
    places = np.moveaxis(np.take(np.arange(base.size).reshape(base.shape), rows, dim), dim + 1, -1)
    return _overlaid(base, value, places, unfold.fn(base, dimension, size, step), written)


@op("as_strided", door=None, view=True)
def as_strided(input: Array, size, stride, storage_offset):
    """A view of any sizes, strides and offset, in elements. The operand is the whole storage, row by row.

    Raises RuntimeError where an element would lie outside the storage.
    """
    _check_strided(input.size, input.dtype.itemsize, size, stride, storage_offset)
    flat = lax.reshape(input, (input.size,))
    if stride == contiguous_strides(size):
        return lax.reshape(lax.slice_in_dim(flat, storage_offset, storage_offset + numel(size)), size)
    return flat[_places(size, stride, storage_offset)]


def _check_strided(count, itemsize, size, stride, offset):
    if len(size) != len(stride):
        raise RuntimeError("mismatch in length of strides and shape")
    if any(step < 0 for step in stride):
        raise RuntimeError(
            f"as_strided: Negative strides are not supported at the moment, got strides: {listed(stride)}"
        )
    if offset < 0:
        raise RuntimeError(f"Tensor: invalid storage offset {offset}")
    reach = offset + 1 + sum((n - 1) * step for n, step in zip(size, stride, strict=True)) if numel(size) else 0
    if reach > count:
        raise RuntimeError(
            f"setStorage: sizes {listed(size)}, strides {listed(stride)}, storage offset {offset}, and itemsize "
            f"{itemsize} requiring a storage size of {reach * itemsize} are out of bounds for storage of size "
            f"{count * itemsize}"
        )


def _places(size, stride, offset):
    places = jnp.full(size, offset, np.int64)
    for dim, step in enumerate(stride):
        places = places + lax.broadcasted_iota(np.int64, size, dim) * step
    return places


@as_strided.geometry
def _(shape, strides, offset, size, stride, storage_offset):
    return size, stride, storage_offset


@as_strided.write
@overlaps
def _(base, value, size, stride, storage_offset, written=None):
    places = _places(size, stride, storage_offset)
    flat = lax.reshape(base, (base.size,))
    if not _apart(size, stride):
        return _overlaid(base, value, places, flat[places], written)
    return lax.reshape(flat.at[places].set(value), base.shape)


def _apart(size, stride):
    """Whether no two elements surely lie at one place: each step reaches over all that the smaller ones span."""
    reach = 0
    for step, n in sorted((s, n) for s, n in zip(stride, size, strict=True) if n > 1):
        if step <= reach:
            return False
        reach += step * (n - 1)
    return True


@op("as_strided_scatter_kernel", door=None, grad_name="AsStridedScatterBackward0", linear=False)
def as_strided_scatter_kernel(input: Array, src: Array, size, stride, storage_offset):
    """The tensor with src where as_strided would look in it. Raises RuntimeError where src has another size."""
    _check_strided(input.size, input.dtype.itemsize, size, stride, storage_offset)
    _check_slice(src, size)
    return as_strided._write(input, src.astype(input.dtype), size, stride, storage_offset)


@as_strided_scatter_kernel.gradient
def _(grad, result, input, src, size, stride, storage_offset):
    # torch: input gets the gradient of what src took the place of, not of the rest.
    part = as_strided.fn(grad, size, stride, storage_offset)
    return as_strided._write(jnp.zeros_like(grad), part, size, stride, storage_offset), part


@op("diagonal_scatter", method=True, follows=FIRST)
def diagonal_scatter(input: Array, src: Array, offset=0, dim1=0, dim2=1):
    """The tensor with src in place of a diagonal. Raises RuntimeError where src has another size."""
    dims = _diagonal(input.shape, offset, dim1, dim2)
    _check_slice(src, (*_without(input.shape, *dims[:2]), dims[2]))
    return diagonal._write(input, src.astype(input.dtype), offset, dim1, dim2)


def _check_slice(src, shape):
    if src.shape != shape:
        raise RuntimeError(
            "expected src to have a size equal to the slice of self. "
            f"src size = {listed(src.shape)}, slice size = {listed(shape)}"
        )


@op("view_as_real", view=True)
def view_as_real(input: Array):
    """A complex tensor as a real one with real and imaginary part in a last dim of 2. Raises RuntimeError for reals."""
    if not jnp.iscomplexobj(input):
        raise RuntimeError("view_as_real is only supported for complex tensors")
    return jnp.stack([lax.real(input), lax.imag(input)], -1)


@view_as_real.gradient
def _(grad, result, input):
    return (lax.complex(grad[..., 0], grad[..., 1]),)


@view_as_real.geometry
def _(shape, strides, offset):
    return (*shape, 2), (*(s * 2 for s in strides), 1), offset * 2


@view_as_real.write
def _(base, value):
    return lax.complex(value[..., 0], value[..., 1])


@op("view_as_complex", view=True)
def view_as_complex(input: Array):
    """A real tensor whose last dim of 2 holds real and imaginary part as a complex one. Raises RuntimeError."""
    if input.dtype not in (np.float16, np.float32, np.float64):
        label = dtypes.from_numpy(input.dtype).label
        raise RuntimeError(
            "view_as_complex is only supported for half, float and double tensors, but got a tensor of scalar type: "
            + label
        )
    _check_pairs(input.shape)
    return lax.complex(input[..., 0], input[..., 1])


def _check_pairs(shape):
    if not shape:
        raise RuntimeError("Input tensor must have one or more dimensions")
    if shape[-1] != 2:
        raise RuntimeError("Tensor must have a last dimension of size 2")


@view_as_complex.gradient
def _(grad, result, input):
    return (jnp.stack([lax.real(grad), lax.imag(grad)], -1),)


@view_as_complex.geometry
def _(shape, strides, offset):
    _check_pairs(shape)
    if strides[-1] != 1:
        raise RuntimeError("Tensor must have a last dimension with stride 1")
    if any(s % 2 for s in strides[:-1]):
        raise RuntimeError("Tensor must have a stride divisible by 2 for all but last dimension")
    if offset % 2:
        raise RuntimeError("Tensor must have a storage_offset divisible by 2")
    return shape[:-1], tuple(s // 2 for s in strides[:-1]), offset // 2


@view_as_complex.write
def _(base, value):
    return jnp.stack([lax.real(value), lax.imag(value)], -1)
