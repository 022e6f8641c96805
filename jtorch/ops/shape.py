"""Ops that join, repeat, reorder, pad and convert tensors into new memory."""

import numpy as np
from jax import lax
from jax import numpy as jnp

from jtorch.dtypes import convert, from_numpy, result_type
from jtorch.ops.op import COMMON_FORMAT, EXACT, FORMAT, Array, Arrays, DType, Scalar, op, widened
from jtorch.shapes import listed, normalize_dim, normalize_dims


def _promoted(arrays):
    """Arrays cast to torch's common dtype."""
    first = arrays[0].dtype
    if all(a.dtype == first for a in arrays):
        return arrays
    common = result_type([(from_numpy(a.dtype), a.ndim) for a in arrays]).numpy
    return [a.astype(common) for a in arrays]


@op("cat", "concat", "concatenate", out=True, follows=COMMON_FORMAT)
def cat(tensors: Arrays, dim=0):
    """Tensors of one shape but for dimension `dim` joined along it; 1-D tensors without elements are skipped.

    Raises ValueError for an empty list, RuntimeError where the shapes do not fit.
    """
    if not tensors:
        raise ValueError("torch.cat(): expected a non-empty list of Tensors")
    for i, a in enumerate(tensors):
        if not a.ndim:
            raise RuntimeError(f"zero-dimensional tensor (at position {i}) cannot be concatenated")
    tensors = _promoted(tensors)
    first = next((a for a in tensors if a.shape != (0,)), tensors[0])
    dim = normalize_dim(dim, first.ndim)
    for i, a in enumerate(tensors):
        if a.shape != (0,):
            _check_cat(first.shape, a.shape, dim, i)
    return lax.concatenate([a for a in tensors if a.shape != (0,)] or tensors, dim)


def _check_cat(first, shape, dim, i):
    if len(shape) != len(first):
        raise RuntimeError(f"Tensors must have same number of dimensions: got {len(first)} and {len(shape)}")
    for d, (want, got) in enumerate(zip(first, shape, strict=True)):
        if want != got and d != dim:
            raise RuntimeError(
                f"Sizes of tensors must match except in dimension {dim}. Expected size {want} but got size {got} "
                f"for tensor number {i} in the list."
            )


@op("stack", out=True)
def stack(tensors: Arrays, dim=0):
    """Tensors of one shape joined along a new dimension `dim`. Raises RuntimeError where the shapes differ."""
    _check_any(tensors, "stack")
    shape = tensors[0].shape
    for i, a in enumerate(tensors):
        if a.shape != shape:
            raise RuntimeError(
                f"stack expects each tensor to be equal size, but got {listed(shape)} at entry 0 and "
                f"{listed(a.shape)} at entry {i}"
            )
    dim = normalize_dim(dim, len(shape) + 1)
    return lax.concatenate([lax.expand_dims(a, (dim,)) for a in _promoted(tensors)], dim)


def _check_any(tensors, name):
    if not tensors:
        raise RuntimeError(f"{name} expects a non-empty TensorList")


@op("hstack", out=True, grad_name="CatBackward0")
def hstack(tensors: Arrays):
    """Tensors joined along the columns: along dim 1, vectors and 0-d tensors along dim 0."""
    _check_any(tensors, "hstack")
    tensors = [jnp.atleast_1d(a) for a in tensors]
    return cat.fn(tensors, 0 if tensors[0].ndim == 1 else 1)


@op("vstack", "row_stack", out=True, grad_name="CatBackward0")
def vstack(tensors: Arrays):
    """Tensors, as matrices, joined along the rows."""
    _check_any(tensors, "vstack")
    return cat.fn([jnp.atleast_2d(a) for a in tensors], 0)


@op("dstack", out=True, grad_name="CatBackward0")
def dstack(tensors: Arrays):
    """Tensors, with at least three dims, joined along the third."""
    _check_any(tensors, "dstack")
    return cat.fn([jnp.atleast_3d(a) for a in tensors], 2)


@op("column_stack", out=True, grad_name="CatBackward0")
def column_stack(tensors: Arrays):
    """Tensors joined along dim 1, vectors and 0-d tensors as columns."""
    _check_any(tensors, "column_stack")
    return cat.fn([a.reshape(a.size, 1) if a.ndim < 2 else a for a in tensors], 1)


@op("block_diag_kernel", door=None, grad_name="BlockDiagBackward0")
def block_diag_kernel(tensors: Arrays):
    """Matrices along the diagonal of a matrix of zeros, vectors as rows. Raises RuntimeError beyond two dims."""
    if not tensors:
        return jnp.zeros((1, 0), np.float32)
    for i, a in enumerate(tensors):
        if a.ndim > 2:
            raise RuntimeError(
                f"torch.block_diag: Input tensors must have 2 or fewer dimensions. Input {i} has {a.ndim} dimensions"
            )
    blocks = _promoted([jnp.atleast_2d(a) for a in tensors])
    width, left, rows = sum(b.shape[1] for b in blocks), 0, []
    for b in blocks:
        rows.append(_padded(b, 0, [(0, 0), (left, width - left - b.shape[1])]))
        left += b.shape[1]
    return lax.concatenate(rows, 0)


