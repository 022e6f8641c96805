"""Derivatives by autograd, row by row or column by column: what gradcheck compares with numerical ones."""

import numpy as np

from jtorch._tensor import aval, from_host, host
from jtorch.autograd import forward_ad
from jtorch.autograd.backward import grad
from jtorch.autograd.numerical import as_tuple, is_floating
from jtorch.errors import GradcheckError

_NOT_REENTRANT = """\n
NOTE: If your op relies on non-deterministic operations i.e., it is listed here:
https://pytorch.org/docs/stable/generated/torch.use_deterministic_algorithms.html
this failure might be expected.

If you are adding a new operator, please file an issue and then use one of the
workarounds. The workaround depends on how your test invokes gradcheck/gradgradcheck.
If the test
- manually invokes gradcheck/gradgradcheck, then call gradcheck/gradgradcheck
  with `nondet_tol=<tol>` as a keyword argument.
- is OpInfo-based (e.g., in test_ops_gradients.py), then modify the OpInfo for the test
  to have `gradcheck_nondet_tol=<tol>`.
- is a Module test (e.g., in common_nn.py), then modify the corresponding
  module_test entry to have `gradcheck_nondet_tol=<tol>`
"""


def needing_grad(inputs):
    """Those of the inputs that are Tensors which require grad."""
    return [x for x in inputs if getattr(x, "requires_grad", False)]


def backward(inputs, output, weights, nondet_tol, check_grad_dtypes):
    """Per input that requires grad a matrix (its elements, number of weights), by backward with each of the weights.

    weights: NumPy arrays of the output's shape. Raises GradcheckError when two passes differ by more than nondet_tol,
    or gradients have another dtype or shape than their input.
    """
    leaves = needing_grad(inputs)
    passes = [rows(output, leaves, weights) for _ in range(2)]
    one, other = (columns(found, leaves) for found in passes)
    found = [(g, x) for row in passes[0] for g, x in zip(row, leaves, strict=True) if g is not None]
    # torch: it confuses the two, and so do these errors.
    if check_grad_dtypes and any(g.shape != x.shape for g, x in found):
        raise GradcheckError("Gradient has dtype mismatch")
    if any(g.shape == x.shape and g.dtype != x.dtype for g, x in found):
        raise GradcheckError("Analytical gradient has incorrect size")
    if any(a.size and np.abs(a - b).max() > nondet_tol for a, b in zip(one, other, strict=True)):
        raise GradcheckError(
            "Backward is not reentrant, i.e., running backward with same input and grad_output multiple times gives "
            "different values, although analytical gradient matches numerical gradient."
            f"The tolerance for nondeterminism was {nondet_tol}.{_NOT_REENTRANT}"
        )
    return one


def rows(output, leaves, weights):
    """Per weight, a NumPy array of the output's shape, the gradients of the leaves."""
    given = (from_host(weight, aval(output).dtype, output.device) for weight in weights)
    return [grad(output, leaves, weight, retain_graph=True, allow_unused=True) for weight in given]


def columns(rows, leaves):
    """Per leaf a matrix (its elements, number of rows) of the gradients in the rows, 0 where there is none."""
    found = [np.zeros((x.numel(), len(rows)), aval(x).dtype.numpy) for x in leaves]
    for j, row in enumerate(rows):
        for matrix, g in zip(found, row, strict=True):
            if g is not None:
                matrix[:, j] = host(g).reshape(-1)
    return found


def forward(fn, inputs, directions, check_grad_dtypes=False):
    """Per direction the flat tangents of the floating outputs, as NumPy arrays, by forward mode.

    directions: pairs (number of the input, NumPy array of its shape). Raises GradcheckError for a tangent that is
    complex where its output is not, or the other way round.
    """
    found = []
    for at, direction in directions:
        with forward_ad.dual_level():
            tangents = [_tangent(x, direction if i == at else None) for i, x in enumerate(inputs)]
            duals = [x if t is None else forward_ad.make_dual(x.detach(), t)
                     for x, t in zip(inputs, tangents, strict=True)]  # fmt: skip
            outputs = [forward_ad.unpack_dual(out) for out in as_tuple(fn(*duals)) if is_floating(out)]
        if check_grad_dtypes and any(t is not None and t.is_complex() != out.is_complex() for out, t in outputs):
            raise GradcheckError("Forward AD gradient has dtype mismatch.")
        found.append([host(t if t is not None else out.detach() * 0).reshape(-1) for out, t in outputs])
    return found


def _tangent(x, direction):
    if not getattr(x, "requires_grad", False):
        return None
    made = np.zeros(tuple(aval(x).shape)) if direction is None else direction.reshape(tuple(aval(x).shape))
    return from_host(made, aval(x).dtype, x.device)


def unit_vectors(shape):
    """One-hot NumPy arrays of a shape, one for each element."""
    for index in np.ndindex(tuple(shape)):
        unit = np.zeros(tuple(shape))
        unit[index] = 1
        yield unit
