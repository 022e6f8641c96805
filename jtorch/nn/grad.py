"""The gradients of convolutions as functions: of the input, and of the weight."""

from jtorch.api.creation import zeros
from jtorch.autograd import grad
from jtorch.autograd.grad_mode import enable_grad, is_grad_enabled
from jtorch.nn import functional as F

_CONVOLUTIONS = {1: F.conv1d, 2: F.conv2d, 3: F.conv3d}


def _input(rank):
    def pulled(input_size, weight, grad_output, stride=1, padding=0, dilation=1, groups=1):
        x = zeros(input_size, dtype=grad_output.dtype, device=grad_output.device, requires_grad=True)
        return _pulled(rank, x, x, weight, grad_output, (stride, padding, dilation, groups))

    return _named(pulled, f"conv{rank}d_input", f"The gradient of conv{rank}d with respect to an input of a size.")


def _weight(rank):
    def pulled(input, weight_size, grad_output, stride=1, padding=0, dilation=1, groups=1):
        w = zeros(weight_size, dtype=grad_output.dtype, device=grad_output.device, requires_grad=True)
        return _pulled(rank, w, input, w, grad_output, (stride, padding, dilation, groups))

    return _named(pulled, f"conv{rank}d_weight", f"The gradient of conv{rank}d with respect to a weight of a size.")


def _pulled(rank, of, input, weight, grad_output, geometry):
    """A convolution is linear in each operand: its gradient does not depend on the one that stands for it."""
    others = (x for x in (input, weight, grad_output) if x is not of)
    graph = is_grad_enabled() and any(x.requires_grad for x in others)
    with enable_grad():
        out = _CONVOLUTIONS[rank](input, weight, None, *geometry)
    return grad(out, of, grad_output, create_graph=graph)[0]


def _named(fn, name, text):
    fn.__name__ = fn.__qualname__ = name
    fn.__doc__ = text
    return fn


conv1d_input, conv2d_input, conv3d_input = map(_input, (1, 2, 3))
conv1d_weight, conv2d_weight, conv3d_weight = map(_weight, (1, 2, 3))
