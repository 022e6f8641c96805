"""The modules that mark where a net would be quantized; in floating point they change nothing."""

from jtorch import nn


class QuantStub(nn.Module):
    """Where a net's input would be quantized. Shape: any -> the same."""

    def forward(self, x):
        return x


class DeQuantStub(QuantStub):
    """Where a net's output would be turned back into floating point."""


class FloatFunctional(nn.Module):
    """Sums as methods of a module, which would note their ranges. Raises: RuntimeError when it is called itself."""

    def __init__(self):
        super().__init__()
        self.activation_post_process = nn.Identity()

    def forward(self, x):
        raise RuntimeError("FloatFunctional is not intended to use the 'forward'. Please use the underlying operation")

    def add(self, x, y):
        """x + y."""
        return self.activation_post_process(x + y)

    def add_relu(self, x, y):
        """relu(x + y)."""
        return self.activation_post_process(nn.functional.relu(x + y))


class Stubs(nn.Module):
    """What a class of nets gets in front of it, so that its forward goes through the two stubs."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.quant = QuantStub()
        self.dequant = DeQuantStub()

    def forward(self, x):
        return self.dequant(super().forward(self.quant(x)))


def replace_relu(module):
    """Put a ReLU that does not write in place for each ReLU and ReLU6."""
    for name, child in module.named_children():
        replace_relu(child)
        if type(child) in (nn.ReLU, nn.ReLU6):
            setattr(module, name, nn.ReLU(inplace=False))


def floating(quantize, make, *args, **kwargs):
    """A net made ready, in floating point. Raises: NotImplementedError for one that is to be quantized."""
    if quantize:
        raise NotImplementedError("quantize=True: XLA has no quantized types; quantize=False gives the net in float")
    net = make(*args, **kwargs)
    replace_relu(net)
    return net


MORE = {"quantize": (bool, False)}
