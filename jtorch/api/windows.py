"""Windows of signal processing: hann_window, hamming_window, blackman_window, bartlett_window, kaiser_window."""

import math

import numpy as np

from jtorch import _tensor, dtypes
from jtorch.api.creation import finish
from jtorch.api.put import function


def _window(name, values):
    """Make torch's function of the values: values(places 0, 1, ..., their last, *extra) -> the window."""

    def make(length, periodic, extra, dtype, device, requires_grad):
        dtype = dtype or dtypes.Default.float
        if length < 0:
            raise RuntimeError(f"{name} requires non-negative window_length, got window_length={length}")
        if dtype.category < dtypes.FLOAT:
            raise RuntimeError(
                f"{name} expects floating point dtypes, got: TensorOptions(dtype={dtypes.cpp_name(dtype)}, "
                "device=cpu, layout=Strided (default), requires_grad=false (default), pinned_memory=false, "
                "memory_format=(nullopt))"
            )
        count = length + 1 if periodic and length > 1 else length
        kind = np.float64 if dtype is dtypes.float64 else np.float32
        made = np.ones(length, kind) if length < 2 else values(np.arange(count, dtype=kind), count - 1, *extra)
        return finish(_tensor.from_host(made[:length], dtype, device), requires_grad)

    return make


def _cosine(at, last, alpha, beta):
    return np.cos(at * at.dtype.type(2 * math.pi / last)) * at.dtype.type(-beta) + at.dtype.type(alpha)


def _blackman(at, last):
    number = at.dtype.type
    fine = np.cos(at * number(4 * math.pi / last)) * number(0.08)
    return fine - np.cos(at * number(2 * math.pi / last)) * number(0.5) + number(0.42)


def _bartlett(at, last):
    rising = at * at.dtype.type(2.0 / last)
    return np.where(np.arange(len(at)) > last // 2, at.dtype.type(2) - rising, rising)


def _kaiser(at, last, beta):
    place = at.astype(np.float64) * 2 / last - 1
    return (np.i0(beta * np.sqrt(np.maximum(1 - place * place, 0))) / np.i0(beta)).astype(at.dtype)


_MAKERS = {
    name: _window(name, values)
    for name, values in {
        "hann_window": _cosine, "hamming_window": _cosine, "blackman_window": _blackman, "bartlett_window": _bartlett,
        "kaiser_window": _kaiser,
    }.items()
}  # fmt: skip


@function
def hann_window(window_length, periodic=True, *, dtype=None, layout=None, device=None, pin_memory=False,
                requires_grad=False):  # fmt: skip
    """(1 - cos(2πn / N)) / 2. Shape: -> (window_length,)."""
    return _MAKERS["hann_window"](window_length, periodic, (0.5, 0.5), dtype, device, requires_grad)


@function
def hamming_window(window_length, periodic=True, alpha=0.54, beta=0.46, *, dtype=None, layout=None, device=None,
                   pin_memory=False, requires_grad=False):  # fmt: skip
    """alpha - beta · cos(2πn / N). Shape: -> (window_length,)."""
    return _MAKERS["hamming_window"](window_length, periodic, (alpha, beta), dtype, device, requires_grad)


@function
def blackman_window(window_length, periodic=True, *, dtype=None, layout=None, device=None, pin_memory=False,
                    requires_grad=False):  # fmt: skip
    """0.42 - 0.5 cos(2πn / N) + 0.08 cos(4πn / N). Shape: -> (window_length,)."""
    return _MAKERS["blackman_window"](window_length, periodic, (), dtype, device, requires_grad)


@function
def bartlett_window(window_length, periodic=True, *, dtype=None, layout=None, device=None, pin_memory=False,
                    requires_grad=False):  # fmt: skip
    """A triangle from 0 to 1 and back. Shape: -> (window_length,)."""
    return _MAKERS["bartlett_window"](window_length, periodic, (), dtype, device, requires_grad)


@function
def kaiser_window(window_length, periodic=True, beta=12.0, *, dtype=None, layout=None, device=None, pin_memory=False,
                  requires_grad=False):  # fmt: skip
    """I0(beta · sqrt(1 - (2n / N - 1)²)) / I0(beta). Shape: -> (window_length,)."""
    return _MAKERS["kaiser_window"](window_length, periodic, (beta,), dtype, device, requires_grad)
