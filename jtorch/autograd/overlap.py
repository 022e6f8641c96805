"""Where two tensors, or two elements of one, lie in the same memory, and what torch refuses to write there."""

from jtorch._tensor import Tensor, aval, strides
from jtorch.autograd.layout import is_dense
from jtorch.errors import warn
from jtorch.shapes import numel

_TEXT = (
    "unsupported operation: {} to a single memory location. Please clone() the tensor before performing the operation."
)
_REPEATED = _TEXT.format("more than one element of the written-to tensor refers")
_PARTLY = _TEXT.format("some elements of the input tensor and the written-to tensor refer")


def is_repeated(tensor):
    """Whether several elements of a tensor surely lie at one place: it has a stride of 0."""
    view, shape = tensor._view, aval(tensor).shape
    return (
        view is not None and 0 not in shape and any(not s and n > 1 for s, n in zip(view.strides, shape, strict=True))
    )


def check_overlap(target, operands=()):
    """Raise RuntimeError, as torch does, where a write into target would meet elements that overlap."""
    if target._view is not None and is_repeated(target):
        raise RuntimeError(_REPEATED)
    storage = target._storage
    for x in operands:
        if isinstance(x, Tensor) and x._storage is storage and x is not target and _partly(target, x):
            raise RuntimeError(_PARTLY)


def _partly(a, b):
    """Whether two tensors of one storage share some elements, but not each the same; False where torch can't tell."""
    (shape, steps), (other, others) = ((aval(t).shape, strides(t)) for t in (a, b))
    if not (is_dense(shape, steps) and is_dense(other, others)) or 0 in shape or 0 in other:
        return False
    (low, high), (start, end) = _stretch(a), _stretch(b)
    if (low, high) == (start, end):
        return steps != others
    return low < end and start < high


def _stretch(tensor):
    kind = aval(tensor)
    start = 0 if tensor._view is None else tensor._view.offset
    return start * kind.dtype.itemsize, (start + numel(kind.shape)) * kind.dtype.itemsize


def warn_repeated(target, name, example):
    """Warn, as torch does, that a write by index goes into repeated elements."""
    if target._view is not None and is_repeated(target):
        warn(
            f"Use of {name} on expanded tensors is deprecated. Please clone() the tensor before performing this "
            f"operation. This also applies to advanced indexing e.g. {example}"
        )
