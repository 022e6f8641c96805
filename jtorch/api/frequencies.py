"""torch.fft's helpers: sample frequencies, and the order of a spectrum."""

import numpy as np

from jtorch import _tensor, devices, dtypes, shapes
from jtorch._tensor import aval
from jtorch.api.creation import finish
from jtorch.api.put import behind
from jtorch.autograd.apply import hashable


def _frequencies(order, n, d, dtype, device, requires_grad, out):
    """order / (n · d) as a new tensor."""
    kind = dtype or (aval(out).dtype if out is not None else dtypes.Default.float)
    with np.errstate(divide="ignore", invalid="ignore"):
        values = order.astype(kind.numpy) * np.asarray(np.float64(1) / np.float64(n * d)).astype(kind.numpy)
    return finish(_tensor.from_host(values, kind, devices.get(device)), requires_grad, out)


def _check(name, n, dtype):
    if n < 0:
        raise RuntimeError(f"Trying to create tensor with negative dimension {n}: [{n}]")
    if dtype is not None and dtype.category < dtypes.FLOAT:
        raise RuntimeError(f"{name} requires a floating point or complex dtype")
    if dtype is not None and dtype.is_complex:
        raise NotImplementedError(f"\"arange_cpu\" not implemented for '{dtype.label}'")


@behind("fft")
def fft_fftfreq(n, d=1.0, *, out=None, dtype=None, layout=None, device=None, requires_grad=False):
    """The frequencies of fft's n points, for samples d apart: 0, 1, ..., -2, -1 over n · d. Shape: (n,)."""
    _check("fftfreq", n, dtype)
    order = np.arange(n)
    order[(n + 1) // 2 :] -= n
    return _frequencies(order, n, d, dtype, device, requires_grad, out)


@behind("fft")
def fft_rfftfreq(n, d=1.0, *, out=None, dtype=None, layout=None, device=None, requires_grad=False):
    """The frequencies of rfft's points, for samples d apart. Shape: (n // 2 + 1,)."""
    _check("rfftfreq", n, dtype)
    return _frequencies(np.arange(n // 2 + 1), n, d, dtype, device, requires_grad, out)


def _rolled(input, dim, move):
    """input with every dim moved on; a dim that stands twice counts once."""
    shape = aval(input).shape
    dim = hashable(dim)
    given = range(len(shape)) if dim is None else (dim,) if isinstance(dim, int) else dim
    dims = tuple(shapes.normalize_dim(d, len(shape)) for d in given)
    return input.roll(tuple(move(shape[d]) for d in dims), dims)


@behind("fft")
def fft_fftshift(input, dim=None):
    """A spectrum with its frequency 0 moved to the middle of dims, of all unless given. Shape: any -> the same."""
    return _rolled(input, dim, lambda size: size // 2)


@behind("fft")
def fft_ifftshift(input, dim=None):
    """The inverse of fftshift. Shape: any -> the same."""
    return _rolled(input, dim, lambda size: (size + 1) // 2)
