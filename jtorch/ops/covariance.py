"""Ops that measure how rows vary together: cov and corrcoef."""

import numpy as np
from jax import numpy as jnp

from jtorch.dtypes import from_numpy
from jtorch.ops.op import Array, op, widened


def _check_weights(count, fweights, aweights):
    for name, given, kind in (("fweights", fweights, "integral"), ("aweights", aweights, "floating point")):
        if given is None:
            continue
        if given.ndim > 1:
            raise RuntimeError(
                f"cov(): expected {name} to have one or fewer dimensions but got {name} with {given.ndim} dimensions"
            )
        if given.dtype.kind not in "iu" if kind == "integral" else not jnp.issubdtype(given.dtype, jnp.floating):
            label = from_numpy(given.dtype).label
            raise RuntimeError(f"cov(): expected {name} to have {kind} dtype but got {name} with {label} dtype")
        if given.size != count:
            raise RuntimeError(
                f"cov(): expected {name} to have the same numel as there are observations in the input but got "
                f"{given.size} != {count}"
            )


@op("cov", method=True, grad_name="SqueezeBackward0")
def cov(input: Array, *, correction=1, fweights: Array | None = None, aweights: Array | None = None):
    """Covariances of the rows of a matrix whose columns are observations. Shape: (n, m) -> (n, n), (m,) -> ().

    fweights: how often each column was seen. aweights: how much each counts. Raises RuntimeError for more than 2 dims.
    """
    if input.ndim > 2:
        raise RuntimeError(
            f"cov(): expected input to have two or fewer dimensions but got an input with {input.ndim} dimensions"
        )
    rows = jnp.atleast_2d(input)
    if not jnp.issubdtype(rows.dtype, jnp.inexact):
        rows = rows.astype(np.float32)
    if aweights is not None:
        rows = rows.astype(jnp.promote_types(rows.dtype, aweights.dtype))
    _check_weights(rows.shape[1], fweights, aweights)
    real = rows.real.dtype
    # torch: weights are multiplied and added up in their own dtype.
    weights = aweights if fweights is None else fweights
    if fweights is not None and aweights is not None:
        weights = fweights.astype(aweights.dtype) * aweights
    total = rows.shape[1] if weights is None else weights.sum()
    left = total - correction
    if aweights is not None and correction:
        left = total - correction * (weights * aweights).sum() / total
    each = 1 if weights is None else weights.astype(real)
    gap = rows - (rows * each).sum(1, keepdims=True) / jnp.asarray(total, real)
    out = jnp.dot(gap * each, jnp.conj(gap).T) / jnp.maximum(left, 0).astype(real)
    return out.reshape(()) if out.size == 1 else out


@op("corrcoef", method=True, grad_name="ClampBackward1")
@widened
def corrcoef(input: Array):
    """Correlation coefficients of the rows of a matrix. Shape: (n, m) -> (n, n), (m,) -> ()."""
    c = cov.fn(input)
    if c.ndim == 0:
        return c / c
    size = jnp.sqrt(jnp.diagonal(c).real)
    return jnp.clip(c / size[:, None] / size[None], -1, 1) if not jnp.iscomplexobj(c) else c / size[:, None] / size
