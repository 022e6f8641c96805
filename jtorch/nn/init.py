"""torch.nn.init: fill a tensor with starting values, in place and outside the graph, and return it."""

import math
import warnings

import numpy as np

from jtorch import _tensor, dtypes
from jtorch.autograd.grad_mode import no_grad
from jtorch.rng import generator as generators
from jtorch.rng import samplers

__all__ = [
    "calculate_gain", "uniform_", "normal_", "trunc_normal_", "constant_", "ones_", "zeros_", "eye_", "dirac_",
    "xavier_uniform_", "xavier_normal_", "kaiming_uniform_", "kaiming_normal_", "orthogonal_", "sparse_",
    "uniform", "normal", "constant", "eye", "dirac", "xavier_uniform", "xavier_normal", "kaiming_uniform",
    "kaiming_normal", "orthogonal", "sparse",
]  # fmt: skip

_UNIT_GAIN = (
    "linear", "conv1d", "conv2d", "conv3d", "conv_transpose1d", "conv_transpose2d", "conv_transpose3d", "sigmoid",
)  # fmt: skip
_DIRECT = 0.3  # torch: above this share of the bell inside the bounds, draws outside are simply drawn again


def calculate_gain(nonlinearity, param=None):
    """The factor that keeps the variance through a nonlinearity. param: the slope of leaky_relu.

    Raises ValueError for a nonlinearity that torch has no gain for, and for a slope that is no number.
    """
    if nonlinearity in _UNIT_GAIN:
        return 1
    if nonlinearity == "leaky_relu":
        slope = 0.01 if param is None else param
        if isinstance(slope, bool) or not isinstance(slope, (int, float)):
            raise ValueError(f"negative_slope {param} not a valid number")
        return math.sqrt(2.0 / (1 + slope**2))
    gains = {"tanh": 5.0 / 3, "relu": math.sqrt(2.0), "selu": 3.0 / 4}
    if nonlinearity not in gains:
        raise ValueError(f"Unsupported nonlinearity {nonlinearity}")
    return gains[nonlinearity]


@no_grad()
def uniform_(tensor, a=0.0, b=1.0, generator=None):
    """U(a, b). Shape: any."""
    return tensor.uniform_(a, b, generator=generator)


@no_grad()
def normal_(tensor, mean=0.0, std=1.0, generator=None):
    """N(mean, std²). Shape: any."""
    return tensor.normal_(mean, std, generator=generator)


@no_grad()
def trunc_normal_(tensor, mean=0.0, std=1.0, a=-2.0, b=2.0, generator=None):
    """N(mean, std²) cut to [a, b]. Shape: any. Warns when the mean lies more than 2 std outside."""
    if _is_meta(tensor):
        return tensor
    if mean < a - 2 * std or mean > b + 2 * std:
        warnings.warn(
            "mean is more than 2 std from [a, b] in nn.init.trunc_normal_. "
            "The distribution of values may be incorrect.",
            stacklevel=3,
        )
    inside = _normal_cdf((b - mean) / std) - _normal_cdf((a - mean) / std)
    if inside > _DIRECT:
        values = _redrawn(tensor, mean, std, a, b, generator)
    else:
        values = _accepted(tensor, mean, std, a, b, generator)
    return _put(tensor, values)


def _normal_cdf(x):
    return (1.0 + math.erf(x / math.sqrt(2.0))) / 2.0


def _redrawn(tensor, mean, std, a, b, generator):
    """Normal values; those outside the bounds, as the dtype rounds them, are drawn until none is left."""
    dtype = _tensor.aval(tensor).dtype.numpy
    low, high = (np.asarray(bound, np.float32 if dtype.itemsize == 2 else dtype).astype(dtype) for bound in (a, b))
    values = _drawn(tensor, "normal_", mean, std, generator=generator)
    scratch = _scratch(tensor)
    while True:
        outside = (values < low) | (values > high)
        if not outside.any():
            return values
        values = np.where(outside, _drawn(scratch, "normal_", mean, std, generator=generator), values)


def _accepted(tensor, mean, std, a, b, generator):
    """Uniform values, each kept with the probability that is its density over the highest in [a, b]."""
    spec = _tensor.aval(tensor)
    peak = -0.5 * ((max(a, min(mean, b)) - mean) / std) ** 2
    values = np.zeros(tuple(tensor.shape), spec.dtype.numpy)
    pending = np.ones(values.shape, bool)
    target, scratch = tensor, _scratch(tensor)
    while pending.any():
        candidates = _drawn(target, "uniform_", a, b, generator=generator)
        values = np.where(pending, candidates, values)
        target = scratch
        chance = _drawn(scratch, "uniform_", 0.0, 1.0, generator=generator)
        pending &= _log(chance) > _log_density(candidates, mean, std, peak)
    return values


