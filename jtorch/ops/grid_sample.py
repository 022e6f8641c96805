"""Reading images and volumes at places between their elements: grid_sampler, and the grids of affine maps.

The work is linear in the image, per dim: a place has a few neighbours with a weight each. Gradients come from jax.vjp.
"""

import itertools
import math

import jax.numpy as jnp
import numpy as np

from jtorch import dtypes, shapes
from jtorch.ops.op import Array, op, widened

BILINEAR, NEAREST, BICUBIC = range(3)
ZEROS, BORDER, REFLECTION = range(3)


def _unnormalized(x, size, align_corners):
    """Places in [-1, 1] as places among `size` elements."""
    return (x + 1) / 2 * (size - 1) if align_corners else ((x + 1) * size - 1) / 2


def _clipped(x, size):
    # torch: the slope is 0 on the border and beyond it.
    inside = (x > 0) & (x < size - 1)
    return jnp.where(inside, x, jnp.where(x >= size - 1, float(size - 1), 0.0)).astype(x.dtype)


def _reflected(x, size, align_corners):
    """Places mirrored at the first and last element, or at their outer edges, until they lie between them."""
    low, span = (0.0, size - 1) if align_corners else (-0.5, size)
    if span <= 0:
        return jnp.zeros_like(x)
    away = jnp.abs(x - low)
    turns = jnp.floor(away / span)
    rest = away - turns * span
    return jnp.where(turns % 2 == 0, rest + low, span - rest + low)


def _padded(x, size, padding, align_corners):
    """Places brought to where the padding lets them be read."""
    if padding == REFLECTION:
        x = _reflected(x, size, align_corners)
    return x if padding == ZEROS else _clipped(x, size)


def _cubic(t, a=-0.75):
    """Weights of the four neighbours of a place a fraction t behind the second."""

    def near(x):
        return ((a + 2) * x - (a + 3)) * x * x + 1

    def far(x):
        return ((a * x - 5 * a) * x + 8 * a) * x - 4 * a

    return far(t + 1), near(t), near(1 - t), far(2 - t)


def _neighbours(x, size, mode, padding, align_corners):
    """[(place, weight), ...] in one dim; a weight of None is 1."""
    x = _unnormalized(x, size, align_corners)
    if mode == BICUBIC:
        first = jnp.floor(x)
        at = [_padded(first + i, size, padding, align_corners) for i in (-1, 0, 1, 2)]
        return list(zip(at, _cubic(x - first), strict=True))
    x = _padded(x, size, padding, align_corners)
    if mode == NEAREST:
        return [(jnp.round(x), None)]
    first = jnp.floor(x)
    return [(first, first + 1 - x), (first + 1, x - first)]


def _read(flat, sizes, places):
    """The elements at places, one array per dim; 0 outside. Shape: (N, C, elements), (N, M) each -> (N, C, M)."""
    index, inside = 0, True
    for n, at in zip(sizes, places, strict=True):
        inside = inside & (at >= 0) & (at <= n - 1)
        index = index * n + jnp.clip(jnp.nan_to_num(at), 0, n - 1).astype(np.int32)
    found = jnp.take_along_axis(flat, index[:, None, :], 2, mode="promise_in_bounds")
    return jnp.where(inside[:, None, :], found, 0)


def _check(input, grid, mode):
    rank = input.ndim - 2
    if input.shape[0] != grid.shape[0]:
        raise RuntimeError(
            "grid_sampler(): expected grid and input to have same batch size, but got input with sizes "
            f"{shapes.listed(input.shape)} and grid with sizes {shapes.listed(grid.shape)}"
        )
    if grid.shape[-1] != rank:
        raise RuntimeError(
            f"grid_sampler(): expected grid to have size {rank} in last dimension, but got grid with sizes "
            f"{shapes.listed(grid.shape)}"
        )
    for d, n in enumerate(input.shape[2:], 2):
        if not n:
            raise RuntimeError(
                "grid_sampler(): expected input to have non-empty spatial dimensions, but input has sizes "
                f"{shapes.listed(input.shape)} with dimension {d} being empty"
            )
    if rank not in (2, 3) or grid.ndim != input.ndim:
        raise RuntimeError(
            "grid_sampler(): expected 4D or 5D input and grid with same number of dimensions, but got input with sizes "
            f"{shapes.listed(input.shape)} and grid with sizes {shapes.listed(grid.shape)}"
        )
    if mode == BICUBIC and rank == 3:
        raise RuntimeError("grid_sampler(): bicubic interpolation only supports 4D input")
    if input.dtype != grid.dtype:
        labels = [dtypes.from_numpy(x.dtype).label for x in (input, grid)]
        raise RuntimeError(f"expected scalar type {labels[0]} but found {labels[1]}")


def _sampler_name(operands, attrs):
    return f"GridSampler{operands[0][1] - 2}DBackward0"


@op("grid_sampler", grad_name=_sampler_name)
@widened
def grid_sampler(input: Array, grid: Array, interpolation_mode, padding_mode, align_corners):
    """input at the places of a grid in [-1, 1], x first. Shape: (N, C, *in), (N, *out, dims) -> (N, C, *out).

    interpolation_mode: 0 bilinear, 1 nearest, 2 bicubic. padding_mode: 0 zeros, 1 border, 2 reflection.
    """
    _check(input, grid, interpolation_mode)
    batch, channels, *sizes = input.shape
    out = grid.shape[1:-1]
    flat = input.reshape(batch, channels, math.prod(sizes))
    places = grid.reshape(batch, math.prod(out), len(sizes))
    per_dim = [
        _neighbours(places[..., -1 - d], n, interpolation_mode, padding_mode, align_corners)
        for d, n in enumerate(sizes)
    ]
    total = 0
    for corner in itertools.product(*per_dim):
        weight = math.prod(w for _, w in corner if w is not None)
        found = _read(flat, sizes, [at for at, _ in corner])
        total = total + (found if isinstance(weight, int) else found * weight[:, None, :])
    return total.reshape(batch, channels, *out)


op("grid_sampler_2d", grad_name="GridSampler2DBackward0")(grid_sampler.fn)
op("grid_sampler_3d", grad_name="GridSampler3DBackward0")(grid_sampler.fn)


def _base(size, align_corners, dtype):
    """The places of `size` elements in [-1, 1]."""
    if size <= 1:
        return jnp.zeros(size, dtype)
    # torch: linspace's numbers in this dtype. An identity's places are often whole, where the slope has a kink.
    step, index = np.asarray(2, dtype) / np.asarray(size - 1, dtype), np.arange(size)
    places = np.where(index < size // 2, -1 + index * float(step), 1 - (size - 1 - index) * float(step)).astype(dtype)
    return jnp.asarray(places if align_corners else places * (size - 1) / size, dtype)


@op("affine_grid_generator", grad_name="AffineGridGeneratorBackward0")
@widened
def affine_grid_generator(theta: Array, size, align_corners):
    """The places that affine maps send a regular grid to. Shape: (N, dims, dims + 1) -> (N, *size[2:], dims)."""
    sizes = size[2:]
    lines = [_base(n, align_corners, theta.dtype) for n in sizes]
    along = jnp.meshgrid(*lines, indexing="ij")
    base = jnp.stack([*reversed(along), jnp.ones(tuple(sizes), theta.dtype)], -1)
    flat = base.reshape(1, math.prod(sizes), len(sizes) + 1)
    return jnp.matmul(flat, theta.swapaxes(1, 2)).reshape(theta.shape[0], *sizes, len(sizes))
