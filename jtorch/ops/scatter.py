"""Ops that read or write single elements along a dim, at places given by an index tensor: gather, scatter and kin."""

import functools

import jax
import numpy as np
from jax import lax
from jax import numpy as jnp

from jtorch.dtypes import from_numpy
from jtorch.lowering import flat_places
from jtorch.ops.op import EXACT, Array, Operand, op
from jtorch.shapes import broadcast_shapes, listed, normalize_dim

# XLA itself keeps reads and writes inside: JAX's other modes would check once more.
_MODE = "promise_in_bounds"
_WHOLE_NUMBERS = (np.int32, np.int64)


def _places(index, dim):
    """The key of the elements at `index` along a dim and at the same place in every other."""
    return tuple(index if d == dim else lax.broadcasted_iota(np.int32, index.shape, d) for d in range(index.ndim))


def _check_dtype(name, index):
    if index.dtype not in _WHOLE_NUMBERS:
        raise RuntimeError(f"{name}(): Expected dtype int32/int64 for index")


def _check_gather(input, dim, index):
    _check_dtype("gather", index)
    if max(index.ndim, 1) != max(input.ndim, 1):
        raise RuntimeError("Index tensor must have the same number of dimensions as input tensor")
    for d, (n, size) in enumerate(zip(index.shape, input.shape, strict=False)):
        if d != dim and n > size:
            raise RuntimeError(
                f"Size does not match at dimension {d} expected index {listed(index.shape)} to be no larger than "
                f"self {listed(input.shape)} apart from dimension {dim}"
            )


@op("gather", method=True, out=EXACT)
def gather(input: Array, dim, index: Array, *, sparse_grad=False):
    """input[i][index[i][j]] for dim 1, and so on. Shape: index's. Raises RuntimeError where it does not fit."""
    dim = normalize_dim(dim, input.ndim)
    if not index.size:
        return jnp.zeros(index.shape, input.dtype)
    _check_gather(input, dim, index)
    return _gather(input, dim, index)


def _gather(input, dim, index):
    if not index.ndim:
        return input.reshape(-1).at[index].get(mode=_MODE, wrap_negative_indices=False)
    return input.reshape(input.shape or (1,)).at[_places(index, dim)].get(mode=_MODE, wrap_negative_indices=False)


@gather.gradient
def _(grad, result, input, dim, index, *, sparse_grad=False):
    dim = normalize_dim(dim, input.ndim)
    if not index.size:
        return jnp.zeros(input.shape, input.dtype), None
    if index.ndim and input.ndim and index.shape[dim] == 1:
        # One element per row, as a loss picks them: a comparison with the place is one fused pass, a scatter is not.
        spread = lax.broadcasted_iota(index.dtype, (*index.shape[:dim], input.shape[dim], *index.shape[dim + 1 :]), dim)
        return _spread(jnp.where(spread == index, grad, 0).astype(grad.dtype), input.shape), None
    return _write(jnp.zeros(input.shape, grad.dtype), dim, index, grad, "add"), None


@op("take_along_dim", method=True, out=EXACT, grad_name="GatherBackward0")
def take_along_dim(input: Array, indices: Array, dim=None):
    """Elements along a dim at `indices`, which broadcast against input; without dim, of the flattened tensor."""
    if dim is None:
        _check_dtype("gather", indices)
        return _gather(input.reshape(-1), 0, _from_front(indices.reshape(-1), input.size))
    if input.ndim != indices.ndim:
        raise RuntimeError(
            "torch.take_along_dim(): input and indices should have the same number of dimensions, but got "
            f"{input.ndim} dimensions for input, and {indices.ndim} dimensions for indices"
        )
    if indices.dtype != np.int64:
        label = from_numpy(indices.dtype).label
        raise RuntimeError(f"torch.take_along_dim(): dtype of indices should be Long but got {label}")
    if not input.ndim:
        raise IndexError(f"Dimension specified as {dim} but tensor has no dimensions")
    dim = normalize_dim(dim, input.ndim)
    common = broadcast_shapes(*((*x.shape[:dim], 1, *x.shape[dim + 1 :]) for x in (input, indices)))
    wide = [jnp.broadcast_to(x, (*common[:dim], x.shape[dim], *common[dim + 1 :])) for x in (input, indices)]
    return _gather(wide[0], dim, wide[1] % max(input.shape[dim], 1))  # torch: any index wraps


def _from_front(index, size):
    return jnp.where(index < 0, index + size, index)


def _check_scatter(input, dim, index, src):
    _check_dtype("scatter", index)
    given = hasattr(src, "shape")
    if given and src.dtype != input.dtype:
        raise RuntimeError("scatter(): Expected self.dtype to be equal to src.dtype")
    if not index.size:
        return
    if max(index.ndim, 1) != max(input.ndim, 1):
        raise RuntimeError("Index tensor must have the same number of dimensions as self tensor")
    if given and max(index.ndim, 1) != max(src.ndim, 1):
        raise RuntimeError("Index tensor must have the same number of dimensions as src tensor")
    larger = any(n > m for d, (n, m) in enumerate(zip(index.shape, input.shape, strict=False)) if d != dim)
    if larger or (given and any(n > m for n, m in zip(index.shape or (1,), src.shape or (1,), strict=True))):
        words = f" and to be no larger size than src {listed(src.shape)}" if given else ""
        raise RuntimeError(
            f"Expected index {listed(index.shape)} to be no larger than self {listed(input.shape)} apart from "
            f"dimension {dim}{words}"
        )


