"""Windows for the Fourier transform: torch.signal.windows."""

import math
from collections.abc import Iterable

import numpy as np

from jtorch import _tensor, devices, dtypes
from jtorch.api.creation import finish
from jtorch.api.put import behind
from jtorch.api.settings import constant


def _checked(name, M, dtype, layout):
    """The dtype of a window. Raises ValueError in torch's words."""
    kind = dtype or dtypes.Default.float
    if M < 0:
        raise ValueError(f"{name} requires non-negative window length, got M={M}")
    if layout not in (None, constant("strided")):
        raise ValueError(f"{name} is implemented for strided tensors only, got: {layout}")
    if kind not in (dtypes.float32, dtypes.float64):
        raise ValueError(f"{name} expects float32 or float64 dtypes, got: {kind}")
    return kind


def _made(values, kind, device, requires_grad):
    return finish(_tensor.from_host(np.asarray(values, np.float64), kind, devices.get(device)), requires_grad)


def _span(M, sym):
    """How many steps a period has: a symmetric window ends where it began."""
    return M - 1 if sym else M


@behind("signal.windows")
def exponential(M, *, center=None, tau=1.0, sym=True, dtype=None, layout=None, device=None, requires_grad=False):
    """exp(-|n - center| / tau). Shape: (M,)."""
    kind = _checked("exponential", M, dtype, layout)
    if tau <= 0:
        raise ValueError(f"Tau must be positive, got: {tau} instead.")
    if sym and center is not None:
        raise ValueError("Center must be None for symmetric windows")
    if center is None:
        center = (M if not sym and M > 1 else M - 1) / 2.0
    return _made(np.exp(-np.abs((np.arange(M) - center) / tau)), kind, device, requires_grad)


@behind("signal.windows")
def cosine(M, *, sym=True, dtype=None, layout=None, device=None, requires_grad=False):
    """sin(π (n + 1/2) / M). Shape: (M,)."""
    kind = _checked("cosine", M, dtype, layout)
    period = M + 1 if not sym and M > 1 else M
    return _made(np.sin((np.arange(M) + 0.5) * math.pi / max(period, 1)), kind, device, requires_grad)


@behind("signal.windows")
def gaussian(M, *, std=1.0, sym=True, dtype=None, layout=None, device=None, requires_grad=False):
    """exp(-(n / std)² / 2) around the middle. Shape: (M,)."""
    kind = _checked("gaussian", M, dtype, layout)
    if std <= 0:
        raise ValueError(f"Standard deviation must be positive, got: {std} instead.")
    middle = (M if not sym and M > 1 else M - 1) / 2.0
    return _made(np.exp(-((np.arange(M) - middle) ** 2) / (2 * std * std)), kind, device, requires_grad)


def _kaiser(M, beta, span):
    if M == 1:
        return np.ones(1)
    place = np.minimum(beta, -beta + np.arange(M) * (2.0 * beta / max(span, 1)))
    return np.i0(np.sqrt(np.maximum(beta * beta - place * place, 0))) / np.i0(float(beta))


@behind("signal.windows")
def kaiser(M, *, beta=12.0, sym=True, dtype=None, layout=None, device=None, requires_grad=False):
    """I₀(β √(1 - x²)) / I₀(β), x from -1 to 1. Shape: (M,)."""
    kind = _checked("kaiser", M, dtype, layout)
    if beta < 0:
        raise ValueError(f"beta must be non-negative, got: {beta} instead.")
    return _made(_kaiser(M, beta, _span(M, sym)), kind, device, requires_grad)


def _bartlett(M, span):
    return np.ones(1) if M == 1 else 1 - np.abs(np.arange(M) * (2 / max(span, 1)) - 1)


@behind("signal.windows")
def bartlett(M, *, sym=True, dtype=None, layout=None, device=None, requires_grad=False):
    """A triangle from 0 to 1 and back. Shape: (M,)."""
    kind = _checked("bartlett", M, dtype, layout)
    return _made(_bartlett(M, _span(M, sym)), kind, device, requires_grad)


def _cosines(M, weights, span):
    """Σ (-1)ⁱ wᵢ cos(2π i n / span)."""
    if M == 1:
        return np.ones(1)
    steps = 2 * math.pi / max(span, 1) * np.arange(M)
    return sum((-1) ** i * w * np.cos(i * steps) for i, w in enumerate(weights))


@behind("signal.windows")
def general_cosine(M, *, a, sym=True, dtype=None, layout=None, device=None, requires_grad=False):
    """A sum of cosines with weights a, their signs in turn. Shape: (M,)."""
    kind = _checked("general_cosine", M, dtype, layout)
    if M > 1 and not isinstance(a, Iterable):
        raise TypeError("Coefficients must be a list/tuple")
    if M > 1 and not a:
        raise ValueError("Coefficients cannot be empty")
    return _made(_cosines(M, a, _span(M, sym)), kind, device, requires_grad)


@behind("signal.windows")
def general_hamming(M, *, alpha=0.54, sym=True, dtype=None, layout=None, device=None, requires_grad=False):
    """α - (1 - α) cos(2π n / period). Shape: (M,)."""
    return general_cosine(M, a=[alpha, 1.0 - alpha], sym=sym, dtype=dtype, layout=layout, device=device,
                          requires_grad=requires_grad)  # fmt: skip


def _cosine_window(name, weights, words):
    def window(M, *, sym=True, dtype=None, layout=None, device=None, requires_grad=False):
        return general_cosine(M, a=weights, sym=sym, dtype=dtype, layout=layout, device=device,
                              requires_grad=requires_grad)  # fmt: skip

    window.__name__ = window.__qualname__ = name
    window.__doc__ = words
    return behind("signal.windows")(window)


hann = _cosine_window("hann", [0.5, 0.5], "sin²(π n / period). Shape: (M,).")
hamming = _cosine_window("hamming", [0.54, 0.46], "0.54 - 0.46 cos(2π n / period). Shape: (M,).")
nuttall = _cosine_window(
    "nuttall", [0.3635819, 0.4891775, 0.1365995, 0.0106411], "Nuttall's sum of four cosines. Shape: (M,)."
)


@behind("signal.windows")
def blackman(M, *, sym=True, dtype=None, layout=None, device=None, requires_grad=False):
    """0.42 - 0.5 cos(2π n / period) + 0.08 cos(4π n / period). Shape: (M,)."""
    kind = _checked("blackman", M, dtype, layout)
    return general_cosine(M, a=[0.42, 0.5, 0.08], sym=sym, dtype=kind, layout=layout, device=device,
                          requires_grad=requires_grad)  # fmt: skip
