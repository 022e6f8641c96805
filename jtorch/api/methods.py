"""Tensor methods that move, convert and copy: to, cuda, float, copy_, deepcopy, pickling."""

import copy

from jtorch import _tensor, devices, dtypes, modes, shapes
from jtorch._tensor import Tensor, alias, aval, read
from jtorch.api.formats import formatted, in_format
from jtorch.api.put import method
from jtorch.api.rebuilding import rebuild
from jtorch.api.types import parse_type, type_string
from jtorch.autograd import grad_fn as graph
from jtorch.autograd.apply import call, copy_to, create
from jtorch.autograd.inplace import overwrite
from jtorch.engine import storage
from jtorch.errors import warn_once
from jtorch.ops.op import TABLE


@method
def to(self, *args, **kwargs):
    """This tensor with another dtype or device, or those of another tensor; itself when nothing changes."""
    place, kind, copied, memory_format = _parse_to(*args, **kwargs)
    result = self
    if place is not None and place is not aval(self).device:
        result = _moved(result, place)
    if kind is not None and kind is not aval(self).dtype:
        _warn_of_cast(self, kind)
        result = call("to_dtype", result, kind)
    if result is self and (copied or not in_format(self, memory_format)):
        result = call("to_dtype", self, aval(self).dtype)
    return result if result is self else formatted(result, memory_format)


def _warn_of_cast(tensor, kind):
    if aval(tensor).dtype.is_complex and not kind.is_complex and kind is not dtypes.bool_:
        warn_once("Casting complex values to real discards the imaginary part")


def _moved(tensor, place):
    a = aval(tensor)
    meta = place is devices.META  # torch: values that go there are gone
    out = create(TABLE["full_kernel"], (a.shape, a.dtype), place, (0,)) if meta else copy_to(tensor, place)
    if tensor._rg and modes.local.grad:
        graph.moved(tensor, out)
    return out


def _parse_to(*args, device=None, dtype=None, non_blocking=False, copy=False, memory_format=None):
    if args:
        first, rest = args[0], list(args[1:])
        if isinstance(first, Tensor):
            device, dtype = aval(first).device, aval(first).dtype
        elif isinstance(first, dtypes.dtype):
            dtype = first
        elif isinstance(first, (float, complex)):
            dtype = dtypes.float64 if isinstance(first, float) else dtypes.complex128  # torch: as a 0-d tensor of it
        elif first is None or isinstance(first, (str, int, devices.Device)):
            device = first
            if rest and (rest[0] is None or isinstance(rest[0], dtypes.dtype)):
                dtype = rest.pop(0) or dtype
        else:
            raise TypeError(
                f"to() received an invalid combination of arguments - got ({type(first).__name__}), "
                "but expected one of:\n"
                " * (torch.device device = None, torch.dtype dtype = None, bool non_blocking = False, "
                "bool copy = False, *, torch.memory_format memory_format = None)\n"
                " * (torch.dtype dtype, bool non_blocking = False, bool copy = False, *, "
                "torch.memory_format memory_format = None)\n"
                " * (Tensor tensor, bool non_blocking = False, bool copy = False, *, "
                "torch.memory_format memory_format = None)\n"
            )
        if any(not isinstance(x, bool) for x in rest):
            raise TypeError("to() received an invalid combination of arguments")
        if len(rest) > 1:
            copy = rest[1]
    return (None if device is None else devices.get(device)), dtype, copy, memory_format


@method
def cpu(self, *, memory_format=None):
    """This tensor on the CPU."""
    return to(self, devices.CPU, memory_format=memory_format)


@method
def cuda(self, device=None, non_blocking=False, *, memory_format=None):
    """This tensor on a cuda device, the current one if none is named."""
    return to(self, "cuda" if device is None else device, memory_format=memory_format)


def _conversion(name, kind):
    def convert(self, *, memory_format=None):
        return to(self, kind, memory_format=memory_format)

    convert.__name__ = name
    convert.__doc__ = f"This tensor as {kind!r}."
    method(convert)


for _name, _kind in {**dtypes.ALIASES, "bfloat16": dtypes.bfloat16, "bool": dtypes.bool_, "byte": dtypes.uint8,
                     "char": dtypes.int8}.items():  # fmt: skip
    _conversion(_name, _kind)


