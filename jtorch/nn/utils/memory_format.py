"""Memory formats of convolution weights alone."""

from jtorch.nn.modules import conv
from jtorch.nn.modules.module import Module

__all__ = ["convert_conv2d_weight_memory_format", "convert_conv3d_weight_memory_format"]


def _convert(module, memory_format, kinds):
    for layer in module.modules():
        if isinstance(layer, kinds):
            layer.weight.data = layer.weight.detach().clone(memory_format=memory_format)
    return module


def convert_conv2d_weight_memory_format(module: Module, memory_format) -> Module:
    """Lay out the weights of all 2d convolutions, transposed ones too, in a format; returns the module."""
    return _convert(module, memory_format, (conv.Conv2d, conv.ConvTranspose2d))


def convert_conv3d_weight_memory_format(module: Module, memory_format) -> Module:
    """Lay out the weights of all 3d convolutions, transposed ones too, in a format; returns the module."""
    return _convert(module, memory_format, (conv.Conv3d, conv.ConvTranspose3d))
