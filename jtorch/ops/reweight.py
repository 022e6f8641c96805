"""Ops that rework a layer's weight: weight normalization, and the power method of spectral normalization."""

from jax import lax
from jax import numpy as jnp

from jtorch.ops.op import Array, op, widened
from jtorch.shapes import normalize_dim


def _norms(v, pow, dim):
    """p-norms over all dims but `dim`; over all for -1."""
    dims = None if dim == -1 else tuple(d for d in range(v.ndim) if d != normalize_dim(dim, v.ndim))
    size = jnp.abs(v)
    summed = jnp.sum(size * size if pow == 2 else size**pow, dims, keepdims=dims is not None)
    return jnp.sqrt(summed) if pow == 2 else summed ** (1 / pow)


def _norms_name(operands, attrs):
    dim, last = attrs[1], operands[0][1] - 1
    return "NormBackward0" if dim == -1 else "ViewBackward0" if dim in (0, last) else "TransposeBackward0"


@op("norm_except_dim", grad_name=_norms_name)
@widened
def norm_except_dim(v: Array, pow=2, dim=0):
    """p-norms over all dims but one; dim -1: over all. Shape: v -> 1 in all dims but `dim`, or () for dim -1."""
    return _norms(v, pow, dim)


def _weight_name(operands, attrs):
    return "WeightNormInterfaceBackward0" if attrs[0] in (0, operands[0][1] - 1) else "MulBackward0"


@op("_weight_norm", grad_name=_weight_name)
@widened
def _weight_norm(v: Array, g: Array, dim=0):
    """A weight of direction v and lengths g (Salimans & Kingma 2016). Shape: v; g as norm_except_dim(v, 2, dim)."""
    return v * (g / _norms(v, 2, dim))


def _unit(x, eps):
    return x / jnp.maximum(jnp.sqrt(jnp.sum(jnp.abs(x) ** 2)), eps).astype(x.dtype)


@op("power_method", door=None, differentiable=False)
@widened
def power_method(weight: Array, u: Array, v: Array, times, eps):
    """(u, v) nearer to the first singular vectors: u = unit(W v), v = unit(Wᴴ u), some times (Miyato et al. 2018).

    Shape: (h, w), (h,), (w,) -> (h,), (w,).
    """

    def once(_, vectors):
        u = _unit(lax.dot(weight, vectors[1]), eps)
        return u, _unit(lax.dot(jnp.conj(weight.T), u), eps)

    return once(0, (u, v)) if times == 1 else lax.fori_loop(0, times, once, (u, v))
