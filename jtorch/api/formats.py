"""Copies in a memory format, and which format a tensor is in."""

from jtorch import _tensor
from jtorch._tensor import Tensor, aval
from jtorch.api.put import both, method
from jtorch.autograd.apply import apply
from jtorch.autograd.layout import format_strides, has_format, lay_out, suggested
from jtorch.errors import bad_argument
from jtorch.ops.op import TABLE

_CLONE = TABLE["clone"]


def formatted(fresh, memory_format):
    """A tensor that has its memory to itself, in a memory format; as it is for None and preserve_format."""
    if memory_format is None or memory_format.name == "preserve_format":
        return fresh
    return lay_out(fresh, format_strides(aval(fresh).shape, memory_format.name))


def in_format(tensor, memory_format):
    """Whether torch takes a tensor to lie in a memory format already; for None and preserve_format it does."""
    if memory_format is None or memory_format.name == "preserve_format":
        return True
    return suggested(aval(tensor).shape, _tensor.strides(tensor)) == memory_format.name


@both
def clone(input, *, memory_format=None):
    """A copy in memory of its own, with the same strides or in a memory format."""
    if not isinstance(input, Tensor):
        raise bad_argument("clone", 1, "input", "Tensor", input)
    return formatted(apply(_CLONE, (input,), (None,)), memory_format)


def _name(memory_format):
    return "contiguous_format" if memory_format is None else memory_format.name


@method
def is_contiguous(self, *, memory_format=None):
    """Whether the strides are those of a row-major tensor, or of a memory format; dims of size 1 do not count."""
    return has_format(aval(self).shape, _tensor.strides(self), _name(memory_format))


@method
def contiguous(self, *, memory_format=None):
    """The tensor itself if it is contiguous in the memory format, else a copy that is."""
    name = _name(memory_format)
    shape = aval(self).shape
    if has_format(shape, _tensor.strides(self), name):
        return self
    if name == "preserve_format":
        raise RuntimeError("preserve memory format is unsupported by the contiguous operator")
    wanted = format_strides(shape, name)
    return lay_out(apply(_CLONE, (self,), (None,)), wanted)


@method
def dim_order(self):
    """The dims from the outermost in memory inwards."""
    steps = _tensor.strides(self)
    return tuple(sorted(range(len(steps)), key=lambda d: -steps[d]))
