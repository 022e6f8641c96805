"""Causal biases of scaled_dot_product_attention that need not be made as tensors."""

import enum

from jtorch._tensor import Tensor
from jtorch.api.creation import ones
from jtorch.devices import Device
from jtorch.dtypes import bool_
from jtorch.errors import warn
from jtorch.nn import functional as F

__all__ = ["CausalBias", "CausalVariant", "causal_lower_right", "causal_upper_left"]


class CausalVariant(enum.IntEnum):
    """Which corner the triangle of a causal bias is laid into."""

    UPPER_LEFT = 1
    LOWER_RIGHT = 2


class CausalBias(Tensor):
    """Which keys each query may look at: those up to its own place, counted from the first or from the last.

    Warns of more queries than keys counted from the last: the first of them look at nothing.
    """

    def __init__(self, variant, seq_len_q, seq_len_kv):
        if not isinstance(variant, CausalVariant):
            raise AssertionError(f"variant must be a CausalVariant, got {type(variant).__name__}")
        self.variant, self.seq_len_q, self.seq_len_kv = variant, seq_len_q, seq_len_kv
        if seq_len_q > seq_len_kv and variant == CausalVariant.LOWER_RIGHT:
            warn("Lower right causal bias will produce NaNs in the output when seq_len_q > seq_len_kv!")

    def __new__(cls, variant=None, seq_len_q=None, seq_len_kv=None):
        return super().__new__(cls)

    def _materialize(self, device=None):
        """The bias as a tensor of bools: True where a query may look. Shape: (seq_len_q, seq_len_kv)."""
        lower = self.variant == CausalVariant.LOWER_RIGHT
        made = ones(self.seq_len_q, self.seq_len_kv, device=device or Device("cpu"), dtype=bool_)
        return made.tril(self.seq_len_kv - self.seq_len_q if lower else 0)

    @staticmethod
    def _dispatch(
        query, key, value, attn_mask, dropout_p=0.0, is_causal=False, scale=None, enable_gqa=False
    ):  # fmt: skip
        """scaled_dot_product_attention under a causal bias. Raises ValueError where is_causal is given too."""
        if is_causal:
            raise ValueError("CausalBias should not be used with causal=True")
        options = {"dropout_p": dropout_p, "scale": scale, "enable_gqa": enable_gqa}
        square = attn_mask.seq_len_q == attn_mask.seq_len_kv
        if square or attn_mask.variant == CausalVariant.UPPER_LEFT:
            return F.scaled_dot_product_attention(query, key, value, is_causal=True, **options)
        made = attn_mask._materialize(query.device)
        return F.scaled_dot_product_attention(query, key, value, attn_mask=made, **options)

    @classmethod
    def __torch_function__(cls, func, types, args=(), kwargs=None):
        if func is F.scaled_dot_product_attention:
            return cls._dispatch(*args, **(kwargs or {}))
        return super().__torch_function__(func, types, args, kwargs or {})

    def __repr__(self):
        return repr(self._materialize())


def causal_upper_left(*size):
    """A causal bias of (queries, keys), counted from the first key. Raises AssertionError for other sizes."""
    if len(size) != 2:
        raise AssertionError("causal_upper_left only supports 2D tensors")
    return CausalBias(CausalVariant.UPPER_LEFT, *size)


def causal_lower_right(*size):
    """A causal bias of (queries, keys), counted back from the last key. Raises AssertionError for other sizes."""
    if len(size) != 2:
        raise AssertionError("causal_lower_right only supports 2D tensors")
    return CausalBias(CausalVariant.LOWER_RIGHT, *size)
