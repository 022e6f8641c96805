"""Max pooling over windows whose places are drawn at random (arXiv:1412.6071)."""

import math

import jax.numpy as jnp
import numpy as np
from jax import lax

from jtorch import shapes
from jtorch.ops.op import Array, op


def _starts(draws, size, out, kernel):
    """Where the windows begin along a dim. Shape: (N, C) in [0, 1) -> (N, C, out)."""
    if out == 1:
        return jnp.full((*draws.shape, 1), size - kernel, np.int32)
    step = jnp.asarray((size - kernel) / (out - 1), draws.dtype)
    at = lax.optimization_barrier((jnp.arange(out, dtype=draws.dtype) + draws[..., None]) * step)
    places = at.astype(np.int32) - (draws[..., None] * step).astype(np.int32)
    return places.at[..., -1].set(size - kernel)


def _check(input, rank, kernel, out):
    function = "fractional_max_pool2d" if rank == 2 else "fractional_max_pool3d_out"
    names = ("height", "width") if rank == 2 else ("time", "height", "width")
    if 0 in input.shape[1:]:
        raise RuntimeError(
            f"{function}(): Expected input to have non-zero size for non-batch dimensions, but got"
            f"{shapes.listed(input.shape)} with dimension {input.shape.index(0, 1)} being empty."
        )
    if input.ndim not in (rank + 1, rank + 2):
        raise RuntimeError(
            f"{function}(): Expected {rank + 1}D or {rank + 2}D tensor, but got: {shapes.listed(input.shape)}"
        )
    for name, n, k, o in zip(names, input.shape[-rank:], kernel, out, strict=True):
        if o + k - 1 > n:
            raise RuntimeError(f"{function}(): pool {name} {k} too large relative to input {name} {n}")


def _check_draws(draws, input, rank):
    batch, channels = input.shape[:-rank] if input.ndim == rank + 2 else (1, input.shape[0])
    if draws.dtype != input.dtype:
        raise RuntimeError("Expect _random_samples to have the same dtype as input")
    if draws.ndim != 3:
        raise RuntimeError(f"Expect _random_samples to have 3 dimensions, got {draws.ndim}")
    if draws.shape[0] < batch:
        raise RuntimeError("Expect _random_samples.size(0) no less then input batch size.")
    if draws.shape[1] != channels:
        raise RuntimeError("Expect _random_samples.size(1) equals to input channel size.")
    if draws.shape[2] != rank:
        raise RuntimeError(f"Expect _random_samples.size(2) equals to {rank}; got {draws.shape[2]}.")


def _names(operands, attrs):
    return f"FractionalMaxPool{len(attrs[0])}DBackward0"


@op("fractional_max_pool", door=None, grad_name=_names, saves=("result",))
def fractional_max_pool(input: Array, random_samples: Array, kernel, out):
    """(largest element of each window, its place). Shape: (N, C, *) or (C, *), (N, C, dims) -> twice (N, C, *out)."""
    rank = len(kernel)
    _check(input, rank, kernel, out)
    _check_draws(random_samples, input, rank)
    x = input if input.ndim == rank + 2 else input[None]
    draws = random_samples[: x.shape[0]]  # torch: there may be more than the batch needs
    index = jnp.zeros((*x.shape[:2], 1, 1), np.int32)  # (N, C, windows, elements of a window)
    for d, (n, k, o) in enumerate(zip(x.shape[2:], kernel, out, strict=True)):
        # torch: images take the last draw for the height, the first for the width; volumes take them in order.
        drawn = draws[..., rank - 1 - d if rank == 2 else d]
        at = _starts(drawn, n, o, k)[..., None] + jnp.arange(k, dtype=np.int32)
        joined = index[..., :, None, :, None] * n + at[..., None, :, None, :]
        index = joined.reshape(*x.shape[:2], index.shape[2] * o, index.shape[3] * k)
    flat = x.reshape(*x.shape[:2], math.prod(x.shape[2:]))
    seen = jnp.take_along_axis(flat[:, :, None, :], index, -1)
    best = jnp.take_along_axis(index, jnp.argmax(seen, -1)[..., None], -1)[..., 0]
    shape = (*input.shape[:-rank], *out)
    return jnp.take_along_axis(flat, best, -1).reshape(shape), best.astype(np.int64).reshape(shape)


@fractional_max_pool.gradient
def _(grad, result, input, random_samples, kernel, out):
    rank = len(kernel)
    rows = math.prod(input.shape[:-rank])
    index = result[1].reshape(rows, math.prod(out))
    pulled = jnp.zeros((rows, math.prod(input.shape[-rank:])), grad[0].dtype)
    pulled = pulled.at[jnp.arange(rows)[:, None], index].add(grad[0].reshape(index.shape))
    return pulled.reshape(input.shape), None
