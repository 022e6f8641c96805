"""Attention as functions."""

import math
import warnings

from jtorch import _tensor, dtypes
from jtorch.api.dropping import mask
from jtorch.api.size import Size
from jtorch.api.variants import functions
from jtorch.autograd.apply import apply, filled
from jtorch.backends.sdp import check_viable
from jtorch.engine.ref import aval as aval_of
from jtorch.nn.functional.dropout import dropout
from jtorch.ops.op import TABLE
from jtorch.shapes import broadcast_shapes

__all__ = ["multi_head_attention_forward", "scaled_dot_product_attention"]


def scaled_dot_product_attention(query, key, value, attn_mask=None, dropout_p=0.0, is_causal=False, scale=None,
                                 enable_gqa=False):  # fmt: skip
    """softmax(query keyᵀ · scale) value (arXiv:1706.03762). Shape: (*, t, d), (*, s, d), (*, s, e) -> (*, t, e).

    attn_mask: True where a query may look, or numbers added to the scores. scale: 1 / √d unless given.
    enable_gqa: key and value may have fewer heads than query, each shared by several.
    """
    check_viable(_tensor.aval(query).device)
    if not enable_gqa:
        _check_heads(query, key, value)
    if not dropout_p:
        return apply(TABLE["attention"], (query, key, value, attn_mask), (is_causal, scale))
    q, k = _tensor.aval(query), _tensor.aval(key)
    batch = broadcast_shapes(q.shape[:-2], q.shape[:-2] if enable_gqa else k.shape[:-2])
    size = (*batch, *q.shape[-2:-1], *k.shape[-2:-1])
    # torch: nothing is drawn where nothing is kept.
    nothing = aval_of(size, dtypes.bool_, q.device)
    kept = mask(size, 1 - dropout_p, q.device) if dropout_p < 1 else filled(nothing, False)
    return apply(TABLE["attention_dropout"], (query, key, value, attn_mask, kept), (dropout_p, is_causal, scale))


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


def multi_head_attention_forward(query, key, value, embed_dim_to_check, num_heads, in_proj_weight, in_proj_bias, bias_k,
                                 bias_v, add_zero_attn, dropout_p, out_proj_weight, out_proj_bias, training=True,
                                 key_padding_mask=None, need_weights=True, attn_mask=None,
                                 use_separate_proj_weight=False, q_proj_weight=None, k_proj_weight=None,
                                 v_proj_weight=None, static_k=None, static_v=None, average_attn_weights=True,
                                 is_causal=False):  # fmt: skip
    """Attention of several heads between linear maps (arXiv:1706.03762): (result, weights or None).

    Shape: (L, N, E) or (L, E); two (S, N, E) or (S, E) -> (L, N, E) or (L, E); (N, L, S), or per head.
    """
    alone = _tensor.aval(query).ndim == 2
    _check_many(query, key, value, key_padding_mask, attn_mask, num_heads, alone, is_causal)
    if alone:
        query, key, value = (x.unsqueeze(1) for x in (query, key, value))
        key_padding_mask = None if key_padding_mask is None else key_padding_mask.unsqueeze(0)
    dtype = _tensor.aval(query).dtype
    other = _none_or_dtype(attn_mask)
    key_padding_mask = _canonical_mask(key_padding_mask, "key_padding_mask", other, "attn_mask", dtype)
    is_causal = is_causal and key_padding_mask is None and not need_weights
    # torch: the hint is believed, and the mask that it describes is not looked at.
    attn_mask = None if is_causal else _canonical_mask(attn_mask, "attn_mask", None, "", dtype, check_other=False)
    length, batch, width = _tensor.aval(query).shape
    if width != embed_dim_to_check:
        raise AssertionError(f"was expecting embedding dimension of {embed_dim_to_check}, but got {width}")
    if width % num_heads:
        raise AssertionError(f"embed_dim {width} not divisible by num_heads {num_heads}")
    weights = (q_proj_weight, k_proj_weight, v_proj_weight) if use_separate_proj_weight else in_proj_weight.chunk(3)
    biases = (None,) * 3 if in_proj_bias is None else in_proj_bias.chunk(3)
    q, k, v = (_linear(x, w, b) for x, w, b in zip((query, key, value), weights, biases, strict=True))
    mask = _heads_mask(attn_mask, key_padding_mask, length, batch, num_heads, _tensor.aval(k).shape[0])
    if bias_k is not None:
        k, v = (_CAT([x, b.repeat(1, batch, 1)]) for x, b in ((k, bias_k), (v, bias_v)))
    q, k, v = (x.reshape(_tensor.aval(x).shape[0], batch * num_heads, -1).transpose(0, 1) for x in (q, k, v))
    k, v = (k if static_k is None else static_k), (v if static_v is None else static_v)
    if add_zero_attn:
        k, v = (_CAT([x, x.new_zeros((batch * num_heads, 1, _tensor.aval(x).shape[2]))], 1) for x in (k, v))
    mask = _widened_mask(mask, _tensor.aval(k).shape[1])
    p = dropout_p if training else 0.0
    attend = _attended_with_shares if need_weights else _attended
    out, shares = attend(q, k, v, mask, p, batch, is_causal)
    if shares is not None and average_attn_weights:
        shares = shares.mean(1)
    out = _linear(out.transpose(0, 1).reshape(length * batch, width), out_proj_weight, out_proj_bias)
    out = out.reshape(length, batch, -1)
    return (out.squeeze(1), None if shares is None else shares.squeeze(0)) if alone else (out, shares)


