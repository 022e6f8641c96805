"""How a module moves: to other devices and dtypes, in place."""

import warnings
from typing import Any, Self

from jtorch import devices, dtypes
from jtorch._tensor import Tensor
from jtorch.autograd.grad_mode import no_grad
from jtorch.nn.parameter import Parameter, is_lazy

_NO_DATA = (
    "Cannot copy out of meta tensor; no data! Please use torch.nn.Module.to_empty() instead of torch.nn.Module.to() "
    "when moving module from meta to a different device."
)


class Conversion:
    """How modules change their parameters; torch.__future__ sets it."""

    overwrite = False
    swap = False


class Convertible:
    """The part of Module that changes device and dtype of every parameter, gradient and buffer."""

    _parameters: dict[str, Parameter | None]
    _buffers: dict[str, Tensor | None]
    children: Any

    def _apply(self, fn, recurse=True):
        if recurse:
            for child in self.children():
                child._apply(fn)
        for name, parameter in self._parameters.items():
            if parameter is None:
                continue
            with no_grad():
                made = fn(parameter)
                # torch: what comes to or from the meta device is another Parameter, so that ties end there.
                if Conversion.overwrite or (made.is_meta != parameter.is_meta and not is_lazy(parameter)):
                    self._parameters[name] = _renewed(parameter, made, fn)
                    continue
                parameter.data = made
                if parameter.grad is not None:
                    # torch: the gradient stays the same Tensor too, and keeps whether it requires grad.
                    requires_grad = parameter.grad.requires_grad
                    parameter.grad.data = fn(parameter.grad)
                    parameter.grad.requires_grad_(requires_grad)
        for name, buffer in self._buffers.items():
            if is_lazy(buffer):
                buffer.data = fn(buffer)
            elif buffer is not None:
                self._buffers[name] = fn(buffer)
        return self

    def to(self, *args, **kwargs) -> Self:
        """Move every parameter and buffer, in place, and return the module.

        Spellings: to(device=None, dtype=None, non_blocking=False), to(dtype), to(tensor), to(memory_format=...). Only
        floating-point and complex members change their dtype.
        Raises: TypeError when the dtype is neither floating point nor complex.
        """
        device, dtype, non_blocking, memory_format = parse_to(*args, **kwargs)
        if dtype is not None:
            if not (dtype.is_floating_point or dtype.is_complex):
                raise TypeError(
                    f"nn.Module.to only accepts floating point or complex dtypes, but got desired dtype={dtype}"
                )
            if dtype.is_complex:
                warnings.warn(
                    "Complex modules are a new feature under active development whose design may change, "
                    "and some modules might not work as expected when using complex tensors as parameters or buffers. "
                    "Please file an issue at https://github.com/pytorch/pytorch/issues/new?template=bug-report.yml "
                    "if a complex module does not work as expected.",
                    stacklevel=2,
                )

        def convert(t):
            wanted = dtype if t.is_floating_point() or t.is_complex() else None
            if t.is_meta and device is not None and device.type != "meta":
                raise NotImplementedError(_NO_DATA)
            if memory_format is not None and t.dim() in (4, 5):
                return t.to(device, wanted, non_blocking, memory_format=memory_format)
            return t.to(device, wanted, non_blocking)

        return self._apply(convert)

    def to_empty(self, *, device, recurse: bool = True) -> Self:
        """Move every parameter and buffer to `device` without its values."""
        return self._apply(lambda t: t.new_empty(t.shape, device=device), recurse=recurse)

    def cuda(self, device=None) -> Self:
        """Move every parameter and buffer to a GPU, in place; the current one unless `device` says otherwise."""
        return self._apply(lambda t: t.cuda(device))

    def cpu(self) -> Self:
        """Move every parameter and buffer to the CPU, in place."""
        return self._apply(lambda t: t.cpu())

    def type(self, dst_type) -> Self:
        """Cast every parameter and buffer to `dst_type`, in place, integers too."""
        return self._apply(lambda t: t.type(dst_type))

    def float(self) -> Self:
        """Cast the floating-point parameters and buffers to float32, in place."""
        return self._cast_floating(dtypes.float32)

    def double(self) -> Self:
        """Cast the floating-point parameters and buffers to float64, in place."""
        return self._cast_floating(dtypes.float64)

    def half(self) -> Self:
        """Cast the floating-point parameters and buffers to float16, in place."""
        return self._cast_floating(dtypes.float16)

    def bfloat16(self) -> Self:
        """Cast the floating-point parameters and buffers to bfloat16, in place."""
        return self._cast_floating(dtypes.bfloat16)

    def share_memory(self) -> Self:
        """Refuse, parameter by parameter, as `Tensor.share_memory_` does: processes cannot share JAX arrays."""
        return self._apply(lambda t: t.share_memory_())

    def _cast_floating(self, dtype):
        return self._apply(lambda t: t.to(dtype) if t.is_floating_point() else t)


def _renewed(parameter, value, fn):
    """A new parameter with the value that fn made of another, and what it makes of its gradient."""
    made = Parameter(value, parameter.requires_grad)
    if parameter.grad is not None:
        made.grad = fn(parameter.grad).requires_grad_(parameter.grad.requires_grad)
    return made


def parse_to(*args, device=None, dtype=None, tensor=None, non_blocking=False, memory_format=None):
    """(device, dtype, non_blocking, memory_format) from any spelling of `to`."""
    rest = list(args)
    if rest and isinstance(rest[0], Tensor):
        tensor = rest.pop(0)
    elif rest and isinstance(rest[0], dtypes.dtype):
        dtype = rest.pop(0)
    elif rest:
        device = rest.pop(0)
        if rest and (rest[0] is None or isinstance(rest[0], dtypes.dtype)):
            dtype = rest.pop(0)
    if rest:
        non_blocking = rest.pop(0)
    if rest:
        raise TypeError("to() received an invalid combination of arguments")
    if tensor is not None:
        device, dtype = tensor.device, tensor.dtype
    return (None if device is None else devices.get(device)), dtype, non_blocking, memory_format
