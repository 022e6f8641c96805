"""torch.masked: reductions and normalizations of the elements that a mask lets through.

A mask is a bool tensor that broadcasts to the input, True where an element counts; None is all of them. Elements that
do not count become what changes nothing: 0 in a sum, -inf in a maximum. MaskedTensor is left out.
"""

import math

import numpy as np

from jtorch.dtypes import BOOL, FLOAT, float32, int64

__all__ = [
    "amax", "amin", "argmax", "argmin", "cumprod", "cumsum", "log_softmax", "logaddexp", "logsumexp", "mean", "median",
    "norm", "normalize", "prod", "softmax", "softmin", "std", "sum", "var",
]  # fmt: skip


def _dims(dim, ndim):
    """The dims meant by None, a number or several, from 0 and sorted. Raises IndexError, RuntimeError."""
    if dim is None or dim == ():
        return tuple(range(ndim))
    ndim = max(ndim, 1)
    found = []
    for d in (dim,) if isinstance(dim, int) else dim:
        if d in found:
            raise RuntimeError(f"dim={d} appears multiple times in the list of dims")
        if not -ndim <= d < ndim:
            raise IndexError(f"Dimension out of range (expected to be in range of [{-ndim}, {ndim - 1}], but got {d})")
        found.append(d % ndim)
    return tuple(sorted(found))


def _input_mask(input, *args, mask, **kwargs):
    """A mask as bools of the input's shape. Raises IndexError where it has more dims."""
    if mask.shape != input.shape:
        if mask.ndim > input.ndim:
            raise IndexError(
                "_input_mask expected broadcastable mask (got mask dimensionality higher than of the input)"
            )
        mask = mask.broadcast_to(input.shape)
    return mask.bool()


_ALONG = {"softmax", "log_softmax", "softmin", "normalize", "cumsum", "cumprod"}


def _output_mask(op, input, *args, **kwargs):
    """Where a result of one of these functions, called with these arguments, comes of an element that counts."""
    mask = _input_mask(input, mask=kwargs["mask"])
    if op.__name__ in _ALONG:
        return mask
    args = args[op.__name__ == "norm" :]
    dims = _dims(args[0] if args else kwargs.get("dim"), input.ndim)
    return mask.any(dims, bool(kwargs.get("keepdim", False))) if dims else mask


def _filled(input, mask, value):
    """The input with a number where the mask lets nothing through."""
    return input if mask is None else input.where(_input_mask(input, mask=mask), input.new_full((), value))


def _extreme(kind, sign):
    """What changes no maximum (sign -1) or minimum (sign 1) in a dtype. Raises NotImplementedError for bool."""
    if kind.category >= FLOAT:
        return sign * math.inf
    if kind.category == BOOL:
        raise NotImplementedError(f"identity of {'amin' if sign > 0 else 'amax'} on {kind} input")
    limits = np.iinfo(kind.numpy)
    return int(limits.max if sign > 0 else limits.min)


def _added(input, dtype):
    """The dtype that a sum or a product has."""
    if dtype is None:
        return int64 if input.dtype.category < FLOAT else input.dtype
    return dtype


def sum(input, dim=None, *, keepdim=False, dtype=None, mask=None):
    """The sum along dims. Shape: the input's without these dims."""
    dims = _dims(dim, input.ndim)
    return _filled(input, mask, 0).sum(dims, bool(keepdim), dtype=_added(input, dtype))


def prod(input, dim=None, *, keepdim=False, dtype=None, mask=None):
    """The product along dims. Shape: the input's without these dims."""
    result = _filled(input, mask, 1).to(_added(input, dtype))
    for d in reversed(_dims(dim, input.ndim)):
        result = result.prod(d, bool(keepdim))
    return result


def cumsum(input, dim, *, dtype=None, mask=None):
    """The sum of all elements up to each one along a dim. Shape: the input's."""
    kind = dtype or input.dtype
    return _filled(input, mask, 0).cumsum(_dims(dim, input.ndim)[0], dtype=kind)


def cumprod(input, dim, *, dtype=None, mask=None):
    """The product of all elements up to each one along a dim. Shape: the input's."""
    kind = dtype or input.dtype
    return _filled(input, mask, 1).cumprod(_dims(dim, input.ndim)[0], dtype=kind)


def amax(input, dim=None, *, keepdim=False, dtype=None, mask=None):
    """The largest element along dims. Shape: the input's without these dims."""
    found = _lowest(input, mask).amax(_dims(dim, input.ndim), bool(keepdim))
    return found.to(dtype or input.dtype)


def amin(input, dim=None, *, keepdim=False, dtype=None, mask=None):
    """The smallest element along dims. Shape: the input's without these dims."""
    found = _highest(input, mask).amin(_dims(dim, input.ndim), bool(keepdim))
    return found.to(dtype or input.dtype)


def argmax(input, dim=None, *, keepdim=False, dtype=None, mask=None):
    """The place of the largest element, in the input's dtype unless another is given."""
    return _lowest(input, mask).argmax(dim, bool(keepdim)).to(dtype or input.dtype)


def argmin(input, dim=None, *, keepdim=False, dtype=None, mask=None):
    """The place of the smallest element, in the input's dtype unless another is given."""
    return _highest(input, mask).argmin(dim, bool(keepdim)).to(dtype or input.dtype)


