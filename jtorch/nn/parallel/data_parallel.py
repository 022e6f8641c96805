"""DataParallel: a module whose batch may be worked on by several devices."""

import itertools

from jtorch import devices, meshes
from jtorch._tensor import Tensor
from jtorch.autograd.apply import call
from jtorch.devices import Device
from jtorch.nn.modules.module import Module
from jtorch.nn.parallel.steps import begin_step


class DataParallel(Module):
    """A module under the name `module` whose batches are worked on by several cuda devices, in one program.

    https://docs.pytorch.org/docs/stable/generated/torch.nn.DataParallel.html
    device_ids: the devices, all by default; with one, or on the CPU, it is the module itself. dim: of the tensors among
    the arguments that is shared out. The module runs once, on tensors of the whole batch: XLA cuts them, copies the
    parameters to all devices and adds up the gradients. What forward prints are the sizes of the whole batch, and
    batch norm takes its statistics from all of it. A batch that can't be shared out evenly stays on the first device.
    Raises: RuntimeError where the module does not lie on the first device.
    """

    def __init__(self, module, device_ids=None, output_device=None, dim=0):
        super().__init__()
        self.module = module
        count = len(devices.cuda_devices())
        if not count:
            self.device_ids = []
            return
        self.dim = dim
        self.device_ids = [_index(device) for device in (range(count) if device_ids is None else device_ids)]
        self.output_device = self.device_ids[0] if output_device is None else _index(output_device)
        self.src_device_obj = Device("cuda", self.device_ids[0])
        if len(self.device_ids) == 1:
            self.module.to(self.src_device_obj)
        places = tuple(devices.jax_device(devices.get(Device("cuda", index))) for index in self.device_ids)
        self._devices = meshes.split(places) if len(places) > 1 else None

    def forward(self, *inputs, **kwargs):
        """The module's result, on output_device."""
        if not self.device_ids:
            return self.module(*inputs, **kwargs)
        for tensor in itertools.chain(self.module.parameters(), self.module.buffers()):
            if tensor.device != self.src_device_obj:
                raise RuntimeError(
                    f"module must have its parameters and buffers on device {self.src_device_obj} (device_ids[0]) but "
                    f"found one of them on device: {tensor.device}"
                )
        begin_step(self.module)
        inputs, kwargs = _mapped((inputs, kwargs), lambda x: x.to(self.src_device_obj))
        if self._devices is not None and self._can_split((inputs, kwargs)):
            inputs, kwargs = _mapped((inputs, kwargs), self._split)
        return _mapped(self.module(*inputs, **kwargs), lambda x: x.to(Device("cuda", self.output_device)))

    def _can_split(self, arguments):
        """Whether every tensor among the arguments can be shared out evenly."""
        sizes = []
        _mapped(arguments, lambda x: sizes.append(x.shape[self.dim] if x.dim() else 0))
        return all(size % self._devices.count == 0 for size in sizes)

    def _split(self, tensor):
        if not tensor.dim():
            return tensor
        return call("split_batch", tensor, devices=self._devices, dim=self.dim % tensor.dim())


def _index(device):
    return device if isinstance(device, int) else Device(device).index or 0


def _mapped(value, fn):
    """A value with fn applied to the tensors in its containers."""
    if isinstance(value, Tensor):
        return fn(value)
    if isinstance(value, dict):
        return type(value)((key, _mapped(item, fn)) for key, item in value.items())
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return type(value)(*(_mapped(item, fn) for item in value))
    if isinstance(value, (list, tuple)):
        return type(value)(_mapped(item, fn) for item in value)
    return value
