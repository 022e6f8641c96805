"""Ops on the bits of whole numbers: and, or, xor, not, shifts. On bool they are logical."""

import numpy as np
from jax import lax
from jax import numpy as jnp

from jtorch import dtypes
from jtorch.ops.op import Array, Operand, op
from jtorch.shapes import normalize_dims


def _whole(kernel):
    shift = "shift" in kernel
    return dtypes.within(f"{kernel}_cpu", dtypes.INT if shift else dtypes.BOOL, dtypes.INT, bare=not shift)


@op("bitwise_and", rule=_whole("bitwise_and"), method=True, inplace=True, out=True, operator="and")
def bitwise_and(input: Operand, other: Operand):
    """The bits that both have. Shape: broadcast. Raises NotImplementedError for floats."""
    return input & other


@op("bitwise_or", rule=_whole("bitwise_or"), method=True, inplace=True, out=True, operator="or")
def bitwise_or(input: Operand, other: Operand):
    """The bits that either has. Shape: broadcast. Raises NotImplementedError for floats."""
    return input | other


@op("bitwise_xor", rule=_whole("bitwise_xor"), method=True, inplace=True, out=True, operator="xor")
def bitwise_xor(input: Operand, other: Operand):
    """The bits that one has and the other has not. Shape: broadcast. Raises NotImplementedError for floats."""
    return input ^ other


@op("bitwise_not", method=True, inplace=True, out=True, operator="invert", follows=True)
def bitwise_not(input: Array):
    """All bits flipped; not, on bool. Shape: any -> the same. Raises TypeError for floats."""
    if not (input.dtype == bool or jnp.issubdtype(input.dtype, jnp.integer)):
        raise TypeError("~ (operator.invert) is only implemented on integer and Boolean-type tensors")
    return ~input


def _shift_range(input, other):
    """The dtype's bits, and where a shift by other is defined in torch."""
    bits = jnp.iinfo(input.dtype).bits
    return bits, (other >= 0) & (other < bits)


@op("bitwise_left_shift", rule=_whole("lshift"), method=True, inplace=True, out=True, operator="lshift")
def bitwise_left_shift(input: Operand, other: Operand):
    """input · 2^other. Shape: broadcast. Raises NotImplementedError for floats and bool."""
    _, defined = _shift_range(input, other)
    return jnp.where(defined, lax.shift_left(*jnp.broadcast_arrays(input, other)), 0)


@op("bitwise_right_shift", rule=_whole("rshift"), method=True, inplace=True, out=True, operator="rshift")
def bitwise_right_shift(input: Operand, other: Operand):
    """input / 2^other, rounded down. Shape: broadcast. Raises NotImplementedError for floats and bool."""
    bits, defined = _shift_range(input, other)
    shifted = jnp.right_shift(input, jnp.where(defined, other, bits - 1).astype(input.dtype))
    # torch: shifting out every bit leaves the sign.
    return shifted if jnp.issubdtype(input.dtype, jnp.signedinteger) else jnp.where(defined, shifted, 0)


@op("hash_tensor", method=True, out=True, differentiable=False)
def hash_tensor(input: Array, dim=None, *, keepdim=False, mode=0):
    """The exclusive or along dims, of all elements where none is given, of their bits as 64-bit floats or integers.

    Shape: the input's without these dims, uint64. Raises IndexError for a dim without elements.
    """
    if mode:
        raise RuntimeError(f"Unknown hash_tensor mode: {mode}")
    dims = normalize_dims(dim, input.ndim)
    for d in dims if dim not in (None, ()) else ():
        if input.ndim and not input.shape[d]:
            raise IndexError(f"hash_tensor: Expected reduction dim {d} to have non-zero size.")
    if jnp.iscomplexobj(input):
        raise dtypes.no_kernel("xor_sum_cpu", dtypes.from_numpy(input.dtype))
    wide = input.astype(np.float64 if jnp.issubdtype(input.dtype, jnp.floating) else np.int64)
    bits = lax.bitcast_convert_type(wide, np.uint64)
    found = lax.reduce(bits, np.uint64(0), lax.bitwise_xor, dims)
    return jnp.expand_dims(found, dims) if keepdim else found
