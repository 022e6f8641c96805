"""Functions that multiply with noise: dropout in its forms, and rrelu."""

import numpy as np

from jtorch import devices, modes
from jtorch._tensor import aval, from_host, host
from jtorch.api.drawing import draw, drawn_inside, for_rows, number, on_host, order_of
from jtorch.api.put import function
from jtorch.autograd.apply import apply, filled
from jtorch.autograd.inplace import inplace
from jtorch.autograd.level import mapping
from jtorch.dtypes import bool_
from jtorch.engine.ref import aval as aval_of
from jtorch.ops.op import TABLE
from jtorch.rng import generator as generators
from jtorch.rng.boxmuller import unit64
from jtorch.rng.integers import not_implemented

_ALPHA = 1.7580993408473766  # selu tends to -_ALPHA


def mask(size, keep, device, order=None):
    """True with probability keep: torch's own mask on the CPU, from JAX keys elsewhere. Shape: size, bool.

    order: as for `draw`. The CPU draws two words an element, whatever dtype the mask is wanted in.
    """
    if on_host(device) or device is devices.META or (modes.rare and mapping()):
        return draw("bernoulli", None, size, bool_, device, keep, order=order)
    return drawn_inside("draw_mask", (keep, size), device, None)


def _rounded(dtype, *steps):
    """1 after each step (function, number), rounded to the dtype as torch does where it works on a tensor in place."""
    wide = np.float64 if dtype.name == "float64" else np.float32

    def narrow(value):
        return wide(np.asarray(value, wide).astype(dtype.numpy))

    value = wide(1)
    for step, operand in steps:
        # torch: what is added is rounded to the dtype first, what is multiplied with is not.
        value = narrow(step(value, narrow(operand) if step is np.add else wide(operand)))
    return float(value)


def _check_p(p):
    if not 0 <= p <= 1:
        raise RuntimeError(f"dropout probability has to be between 0 and 1, but got {p:g}")


def _check_dtype(dtype):
    if dtype.is_complex:
        raise not_implemented("bernoulli_scalar_cpu_", dtype)
    if not dtype.is_floating_point:
        raise RuntimeError(f"result type Float can't be cast to the desired output type {dtype.label}")


def _times(input, noise, in_place):
    op = TABLE["mul"]
    return inplace(op, input, (input, noise), ()) if in_place else apply(op, (input, noise), ())


def _drop(input, p, train, in_place, features=False, alpha=False):
    a, p = aval(input), number(p)
    _check_p(p)
    if p == 0 or not train or 0 in a.shape:
        return input
    if p == 1:
        return _times(input, filled(aval_of((), a.dtype, a.device), 0), in_place)
    if features and a.ndim < 2:
        raise RuntimeError("Feature dropout requires at least 2 dimensions in the input")
    _check_dtype(a.dtype)
    size = a.shape[:2] + (1,) * (a.ndim - 2) if features else a.shape
    kept = mask(size, 1 - p, a.device, None if features else order_of(input))
    if not alpha:
        scale = _rounded(a.dtype, (np.divide, 1 - p))
        return _times(input, apply(TABLE["pick"], (kept, scale, 0.0), (a.dtype,)), in_place)
    factor = 1 / ((_ALPHA * _ALPHA * p + 1) * (1 - p)) ** 0.5
    lowest = _rounded(a.dtype, (np.multiply, -1), (np.multiply, _ALPHA * factor), (np.add, _ALPHA * factor * p))
    shift = _rounded(a.dtype, (np.multiply, 0), (np.add, _ALPHA * factor * p))
    noise = apply(TABLE["pick"], (kept, _rounded(a.dtype, (np.multiply, factor)), 0.0), (a.dtype,))
    made = _times(input, noise, in_place)
    return made.add_(apply(TABLE["pick"], (kept, shift, lowest), (a.dtype,)))


def dropped(input, p):
    """Elements zeroed with probability p, the others divided by 1 - p. Shape: any -> the same."""
    return _drop(input, p, True, False)


def _family(name, what, **options):
    def plain(input, p, train):
        return _drop(input, p, train, False, **options)

    def in_place(input, p, train):
        return _drop(input, p, train, True, **options)

    for made, shown in ((plain, name), (in_place, f"{name}_")):
        made.__name__ = made.__qualname__ = shown
        made.__doc__ = f"{what}, when train is True{' (in place)' if made is in_place else ''}. Shape: any -> the same."
        function(made)
    return plain, in_place


_family("dropout", "Elements zeroed with probability p, the others divided by 1 - p")
_family("feature_dropout", "Whole channels, of dims 0 and 1, zeroed with probability p", features=True)
_family("alpha_dropout", "Dropout that keeps mean and variance of selu's results", alpha=True)
_family("feature_alpha_dropout", "alpha_dropout of whole channels", features=True, alpha=True)


@function
def native_dropout(input, p, train):
    """(input with elements dropped, the mask). Shape: any -> the same, twice."""
    a, p = aval(input), number(p)
    if 0 in a.shape:
        return input, input.detach()
    if not train and train is not None:
        return input.clone(), filled(aval_of(a.shape, bool_, a.device), True)
    kept = mask(a.shape, 1 - p, a.device, order_of(input))
    if not a.dtype.is_complex:
        _check_dtype(a.dtype)
    return apply(TABLE["native_dropout"], (input, kept, 0.0 if p == 1 else 1 / (1 - p)), ()), kept


def _rrelu(input, lower, upper, training, in_place):
    if lower > upper:
        raise RuntimeError("Lower bound should be less than or equal to the upper bound")
    if training:
        op, operands, attrs = TABLE["rrelu_train"], (input, _slopes(input, float(lower), float(upper))), (in_place,)
    else:
        op, operands, attrs = TABLE["rrelu_eval"], (input,), ((lower + upper) / 2, in_place)
    return inplace(op, input, operands, attrs) if in_place else apply(op, operands, attrs)


def _slopes(input, lower, upper):
    """A slope for each element, 1 for positive ones. torch's CPU draws for the others alone: the values are read."""
    a = aval(input)
    if modes.rare and mapping():
        return for_rows(lambda count, x: _slopes(x, lower, upper), input)
    if not on_host(a.device):
        drawn = draw("uniform", None, a.shape, a.dtype, a.device, lower, upper)
        return drawn.masked_fill(input.detach() > 0, 1.0)
    if a.dtype.name not in ("float32", "float64", "bfloat16"):
        raise not_implemented("rrelu_with_noise_out_cpu", a.dtype)
    wide = np.float64 if a.dtype.name == "float64" else np.float32
    lower, upper = float(wide(lower)), float(wide(upper))
    slopes, below = np.ones(a.shape, wide), host(input) <= 0
    slopes[below] = unit64(generators.default, int(below.sum())) * (upper - lower) + lower
    return from_host(slopes, None, a.device)


@function
def rrelu(input, lower=1.0 / 8, upper=1.0 / 3, training=False):
    """input where positive, elsewhere times a slope: drawn from U(lower, upper) in training, else their mean."""
    return _rrelu(input, lower, upper, training, False)


@function
def rrelu_(input, lower=1.0 / 8, upper=1.0 / 3, training=False):
    """rrelu in place."""
    return _rrelu(input, lower, upper, training, True)
