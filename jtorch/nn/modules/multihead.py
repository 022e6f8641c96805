"""Attention of several heads between linear maps, as a layer; torch has it beside the activations."""

from jtorch.api.creation import empty
from jtorch.nn import functional as F
from jtorch.nn import init
from jtorch.nn.modules.linear import NonDynamicallyQuantizableLinear
from jtorch.nn.modules.module import Module
from jtorch.nn.parameter import Parameter


class MultiheadAttention(Module):
    """softmax(q kᵀ / √d) v in `num_heads` subspaces of width d, between linear maps: (result, weights or None).

    Shape: query (L, N, embed_dim), key (S, N, kdim), value (S, N, vdim), or without N, or N first with batch_first
    -> (L, N, embed_dim) likewise, and weights (N, L, S), or (N, num_heads, L, S) with average_attn_weights=False.
    Masks are True where a key may not be looked at, or numbers added to the scores.
    Attributes: in_proj_weight (3·embed_dim, embed_dim), or q_, k_ and v_proj_weight where kdim or vdim differ;
    in_proj_bias (3·embed_dim,), out_proj, and with add_bias_kv one more key and value, bias_k and bias_v.
    Raises: ValueError for widths that are not positive, AssertionError where the heads do not divide embed_dim.
    Paper: Vaswani et al. 2017, https://arxiv.org/abs/1706.03762
    """

    __constants__ = ["batch_first"]

    def __init__(
        self, embed_dim, num_heads, dropout=0.0, bias=True, add_bias_kv=False, add_zero_attn=False, kdim=None,
        vdim=None, batch_first=False, device=None, dtype=None,
    ) -> None:  # fmt: skip
        if embed_dim <= 0 or num_heads <= 0:
            raise ValueError(
                f"embed_dim and num_heads must be greater than 0, got embed_dim={embed_dim} and num_heads={num_heads} "
                "instead"
            )
        super().__init__()
        self.embed_dim = embed_dim
        self.kdim = embed_dim if kdim is None else kdim
        self.vdim = embed_dim if vdim is None else vdim
        self._qkv_same_embed_dim = self.kdim == embed_dim and self.vdim == embed_dim
        self.num_heads = num_heads
        self.dropout = dropout
        self.batch_first = batch_first
        self.head_dim = embed_dim // num_heads
        if self.head_dim * num_heads != embed_dim:
            raise AssertionError("embed_dim must be divisible by num_heads")
        kind = {"device": device, "dtype": dtype}
        self._make_maps(bias, kind)
        self.out_proj = NonDynamicallyQuantizableLinear(embed_dim, embed_dim, bias=bias, **kind)
        if add_bias_kv:
            self.bias_k = Parameter(empty((1, 1, embed_dim), **kind))
            self.bias_v = Parameter(empty((1, 1, embed_dim), **kind))
        else:
            self.bias_k = self.bias_v = None
        self.add_zero_attn = add_zero_attn
        self._reset_parameters()

    def _make_maps(self, bias, kind):
        shapes = {
            "q_proj_weight": (self.embed_dim, self.embed_dim),
            "k_proj_weight": (self.embed_dim, self.kdim),
            "v_proj_weight": (self.embed_dim, self.vdim),
            "in_proj_weight": (3 * self.embed_dim, self.embed_dim),
        }
        used = ["in_proj_weight"] if self._qkv_same_embed_dim else list(shapes)[:3]
        for name in sorted(shapes, key=lambda name: name not in used):
            self.register_parameter(name, Parameter(empty(shapes[name], **kind)) if name in used else None)
        self.register_parameter("in_proj_bias", Parameter(empty(3 * self.embed_dim, **kind)) if bias else None)

    def _reset_parameters(self):
        for weight in (self.in_proj_weight, self.q_proj_weight, self.k_proj_weight, self.v_proj_weight):
            if weight is not None:
                init.xavier_uniform_(weight)
        if self.in_proj_bias is not None:
            init.constant_(self.in_proj_bias, 0.0)
            init.constant_(self.out_proj.bias, 0.0)
        for extra in (self.bias_k, self.bias_v):
            if extra is not None:
                init.xavier_normal_(extra)

    def __setstate__(self, state):
        # torch: modules pickled by version 1.1 had no such mark.
        super().__setstate__({"_qkv_same_embed_dim": True, **state})

    def forward(
        self, query, key, value, key_padding_mask=None, need_weights: bool = True, attn_mask=None,
        average_attn_weights: bool = True, is_causal: bool = False,
    ):  # fmt: skip
        batched = query.dim() == 3
        key_padding_mask = F._canonical_mask(
            key_padding_mask, "key_padding_mask", F._none_or_dtype(attn_mask), "attn_mask", query.dtype
        )
        attn_mask = F._canonical_mask(attn_mask, "attn_mask", None, "", query.dtype, check_other=False)
        if self.batch_first and batched:
            query, key, value = (x.transpose(1, 0) for x in (query, key, value))
        out, weights = F.multi_head_attention_forward(
            query, key, value, self.embed_dim, self.num_heads, self.in_proj_weight, self.in_proj_bias, self.bias_k,
            self.bias_v, self.add_zero_attn, self.dropout, self.out_proj.weight, self.out_proj.bias,
            training=self.training, key_padding_mask=key_padding_mask, need_weights=need_weights, attn_mask=attn_mask,
            use_separate_proj_weight=not self._qkv_same_embed_dim, q_proj_weight=self.q_proj_weight,
            k_proj_weight=self.k_proj_weight, v_proj_weight=self.v_proj_weight,
            average_attn_weights=average_attn_weights, is_causal=is_causal,
        )  # fmt: skip
        return (out.transpose(1, 0) if self.batch_first and batched else out), weights

    def merge_masks(self, attn_mask, key_padding_mask, query):
        """Both masks as one, and its kind: 1 for the padding alone, 2 for (N, num_heads, L, L), None for no mask."""
        if attn_mask is None:
            return key_padding_mask, None if key_padding_mask is None else 1
        batch, length, _ = query.shape
        if attn_mask.dim() == 3:
            merged = attn_mask.view(batch, -1, length, length)
        else:
            merged = attn_mask.view(1, 1, length, length).expand(batch, self.num_heads, -1, -1)
        if key_padding_mask is not None:
            padding = key_padding_mask.view(batch, 1, 1, length).expand(-1, self.num_heads, -1, -1)
            merged = merged + padding
        return merged, 2
