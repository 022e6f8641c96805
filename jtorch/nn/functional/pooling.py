"""Pooling as functions: over windows, to a size, and back."""

from jtorch import shapes
from jtorch._tensor import aval
from jtorch.api.put import FUNCTIONS
from jtorch.autograd.apply import apply
from jtorch.autograd.inplace import write_out
from jtorch.ops.op import TABLE

__all__ = [
    "adaptive_avg_pool1d", "adaptive_avg_pool2d", "adaptive_avg_pool3d", "adaptive_max_pool1d", "adaptive_max_pool2d",
    "adaptive_max_pool3d", "adaptive_max_pool1d_with_indices", "adaptive_max_pool2d_with_indices",
    "adaptive_max_pool3d_with_indices", "avg_pool1d", "avg_pool2d", "avg_pool3d", "fractional_max_pool2d",
    "fractional_max_pool2d_with_indices", "fractional_max_pool3d", "fractional_max_pool3d_with_indices", "lp_pool1d",
    "lp_pool2d", "lp_pool3d", "max_pool1d", "max_pool1d_with_indices", "max_pool2d", "max_pool2d_with_indices",
    "max_pool3d", "max_pool3d_with_indices", "max_unpool1d", "max_unpool2d", "max_unpool3d",
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


def _indexed(pool, fn):
    """fn as the form of a pooling whose results come with their indices, whatever return_indices says."""
    return _named(fn, f"{pool.__name__}_with_indices", f"{pool.__doc__} The index always comes along.")


def _max_with_indices(pool):
    def indexed(input, kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False, return_indices=False):
        return pool(input, kernel_size, stride, padding, dilation, ceil_mode, True)

    return _indexed(pool, indexed)


max_pool1d_with_indices, max_pool2d_with_indices, max_pool3d_with_indices = map(
    _max_with_indices, (max_pool1d, max_pool2d, max_pool3d)
)


def avg_pool1d(input, kernel_size, stride=None, padding=0, ceil_mode=False, count_include_pad=True):
    """The mean of each window over one dim. Shape: (N, C, L) or (C, L)."""
    sizes = (_plain(kernel_size), _plain(stride), _plain(padding))
    return apply(TABLE["avg_pool"], (input,), (1, *sizes, ceil_mode, count_include_pad, None))


def _avg_pool(rank):
    def pool(input, kernel_size, stride=None, padding=0, ceil_mode=False, count_include_pad=True,
             divisor_override=None, *, out=None):  # fmt: skip
        sizes = (_plain(kernel_size), _plain(stride), _plain(padding))
        result = apply(TABLE["avg_pool"], (input,), (rank, *sizes, ceil_mode, count_include_pad, divisor_override))
        return result if out is None else write_out(out, result, f"avg_pool{rank}d")

    return _named(pool, f"avg_pool{rank}d", f"The mean of each window over {rank} dims.")


avg_pool2d, avg_pool3d = _avg_pool(2), _avg_pool(3)


def _need_dims(input, rank, output_size):
    if rank > 1 and isinstance(output_size, (tuple, list)) and aval(input).ndim <= len(output_size):
        raise ValueError(f"Input dimension should be at least {len(output_size) + 1}")


def _adaptive_avg(rank):
    def pool(input, output_size):
        _need_dims(input, rank, output_size)
        return apply(TABLE["adaptive_avg_pool"], (input,), (rank, _each(output_size, rank)))

    return _named(pool, f"adaptive_avg_pool{rank}d", f"The means of output_size windows over {rank} dims.")


def _adaptive_max(rank):
    def pool(input, output_size, return_indices=False):
        _need_dims(input, rank, output_size)
        found = apply(TABLE["adaptive_max_pool"], (input,), (rank, _each(output_size, rank)))
        return found if return_indices else found[0]

    return _named(pool, f"adaptive_max_pool{rank}d", f"The largest elements of output_size windows over {rank} dims.")


adaptive_avg_pool1d, adaptive_avg_pool2d, adaptive_avg_pool3d = map(_adaptive_avg, (1, 2, 3))
adaptive_max_pool1d, adaptive_max_pool2d, adaptive_max_pool3d = map(_adaptive_max, (1, 2, 3))


def _adaptive_with_indices(pool):
    def indexed(input, output_size, return_indices=False):
        return pool(input, output_size, True)

    return _indexed(pool, indexed)


adaptive_max_pool1d_with_indices, adaptive_max_pool2d_with_indices, adaptive_max_pool3d_with_indices = map(
    _adaptive_with_indices, (adaptive_max_pool1d, adaptive_max_pool2d, adaptive_max_pool3d)
)


def _fractional(rank):
    name = f"fractional_max_pool{rank}d"

    def pool(input, kernel_size, output_size=None, output_ratio=None, return_indices=False, _random_samples=None):
        found = with_indices(input, kernel_size, output_size, output_ratio, return_indices, _random_samples)
        return found if return_indices else found[0]

    def with_indices(input, kernel_size, output_size=None, output_ratio=None, return_indices=False,
                     _random_samples=None):  # fmt: skip
        a = aval(input)
        if output_size is None and output_ratio is None:
            raise ValueError(f"{name} requires specifying either an output_size or an output_ratio")
        if output_size is None:
            ratio = _each(output_ratio, rank)
            output_size = tuple(int(n * r) for n, r in zip(a.shape[-rank:], ratio, strict=True))
        if _random_samples is None:
            batch = 1 if a.ndim == rank + 1 else a.shape[0]
            _random_samples = FUNCTIONS["rand"](batch, a.shape[-rank - 1], rank, dtype=a.dtype, device=a.device)
        sizes = _each(kernel_size, rank), _each(output_size, rank)
        return apply(TABLE["fractional_max_pool"], (input, _random_samples), sizes)

    text = f"The largest element of each of output_size windows over {rank} dims, laid at random (arXiv:1412.6071)"
    return _named(pool, name, f"{text}."), _named(with_indices, f"{name}_with_indices", f"{text}, and its index.")


fractional_max_pool2d, fractional_max_pool2d_with_indices = _fractional(2)
fractional_max_pool3d, fractional_max_pool3d_with_indices = _fractional(3)


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