def _fitted(src, index, dtype):
    """The part of src that index reaches, or a number in every place of it."""
    if not hasattr(src, "shape") or not src.shape:
        return jnp.broadcast_to(jnp.asarray(src).astype(dtype), index.shape)
    return lax.slice(src, (0,) * src.ndim, index.shape or (1,)).reshape(index.shape)


_OF_BOOLS = {"add": "max", "multiply": "min"}  # or, and


def _write(input, dim, index, src, how):
    """input with src written at index along a dim. how: set, add, multiply, max or min."""
    how = _OF_BOOLS.get(how, how) if input.dtype == bool else how
    at = input.reshape(-1).at[flat_places(index.reshape(index.shape or (1,)), dim, input.shape or (1,))]
    return getattr(at, how)(src.reshape(-1), mode=_MODE, wrap_negative_indices=False).reshape(input.shape)


def _scatter_name(operands, attrs):
    return f"ScatterBackward{int(operands[2] is None or operands[2][1] is None)}"


@op("scatter", method=True, inplace=True, out=EXACT, grad_name=_scatter_name, lift=False)
def scatter(input: Array, dim, index: Array, src: Operand = None, value: Operand = None, *, reduce=None):
    """The tensor with src, a tensor or a number, written at index along a dim; reduce adds or multiplies instead.

    Raises RuntimeError where shapes or dtypes do not fit.
    """
    dim = normalize_dim(dim, input.ndim)
    src = value if src is None else src
    _check_scatter(input, dim, index, src)
    if reduce not in (None, "add", "multiply"):
        raise RuntimeError("reduce argument must be either add or multiply.")
    if not index.size:
        return input
    how = {None: "set", "add": "add", "multiply": "multiply"}[reduce]
    return _write(input, dim, index, _fitted(src, index, input.dtype), how)


@scatter.gradient
def _(grad, result, input, dim, index, src=None, value=None, *, reduce=None):
    if reduce is not None:
        raise RuntimeError("derivative for aten::scatter is not implemented")
    dim = normalize_dim(dim, input.ndim)
    kept = _write(grad, dim, index, jnp.zeros(index.shape, grad.dtype), "set") if index.size else grad
    return kept, None, _picked(grad, dim, index, src), None


def _picked(grad, dim, index, src):
    """The gradient of src: grad where index wrote, 0 where src was not reached."""
    if not hasattr(src, "shape"):
        return None
    if not index.size:
        return jnp.zeros(src.shape, grad.dtype)
    return _spread(_gather(grad, dim, index), src.shape)


def _spread(part, shape):
    """A gradient of the leading part of a tensor as one of the tensor: 0 in the rest."""
    part = part.reshape(part.shape or (1,))
    room = [(0, m - n, 0) for n, m in zip(part.shape, shape or (1,), strict=True)]
    return lax.pad(part, np.zeros((), part.dtype), room).reshape(shape)


@op("scatter_add", method=True, inplace=True, out=EXACT)
def scatter_add(input: Array, dim, index: Array, src: Array):
    """The tensor with src added at index along a dim. Raises RuntimeError where shapes or dtypes do not fit."""
    dim = normalize_dim(dim, input.ndim)
    _check_scatter(input, dim, index, src)
    return _write(input, dim, index, _fitted(src, index, input.dtype), "add") if index.size else input


@scatter_add.gradient
def _(grad, result, input, dim, index, src):
    return grad, None, _picked(grad, normalize_dim(dim, input.ndim), index, src)


_HOW = {"sum": "add", "mean": "add", "prod": "multiply", "amax": "max", "amin": "min"}


@op("scatter_reduce", method=True, inplace=True, out=EXACT)
def scatter_reduce(input: Array, dim, index: Array, src: Array, reduce, *, include_self=True):
    """All elements of src that index sends to one place, and the one there, as their sum, prod, mean, amax or amin.

    Raises RuntimeError where shapes or dtypes do not fit.
    """
    dim = normalize_dim(dim, input.ndim)
    _check_scatter(input, dim, index, src)
    if reduce not in _HOW:
        raise RuntimeError(f"reduce argument must be either sum, prod, mean, amax or amin, got {reduce}")
    if not index.size:
        return input
    return _reduced(input, dim, index, _fitted(src, index, input.dtype), reduce, include_self)


