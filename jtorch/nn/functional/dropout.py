"""Dropout as functions, with torch's checks and warnings of shapes."""

import warnings

from jtorch import _tensor
from jtorch.api.put import FUNCTIONS

__all__ = ["alpha_dropout", "dropout", "dropout1d", "dropout2d", "dropout3d", "feature_alpha_dropout"]


def _check(p):
    if p < 0.0 or p > 1.0:
        raise ValueError(f"dropout probability has to be between 0 and 1, but got {p}")


def _drop(name, input, p, training, inplace):
    _check(p)
    return FUNCTIONS[f"{name}_" if inplace else name](input, p, training)


def dropout(input, p=0.5, training=True, inplace=False):
    """Elements zeroed with probability p in training, the others scaled by 1 / (1 - p). Shape: any -> the same."""
    return _drop("dropout", input, p, training, inplace)


def _warn(name, ndim, rank):
    """torch's warning for a rank that is neither that of a batch nor of one sample of it."""
    warnings.warn(
        f"{name}: Received a {rank}-D input to {name}, which is deprecated and will result in an error in a future "
        f"release. To retain the behavior and silence this warning, please use dropout instead. Note that {name} "
        f"exists to provide channel-wise dropout on inputs with {ndim - 1} spatial dimensions, a channel "
        f"dimension, and an optional batch dimension (i.e. {ndim}D or {ndim + 1}D inputs).",
        stacklevel=3,
    )


def _of_one(input, p, training, inplace):
    """Channels of one sample zeroed: for the while it is a batch of one."""
    given = input.unsqueeze_(0) if inplace else input.unsqueeze(0)
    made = _drop("feature_dropout", given, p, training, inplace)
    return made.squeeze_(0) if inplace else made.squeeze(0)


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
    if rank == 2:
        return _of_one(input, p, training, inplace)
    return _drop("feature_dropout", input, p, training, inplace)


def dropout2d(input, p=0.5, training=True, inplace=False):
    """Whole channels zeroed. Shape: (N, C, H, W) or (N, C, L) -> the same."""
    _check(p)
    rank = _tensor.aval(input).ndim
    if rank not in (3, 4):
        _warn("dropout2d", 3, rank)
    if rank == 3:
        warnings.warn(
            "dropout2d: Received a 3D input to dropout2d and assuming that channel-wise 1D dropout behavior is desired "
            "- input is interpreted as shape (N, C, L), where C is the channel dim. This behavior will change in a "
            "future release to interpret the input as one without a batch dimension, i.e. shape (C, H, W). To maintain "
            "the 1D channel-wise dropout behavior, please switch to using dropout1d instead.",
            stacklevel=2,
        )
    return _drop("feature_dropout", input, p, training, inplace)


def dropout3d(input, p=0.5, training=True, inplace=False):
    """Whole channels zeroed. Shape: (N, C, D, H, W) or (C, D, H, W) -> the same."""
    _check(p)
    rank = _tensor.aval(input).ndim
    if rank not in (4, 5):
        _warn("dropout3d", 4, rank)
    if rank == 5:
        return _drop("feature_dropout", input, p, training, inplace)
    return _of_one(input, p, training, inplace)


def alpha_dropout(input, p=0.5, training=False, inplace=False):
    """Dropout that keeps mean and variance of selu's outputs. Shape: any -> the same."""
    return _drop("alpha_dropout", input, p, training, inplace)


def feature_alpha_dropout(input, p=0.5, training=False, inplace=False):
    """alpha_dropout of whole channels. Shape: (N, C, *) -> the same."""
    return _drop("feature_alpha_dropout", input, p, training, inplace)
