"""Pooling to a given output size: windows that differ in length."""

import jax.numpy as jnp
import numpy as np

from jtorch import shapes
from jtorch.ops.op import FORMAT, Array, op, widened


def _bounds(n, out):
    """First and last-but-one place of each of `out` windows over n places, as torch lays them."""
    return [(i * n // out, -(-(i + 1) * n // out)) for i in range(out)]


def _sizes(name, input, rank, output_size):
    if input.ndim not in (rank + 1, rank + 2):
        if rank == 1:
            raise RuntimeError(
                f"Expected 2 to 3 dimensions, but got {input.ndim}-dimensional tensor for argument #1 'self' (while "
                f"checking arguments for {name}1d)"
            )
        got = "got" if "avg" in name else "got:"
        wanted = f"Expected {rank + 1}D or {rank + 2}D tensor"
        raise RuntimeError(f"{name}{rank}d(): {wanted}, but {got} {shapes.listed(input.shape)}")
    if len(output_size) != rank:
        raise RuntimeError(_wrong_count(name, rank, len(output_size)))
    sizes = tuple(n if o is None else o for o, n in zip(output_size, input.shape[-rank:], strict=True))
    if min(sizes) < 0 and "max" in name:
        shown = [*input.shape[:-rank], *((1,) if rank == 1 else ()), *sizes]
        raise RuntimeError(f"Trying to create tensor with negative dimension {min(sizes)}: {shown}")
    if min(sizes) < 0:
        shown = f"{{1, {sizes[0]}}}" if rank == 1 else f"{{{sizes[0]}, {','.join(map(str, sizes[1:]))}}}"
        raise RuntimeError(
            f"{name}{max(rank, 2)}d: elements of output_size must be greater than or equal to 0 but received {shown}"
        )
    return sizes


def _wrong_count(name, rank, count):
    if rank == 1:
        return f"{name}1d() argument 'output_size' should contain one int (got {count})"
    if "max" in name:
        return f"{name}{rank}d(): internal error: output_size.size() must be {rank}"
    return f"{name}{rank}d: output_size must be {rank}"


def _avg_graph(operands, attrs):
    rank, sizes = attrs
    if rank > 1 and all(n == 1 for n in sizes):
        return "MeanBackward1"
    if rank == 1:
        return "SqueezeBackward1", ("AdaptiveAvgPool2DBackward0", ("UnsqueezeBackward0", 0))
    return f"AdaptiveAvgPool{rank}DBackward0"


@op("adaptive_avg_pool", door=None, grad_name=_avg_graph, follows=FORMAT)
@widened
def adaptive_avg_pool(input: Array, rank, output_size):
    """The mean of each of output_size windows a dim. Shape: (N, C, *) or (C, *) -> the last dims are output_size.

    The window is a product, so its mean is a mean over one dim after the other: a matrix product each.
    """
    sizes = _sizes("adaptive_avg_pool", input, rank, output_size)
    for i, out in enumerate(sizes):
        dim = input.ndim - rank + i
        n = input.shape[dim]
        if n == out:
            continue
        if n % out == 0:
            shape = (*input.shape[:dim], out, n // out, *input.shape[dim + 1 :])
            input = input.reshape(shape).mean(dim + 1)
        else:
            weights = np.zeros((n, out))
            for j, (first, last) in enumerate(_bounds(n, out)):
                weights[first:last, j] = 1 / (last - first)
            moved = jnp.tensordot(input, jnp.asarray(weights, input.dtype), ((dim,), (0,)))
            input = jnp.moveaxis(moved, -1, dim)
    return input


def _max_graph(operands, attrs):
    if attrs[0] == 1:
        return "SqueezeBackward1", ("AdaptiveMaxPool2DBackward0", ("UnsqueezeBackward0", 0))
    return f"AdaptiveMaxPool{attrs[0]}DBackward0"


@op("adaptive_max_pool", door=None, grad_name=_max_graph, follows=FORMAT)
def adaptive_max_pool(input: Array, rank, output_size):
    """The largest element of each of output_size windows a dim, and where it stands. Shape: as adaptive_avg_pool."""
    sizes = _sizes("adaptive_max_pool", input, rank, output_size)
    space = input.shape[-rank:]
    flat = input.reshape(*input.shape[:-rank], -1)
    places = _window_places(space, sizes)  # (windows, longest window)
    seen = jnp.take(flat, places, axis=-1)
    best = jnp.argmax(jnp.where(jnp.isnan(seen), jnp.inf, seen) if seen.dtype.kind == "f" else seen, -1)
    index = jnp.take_along_axis(jnp.broadcast_to(places, seen.shape), best[..., None], -1)[..., 0]
    values = jnp.take_along_axis(flat, index, -1)
    shape = (*input.shape[:-rank], *sizes)
    return values.reshape(shape), index.astype(jnp.int64).reshape(shape)


def _window_places(space, sizes):
    """Flat places of each window's elements; shorter windows repeat their first place. Shape: (windows, longest)."""
    per_dim = []
    for n, out in zip(space, sizes, strict=True):
        bounds = _bounds(n, out)
        longest = max((b - a for a, b in bounds), default=1)
        per_dim.append(np.array([[a + k if a + k < b else a for k in range(longest)] for a, b in bounds]))
    places = np.zeros((1, 1), np.int64)
    for n, here in zip(space, per_dim, strict=True):
        joined = places[:, None, :, None] * n + here[None, :, None, :]
        places = joined.reshape(places.shape[0] * here.shape[0], -1)
    return places