def _reduced(input, dim, index, src, reduce, include_self):
    if not include_self:
        first = jnp.full(index.shape, _neutral(reduce, input.dtype), input.dtype)
        input = _write(input, dim, index, first, "set")
    if reduce == "prod":
        return _product(input, index, src, dim)
    total = _write(input, dim, index, src, _HOW[reduce])
    if reduce != "mean":
        return total
    count = _counts(input, dim, index, include_self)
    if jnp.issubdtype(input.dtype, jnp.inexact):
        return total / count
    return jnp.floor_divide(total, count)


@functools.partial(jax.custom_jvp, nondiff_argnums=(3,))
def _product(input, index, src, dim):
    return _write(input, dim, index, src, "multiply")


@_product.defjvp
def _(dim, primals, tangents):
    # By the transpose of the gradient below, so that it has gradients: JAX has none of a scatter that multiplies.
    input, index, src = primals
    found = _product(input, index, src, dim)

    def pull(grad):
        to_self, to_src = _prod_gradient(grad, found, input, dim, index, src, True)
        return to_self, to_src.reshape(src.shape)

    return found, jax.linear_transpose(pull, found)((tangents[0], tangents[2]))[0]


def _neutral(reduce, dtype):
    if reduce in ("sum", "mean"):
        return 0
    if reduce == "prod":
        return 1
    if jnp.issubdtype(dtype, jnp.inexact):
        return -np.inf if reduce == "amax" else np.inf
    if dtype == np.bool_:
        return reduce == "amin"
    return np.iinfo(dtype).min if reduce == "amax" else np.iinfo(dtype).max


def _counts(input, dim, index, include_self):
    """How many elements come together at each place, at least 1."""
    start = jnp.full(input.shape, int(include_self), input.dtype)
    return jnp.maximum(_write(start, dim, index, jnp.ones(index.shape, input.dtype), "add"), 1)


@scatter_reduce.gradient
def _(grad, result, input, dim, index, src, reduce, *, include_self=True):
    dim = normalize_dim(dim, input.ndim)
    if not index.size:
        return grad, None, jnp.zeros(src.shape, grad.dtype)
    part = _fitted(src, index, input.dtype)
    to_self, to_part = _reduce_gradient(grad, result, input, dim, index, part, reduce, include_self)
    if not include_self:
        to_self = _write(to_self, dim, index, jnp.zeros(index.shape, grad.dtype), "set")
    return to_self, None, _spread(to_part, src.shape)


def _reduce_gradient(grad, result, input, dim, index, src, reduce, include_self):
    if reduce == "sum":
        return grad, _gather(grad, dim, index)
    if reduce == "mean":
        count = _counts(input, dim, index, include_self)
        return grad / count, _gather(grad, dim, index) / _gather(count, dim, index)
    if reduce == "prod":
        return _prod_gradient(grad, result, input, dim, index, src, include_self)
    # torch: elements that tie for the extreme share its gradient evenly.
    here, there = input == result, src == _gather(result, dim, index)
    ties = _write(here.astype(grad.dtype), dim, index, there.astype(grad.dtype), "add")
    share = grad / ties
    return jnp.where(here, share, 0), jnp.where(there, _gather(share, dim, index), 0)


def _prod_gradient(grad, result, input, dim, index, src, include_self):
    """A factor's gradient is the product of the others, found without dividing by a factor of 0."""
    filled = jnp.where(input == 0, 1, input)
    to_self = grad * _reduced(filled, dim, index, src, "prod", include_self) / filled
    zero = src == 0
    counted = _write(jnp.zeros(input.shape, grad.dtype), dim, index, zero.astype(grad.dtype), "add")
    zeros = _gather(counted, dim, index)
    alone = zero & (zeros == 1)
    others = _reduced(input, dim, index, jnp.where(alone, 1, src), "prod", include_self)
    divided = _gather(grad * result, dim, index) / jnp.where(zero, 1, src)
    return to_self, jnp.where(alone, _gather(grad * others, dim, index), divided)


@op("index_reduce", method=True, inplace=True, out=EXACT)
def index_reduce(input: Array, dim, index: Array, source: Array, reduce, *, include_self=True):
    """All slices of source that a vector sends to one slice, and the one there, as their prod, mean, amax or amin."""
    if reduce not in ("prod", "mean", "amax", "amin"):
        raise RuntimeError(f"index_reduce(): Expected reduce to be one of prod, mean, amax or amin but got {reduce}.")
    dim = normalize_dim(dim, input.ndim)
    return _reduced(input, dim, _along(index, dim, source.shape), source, reduce, include_self)


def _along(index, dim, shape):
    places = [1] * max(len(shape), 1)
    places[dim] = -1
    return jnp.broadcast_to(index.reshape(places), shape or (1,))


@index_reduce.gradient
def _(grad, result, input, dim, index, source, reduce, *, include_self=True):
    dim = normalize_dim(dim, input.ndim)
    places = _along(index, dim, source.shape)
    to_self, to_source = _reduce_gradient(grad, result, input, dim, places, source, reduce, include_self)
    if not include_self:
        to_self = _write(to_self, dim, places, jnp.zeros(places.shape, grad.dtype), "set")
    return to_self, None, to_source.reshape(source.shape)
