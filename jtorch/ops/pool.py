"""Pooling over windows: the largest element or the mean of each.

XLA's own gradient of max pooling (select-and-scatter) is 4 to 20 times slower on a CPU than what stands here: windows
are strided slices, and the gradient asks of every input element which of the few windows over it chose it.
"""

import itertools
import math
from dataclasses import dataclass

import jax.numpy as jnp
import numpy as np
from jax import lax

from jtorch import shapes
from jtorch.lowering import largest
from jtorch.ops.op import FORMAT, Array, op, widened

_MANY = 49  # windows with more elements than this are not written out as slices
_INTS = {1: "one int", 2: "two ints", 3: "three ints"}


@dataclass(frozen=True)
class _Windows:
    """Where the windows lie: per spatial dim the size of the input, of a window, and so on."""

    size: tuple
    kernel: tuple
    stride: tuple
    padding: tuple
    dilation: tuple
    out: tuple

    def slices(self, x, fill):
        """The input as each window offset sees it, in row-major order. Shape: (N, C, *size) -> (N, C, *out) each."""
        low = [(0, 0, 0), (0, 0, 0)]
        for n, k, s, p, d, o in zip(*self._fields(), strict=True):
            low.append((p, max((o - 1) * s + d * (k - 1) + 1 - n - p, 0), 0))
        if any(a or b for a, b, _ in low):
            x = lax.pad(x, jnp.asarray(fill, x.dtype), low)
        if any(k > s for k, s in zip(self.kernel, self.stride, strict=True)):
            x = lax.optimization_barrier(x)
        for offset in itertools.product(*map(range, self.kernel)):
            start = [i * d for i, d in zip(offset, self.dilation, strict=True)]
            stop = [b + (o - 1) * s + 1 for b, o, s in zip(start, self.out, self.stride, strict=True)]
            yield lax.slice(x, (0, 0, *start), (*x.shape[:2], *stop), (1, 1, *self.stride))

    def _fields(self):
        return self.size, self.kernel, self.stride, self.padding, self.dilation, self.out

    def count(self):
        """How many elements a window has."""
        return math.prod(self.kernel)

    def tiles(self):
        """Whether the windows lie side by side, inside the input."""
        return all(
            p == 0 and d == 1 and o * k <= n and (k == s or o == 1)
            for n, k, s, p, d, o in zip(*self._fields(), strict=True)
        )

    def tiled(self, x):
        """The input cut into windows that lie side by side. Shape: (N, C, *size) -> (N, C, *out, *kernel)."""
        rank = len(self.out)
        covered = [o * k for o, k in zip(self.out, self.kernel, strict=True)]
        x = lax.slice(x, (0,) * x.ndim, (*x.shape[:2], *covered))
        x = x.reshape(*x.shape[:2], *(n for pair in zip(self.out, self.kernel, strict=True) for n in pair))
        return x.transpose(0, 1, *range(2, 2 + 2 * rank, 2), *range(3, 2 + 2 * rank, 2))

    def reduce(self, x, start, combine):
        """XLA's own reduction over windows."""
        around = [(0, 0), (0, 0)]
        for n, k, s, p, d, o in zip(*self._fields(), strict=True):
            around.append((p, (o - 1) * s + d * (k - 1) + 1 - n - p))
        return lax.reduce_window(
            x, jnp.asarray(start, x.dtype), combine, (1, 1, *self.kernel), (1, 1, *self.stride), around, None,
            (1, 1, *self.dilation),
        )  # fmt: skip

    def over(self, dim):
        """By how many windows the windows over an element differ, in one dim, from the one at element // stride."""
        s, p = self.stride[dim], self.padding[dim]
        reach = self.dilation[dim] * (self.kernel[dim] - 1) + 1
        return [d for d in range((p - reach) // s, (p + s) // s + 1) if any(self._inside(dim, d))]

    def _inside(self, dim, moved):
        s, p, d, k = self.stride[dim], self.padding[dim], self.dilation[dim], self.kernel[dim]
        for a in range(s):
            at = a + p - moved * s
            yield at % d == 0 and 0 <= at // d < k

    def offset(self, moved):
        """Per element of a stride, its number within the window that lies `moved` on; -1 where it is outside.

        Shape: (*stride). An iota, not a constant: XLA makes faster loops of it.
        """
        number, valid = 0, None
        for dim, (m, s) in enumerate(zip(moved, self.stride, strict=True)):
            d, k = self.dilation[dim], self.kernel[dim]
            shape = [s if i == dim else 1 for i in range(len(self.stride))]
            at = (jnp.arange(s, dtype=jnp.int32) + np.int32(self.padding[dim] - m * s)).reshape(shape)
            if not all(self._inside(dim, m)):
                inside = (at >= 0) & (at < d * k) & (at % np.int32(d) == 0)
                valid = inside if valid is None else valid & inside
            number = number * np.int32(k) + (at if d == 1 else at // np.int32(d))
        return number if valid is None else jnp.where(valid, number, np.int32(-1))

    def pull(self, grad, chosen):
        """The gradient of the input: of each window to its chosen element, or to all where chosen is None.

        Shape: (N, C, *out) twice -> (N, C, *size).
        """
        moves = [self.over(dim) for dim in range(len(self.size))]
        blocks = [-(-n // s) for n, s in zip(self.size, self.stride, strict=True)]
        around = [(0, 0, 0), (0, 0, 0)]
        for m, q, o in zip(moves, blocks, self.out, strict=True):
            around.append((-m[0], q + m[-1] - o, 0))
        grad = lax.pad(grad, jnp.zeros((), grad.dtype), around)
        chosen = None if chosen is None else lax.pad(chosen, np.int32(-2), around)
        # One array each: fused into the loop below, XLA would work them out again for every element of a window.
        grad, chosen = lax.optimization_barrier((grad, chosen))
        total = 0
        for moved in itertools.product(*moves):
            at = self.offset(moved)
            at = at.reshape(n for s in at.shape for n in (1, s))
            start = [m - first[0] for m, first in zip(moved, moves, strict=True)]
            here = _block(grad, start, blocks)
            hit = at >= 0 if chosen is None else _block(chosen, start, blocks) == at
            total = total + jnp.where(hit, here, 0)
        whole = [q * s for q, s in zip(blocks, self.stride, strict=True)]
        total = jnp.broadcast_to(
            total, (*grad.shape[:2], *(n for p in zip(blocks, self.stride, strict=True) for n in p))
        )
        total = total.reshape(*grad.shape[:2], *whole)
        return lax.slice(total, (0,) * total.ndim, (*total.shape[:2], *self.size))


def _block(x, start, size):
    """A piece of x with a dim of 1 after each spatial dim. Shape: (N, C, *) -> (N, C, *(size, 1))."""
    stop = [b + n for b, n in zip(start, size, strict=True)]
    piece = lax.slice(x, (0, 0, *start), (*x.shape[:2], *stop))
    return piece.reshape(*x.shape[:2], *(n for q in size for n in (q, 1)))


# What is given, checked.


def _numbers(function, name, value, rank, omitted=""):
    """A parameter as `rank` ints. Raises RuntimeError in torch's words for another count."""
    value = value if isinstance(value, tuple) else (value,)
    if len(value) == 1:
        return value * rank
    if len(value) != rank:
        either = "must be either" if name == "dilation" else "must either be"
        raise RuntimeError(f"{function}: {name} {either} {omitted}a single int, or a tuple of {_INTS[rank]}")
    return value


def _per_dim(function, rank, kernel, stride, padding, dilation):
    """kernel, stride, padding and dilation as `rank` ints each."""
    kernel = _numbers(function, "kernel_size", kernel, rank)
    stride = kernel if stride in (None, ()) else _numbers(function, "stride", stride, rank, "omitted, ")
    return kernel, stride, *(_numbers(function, n, v, rank) for n, v in (("padding", padding), ("dilation", dilation)))


def _windows(function, input, kernel, stride, padding, dilation, ceil_mode):
    """The windows of a pooling of (N, C, *)."""
    rank = input.ndim - 2
    kernel, stride, padding, dilation = _per_dim(function, rank, kernel, stride, padding, dilation)
    size = input.shape[2:]
    _check_numbers(function, rank, kernel, stride, padding, dilation)
    out = tuple(_out_size(*numbers, ceil_mode) for numbers in zip(size, kernel, stride, padding, dilation, strict=True))
    if any(o < 1 for o in out):
        _too_small(function, input, kernel, out)
    return _Windows(size, kernel, stride, padding, dilation, out)


def _check_numbers(function, rank, kernel, stride, padding, dilation):
    if rank == 1 and function == "max_pool1d":
        (k,), (s,), (p,), (d,) = kernel, stride, padding, dilation
        for name, value in (("kernel_size", k), ("stride", s), ("dilation", d)):
            if value <= 0:
                raise RuntimeError(f"max_pool1d() {name} must be greater than zero, but got {value}")
        if p < 0:
            raise RuntimeError(f"max_pool1d() padding must be non-negative, but got {p}")
        if p > k // 2:
            raise RuntimeError(
                f"max_pool1d() padding should be at most half of kernel size, but got padding={p} and kernel_size={k}"
            )
        return
    _check_padding(kernel, stride, padding, dilation)
    if rank == 2 and any(p > k // 2 for k, p in zip(kernel, padding, strict=True)):
        raise RuntimeError(
            f"pad should be smaller than or equal to half of kernel size, but got padW = {padding[1]}, "
            f"padH = {padding[0]}, kW = {kernel[1]}, kH = {kernel[0]}"
        )
    if min(dilation) <= 0:
        named = " ".join(f"dilation{n}: {d}" for n, d in zip("THW"[3 - rank :], dilation, strict=True))
        raise RuntimeError(f"dilation should be greater than zero, but got {named}")
    if min(kernel) <= 0 or min(stride) <= 0:
        raise RuntimeError("kernel size should be greater than zero")


def _check_padding(kernel, stride, padding, dilation):
    if 0 in stride:
        raise RuntimeError("stride should not be zero")
    for k, p, d in zip(kernel, padding, dilation, strict=True):
        if p < 0:
            raise RuntimeError(f"pad must be non-negative, but got pad: {p}")
        if p > ((k - 1) * d + 1) // 2:
            raise RuntimeError(
                "pad should be at most half of effective kernel size, but got "
                f"pad={p}, kernel_size={k} and dilation={d}"
            )


def _out_size(size, kernel, stride, padding, dilation, ceil_mode):
    room = size + 2 * padding - dilation * (kernel - 1) - 1
    out = (room + (stride - 1 if ceil_mode else 0)) // stride + 1
    # torch: the last window of ceil_mode must begin inside the input or its left padding.
    return out - 1 if ceil_mode and (out - 1) * stride >= size + padding else out


def _too_small(function, input, kernel, out):
    if function == "max_pool1d":
        raise RuntimeError(f"max_pool1d() Invalid computed output size: {out[0]}")
    if function == "avg_pool3d":
        pairs = [" ".join(f"{n}: {v}" for n, v in zip(names, values, strict=True))
                 for names, values in ((("T", "H", "W"), input.shape[2:]), (("kT", "kH", "kW"), kernel))]  # fmt: skip
        raise RuntimeError(f"input image ({pairs[0]}) smaller than kernel size ({pairs[1]})")
    size, out = input.shape[2:], tuple(max(o, 0) for o in out)
    if len(out) == 1:
        size, out = (1, *size), (1, *out)
    inner, result = ("x".join(map(str, (input.shape[1], *s))) for s in (size, out))
    raise RuntimeError(f"Given input size: ({inner}). Calculated output size: ({result}). Output size is too small")


def _batched(input, rank, message):
    """input as (N, C, *), and whether it came without N. Raises RuntimeError with the message for other ranks."""
    if input.ndim == rank + 1:
        return input[None], True
    if input.ndim != rank + 2:
        raise RuntimeError(message)
    return input, False


# The largest element.


def _lowest(dtype):
    return -math.inf if jnp.issubdtype(dtype, jnp.floating) else jnp.iinfo(dtype).min


def _choose(x, windows):
    """The largest element of each window, and its number within the window: of equals the first, of nans the last."""
    if windows.tiles() and windows.count() > _MANY:
        rows = windows.tiled(x).reshape(*x.shape[:2], *windows.out, -1)
        return largest(rows, -1), jnp.argmax(rows, -1).astype(jnp.int32)
    best = number = None
    for at, value in enumerate(windows.slices(x, _lowest(x.dtype))):
        if best is None:
            best, number = value, jnp.zeros(value.shape, jnp.int32)
            continue
        better = (value > best) | jnp.isnan(value) if jnp.issubdtype(x.dtype, jnp.floating) else value > best
        best, number = jnp.where(better, value, best), jnp.where(better, np.int32(at), number)
    return best, number


def _flat_index(number, windows):
    """Where a window's chosen element stands among all elements of the spatial dims."""
    flat = 0
    step = windows.count()
    for dim, (n, k, s, p, d, o) in enumerate(zip(*windows._fields(), strict=True)):
        step //= k
        along = [o if i == dim else 1 for i in range(len(windows.out))]
        first = jnp.arange(o, dtype=jnp.int64).reshape(along) * s - p
        flat = flat * n + first + (number // step % k).astype(jnp.int64) * d
    return flat


def _max_graph(operands, attrs):
    if attrs[0] == 1:
        return "SqueezeBackward1", ("MaxPool2DWithIndicesBackward0", ("UnsqueezeBackward0", 0))
    return f"MaxPool{attrs[0]}DWithIndicesBackward0"


def _max_windows(input, rank, kernel_size, stride, padding, dilation, ceil_mode, return_indices):
    function = f"max_pool{max(rank, 2) if return_indices else rank}d"  # torch: in one dim, indices are those of a row
    if rank == 1:
        message = (
            "max_pool1d: Expected 2D or 3D (batch mode) tensor with optional 0 dim batch size for input, but got:"
            f"{shapes.listed(input.shape)}"
        )
    else:
        message = f"non-empty {rank + 1}D or {rank + 2}D (batch mode) tensor expected for input"
    x, alone = _batched(input, rank, message)
    if 0 in x.shape[1:]:
        if function != "max_pool1d":
            _check_padding(*_per_dim(function, rank, kernel_size, stride, padding, dilation))
        if rank == 3:  # torch: names the length as the dim
            raise RuntimeError(
                "max_pool3d_with_indices_out_cpu_template(): Expected input's non-batch dimensions to have positive "
                f"length, but input has a shape of {shapes.listed(input.shape)} and non-batch dimension 0 has length "
                "zero!"
            )
        raise RuntimeError(
            f"Expected {rank + 1}D or {rank + 2}D (batch mode) tensor with optional 0 dim batch size for input, "
            f"but got:{shapes.listed(input.shape)}"
        )
    if x.dtype == bool:
        raise NotImplementedError(f"\"{function}\" not implemented for 'Bool'")
    return x, alone, _windows(function, x, kernel_size, stride, padding, dilation, ceil_mode)


@op("max_pool", door=None, grad_name=_max_graph, follows=FORMAT)
def max_pool(
    input: Array, rank, kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False, return_indices=False
):
    """The largest element of each window, and with return_indices where it stands. Shape: (N, C, *) or (C, *)."""
    x, alone, windows = _max_windows(input, rank, kernel_size, stride, padding, dilation, ceil_mode, return_indices)
    if windows.count() > _MANY and not windows.tiles() and not return_indices:
        best = windows.reduce(x, _lowest(x.dtype), lax.max)
        return best[0] if alone else best
    best, number = _choose(x, windows)
    if not return_indices:
        return best[0] if alone else best
    index = _flat_index(number, windows)
    return (best[0], index[0]) if alone else (best, index)


@max_pool.gradient
def _(grad, result, input, rank, kernel_size, stride, padding, dilation, ceil_mode, return_indices):
    x, alone, windows = _max_windows(input, rank, kernel_size, stride, padding, dilation, ceil_mode, return_indices)
    grad = grad[0] if return_indices else grad
    grad = grad[None] if alone else grad
    pulled = windows.pull(grad, _choose(x, windows)[1])
    return (pulled[0] if alone else pulled,)


# The mean.


def _avg_graph(operands, attrs):
    if attrs[0] == 1:
        return "SqueezeBackward1", ("AvgPool2DBackward0", ("UnsqueezeBackward0", 0))
    return f"AvgPool{attrs[0]}DBackward0"


def _avg_windows(input, rank, kernel_size, stride, padding, ceil_mode):
    function = f"avg_pool{rank}d"
    if rank == 1:
        message = (
            f"Expected 2 to 3 dimensions, but got {input.ndim}-dimensional tensor for argument #1 'self' "
            "(while checking arguments for avg_pool1d)"
        )
    else:
        message = f"non-empty {rank + 1}D or {rank + 2}D (batch mode) tensor expected for input"
    if rank == 2:
        shapes.normalize_dim(-3, input.ndim)
    x, alone = _batched(input, rank, message)
    return x, alone, _windows(function, x, kernel_size, stride, padding, 1, ceil_mode)


def _share(windows, count_include_pad, divisor_override):
    """What a window's sum is divided by: a number, or an array over the windows where they differ."""
    if divisor_override is not None:
        if divisor_override == 0:
            raise RuntimeError("divisor must be not zero")
        return divisor_override
    total = np.ones((1,) * len(windows.out), np.int64)
    for dim, (n, k, s, p, _, o) in enumerate(zip(*windows._fields(), strict=True)):
        first = np.arange(o) * s - p
        last = np.minimum(first + k, n + p)
        if not count_include_pad:
            first, last = np.maximum(first, 0), np.minimum(last, n)
        total = total * (last - first).reshape([o if i == dim else 1 for i in range(len(windows.out))])
    return int(total.flat[0]) if (total == total.flat[0]).all() else total


@op("avg_pool", door=None, grad_name=_avg_graph, follows=FORMAT)
@widened
def avg_pool(
    input: Array,
    rank,
    kernel_size,
    stride=None,
    padding=0,
    ceil_mode=False,
    count_include_pad=True,
    divisor_override=None,
):
    """The mean of each window. Shape: (N, C, *) or (C, *)."""
    x, alone, windows = _avg_windows(input, rank, kernel_size, stride, padding, ceil_mode)
    if windows.tiles() and windows.count() > 4:
        total = windows.tiled(x).sum(tuple(range(-rank, 0)))
    elif windows.count() > _MANY:
        total = windows.reduce(x, 0, lax.add)
    else:
        total = sum(windows.slices(x, 0))
    share = _share(windows, count_include_pad, divisor_override)
    floats = jnp.issubdtype(x.dtype, jnp.floating)
    mean = (
        total / jnp.asarray(share, x.dtype)
        if floats
        else lax.div(*jnp.broadcast_arrays(total, jnp.asarray(share, x.dtype)))
    )
    return mean[0] if alone else mean


@avg_pool.gradient
@widened
def _(grad, result, input, rank, kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override):
    x, alone, windows = _avg_windows(input, rank, kernel_size, stride, padding, ceil_mode)
    share = _share(windows, count_include_pad, divisor_override)
    pulled = windows.pull((grad[None] if alone else grad) / jnp.asarray(share, x.dtype), None)
    return (pulled[0] if alone else pulled,)
