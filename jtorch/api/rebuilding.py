"""Tensors made from what a pickle or a checkpoint says of them: a storage, and how the tensor lies in it."""

from jtorch import _tensor
from jtorch._tensor import Tensor
from jtorch.engine import storage
from jtorch.ops.op import TABLE


def rebuild(cell, cls, dtype, laid, requires_grad, extra):
    """A tensor on memory of its own with a storage's values."""
    # torch: what shared memory before does not share it afterwards.
    cell = storage.Storage(cell.ref)
    cell.version = 1  # torch: the memory is put into it, which counts as a write
    out = on_storage(cell, cls, dtype, laid, requires_grad)
    out.__dict__.update(extra)
    return out


def on_storage(cell, cls, dtype, laid, requires_grad=False):
    """A leaf tensor on a storage. laid: (sizes, strides, offset) in elements, None where it is as the storage is."""
    out = object.__new__(cls or Tensor)
    out._storage = cell
    if laid is not None:
        out._view = _laid(cell, dtype, *laid)
    out._rg = requires_grad
    return out


def _reading(have, want):
    """The view op, with its attributes, that reads memory of one dtype as another."""
    if have.is_complex and have.to_real() is want:
        return TABLE["view_as_real"], ()
    if want.is_complex and want.to_real() is have:
        return TABLE["view_as_complex"], ()
    return TABLE["view_dtype"], (have, want)


def _laid(cell, dtype, sizes, strides, offset):
    """A View of a storage with these sizes, strides and offset."""
    seen = cell.ref
    have = seen.aval.dtype
    steps = [] if have is dtype else [_reading(have, dtype)]
    steps.append((TABLE["as_strided"], (sizes, strides, offset)))
    for op, attrs in steps:
        seen = _tensor.record(op, attrs, (seen,), seen.aval.device)[0][0]
    return _tensor.View(
        tuple((op, (), attrs) for op, attrs in steps), strides, offset, None, cell.ref, seen, cell.graph
    )
