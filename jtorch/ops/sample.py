"""What dropout multiplies with, and the masks that accelerators draw for it."""

import jax.numpy as jnp

from jtorch.ops.op import FIRST, Array, Arrays, DType, Input, Scalar, op
from jtorch.rng.device import bernoulli, key


@op("draw_mask", door=None, differentiable=False)
def draw_mask(seed_hi: Input, seed_lo: Input, counter: Input, *, p, size):
    """True with probability p, from a JAX key. Shape: size, bool."""
    return bernoulli(key(seed_hi, seed_lo, counter), p, size)


@op("pick", door=None, differentiable=False)
def pick(mask: Array, one: Scalar, zero: Scalar, *, dtype: DType):
    """`one` where the mask is True, else `zero`. Shape: any -> the same."""
    return jnp.where(mask, jnp.asarray(one).astype(dtype), jnp.asarray(zero).astype(dtype))


@op("native_dropout", door=None, grad_name=("NativeDropoutBackward0", 0), follows=FIRST)
def native_dropout(input: Array, mask: Array, scale: Scalar):
    """input where the mask is True, scaled; else 0. Shape: any, twice -> the same."""
    return input * mask.astype(input.dtype) * jnp.asarray(scale).astype(input.dtype)


@op("drawn", door=None, grad_name=lambda operands, attrs: (attrs[1], *range(attrs[0])))
def drawn(operands: Arrays, numbers: Array, *, shown):
    """Numbers drawn from operands, to which they give no gradient. shown: the name of torch's node."""
    return numbers


def _refused(operands, attrs):
    return "NotImplemented", *range(attrs[0])


@op("drawn_underived", door=None, grad_name=_refused, saves=("result",))
def drawn_underived(operands: Arrays, numbers: Array, *, function):
    """Numbers drawn from operands by a function whose gradient torch refuses."""
    return numbers


@drawn_underived.gradient
def _(grad, result, operands, numbers, function):
    raise RuntimeError(f"derivative for aten::{function} is not implemented")
