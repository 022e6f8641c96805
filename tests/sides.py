"""Inputs and results on their way between NumPy and a torch-like module: torch itself, or jtorch."""

from dataclasses import dataclass

import ml_dtypes
import numpy as np


@dataclass(frozen=True)
class const:
    """An input array that requires no gradient."""

    array: np.ndarray


def to_tensor(module, array, requires_grad=False):
    """A leaf tensor of `module`, and the tensor laid out as the NumPy array is: the leaf itself or a view of it.

    Shape: any -> the same, twice (the leaf without the array's expanded dims).
    """
    base, dims = _layout(array)
    name = base.dtype.name
    if hasattr(ml_dtypes, name):
        leaf = module.tensor(base.astype(np.float32), dtype=getattr(module, name))
    else:
        leaf = module.tensor(base)
    if requires_grad and (base.dtype.kind in "fc" or hasattr(ml_dtypes, name)):
        leaf.requires_grad_()
    laid = leaf if dims == tuple(range(base.ndim)) else leaf.permute(*dims)
    return leaf, laid if tuple(laid.shape) == array.shape else laid.expand(array.shape)


def to_numpy(module, value):
    """`value` with every tensor of `module` in it as a NumPy array; bfloat16 and float8 as ml_dtypes'."""
    if isinstance(value, module.Tensor):
        name = str(value.dtype).removeprefix("torch.")
        if hasattr(ml_dtypes, name):
            if getattr(value, "_is_zerotensor", bool)():
                value = value.clone()  # torch's zeros without memory
            # Not by way of .to(float32), which would be one more program to compile.
            numbers = np.array(value.tolist(), np.float32)
            return numbers.reshape(tuple(value.shape)).astype(getattr(ml_dtypes, name))
        return value.numpy(force=True).copy()
    if isinstance(value, dict):
        return {key: to_numpy(module, item) for key, item in value.items()}
    if isinstance(value, (tuple, list)):
        items = [to_numpy(module, item) for item in value]
        return items if isinstance(value, list) else tuple(items)
    return value


def numpy_dtype(name):
    """The NumPy dtype that holds the torch dtype called `name`."""
    return np.dtype(getattr(ml_dtypes, name, name))


def cast_floats(value, name):
    """`value` with the floating and complex arrays in it cast to the dtype called `name`."""
    if isinstance(value, const):
        return const(cast_floats(value.array, name))
    if isinstance(value, np.ndarray):
        if value.dtype.kind not in "fc" and not hasattr(ml_dtypes, value.dtype.name):
            return value
        with np.errstate(invalid="ignore", over="ignore"):
            return value.astype(numpy_dtype(name))
    if isinstance(value, dict):
        return {k: cast_floats(v, name) for k, v in value.items()}
    return type(value)(cast_floats(v, name) for v in value) if type(value) in (tuple, list) else value


def _layout(array):
    """A C-contiguous copy without expanded dims, and the order of its dims that gives back the array's."""
    if array.flags.c_contiguous:
        return array.copy(order="C"), tuple(range(array.ndim))
    once = tuple(
        slice(0, 1) if s == 0 and n > 1 else slice(None) for s, n in zip(array.strides, array.shape, strict=True)
    )
    order = sorted(range(array.ndim), key=lambda i: -abs(array.strides[i]))
    base = array[once].transpose(order).copy(order="C")
    return base, tuple(order.index(i) for i in range(array.ndim))


def fail(title, expected, actual):
    """Raise an AssertionError that shows torch's side and jtorch's."""
    __tracebackhide__ = True
    raise AssertionError(both_sides(title, expected, actual))


def both_sides(title, expected, actual):
    return f"{title}\n--- torch\n{expected}\n--- jtorch\n{actual}"
