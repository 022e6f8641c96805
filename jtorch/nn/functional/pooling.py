"""Pooling as functions: over windows, to a size, and back."""

from jtorch import shapes
from jtorch._tensor import aval
from jtorch.autograd.apply import apply
from jtorch.ops.op import TABLE

__all__ = [
    "adaptive_avg_pool1d", "adaptive_avg_pool2d", "adaptive_avg_pool3d", "adaptive_max_pool1d", "adaptive_max_pool2d",
    "adaptive_max_pool3d", "avg_pool1d", "avg_pool2d", "avg_pool3d", "lp_pool1d", "lp_pool2d", "lp_pool3d",
    "max_pool1d",
    "max_pool2d", "max_pool3d", "max_unpool1d", "max_unpool2d", "max_unpool3d",
]  # fmt: skip


def _plain(size):
    return tuple(size) if isinstance(size, (list, tuple)) else size


def _each(size, rank):
    return tuple(size) if isinstance(size, (list, tuple)) else (size,) * rank


def _named(fn, name, text):
    fn.__name__ = fn.__qualname__ = name
    fn.__doc__ = text
    return fn


def _max_pool(rank):
    def pool(input, kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False, return_indices=False):
        sizes = (_plain(kernel_size), _plain(stride), _plain(padding), _plain(dilation))
        return apply(TABLE["max_pool"], (input,), (rank, *sizes, ceil_mode, return_indices))

    return _named(
        pool, f"max_pool{rank}d", f"The largest element of each window over {rank} dims, and perhaps its index."
    )


max_pool1d, max_pool2d, max_pool3d = _max_pool(1), _max_pool(2), _max_pool(3)


def avg_pool1d(input, kernel_size, stride=None, padding=0, ceil_mode=False, count_include_pad=True):
    """The mean of each window over one dim. Shape: (N, C, L) or (C, L)."""
    sizes = (_plain(kernel_size), _plain(stride), _plain(padding))
    return apply(TABLE["avg_pool"], (input,), (1, *sizes, ceil_mode, count_include_pad, None))


def _avg_pool(rank):
    def pool(input, kernel_size, stride=None, padding=0, ceil_mode=False, count_include_pad=True,
             divisor_override=None):  # fmt: skip
        sizes = (_plain(kernel_size), _plain(stride), _plain(padding))
        return apply(TABLE["avg_pool"], (input,), (rank, *sizes, ceil_mode, count_include_pad, divisor_override))

    return _named(pool, f"avg_pool{rank}d", f"The mean of each window over {rank} dims.")


avg_pool2d, avg_pool3d = _avg_pool(2), _avg_pool(3)


def _adaptive_avg(rank):
    def pool(input, output_size):
        return apply(TABLE["adaptive_avg_pool"], (input,), (rank, _each(output_size, rank)))

    return _named(pool, f"adaptive_avg_pool{rank}d", f"The means of output_size windows over {rank} dims.")


def _adaptive_max(rank):
    def pool(input, output_size, return_indices=False):
        found = apply(TABLE["adaptive_max_pool"], (input,), (rank, _each(output_size, rank)))
        return found if return_indices else found[0]

    return _named(pool, f"adaptive_max_pool{rank}d", f"The largest elements of output_size windows over {rank} dims.")


adaptive_avg_pool1d, adaptive_avg_pool2d, adaptive_avg_pool3d = map(_adaptive_avg, (1, 2, 3))
adaptive_max_pool1d, adaptive_max_pool2d, adaptive_max_pool3d = map(_adaptive_max, (1, 2, 3))


def _lp_pool(rank, mean):
    def pool(input, norm_type, kernel_size, stride=None, ceil_mode=False):
        count = shapes.numel(_each(kernel_size, rank))
        power = mean(input.pow(norm_type), kernel_size, stride, 0, ceil_mode)
        return (power.sign() * power.abs().relu()).mul(count).pow(1.0 / norm_type)

    return _named(pool, f"lp_pool{rank}d", f"The p-norm of each window over {rank} dims.")


lp_pool1d, lp_pool2d, lp_pool3d = _lp_pool(1, avg_pool1d), _lp_pool(2, avg_pool2d), _lp_pool(3, avg_pool3d)


def _max_unpool(rank):
    def unpool(input, indices, kernel_size, stride=None, padding=0, output_size=None):
        kernel, pad = _each(kernel_size, rank), _each(padding, rank)
        step = kernel if stride is None else _each(stride, rank)
        space = aval(input).shape[-rank:]
        size = tuple((n - 1) * s + k - 2 * p for n, s, k, p in zip(space, step, kernel, pad, strict=True))
        if output_size is not None:
            size = tuple(output_size)[-rank:]
        return apply(TABLE["max_unpool"], (input, indices), (size,))

    return _named(
        unpool, f"max_unpool{rank}d", f"Zeros with the pooled elements back at their indices, over {rank} dims."
    )


max_unpool1d, max_unpool2d, max_unpool3d = map(_max_unpool, (1, 2, 3))
