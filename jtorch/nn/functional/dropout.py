"""Dropout as functions: masks come from the default generator's seed and counter, which are inputs of the program."""

import warnings

from jtorch import _tensor
from jtorch.autograd.apply import apply
from jtorch.autograd.inplace import inplace as write
from jtorch.ops.op import TABLE, Lift
from jtorch.rng import generator as generators

__all__ = ["alpha_dropout", "dropout", "dropout1d", "dropout2d", "dropout3d", "feature_alpha_dropout"]


def _check(p):
    if p < 0.0 or p > 1.0:
        raise ValueError(f"dropout probability has to be between 0 and 1, but got {p}")


def _drop(name, input, p, training, inplace, dims):
    _check(p)
    if not training or p == 0:
        return input
    a = _tensor.aval(input)
    seeds = [Lift(x) for x in generators.default_for(a.device).advance()]
    operands, attrs = (input, *seeds), (float(p), a.ndim if dims is None else dims)
    return write(TABLE[name], input, operands, attrs) if inplace else apply(TABLE[name], operands, attrs)


def dropout(input, p=0.5, training=True, inplace=False):
    """Elements zeroed with probability p in training, the others scaled by 1 / (1 - p). Shape: any -> the same."""
    return _drop("dropout_train", input, p, training, inplace, None)


def _channels(name, ndim, input, p, training, inplace):
    """Whole channels of (N, C, *) or (C, *); torch's warning for other ranks."""
    _check(p)
    rank = _tensor.aval(input).ndim
    if rank not in (ndim, ndim + 1):
        warnings.warn(
            f"{name}: Received a {rank}-D input to {name}, which is deprecated and will result in an error in a future "
            f"release. To retain the behavior and silence this warning, please use dropout instead. Note that {name} "
            f"exists to provide channel-wise dropout on inputs with {ndim - 1} spatial dimensions, a channel "
            f"dimension, and an optional batch dimension (i.e. {ndim}D or {ndim + 1}D inputs).",
            stacklevel=3,
        )
    return _drop("dropout_train", input, p, training, inplace, 1 if rank == ndim else 2)


def dropout1d(input, p=0.5, training=True, inplace=False):
    """Whole channels zeroed. Shape: (N, C, L) or (C, L) -> the same."""
    _check(p)
    rank = _tensor.aval(input).ndim
    if rank not in (2, 3):
        raise RuntimeError(
            f"dropout1d: Expected 2D or 3D input, but received a {rank}D input. Note that dropout1d exists to provide "
            "channel-wise dropout on inputs with 1 spatial dimension, a channel dimension, and an optional batch "
            "dimension (i.e. 2D or 3D inputs)."
        )
    if rank == 3:
        return _drop("dropout_train", input, p, training, inplace, 2)
    return _drop("dropout_train", input.unsqueeze(0), p, training, inplace, 2).squeeze(0)


def dropout2d(input, p=0.5, training=True, inplace=False):
    """Whole channels zeroed. Shape: (N, C, H, W) or (N, C, L) -> the same."""
    _check(p)
    rank = _tensor.aval(input).ndim
    if rank == 3:
        warnings.warn(
            "dropout2d: Received a 3D input to dropout2d and assuming that channel-wise 1D dropout behavior is desired "
            "- input is interpreted as shape (N, C, L), where C is the channel dim. This behavior will change in a "
            "future release to interpret the input as one without a batch dimension, i.e. shape (C, H, W). To maintain "
            "the 1D channel-wise dropout behavior, please switch to using dropout1d instead.",
            stacklevel=2,
        )
        return _drop("dropout_train", input, p, training, inplace, 2)
    return _channels("dropout2d", 3, input, p, training, inplace)


def dropout3d(input, p=0.5, training=True, inplace=False):
    """Whole channels zeroed. Shape: (N, C, D, H, W) or (C, D, H, W) -> the same."""
    return _channels("dropout3d", 4, input, p, training, inplace)


def alpha_dropout(input, p=0.5, training=False, inplace=False):
    """Dropout that keeps mean and variance of selu's outputs. Shape: any -> the same."""
    return _drop("alpha_dropout_train", input, p, training, inplace, None)


def feature_alpha_dropout(input, p=0.5, training=False, inplace=False):
    """alpha_dropout of whole channels. Shape: (N, C, *) -> the same."""
    return _drop("alpha_dropout_train", input, p, training, inplace, 2)
