"""Numerical derivatives of functions of Tensors: central differences of outputs as an input is written to in place."""

import contextlib

import numpy as np

from jtorch import dtypes
from jtorch._tensor import Tensor, aval, from_host, host


def as_tuple(x):
    """A tuple of what a function returned, or was given."""
    return tuple(x) if isinstance(x, (tuple, list)) else (x,)


def is_floating(x):
    """Whether x is a Tensor that can have a gradient."""
    return isinstance(x, Tensor) and aval(x).dtype.category >= dtypes.FLOAT


def jacobian(fn, inputs, outputs, x, eps):
    """Per floating output the matrix (elements of x, elements of the output), as NumPy arrays.

    Of a complex input, the derivative along the real part plus i times that along the imaginary one.
    Raises AssertionError when an output changes its shape or dtype.
    """
    shape, outputs = tuple(aval(x).shape), [out for out in as_tuple(outputs) if is_floating(out)]
    kind = aval(x).dtype.numpy if x.is_complex() else None
    found = [np.zeros((x.numel(), out.numel()), kind or aval(out).dtype.numpy) for out in outputs]
    step = np.zeros(shape, aval(x).dtype.numpy)
    for row, index in enumerate(np.ndindex(shape)):
        step[index] = eps
        columns = _along(fn, inputs, x, step, step * 1j if kind else None, eps, index)
        step[index] = 0
        for matrix, column in zip(found, columns, strict=True):
            matrix[row] = column
    return found


def directional(fn, inputs, x, direction, eps):
    """Per floating output its flat derivative as x goes along a direction: an array, or two of them
    for the real and the imaginary part of a complex input."""
    shape = tuple(aval(x).shape)
    if isinstance(direction, tuple):
        real, imaginary = (d.reshape(shape) * eps for d in direction)
        return _along(fn, inputs, x, real, imaginary * 1j, eps)
    return _along(fn, inputs, x, direction.reshape(shape) * eps, None, eps)


def _along(fn, inputs, moved, step, imaginary, eps, index=None):
    found = _difference(fn, inputs, moved, step, eps, index)
    if imaginary is None:
        return found
    return [x + y * 1j for x, y in zip(found, _difference(fn, inputs, moved, imaginary, eps, index), strict=True)]


def _difference(fn, inputs, moved, step, eps, index):
    with _written(moved) as (before, write):
        write(before - step)
        low = _values(fn(*inputs))
        write(before + step)
        high = _values(fn(*inputs))
    on = "" if index is None else f"on index {index} "
    for a, b in zip(low, high, strict=True):
        for what in ("shape", "dtype"):
            one, other = getattr(a[0], what), getattr(b[0], what)
            if one != other:
                raise AssertionError(
                    f"Expected `func` to return outputs with the same {what} when inputs are perturbed {on}by {eps}, "
                    f"but got: {what}s {one} and {other}."
                )
    return [(b[1] - a[1]).reshape(-1) / (2 * eps) for a, b in zip(low, high, strict=True)]


@contextlib.contextmanager
def _written(x):
    """A context with (x's values, a function that writes others into its memory); they are put back at its end."""
    # torch: the function may have got hold of x elsewhere, so that x itself changes and no copy of it.
    memory, before = x.data, np.array(host(x))

    def write(values):
        memory.copy_(from_host(values.astype(before.dtype), aval(x).dtype, x.device))

    try:
        yield before, write
    finally:
        write(before)


def _values(outputs):
    # read at once: each evaluation is the same program, of which only the input changes.
    return [(out, np.array(host(out))) for out in as_tuple(outputs) if is_floating(out)]