def _scratch(tensor):
    """Where torch draws again: an empty_like, which is dense and keeps the order of the dims in memory."""
    strides = [stride for stride, size in zip(tensor.stride(), tensor.shape, strict=True) if size != 1]
    return tensor.new_empty(tensor.shape) if strides == sorted(strides, reverse=True) else tensor


def _log(x):
    with np.errstate(divide="ignore"):
        return np.log(x.astype(np.float32)).astype(x.dtype) if x.itemsize == 2 else np.log(x)


def _log_density(x, mean, std, peak):
    """-½ ((x - mean) / std)² - peak, each step rounded to the dtype of x as torch's in-place ops do."""
    wide = np.dtype(np.float64 if x.dtype == np.float64 else np.float32).type
    mean, std, half, peak = wide(mean), wide(std), wide(-0.5), wide(peak)
    for step in (lambda y: y - mean, lambda y: y / std, lambda y: y * y, lambda y: y * half, lambda y: y - peak):
        x = step(x.astype(wide)).astype(x.dtype)
    return x


@no_grad()
def constant_(tensor, val):
    """One value everywhere. Shape: any."""
    return tensor.fill_(val)


@no_grad()
def ones_(tensor):
    """Ones. Shape: any."""
    return tensor.fill_(1.0)


@no_grad()
def zeros_(tensor):
    """Zeros. Shape: any."""
    return tensor.zero_()


@no_grad()
def eye_(tensor):
    """The identity matrix. Shape: (n, m). Raises ValueError for other than 2 dims."""
    if tensor.dim() != 2:
        raise ValueError("Only tensors with 2 dimensions are supported")
    return tensor if _is_meta(tensor) else _put(tensor, np.eye(*tensor.shape))


