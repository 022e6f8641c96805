"""DataParallel: a module whose batch may be worked on by several devices."""

import itertools

from jtorch import devices
from jtorch._tensor import Tensor
from jtorch.devices import Device
from jtorch.nn.modules.module import Module


class DataParallel(Module):
    """A module under the name `module`, called as it is: on the CPU, or on the first of the cuda devices.

    https://docs.pytorch.org/docs/stable/generated/torch.nn.DataParallel.html
    device_ids: the cuda devices, all by default. Inputs are brought to the first of them, on which the whole batch is
    worked out: it is not split among several. dim is accepted.
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
        inputs, kwargs = _moved(inputs, self.src_device_obj), _moved(kwargs, self.src_device_obj)
        return _moved(self.module(*inputs, **kwargs), Device("cuda", self.output_device))


def _index(device):
    return device if isinstance(device, int) else Device(device).index or 0


def _moved(value, device):
    """A value with the tensors in its containers on a device."""
    if isinstance(value, Tensor):
        return value.to(device)
    if isinstance(value, dict):
        return type(value)((key, _moved(item, device)) for key, item in value.items())
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return type(value)(*(_moved(item, device) for item in value))
    if isinstance(value, (list, tuple)):
        return type(value)(_moved(item, device) for item in value)
    return value
