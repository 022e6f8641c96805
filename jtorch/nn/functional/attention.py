"""Attention as functions."""

from jtorch import _tensor
from jtorch.autograd.apply import apply
from jtorch.ops.op import TABLE, Lift
from jtorch.rng import generator as generators

__all__ = ["scaled_dot_product_attention"]


def scaled_dot_product_attention(query, key, value, attn_mask=None, dropout_p=0.0, is_causal=False, scale=None,
                                 enable_gqa=False):  # fmt: skip
    """softmax(query keyᵀ · scale) value (arXiv:1706.03762). Shape: (*, t, d), (*, s, d), (*, s, e) -> (*, t, e).

    attn_mask: True where a query may look, or numbers added to the scores. scale: 1 / √d unless given.
    enable_gqa: key and value may have fewer heads than query, each shared by several.
    """
    if not enable_gqa:
        _check_heads(query, key, value)
    if not dropout_p:
        return apply(TABLE["attention"], (query, key, value, attn_mask), (is_causal, scale))
    seeds = [Lift(x) for x in generators.default_for(_tensor.aval(query).device).advance()]
    return apply(TABLE["attention_dropout"], (query, key, value, attn_mask, *seeds), (dropout_p, is_causal, scale))


def _check_heads(query, key, value):
    heads = [x.shape[-3] if x.ndim > 3 else 1 for x in map(_tensor.aval, (query, key, value))]
    for dim, found in ((-3, heads),):
        first, *rest = found
        if any(n not in (1, first) for n in rest) and first != 1:
            other = next(n for n in rest if n not in (1, first))
            raise RuntimeError(
                f"The size of tensor a ({first}) must match the size of tensor b ({other}) at non-singleton dimension "
                f"{_tensor.aval(query).ndim + dim}"
            )