@no_grad()
def dirac_(tensor, groups=1):
    """A convolution's weight that hands its input on, channel by channel within each group.

    Shape: (out, in / groups, k), or with 2 or 3 kernel dims. Raises ValueError for other ranks and for groups that do
    not divide dim 0.
    """
    if tensor.dim() not in (3, 4, 5):
        raise ValueError("Only tensors with 3, 4, or 5 dimensions are supported")
    sizes = tuple(tensor.shape)
    if sizes[0] % groups != 0:
        raise ValueError("dim 0 must be divisible by groups")
    if _is_meta(tensor):
        return tensor
    per_group = sizes[0] // groups
    channel = np.arange(min(per_group, sizes[1]))
    middle = tuple(size // 2 for size in sizes[2:])
    values = np.zeros(sizes)
    for group in range(groups):
        values[(group * per_group + channel, channel, *middle)] = 1
    return _put(tensor, values)


def _calculate_fan_in_and_fan_out(tensor):
    """How many inputs feed an output of a weight, and how many outputs an input feeds.

    Shape: (out, in, *kernel). Raises ValueError for fewer than 2 dims.
    """
    if tensor.dim() < 2:
        raise ValueError("Fan in and fan out can not be computed for tensor with fewer than 2 dimensions")
    fan_out, fan_in, *kernel = tensor.shape
    field = math.prod(kernel)
    return fan_in * field, fan_out * field


def _calculate_correct_fan(tensor, mode):
    mode = mode.lower()
    modes = ["fan_in", "fan_out"]
    if mode not in modes:
        raise ValueError(f"Mode {mode} not supported, please use one of {modes}")
    return _calculate_fan_in_and_fan_out(tensor)[modes.index(mode)]


def _xavier_std(tensor, gain):
    return gain * math.sqrt(2.0 / float(sum(_calculate_fan_in_and_fan_out(tensor))))


def xavier_uniform_(tensor, gain=1.0, generator=None):
    """U(-a, a), a = gain · √(6 / (fan_in + fan_out)). Shape: (out, in, *kernel). Glorot & Bengio 2010."""
    bound = math.sqrt(3.0) * _xavier_std(tensor, gain)
    return uniform_(tensor, -bound, bound, generator)


def xavier_normal_(tensor, gain=1.0, generator=None):
    """N(0, std²), std = gain · √(2 / (fan_in + fan_out)). Shape: (out, in, *kernel). Glorot & Bengio 2010."""
    return normal_(tensor, 0.0, _xavier_std(tensor, gain), generator)


def _kaiming_std(tensor, a, mode, nonlinearity):
    """The standard deviation, or None (with a warning) for a tensor without elements."""
    if 0 in tensor.shape:
        warnings.warn("Initializing zero-element tensors is a no-op", stacklevel=3)
        return None
    fan = _calculate_correct_fan(tensor, mode)
    return calculate_gain(nonlinearity, a) / math.sqrt(fan)


def kaiming_uniform_(tensor, a: float = 0, mode="fan_in", nonlinearity="leaky_relu", generator=None):
    """U(-b, b), b = gain · √(3 / fan). a: the slope of leaky_relu. Shape: (out, in, *kernel). He et al. 2015."""
    std = _kaiming_std(tensor, a, mode, nonlinearity)
    if std is None:
        return tensor
    bound = math.sqrt(3.0) * std
    return uniform_(tensor, -bound, bound, generator)


def kaiming_normal_(tensor, a: float = 0, mode="fan_in", nonlinearity="leaky_relu", generator=None):
    """N(0, std²), std = gain / √fan. a: the slope of leaky_relu. Shape: (out, in, *kernel). He et al. 2015."""
    std = _kaiming_std(tensor, a, mode, nonlinearity)
    return tensor if std is None else normal_(tensor, 0, std, generator)


@no_grad()
def orthogonal_(tensor, gain: float = 1, generator=None):
    """A matrix with orthonormal rows or columns, times gain; dims after the first are taken as one.

    Shape: (rows, *). Raises ValueError for fewer than 2 dims, NotImplementedError for half types.
    Saxe et al. 2013; the signs after Mezzadri 2006.
    """
    if tensor.dim() < 2:
        raise ValueError("Only tensors with 2 or more dimensions are supported")
    if tensor.numel() == 0 or _is_meta(tensor):
        return tensor
    dtype = _tensor.aval(tensor).dtype
    if dtype.itemsize == 2:
        raise NotImplementedError(f"\"geqrf_cpu\" not implemented for '{dtype.label}'")
    rows = tensor.shape[0]
    flat = _drawn(tensor.new_empty((rows, tensor.numel() // rows)), "normal_", 0, 1, generator=generator)
    wide = flat.shape[0] < flat.shape[1]
    q, r = np.linalg.qr(flat.T if wide else flat)
    q *= np.sign(np.diagonal(r))
    return _put(tensor, (q.T if wide else q).reshape(tensor.shape)).mul_(gain)


@no_grad()
def sparse_(tensor, sparsity, std=0.01, generator=None):
    """N(0, std²) with the share `sparsity` of each column set to zero. Shape: (n, m). Martens 2010.

    Raises ValueError for other than 2 dims.
    """
    if tensor.dim() != 2:
        raise ValueError("Only tensors with 2 dimensions are supported")
    if _is_meta(tensor):
        return tensor
    rows, cols = tensor.shape
    zeros = math.ceil(sparsity * rows)
    values = _drawn(tensor, "normal_", 0, std, generator=generator).copy()
    for col in range(cols):
        # torch: the rows are drawn from the default generator even when another is given.
        values[samplers.randperm(generators.default, (rows,), dtypes.int64)[:zeros], col] = 0
    return _put(tensor, values)


def _is_meta(tensor):
    return _tensor.aval(tensor).device.type == "meta"


def _drawn(tensor, method, *params, generator):
    """The values that an in-place draw puts into a tensor. They come to the host: what follows depends on them."""
    return _tensor.host(getattr(tensor, method)(*params, generator=generator))


def _put(tensor, values):
    a = _tensor.aval(tensor)
    return tensor.copy_(_tensor.from_host(np.asarray(values, a.dtype.numpy), a.dtype, a.device))


def _deprecated(fill):
    name = fill.__name__[:-1]

    def old(*args, **kwargs):
        warnings.warn(
            f"`nn.init.{name}` is now deprecated in favor of `nn.init.{fill.__name__}`.", FutureWarning, stacklevel=2
        )
        return fill(*args, **kwargs)

    old.__name__ = old.__qualname__ = name
    old.__doc__ = f"The old name of {fill.__name__}."
    return old


uniform = _deprecated(uniform_)
normal = _deprecated(normal_)
constant = _deprecated(constant_)
eye = _deprecated(eye_)
dirac = _deprecated(dirac_)
xavier_uniform = _deprecated(xavier_uniform_)
xavier_normal = _deprecated(xavier_normal_)
kaiming_uniform = _deprecated(kaiming_uniform_)
kaiming_normal = _deprecated(kaiming_normal_)
orthogonal = _deprecated(orthogonal_)
sparse = _deprecated(sparse_)