def _attended(q, k, v, mask, p, batch, is_causal):
    """(values mixed, None). Shape: (N · heads, L, d), two (N · heads, S, d) -> (N · heads, L, d)."""
    if mask is not None:
        mask = mask.unsqueeze(0) if _tensor.aval(mask).shape[0] == 1 else mask.unflatten(0, (batch, -1))
    q, k, v = (x.unflatten(0, (batch, -1)) for x in (q, k, v))
    return scaled_dot_product_attention(q, k, v, mask, p, is_causal).flatten(0, 1), None


def _attended_with_shares(q, k, v, mask, p, batch, is_causal):
    """(values mixed, the shares they are mixed by). Shape: as _attended, and (N, heads, L, S)."""
    q, k = q * _tensor.aval(q).shape[-1] ** -0.5, k.transpose(1, 2)
    scores = q.bmm(k) if mask is None else mask.baddbmm(q, k)
    shares = dropout(scores.softmax(-1), p, True)
    return shares @ v, shares.unflatten(0, (batch, -1))


def _linear(x, weight, bias):
    return apply(TABLE["linear"], (x, weight, bias), ())


_CAT = functions("torch")["cat"]


def _check_many(query, key, value, key_padding_mask, attn_mask, num_heads, alone, is_causal):
    """torch's errors for ranks that do not go together."""
    rank = 2 if alone else 3
    ranks = [_tensor.aval(x).ndim for x in (query, key, value)]
    word = "unbatched (2-D)" if alone else "batched (3-D)"
    if ranks[0] not in (2, 3):
        raise AssertionError(
            f"query should be unbatched 2D or batched 3D tensor but received {ranks[0]}-D query tensor"
        )
    if ranks[1:] != [rank, rank]:
        raise AssertionError(
            f"For {word} `query`, expected `key` and `value` to be {rank}-D but found {ranks[1]}-D and {ranks[2]}-D "
            "tensors respectively"
        )
    if key_padding_mask is not None and _tensor.aval(key_padding_mask).ndim != rank - 1:
        raise AssertionError(
            f"For {word} `query`, expected `key_padding_mask` to be `None` or {rank - 1}-D but found "
            f"{_tensor.aval(key_padding_mask).ndim}-D tensor instead"
        )
    if attn_mask is not None and _tensor.aval(attn_mask).ndim not in (2, 3):
        raise AssertionError(
            f"For {word} `query`, expected `attn_mask` to be `None`, 2-D or 3-D but found "
            f"{_tensor.aval(attn_mask).ndim}-D tensor instead"
        )
    if alone and attn_mask is not None and _tensor.aval(attn_mask).ndim == 3:
        wanted = (num_heads, _tensor.aval(query).shape[0], _tensor.aval(key).shape[0])
        if _tensor.aval(attn_mask).shape != wanted:
            raise AssertionError(
                f"Expected `attn_mask` shape to be {wanted} but got {Size(_tensor.aval(attn_mask).shape)}"
            )
    if is_causal and attn_mask is None:
        raise RuntimeError(
            "Need attn_mask if specifying the is_causal hint. You may use the Transformer module method "
            "`generate_square_subsequent_mask` to create this mask."
        )


def _canonical_mask(mask, mask_name, other_type, other_name, target_type, check_other=True):
    """A mask as numbers to be added to scores: -inf where a boolean one is True.

    Raises: AssertionError for a mask of integers. Warns when the other mask is of another dtype.
    """
    if mask is None:
        return None
    dtype = _tensor.aval(mask).dtype
    if dtype is not dtypes.bool_ and not dtype.is_floating_point:
        raise AssertionError(f"only bool and floating types of {mask_name} are supported")
    if check_other and other_type is not None and dtype is not other_type:
        warnings.warn(
            f"Support for mismatched {mask_name} and {other_name} is deprecated. Use same type for both instead.",
            stacklevel=3,
        )
    if dtype is not dtypes.bool_:
        return mask
    return mask.new_zeros(_tensor.aval(mask).shape, dtype=target_type).masked_fill(mask, -math.inf)


def _none_or_dtype(input):
    return None if input is None else _tensor.aval(input).dtype


def _heads_mask(mask, padding, length, batch, num_heads, source):
    """Both masks as numbers added to the scores of each head. Shape: (N · heads or 1, L, S), or None."""
    if mask is not None:
        wanted = (length, source) if _tensor.aval(mask).ndim == 2 else (batch * num_heads, length, source)
        if _tensor.aval(mask).shape != wanted:
            raise RuntimeError(
                f"The shape of the {len(wanted)}D attn_mask is {Size(_tensor.aval(mask).shape)}, "
                f"but should be {wanted}."
            )
        mask = mask.unsqueeze(0) if len(wanted) == 2 else mask
    if padding is not None:
        for i, wanted in enumerate((batch, source)):
            found = _tensor.aval(padding).shape[i]
            if found != wanted:
                raise AssertionError(f"Expected key_padded_mask.shape[{i}] to be {wanted}, but got {found}")
        padding = padding.reshape(batch, 1, 1, source).expand(-1, num_heads, -1, -1)
        padding = padding.reshape(batch * num_heads, 1, source)
        mask = padding if mask is None else mask + padding
    return mask


def _widened_mask(mask, source):
    """The mask with room for keys that were put after the given ones, which every query may look at."""
    if mask is None or _tensor.aval(mask).shape[-1] == source:
        return mask
    a = _tensor.aval(mask)
    return _CAT([mask, mask.new_zeros((*a.shape[:-1], source - a.shape[-1]))], -1)