def _lowest(input, mask):
    return input if mask is None else _filled(input, mask, _extreme(input.dtype, -1))


def _highest(input, mask):
    return input if mask is None else _filled(input, mask, _extreme(input.dtype, 1))


def _counted(input, dim, keepdim, dtype, mask):
    """(how many elements count along dims, their sum)."""
    if mask is None:
        count = sum(input.new_ones(input.shape, dtype=int64), dim, keepdim=keepdim)
        return count, sum(input, dim, keepdim=keepdim, dtype=dtype)
    mask = _input_mask(input, mask=mask)
    count = mask.sum(_dims(dim, input.ndim), bool(keepdim))
    return count, sum(input, dim, keepdim=keepdim, dtype=dtype, mask=mask)


def mean(input, dim=None, *, keepdim=False, dtype=None, mask=None):
    """The mean along dims, nan where nothing counts. Raises ValueError for integers."""
    kind = dtype or input.dtype
    if kind.category < FLOAT:
        raise ValueError(
            f"mean(): Could not infer output dtype. {'Optional' if dtype else 'Input'} dtype must be either a floating "
            f"point or complex dtype. Got: {kind}"
        )
    count, total = _counted(input, dim, keepdim, kind, mask)
    return total / count


def median(input, dim=-1, *, keepdim=False, dtype=None, mask=None):
    """The middle element along a dim, nan where nothing counts. Raises ValueError for integers without one."""
    kind, dim = dtype or input.dtype, _dims(dim, input.ndim)[0]
    floats = input.dtype.is_floating_point
    found = _filled(input if floats else input.to(float32), mask, math.nan).nanmedian(dim, keepdim).values
    if floats:
        return found
    if found.isnan().any():
        raise ValueError("masked median expects no fully masked out rows if dtype is not floating point")
    return found.to(kind)


def logsumexp(input, dim=None, *, keepdim=False, dtype=None, mask=None):
    """log Σ exp along dims. Shape: the input's without these dims."""
    found = _lowest(input, mask).logsumexp(_dims(dim, input.ndim), keepdim)
    return found.to(dtype or input.dtype)


def logaddexp(input, other, *, dtype=None, input_mask=None, other_mask=None):
    """log(exp(input) + exp(other)); what does not count is -inf. Shape: broadcast."""
    return _lowest(input, input_mask).logaddexp(_lowest(other, other_mask)).to(dtype or input.dtype)


def norm(input, ord=2.0, dim=None, *, keepdim=False, dtype=None, mask=None):
    """The norm of the elements along dims. Shape: the input's without these dims."""
    neutral = math.inf if ord == -math.inf else 0
    dims = _dims(dim, input.ndim)
    return _filled(input, mask, neutral).norm(ord, dims, bool(keepdim), dtype=dtype or input.dtype)


def _spread(input, dim, unbiased, correction, keepdim, dtype, mask):
    """The variance along dims, see var."""
    if unbiased is not None and correction is not None:
        raise AssertionError("Only one of unbiased and correction may be given")
    correction = float(int(unbiased is None or unbiased) if correction is None else correction)
    kind = dtype or (input.dtype if input.dtype.category >= FLOAT else float32)
    wide = kind if kind.category >= FLOAT else float32
    count, total = _counted(input, dim, True, kind, mask)
    apart = input - total / count
    squares = sum(apart * apart.conj(), dim, keepdim=keepdim, dtype=wide, mask=mask)
    if not keepdim:
        count = count.reshape(squares.shape)
    if correction:
        count = count.to(wide.to_real()) - correction
        count = count.maximum(count.new_zeros(()))
    return (squares / count).to(kind)


def var(input, dim=None, unbiased=None, *, correction=None, keepdim=False, dtype=None, mask=None):
    """The variance along dims, nan where nothing counts. Shape: the input's without these dims."""
    return _spread(input, dim, unbiased, correction, keepdim, dtype, mask)


def std(input, dim=None, unbiased=None, *, correction=None, keepdim=False, dtype=None, mask=None):
    """The standard deviation along dims, nan where nothing counts. Shape: the input's without these dims."""
    return _spread(input, dim, unbiased, correction, keepdim, dtype, mask).sqrt()


def softmax(input, dim, *, dtype=None, mask=None):
    """exp(x) / Σ exp(x) along a dim, 0 where the mask lets nothing through. Shape: the input's."""
    return _lowest(input, mask).softmax(_dims(dim, input.ndim)[0], dtype=dtype or input.dtype)


def log_softmax(input, dim, *, dtype=None, mask=None):
    """The logarithm of softmax. Shape: the input's."""
    return _lowest(input, mask).log_softmax(_dims(dim, input.ndim)[0], dtype=dtype or input.dtype)


def softmin(input, dim, *, dtype=None, mask=None):
    """softmax of -x. Shape: the input's."""
    return (-_highest(input, mask)).softmax(_dims(dim, input.ndim)[0], dtype=dtype or input.dtype)


def normalize(input, ord, dim, *, eps=1e-12, dtype=None, mask=None):
    """The input divided by its norm along a dim, which counts as eps at least. Shape: the input's."""
    length = norm(input, ord, dim, keepdim=True, dtype=dtype, mask=mask)
    return _filled(input, mask, 0) / length.maximum(length.new_full((), eps))