def _padded(array, value, widths):
    return lax.pad(array, jnp.asarray(value).astype(array.dtype), [(low, high, 0) for low, high in widths])


@op("constant_pad_nd", follows=FORMAT)
def constant_pad_nd(input: Array, pad, value: Scalar = 0):
    """`value` put around a tensor: pad has (before, after) of the last dim first; negative widths cut.

    Raises RuntimeError for an odd or too long pad, and where more is cut than is there.
    """
    if len(pad) % 2:
        raise RuntimeError(f"Length of pad must be even but instead it equals {len(pad)}")
    if len(pad) > 2 * input.ndim:
        # torch: the blanks are missing there, too.
        raise RuntimeError(
            "Length of pad should be no more than twice the number of dimensions of the input. Pad length is "
            f"{len(pad)}while the input has {input.ndim}dimensions."
        )
    widths = [(0, 0)] * (input.ndim - len(pad) // 2) + [(pad[i], pad[i + 1]) for i in range(len(pad) - 2, -1, -2)]
    for n, (low, high) in zip(input.shape, widths, strict=True):
        if n + min(low, 0) + min(high, 0) < 0:
            raise RuntimeError("narrow(): length must be non-negative.")
    return _padded(input, value, widths)


@op("repeat", method=True, function=False, varargs="repeats")
def repeat(input: Array, repeats):
    """The tensor laid side by side repeats[i] times along dim i; more repeats than dims add dims in front."""
    if len(repeats) < input.ndim:
        raise RuntimeError("Number of dimensions of repeat dims can not be smaller than number of dimensions of tensor")
    shape = (1,) * (len(repeats) - input.ndim) + input.shape
    size = [n * r for n, r in zip(shape, repeats, strict=True)]
    if any(n < 0 for n in size):
        raise RuntimeError(f"Trying to create tensor with negative dimension {min(size)}: {listed(size)}")
    return widened(jnp.tile)(input, [max(r, 0) for r in repeats])


@op("tile", method=True, varargs="dims", grad_name="RepeatBackward0")
def tile(input: Array, dims):
    """The tensor laid side by side dims[i] times along dim i, counted from the last."""
    return repeat.fn(input, (1,) * (input.ndim - len(dims)) + tuple(dims))


@op("repeat_interleave_int", door=None, grad_name="ViewBackward0")
def repeat_interleave_int(input: Array, repeats, dim=None):
    """Each element `repeats` times in a row along dim, or of the flattened tensor. Raises RuntimeError below 0."""
    if dim is None:
        input, dim = input.reshape(-1), 0
    shape = input.shape
    dim = normalize_dim(dim, input.ndim)
    if repeats < 0:
        raise RuntimeError("Repeats must be non-negative")
    if not shape:
        normalize_dim(dim + 1, 0)  # torch: a 0-d tensor has no dim to repeat along
    spread = jnp.broadcast_to(lax.expand_dims(input, (dim + 1,)), (*shape[: dim + 1], repeats, *shape[dim + 1 :]))
    return lax.reshape(spread, (*shape[:dim], shape[dim] * repeats, *shape[dim + 1 :]))


@op("roll", method=True)
def roll(input: Array, shifts, dims=()):
    """Elements moved on by `shifts` along `dims`, from the end back to the front; without dims, of the flat tensor."""
    shifts = (shifts,) if isinstance(shifts, int) else tuple(shifts)
    dims = (dims,) if isinstance(dims, int) else tuple(dims or ())
    if not shifts:
        raise RuntimeError("`shifts` required")
    if not dims and len(shifts) == 1:
        return jnp.roll(input.reshape(-1), shifts[0]).reshape(input.shape)
    if len(shifts) != len(dims):
        raise RuntimeError(f"shifts and dimensions must align. shifts: {len(shifts)}, dims:{len(dims)}")
    if not input.ndim:
        raise IndexError(f"Dimension specified as {dims[0]} but tensor has no dimensions")
    if not input.size:
        return input
    return jnp.roll(input, shifts, tuple(normalize_dim(d, input.ndim) for d in dims))


@op("flip", method=True, varargs="dims", follows=True)
def flip(input: Array, dims):
    """Elements in reverse order along `dims`. Raises RuntimeError when a dim stands twice."""
    return lax.rev(input, normalize_dims(dims, input.ndim) if dims or dims == 0 else ())


@op("fliplr", method=True, grad_name="FlipBackward0", follows=True)
def fliplr(input: Array):
    """Columns in reverse order. Raises RuntimeError with fewer than two dims."""
    if input.ndim < 2:
        raise RuntimeError("Input must be >= 2-d.")
    return lax.rev(input, (1,))


@op("flipud", method=True, grad_name="FlipBackward0")
def flipud(input: Array):
    """Rows in reverse order. Raises RuntimeError for a 0-d tensor."""
    if not input.ndim:
        raise RuntimeError("Input must be >= 1-d.")
    return lax.rev(input, (0,))


@op("rot90", method=True)
def rot90(input: Array, k=1, dims=(0, 1)):
    """The plane of two dims turned k times by 90 degrees, from the first towards the second."""
    if len(dims) != 2:
        raise RuntimeError(f"expected total rotation dims == 2, but got dims = {len(dims)}")
    if input.ndim < 2:
        raise RuntimeError(f"expected total dims >= 2, but got total dims = {input.ndim}")
    plane = tuple(normalize_dim(d, input.ndim) for d in dims)
    if dims[0] == dims[1] or abs(dims[0] - dims[1]) == input.ndim:
        raise RuntimeError(f"expected rotation dims to be different, but got dim0 = {dims[0]} and dim1 = {dims[1]}")
    return jnp.rot90(input, k, plane)


@op("tril", method=True, inplace=True, out=EXACT)
def tril(input: Array, diagonal=0):
    """The lower triangle of matrices up to a diagonal, else 0. Raises RuntimeError with fewer than two dims."""
    row, column = _places(input, "tril")
    return jnp.where(column - row <= diagonal, input, jnp.zeros((), input.dtype))


@op("triu", method=True, inplace=True, out=EXACT)
def triu(input: Array, diagonal=0):
    """The upper triangle of matrices from a diagonal on, else 0. Raises RuntimeError with fewer than two dims."""
    row, column = _places(input, "triu")
    return jnp.where(column - row >= diagonal, input, jnp.zeros((), input.dtype))


def _places(input, name):
    if input.ndim < 2:
        raise RuntimeError(f"{name}: input tensor must have at least 2 dimensions")
    shape = input.shape[-2:]
    return lax.broadcasted_iota(np.int32, shape, 0), lax.broadcasted_iota(np.int32, shape, 1)


def _diag_name(operands, attrs):
    return "DiagEmbedBackward0" if operands[0][1] == 1 else "DiagonalBackward0_copy"


@op("diag", method=True, out=EXACT, grad_name=_diag_name)
def diag(input: Array, diagonal=0):
    """The matrix with a vector on its diagonal, or the diagonal of a matrix. Raises RuntimeError for other dims."""
    if input.ndim == 1:
        return diag_embed.fn(input, diagonal)
    if input.ndim != 2:
        raise RuntimeError(f"diag(): Supports 1D or 2D tensors. Got {input.ndim}D")
    rows, columns = input.shape
    inside = -rows < diagonal < columns
    return jnp.diagonal(input, diagonal) if inside else jnp.zeros((0,), input.dtype)


@op("diagflat", method=True, grad_name="DiagEmbedBackward0")
def diagflat(input: Array, offset=0):
    """The matrix with the elements of a tensor on a diagonal."""
    return diag_embed.fn(input.reshape(-1), offset)


@op("diag_embed", method=True)
def diag_embed(input: Array, offset=0, dim1=-2, dim2=-1):
    """Matrices, in dims dim1 and dim2 of the result, with the last dim of a tensor on a diagonal and 0 elsewhere."""
    ndim = input.ndim + 1
    first, second = _diag_dims(input.ndim, dim1, dim2)
    n = input.shape[-1] + abs(offset)
    row = lax.broadcasted_iota(np.int32, (n, n), 0)
    column = lax.broadcasted_iota(np.int32, (n, n), 1)
    # Element k of the diagonal stands in row k above the main diagonal and in column k below it.
    room = [(0, 0)] * (input.ndim - 1) + [(0, abs(offset))]
    line = _padded(input, 0, room)[..., :, None] if offset >= 0 else _padded(input, 0, room)[..., None, :]
    square = jnp.where(column - row == offset, line, jnp.zeros((), input.dtype))
    return jnp.moveaxis(square, (ndim - 2, ndim - 1), (first, second))


def _diag_dims(ndim, dim1, dim2):
    if not ndim:
        normalize_dim(min(dim1, dim2), 0)
    first, second = normalize_dim(dim1, ndim + 1), normalize_dim(dim2, ndim + 1)
    if first == second:
        raise RuntimeError(f"diagonal dimensions cannot be identical {dim1}, {dim2}")
    return first, second


@op("clone", door=None, follows=True)
def clone(input: Array, *, memory_format=None):
    """A copy in memory of its own."""
    return jnp.copy(input)


@op("to_dtype", door=None, follows=True, grad_name="ToCopyBackward0")
def to_dtype(input: Array, dtype: DType):
    """The tensor converted to another dtype, rounding, cutting and wrapping as torch does on the CPU."""
    return convert(input, dtype)


@op("fence", door=None)
def fence(input: Array, after: Array | None = None):
    """The same values, of which XLA does not know that they are: what is computed from them is computed anew.

    after: once this is there, and not before.
    """
    return lax.optimization_barrier((input, after))[0]


@fence.gradient
def _(grad, result, input, after):
    return grad, None
