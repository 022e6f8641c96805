"""The Jacobians of gradcheck as functions, which torch has deprecated."""

import functools
import warnings

import numpy as np

from jtorch._tensor import Tensor, aval, from_host
from jtorch.autograd import analytical, numerical


def _deprecated(fn):
    name = fn.__name__

    @functools.wraps(fn)
    def wrapper(*args, **kwargs):
        warnings.warn(
            f"`{name}` was part of PyTorch's private API and not meant to be exposed. We are deprecating it and it "
            "will be removed in a future version of PyTorch. If you have a specific use for this or feature request "
            "for this to be a stable API, please file us an issue at https://github.com/pytorch/pytorch/issues/new",
            FutureWarning,
            stacklevel=2,
        )
        return fn(*args, **kwargs)

    return wrapper


@_deprecated
def get_numerical_jacobian(fn, inputs, target=None, eps=1e-3, grad_out=1.0):
    """Per tensor of target (by default inputs) that requires grad the Jacobian of fn(inputs), by differences.

    Shape: (elements of the tensor, elements of fn's first output). Raises ValueError for a grad_out but 1.
    """
    if grad_out != 1.0:
        raise ValueError(
            "Expected grad_out to be 1.0. get_numerical_jacobian no longer supports values of grad_out != 1.0."
        )
    wanted = analytical.needing_grad(numerical.as_tuple(inputs if target is None else target))
    whole = lambda *given: fn(given)  # noqa: E731
    inputs = numerical.as_tuple(inputs)
    outputs = numerical.as_tuple(whole(*inputs))
    return tuple(_tensors(numerical.jacobian(whole, inputs, outputs, x, eps))[0] for x in wanted)


def get_numerical_jacobian_wrt_specific_input(fn, input_idx, inputs, outputs, eps, input=None, is_forward_ad=False):
    """Per output the Jacobian of fn(*inputs) for one input, by differences. Shape: (its elements, the output's).

    Raises AssertionError for an input that does not require grad.
    """
    x = inputs[input_idx] if input is None else input
    if not x.requires_grad:
        raise AssertionError("Expected input to have requires_grad=True")
    return _tensors(numerical.jacobian(fn, inputs, outputs, x, eps))


@_deprecated
def get_analytical_jacobian(inputs, output, nondet_tol=0.0, grad_out=1.0):
    """(per input that requires grad the Jacobian of an output by backward, and whether: two passes agree to within
    nondet_tol, the gradients have their inputs' sizes, and dtypes). Shape: (elements of the input, elements of output).

    Raises ValueError for a grad_out but 1 and for a complex output.
    """
    if grad_out != 1.0:
        raise ValueError(
            "Expected grad_out to be 1.0. get_analytical_jacobian no longer supports values of grad_out != 1.0."
        )
    if output.is_complex():
        raise ValueError(
            "Expected output to be non-complex. get_analytical_jacobian no longer supports functions that return "
            "complex outputs."
        )
    leaves = analytical.needing_grad([x for x in numerical.as_tuple(inputs) if isinstance(x, Tensor)])
    units = list(analytical.unit_vectors(aval(output).shape))
    passes = [analytical.rows(output, leaves, units) for _ in range(2)]
    one, other = (analytical.columns(rows, leaves) for rows in passes)
    found = [(g, x) for row in passes[0] for g, x in zip(row, leaves, strict=True) if g is not None]
    agree = all(not a.size or np.abs(a - b).max() <= nondet_tol for a, b in zip(one, other, strict=True))
    return (
        _tensors(one), agree, all(g.shape == x.shape for g, x in found), all(g.dtype == x.dtype for g, x in found),
    )  # fmt: skip


def _tensors(arrays):
    return tuple(from_host(np.array(a, order="C"), device="cpu") for a in arrays)
