"""How a convolution of one to three dims and its gradients are computed, on what runs fastest on the device at hand.

On a GPU they are XLA's own, which are cuDNN's. On a CPU XLA has a fast convolution only for two dims and one group;
there the others are put together of it, or of matrix products and shifted copies.
"""

import functools
import itertools
import math
from dataclasses import dataclass, replace

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from jtorch import lowering, modes
from jtorch.dtypes import widened

_FEW = 8  # up to so many input channels a product with gathered columns beats XLA's CPU convolution
_COLUMN = 256  # if a column is no longer than this
_THIN = 16  # up to so many output channels XLA's gradient of the weights is the faster one all the same
_WIDE = 128  # pixels per image from which on a 1x1 convolution is one product per image
_TERMS = 100  # up to so many products per element, shifted copies beat one convolution per group
_COPIES = 9  # up to so many are written out for the gradient of a weight: XLA compiles each for itself
_PARTS = 8  # what is summed of a weight's gradient before the reduction, which reads each of them once
# One product with the columns of the whole batch is faster where there are so many times more weights than elements in
# and out, or few channels in and columns of so many elements only; up to 49 elements of a kernel are written out.
_DEEP, _GATHERED, _TAPS = 1.25, 1_500_000, 49


@dataclass(frozen=True)
class Geometry:
    """How a kernel moves over the spatial dims. padding: (before, after) per dim."""

    stride: tuple
    padding: tuple
    dilation: tuple
    groups: int

    def out(self, size, kernel):
        """The spatial size of the result."""
        each = zip(size, kernel, self.stride, self.padding, self.dilation, strict=True)
        return tuple((n + sum(p) - d * (k - 1) - 1) // s + 1 for n, k, s, p, d in each)

    def pointwise(self, kernel):
        """Whether each output element reads one input element per channel."""
        return math.prod(kernel) == 1 and not any(map(any, self.padding))

    def tail(self):
        """The same for all spatial dims but the first."""
        return replace(self, stride=self.stride[1:], padding=self.padding[1:], dilation=self.dilation[1:])


# What XLA does.


def _numbers(rank):
    space = "DHW"[3 - rank :]
    return f"NC{space}", f"OI{space}", f"NC{space}"


def _plain(x, w, geometry):
    # torch: convolutions may use TF32, whatever float32 matrix products may.
    precision = lax.Precision.HIGHEST if modes.exact_convolutions else lax.Precision.DEFAULT
    return lax.conv_general_dilated(
        x, w, geometry.stride, geometry.padding, rhs_dilation=geometry.dilation,
        dimension_numbers=_numbers(x.ndim - 2), feature_group_count=geometry.groups, precision=precision,
    )  # fmt: skip


def _pull_x(way, grad, w, shape, geometry):
    return jax.vjp(lambda x: way(x, w, geometry), jnp.zeros(shape, grad.dtype))[1](grad)[0]


def _pull_w(way, x, grad, shape, geometry):
    return jax.vjp(lambda w: way(x, w, geometry), jnp.zeros(shape, grad.dtype))[1](grad)[0]


# What is faster on a CPU.


def _kind(x_shape, w_shape, geometry):
    channels, kernel = x_shape[1], w_shape[2:]
    if geometry.groups > 1:
        return "thin" if _is_thin(w_shape) else "grouped"
    if geometry.pointwise(kernel):
        return "pointwise"
    if len(kernel) == 3:
        return "solid"
    few = channels <= _FEW and channels * math.prod(kernel) <= _COLUMN
    if not all(type(size) is int for size in x_shape):  # a dim that jax.export leaves open
        return "few" if few else "plain"
    places = x_shape[0] * math.prod(geometry.out(x_shape[2:], kernel))
    columns = math.prod(w_shape[1:]) * places
    many = math.prod(w_shape) >= _DEEP * (math.prod(x_shape) + w_shape[0] * places)
    if columns and math.prod(kernel) <= _TAPS and (many or few and columns <= _GATHERED):
        return "deep"
    return "few" if few else "plain"


def _is_thin(w_shape):
    return w_shape[1] == 1 or math.prod(w_shape[1:]) <= _TERMS


def _on_cpu(x, w, geometry):
    """The convolution. Shape: (N, C, *), (O, C / groups, *kernel) -> (N, O, *)."""
    return _LOWERED[_kind(x.shape, w.shape, geometry)](x, w, geometry)


def _pull_x_on_cpu(grad, w, shape, geometry):
    """The gradient of the input, which has this shape."""
    if geometry.groups > 1:
        turned = _turned(w, geometry.groups)
        if _is_thin(turned.shape):
            return _pull_x_thin(grad, turned, shape, geometry)
        one, part = replace(geometry, groups=1), (shape[0], shape[1] // geometry.groups, *shape[2:])
        pairs = zip(jnp.split(grad, geometry.groups, 1), jnp.split(w, geometry.groups, 0), strict=True)
        return jnp.concatenate([_pull_x_on_cpu(g, v, part, one) for g, v in pairs], 1)
    kind = _kind(shape, w.shape, geometry)
    pulled = _pull_x(_LOWERED[kind], grad, w, shape, geometry)
    return lax.optimization_barrier(pulled) if kind in ("few", "deep") else pulled


def _pull_w_on_cpu(x, grad, shape, geometry):
    """The gradient of the weight, which has this shape."""
    if geometry.groups > 1 and shape[1] == 1:
        return _pull_w_depthwise(x, grad, shape, geometry)
    if geometry.groups > 1:
        one, part = replace(geometry, groups=1), (shape[0] // geometry.groups, *shape[1:])
        pairs = zip(jnp.split(x, geometry.groups, 1), jnp.split(grad, geometry.groups, 1), strict=True)
        return jnp.concatenate([_pull_w_on_cpu(y, g, part, one) for y, g in pairs], 0)
    kind = _kind(x.shape, shape, geometry)
    if kind in ("few", "deep") and shape[0] <= _THIN:
        return _pull_w(_plain, x, grad, shape, geometry)
    return _pull_w(_LOWERED[kind], x, grad, shape, geometry)


def _grouped(x, w, geometry):
    one = replace(geometry, groups=1)
    pairs = zip(jnp.split(x, geometry.groups, 1), jnp.split(w, geometry.groups, 0), strict=True)
    return jnp.concatenate([_on_cpu(y, v, one) for y, v in pairs], 1)


def _pointwise(x, w, geometry):
    """A 1x1 convolution as matrix products."""
    x = x[(slice(None), slice(None), *(slice(None, None, s) for s in geometry.stride))]
    w = w.reshape(w.shape[:2])
    n, c, *space = x.shape
    if math.prod(space) >= _WIDE:
        out = jnp.matmul(jnp.broadcast_to(w, (n, *w.shape)), x.reshape(n, c, math.prod(space)))
        return out.reshape(n, w.shape[0], *space)
    rows = jnp.moveaxis(x, 1, -1).reshape(n * math.prod(space), c)
    return jnp.moveaxis((rows @ w.T).reshape(n, *space, w.shape[0]), -1, 1)


def _padded(x, pads):
    return lax.pad(x, jnp.zeros((), x.dtype), [(before, after, 0) for before, after in pads])


def _solid(x, w, geometry):
    """Three dims: for each depth of the kernel, a convolution of all depth slices as one batch."""
    (s, *_), ((before, after), *_), (d, *_) = geometry.stride, geometry.padding, geometry.dilation
    n, c, size, *space = x.shape
    depth = (size + before + after - d * (w.shape[2] - 1) - 1) // s + 1
    x = _padded(x, [(0, 0), (0, 0), (before, after), *((0, 0),) * len(space)])
    total = 0
    for k in range(w.shape[2]):
        level = lax.slice_in_dim(x, k * d, k * d + (depth - 1) * s + 1, s, 2)
        level = level.swapaxes(1, 2).reshape(n * depth, c, *space)
        total = total + _on_cpu(level, w[:, :, k], geometry.tail())
    return total.reshape(n, depth, *total.shape[1:]).swapaxes(1, 2)


def _shifted(x, kernel, geometry):
    """The input as each kernel element sees it, with its place in the kernel."""
    pads = [(0, 0), (0, 0), *geometry.padding]
    if any(map(any, pads)):
        # Padded once; a pad in each of the loops that read it would be slower.
        x = lax.optimization_barrier(_padded(x, pads))
    unpadded = replace(geometry, padding=((0, 0),) * len(kernel))
    out = unpadded.out(x.shape[2:], kernel)
    for at in itertools.product(*map(range, kernel)):
        first = [a * d for a, d in zip(at, geometry.dilation, strict=True)]
        last = [f + (o - 1) * s + 1 for f, o, s in zip(first, out, geometry.stride, strict=True)]
        yield at, lax.slice(x, (0, 0, *first), (*x.shape[:2], *last), (1, 1, *geometry.stride))


def _few(x, w, geometry):
    """Few input channels: per image, the weights times the columns that the kernel sees."""
    seen = [y for _, y in _shifted(x, w.shape[2:], geometry)]
    n, _, *space = seen[0].shape
    columns = jnp.concatenate(seen, 1).reshape(n, w[0].size, math.prod(space))
    rows = jnp.moveaxis(w, 1, -1).reshape(w.shape[0], -1)
    return jnp.matmul(jnp.broadcast_to(rows, (n, *rows.shape)), columns).reshape(n, w.shape[0], *space)


def _deep(x, w, geometry):
    """Few places, or more weights than pixels: the weights, as they lie, times the columns of the whole batch.

    XLA's own convolution wants its weights turned around, which takes longer than the convolution where they are many.
    """
    seen = [y.swapaxes(0, 1) for _, y in _shifted(x, w.shape[2:], geometry)]
    columns = jnp.stack(seen, 1)  # (C, kernel, N, *)
    out = lax.dot(w.reshape(w.shape[0], -1), columns.reshape(w[0].size, -1))
    return out.reshape(w.shape[0], *columns.shape[2:]).swapaxes(0, 1)


def _thin(x, w, geometry):
    """Few input channels per group: a sum of shifted copies."""
    w = w.reshape(geometry.groups, -1, *w.shape[1:])
    total = 0
    for at, y in _shifted(x, w.shape[3:], geometry):
        y = y.reshape(y.shape[0], *w.shape[:3:2], *y.shape[2:])
        each = w[(..., *at)].reshape(*w.shape[:3], *(1,) * (y.ndim - 3))
        for i in range(w.shape[2]):
            total = total + y[:, :, i, None] * each[:, :, i]
    # Kept apart: XLA would work the sum out again in every loop that reads it.
    return lax.optimization_barrier(total.reshape(x.shape[0], w.shape[0] * w.shape[1], *total.shape[3:]))


def _turned(w, groups):
    """The kernel turned around, the channels that it reads and makes exchanged."""
    turned = jnp.flip(w, tuple(range(2, w.ndim))).reshape(groups, -1, *w.shape[1:]).swapaxes(1, 2)
    return turned.reshape(-1, *turned.shape[2:])


def _pull_x_thin(grad, turned, shape, geometry):
    """The same sum with the kernel turned around, over the gradient spread out by the stride."""
    kernel = turned.shape[2:]
    spread = [(0, 0, 0), (0, 0, 0)]
    for n, k, s, (before, _), d, o in zip(
        shape[2:], kernel, geometry.stride, geometry.padding, geometry.dilation, grad.shape[2:], strict=True
    ):
        spread.append((d * (k - 1) - before, n + before - (o - 1) * s - 1, s - 1))
    grad = lax.optimization_barrier(lax.pad(grad, jnp.zeros((), grad.dtype), spread))
    rank = len(kernel)
    return _thin(grad, turned, Geometry((1,) * rank, ((0, 0),) * rank, geometry.dilation, geometry.groups))


def _pull_w_depthwise(x, grad, shape, geometry):
    """One sum of products of shifted copies with the gradient for each kernel element."""
    kernel = shape[2:]
    grad = grad.reshape(grad.shape[0], x.shape[1], -1, *grad.shape[2:])

    def sums(x, kernel, geometry):
        return jnp.stack([_sum_products(y[:, :, None], grad) for _, y in _shifted(x, kernel, geometry)], -1)

    if math.prod(kernel) <= _COPIES:
        return sums(x, kernel, geometry).reshape(shape)
    first, *others = geometry.padding
    x = _padded(x, [(0, 0), (0, 0), first, *((0, 0),) * len(others)])
    geometry, reach = replace(geometry, padding=((0, 0), *others)), (grad.shape[3] - 1) * geometry.stride[0] + 1
    rows = lax.map(
        lambda at: sums(lax.dynamic_slice_in_dim(x, at, reach, 2), (1, *kernel[1:]), geometry),
        np.arange(kernel[0]) * geometry.dilation[0],
    )
    return jnp.moveaxis(rows, 0, 2).reshape(shape)


def _sum_products(x, y):
    """The sum of x · y over all dims but the channels'. Shape: (N, C, 1, *), (N, C, T, *) -> (C, T)."""
    parts, dim = max((max(d for d in range(1, _PARTS + 1) if y.shape[dim] % d == 0), -dim) for dim in (0, 3))
    pairs = zip(jnp.split(x, parts, -dim), jnp.split(y, parts, -dim), strict=True)
    return lowering.apart(sum(a * b for a, b in pairs)).sum((0, *range(3, y.ndim)))


_LOWERED = {
    "plain": _plain, "grouped": _grouped, "pointwise": _pointwise, "solid": _solid, "few": _few,
    "deep": _deep, "thin": _thin,
}  # fmt: skip


# By device.


def _shifted_by(bias, on_cpu, anywhere, x, w):
    """A convolution by device, and the bias; on a CPU, halves are rounded once, after the bias."""
    if bias is None:
        return lax.platform_dependent(x, w, cpu=widened(on_cpu), default=anywhere)
    bias = bias.reshape(-1, *(1,) * (x.ndim - 2))
    if x.dtype.itemsize > 2:
        return lax.platform_dependent(x, w, cpu=on_cpu, default=anywhere) + bias
    return lax.platform_dependent(
        x, w, bias, cpu=widened(lambda x, w, b: on_cpu(x, w) + b), default=lambda x, w, b: anywhere(x, w) + b
    )


def forward(x, w, geometry, bias=None):
    """The convolution, and the bias. Shape: (N, C, *), (O, C / groups, *kernel), (O,) -> (N, O, *)."""
    on_cpu, anywhere = (functools.partial(fn, geometry=geometry) for fn in (_on_cpu, _plain))
    return _shifted_by(bias, on_cpu, anywhere, x, w)


def of_x(grad, w, shape, geometry, bias=None):
    """The gradient of the input, which has this shape; with a bias a transposed convolution."""
    given = {"shape": shape, "geometry": geometry}
    on_cpu, anywhere = functools.partial(_pull_x_on_cpu, **given), functools.partial(_pull_x, _plain, **given)
    return _shifted_by(bias, on_cpu, anywhere, grad, w)


def of_w(x, grad, shape, geometry):
    """The gradient of the weight, which has this shape."""
    return lax.platform_dependent(
        x, grad, cpu=widened(functools.partial(_pull_w_on_cpu, shape=shape, geometry=geometry)),
        default=functools.partial(_pull_w, _plain, shape=shape, geometry=geometry),
    )  # fmt: skip


def spread_out(x, w, space, geometry):
    """A transposed convolution of integers, which have no gradients: the turned kernel over the spread input."""
    groups, kernel, turned = geometry.groups, w.shape[2:], _turned(w, geometry.groups)
    around = []
    for n, k, s, (p, _), d, o in zip(
        x.shape[2:], kernel, geometry.stride, geometry.padding, geometry.dilation, space, strict=True
    ):
        around.append((d * (k - 1) - p, o + p - (n - 1) * s - 1))
    return lax.conv_general_dilated(
        x, turned, (1,) * len(kernel), around, geometry.stride, geometry.dilation, _numbers(len(kernel)), groups
    )