def _type(self, dtype=None, non_blocking=False):
    """The name of the tensor's type ('torch.FloatTensor'), or this tensor as another one."""
    if dtype is None:
        return type_string(aval(self))
    if isinstance(dtype, dtypes.dtype):
        return to(self, dtype)
    if isinstance(dtype, type) and not hasattr(dtype, "place"):
        raise ValueError(f"invalid type: '{dtype.__name__}'")
    if not isinstance(dtype, (str, type)):
        raise TypeError("dtype must be a type, str, or dtype object")
    kind, place = parse_type(dtype) if isinstance(dtype, str) else (dtype.dtype, devices.get(dtype.place))
    return to(self, place, kind)


_type.__name__ = "type"  # the builtin is still wanted in this file
method(_type)


@method
def type_as(self, other):
    """This tensor with another's dtype and device."""
    return to(self, other)


@method
def copy_(self, src, non_blocking=False):
    """Write src, broadcast and cast, into this tensor."""
    if not isinstance(src, Tensor):
        raise TypeError(f"copy_(): argument 'other' (position 1) must be Tensor, not {src.__class__.__name__}")
    if aval(src).device is not aval(self).device:
        src = _moved(src, aval(self).device)
    _warn_of_cast(src, aval(self).dtype)
    sizes = aval(self).shape
    if aval(src).shape != sizes:
        _check_expand(aval(src).shape, sizes)
    return overwrite(self, src)


def _check_expand(have, want):
    try:
        if shapes.broadcast_shapes(want, have) == want:
            return
    except RuntimeError:
        pass
    for i in range(1, len(want) + 1):
        if i <= len(have) and have[-i] not in (1, want[-i]):
            raise RuntimeError(
                f"The size of tensor a ({want[-i]}) must match the size of tensor b ({have[-i]}) "
                f"at non-singleton dimension {len(want) - i}"
            )
    raise RuntimeError(
        f"output with shape {shapes.listed(want)} doesn't match the broadcast shape "
        f"{shapes.listed(shapes.broadcast_shapes(want, have))}"
    )


@method
def view_as(self, other):
    """A view with another tensor's sizes."""
    return self.view(aval(other).shape)


@method
def expand_as(self, other):
    """A view broadcast to another tensor's sizes."""
    return self.expand(aval(other).shape)


@method
def reshape_as(self, other):
    """This tensor with another's sizes."""
    return self.reshape(aval(other).shape)


@method
def pin_memory(self, device=None):
    """The tensor itself: the host memory of JAX needs no pinning."""
    return self


@method
def is_pinned(self, device=None):
    """False: no memory is pinned."""
    return False


@method
def share_memory_(self):
    """The tensor itself: memory is not shared between processes."""
    return self


@method
def is_shared(self):
    """Whether the memory is shared between processes: no."""
    return False


@method
def __deepcopy__(self, memo):
    if self._grad_fn is not None:
        raise RuntimeError(
            "Only Tensors created explicitly by the user (graph leaves) support the deepcopy protocol at the moment.  "
            "If you were attempting to deepcopy a module, this may be because of a torch.nn.utils.weight_norm usage, "
            "see https://github.com/pytorch/pytorch/pull/103001"
        )
    if id(self) in memo:
        return memo[id(self)]
    out = object.__new__(self.__class__)
    memo[id(self)] = out
    cell = memo.get(id(self._storage))
    if cell is None:
        ref = self._storage.ref
        cell = memo[id(self._storage)] = storage.Storage(_copied(ref))
        cell.order = self._storage.order
        cell.version = 1  # torch: a copy's memory is put into it, which counts as a write
    out._storage = cell
    v = self._view
    if v is not None:
        out._view = _tensor.View(v.steps, v.strides, v.offset, None, None, read(self), 0)
    out._rg = self._rg
    if self._grad is not None:
        out._grad = copy.deepcopy(self._grad, memo)
    out.__dict__.update({key: copy.deepcopy(value, memo) for key, value in vars(self).items()})
    return out


@method
def __copy__(self):
    out = alias(self, self.__class__)
    out._rg = self._rg
    out.__dict__.update(vars(self))
    return out


def _copied(ref):
    return _tensor.record(TABLE["clone"], (None,), (ref,), ref.aval.device)[0][0]


@method
def __reduce_ex__(self, protocol):
    seen = aval(self)
    cls = None if type(self) is Tensor else type(self)  # Tensor itself goes by torch's name, which pickle can't import
    laid = None if self._view is None else (seen.shape, tuple(_tensor.strides(self)), self._view.offset)
    facts = (cls, seen.dtype, laid, self._rg, dict(vars(self)))
    return (rebuild, (self._storage, *facts))
