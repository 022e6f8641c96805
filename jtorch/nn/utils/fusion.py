"""Fusion of a convolution or a linear layer with the batch normalization behind it, for evaluation."""

import copy

from jtorch.nn.parameter import Parameter

__all__ = ["fuse_conv_bn_eval", "fuse_conv_bn_weights", "fuse_linear_bn_eval", "fuse_linear_bn_weights"]


def _check(layer, bn):
    if layer.training or bn.training:
        raise AssertionError("Fusion only for eval!")


def _check_statistics(bn):
    if bn.running_mean is None or bn.running_var is None:
        raise AssertionError("bn.running_mean and bn.running_var must not be None")


def fuse_conv_bn_eval(conv, bn, transpose: bool = False):
    """One convolution that does what both do. transpose: it is a transposed one. Raises AssertionError in training."""
    _check(conv, bn)
    fused = copy.deepcopy(conv)
    _check_statistics(bn)
    fused.weight, fused.bias = fuse_conv_bn_weights(
        fused.weight, fused.bias, bn.running_mean, bn.running_var, bn.eps, bn.weight, bn.bias, transpose
    )
    return fused


def fuse_conv_bn_weights(conv_w, conv_b, bn_rm, bn_rv, bn_eps, bn_w, bn_b, transpose: bool = False):
    """(weight, bias) of the fused convolution, as Parameters. Shape: conv_w -> the same, and (channels,)."""
    bias = bn_rm * 0 if conv_b is None else conv_b
    dtype = conv_w.dtype if conv_b is None else conv_b.dtype
    scale = (bn_rv + bn_eps).rsqrt()
    scale = scale if bn_w is None else bn_w * scale
    shape = [-1, 1] if not transpose else [1, -1]
    weight = (conv_w * scale.reshape(shape + [1] * (conv_w.dim() - 2))).to(conv_w.dtype)
    bias = (bias - bn_rm) * scale
    bias = (bias if bn_b is None else bias + bn_b).to(dtype)
    return Parameter(weight, conv_w.requires_grad), Parameter(bias, conv_b is not None and conv_b.requires_grad)


def fuse_linear_bn_eval(linear, bn):
    """One linear layer that does what both do. Raises AssertionError in training, or where their widths do not fit."""
    _check(linear, bn)
    fused = copy.deepcopy(linear)
    if bn.num_features not in (1, linear.out_features):
        raise AssertionError(
            "To fuse, linear.out_features == bn.num_features or bn.num_features == 1, got "
            f"linear.out_features={linear.out_features} and bn.num_features={bn.num_features}"
        )
    _check_statistics(bn)
    fused.weight, fused.bias = fuse_linear_bn_weights(
        fused.weight, fused.bias, bn.running_mean, bn.running_var, bn.eps, bn.weight, bn.bias
    )
    return fused


def fuse_linear_bn_weights(linear_w, linear_b, bn_rm, bn_rv, bn_eps, bn_w, bn_b):
    """(weight, bias) of the fused linear layer, as Parameters. Shape: linear_w -> the same, and (out_features,)."""
    bias = bn_rm * 0 if linear_b is None else linear_b
    dtype = linear_w.dtype if linear_b is None else linear_b.dtype
    scale = bn_w * (bn_rv + bn_eps).rsqrt()
    weight = linear_w * scale.unsqueeze(-1).to(linear_w.dtype)
    bias = ((bias - bn_rm) * scale + bn_b).to(dtype)
    return Parameter(weight, linear_w.requires_grad), Parameter(bias, linear_b is not None and linear_b.requires_grad)
