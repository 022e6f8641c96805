"""Attention between patches of a clip whose number shrinks on the way: the parts of a multiscale vision transformer."""

import math
from dataclasses import dataclass

import numpy as np

from jtorch import nn
from jtorch.api.construct import as_tensor
from jtorch.api.creation import zeros
from jtorch.functional import einsum
from jtorch.nn import functional as F
from jtorch.vision.models._utils import cat
from jtorch.vision.ops.misc import MLP
from jtorch.vision.ops.stochastic_depth import StochasticDepth


@dataclass
class MSBlockConfig:
    """One block. kernel and stride of (time, height, width): how queries, keys and values are pooled; [] if not."""

    num_heads: int
    input_channels: int
    output_channels: int
    kernel_q: list[int]
    kernel_kv: list[int]
    stride_q: list[int]
    stride_kv: list[int]


class Pool(nn.Module):
    """Pools all patches but the class token, then normalizes. Shape: (B, [heads,] 1 + T·H·W, C) and (T, H, W)."""

    def __init__(self, pool, norm, activation=None, norm_before_pool: bool = False) -> None:
        super().__init__()
        self.pool = pool
        layers = [layer for layer in (norm, activation) if layer is not None]
        self.norm_act = nn.Sequential(*layers) if layers else None
        self.norm_before_pool = norm_before_pool

    def forward(self, x, thw):
        heads = x.dim() == 4
        if x.dim() not in (3, 4):
            raise ValueError(f"Unsupported input dimension {x.shape}")
        x = x if heads else x.unsqueeze(1)
        token, x = x[:, :, :1], x[:, :, 1:].transpose(2, 3)
        batch, count, channels = x.shape[:3]
        x = x.reshape(batch * count, channels, *thw)
        if self.norm_before_pool and self.norm_act is not None:
            x = self.norm_act(x)
        x = self.pool(x)
        thw = tuple(x.shape[2:])
        x = cat([token, x.reshape(batch, count, channels, -1).transpose(2, 3)], 2)
        if not self.norm_before_pool and self.norm_act is not None:
            x = self.norm_act(x)
        return x if heads else x.squeeze(1), thw


def _stretched(embedding, count):
    """Embeddings of distances for another number of them. Shape: (n, C) -> (count, C)."""
    if embedding.shape[0] == count:
        return embedding
    rows = embedding.permute(1, 0).unsqueeze(0)
    return F.interpolate(rows, size=count, mode="linear").squeeze(0).permute(1, 0)


def _of_distances(embedding, queries, keys):
    """The embedding of the distance of each query from each key along one dim. Shape: (n, C) -> (queries, keys, C)."""
    by_query, by_key = max(keys / queries, 1.0), max(queries / keys, 1.0)
    rows, columns = np.arange(queries, dtype=np.float32), np.arange(keys, dtype=np.float32)
    at = rows[:, None] * np.float32(by_query) - (columns + np.float32(1 - keys)) * np.float32(by_key)
    return _stretched(embedding, 2 * max(queries, keys) - 1)[as_tensor(at.astype(np.int64), device=embedding.device)]


def _relative(q, q_thw, k_thw, embeddings):
    """What relative places add to the scores. Shape: q (B, n, 1 + T·H·W, C) -> (B, n, T·H·W, t·h·w)."""
    batch, heads, _, width = q.shape
    patches = q[:, :, 1:].reshape(batch, heads, *q_thw, width)
    height, breadth, time = (
        _of_distances(embedding, q_thw[dim], k_thw[dim]) for embedding, dim in zip(embeddings, (1, 2, 0), strict=True)
    )
    by_height = einsum("bythwc,hkc->bythwk", patches, height)
    by_breadth = einsum("bythwc,wkc->bythwk", patches, breadth)
    by_time = einsum("bythwc,tkc->bythwk", patches, time)
    scores = by_height[..., None, :, None] + by_breadth[..., None, None, :] + by_time[..., :, None, None]
    return scores.reshape(batch, heads, math.prod(q_thw), math.prod(k_thw))


class MultiscaleAttention(nn.Module):
    """Attention with queries, keys and values pooled first. Shape: (B, 1 + T·H·W, C) and (T, H, W) -> the same kind."""

    def __init__(
        self, input_size, embed_dim: int, output_dim: int, num_heads: int, kernel_q, kernel_kv, stride_q, stride_kv,
        residual_pool: bool, residual_with_cls_embed: bool, rel_pos_embed: bool, dropout: float = 0.0,
        norm_layer=nn.LayerNorm,
    ) -> None:  # fmt: skip
        super().__init__()
        self.embed_dim, self.output_dim, self.num_heads = embed_dim, output_dim, num_heads
        self.head_dim = output_dim // num_heads
        self.scaler = 1.0 / math.sqrt(self.head_dim)
        self.residual_pool = residual_pool
        self.residual_with_cls_embed = residual_with_cls_embed
        self.qkv = nn.Linear(embed_dim, 3 * output_dim)
        drop = [nn.Dropout(dropout, inplace=True)] if dropout > 0.0 else []
        self.project = nn.Sequential(nn.Linear(output_dim, output_dim), *drop)
        self.pool_q = self._pool(kernel_q, stride_q, norm_layer)
        self.pool_k = self._pool(kernel_kv, stride_kv, norm_layer)
        self.pool_v = self._pool(kernel_kv, stride_kv, norm_layer)
        self.rel_pos_h = self.rel_pos_w = self.rel_pos_t = None
        if rel_pos_embed:
            size = max(input_size[1:])
            sides = [size // stride[1] if len(stride) else size for stride in (stride_q, stride_kv)]
            across, along = 2 * max(sides) - 1, 2 * input_size[0] - 1
            self.rel_pos_h = nn.Parameter(zeros(across, self.head_dim))
            self.rel_pos_w = nn.Parameter(zeros(across, self.head_dim))
            self.rel_pos_t = nn.Parameter(zeros(along, self.head_dim))
            for embedding in (self.rel_pos_h, self.rel_pos_w, self.rel_pos_t):
                nn.init.trunc_normal_(embedding, std=0.02)

    def _pool(self, kernel, stride, norm_layer):
        if math.prod(kernel) <= 1 and math.prod(stride) <= 1:
            return None
        width, padding = self.head_dim, [k // 2 for k in kernel]
        conv = nn.Conv3d(width, width, kernel, stride=stride, padding=padding, groups=width, bias=False)
        return Pool(conv, norm_layer(width))

    def forward(self, x, thw):
        batch, count, _ = x.shape
        q, k, v = self.qkv(x).reshape(batch, count, 3, self.num_heads, self.head_dim).transpose(1, 3).unbind(dim=2)
        k, k_thw = (k, thw) if self.pool_k is None else self.pool_k(k, thw)
        v = v if self.pool_v is None else self.pool_v(v, thw)[0]
        q, thw = (q, thw) if self.pool_q is None else self.pool_q(q, thw)
        scores = (self.scaler * q) @ k.transpose(2, 3)
        if self.rel_pos_h is not None:
            embeddings = (self.rel_pos_h, self.rel_pos_w, self.rel_pos_t)
            scores[:, :, 1:, 1:] += _relative(q, thw, k_thw, embeddings)
        x = scores.softmax(dim=-1) @ v
        if self.residual_pool and self.residual_with_cls_embed:
            x = x + q
        elif self.residual_pool:
            x[:, :, 1:] += q[:, :, 1:]
        return self.project(x.transpose(1, 2).reshape(batch, -1, self.output_dim)), thw


class MultiscaleBlock(nn.Module):
    """Attention and an MLP beside shortcuts; the first may leave fewer patches, the second more channels."""

    def __init__(
        self, input_size, cnf: MSBlockConfig, residual_pool: bool, residual_with_cls_embed: bool,
        rel_pos_embed: bool, proj_after_attn: bool, dropout: float = 0.0, stochastic_depth_prob: float = 0.0,
        norm_layer=nn.LayerNorm,
    ) -> None:  # fmt: skip
        super().__init__()
        self.proj_after_attn = proj_after_attn
        self.pool_skip = None
        if math.prod(cnf.stride_q) > 1:
            kernel = [s + 1 if s > 1 else s for s in cnf.stride_q]
            pool = nn.MaxPool3d(kernel, stride=cnf.stride_q, padding=[k // 2 for k in kernel])
            self.pool_skip = Pool(pool, None)
        width = cnf.output_channels if proj_after_attn else cnf.input_channels
        self.norm1 = norm_layer(cnf.input_channels)
        self.norm2 = norm_layer(width)
        self.needs_transposal = isinstance(self.norm1, nn.BatchNorm1d)
        self.attn = MultiscaleAttention(
            input_size, cnf.input_channels, width, cnf.num_heads, cnf.kernel_q, cnf.kernel_kv, cnf.stride_q,
            cnf.stride_kv, residual_pool, residual_with_cls_embed, rel_pos_embed, dropout, norm_layer,
        )  # fmt: skip
        hidden = [4 * width, cnf.output_channels]
        self.mlp = MLP(width, hidden, activation_layer=nn.GELU, dropout=dropout, inplace=None)
        self.stochastic_depth = StochasticDepth(stochastic_depth_prob, "row")
        self.project = None
        if cnf.input_channels != cnf.output_channels:
            self.project = nn.Linear(cnf.input_channels, cnf.output_channels)

    def _normal(self, norm, x):
        return norm(x.transpose(1, 2)).transpose(1, 2) if self.needs_transposal else norm(x)

    def forward(self, x, thw):
        normal = self._normal(self.norm1, x)
        change, after = self.attn(normal, thw)
        if self.project is not None and self.proj_after_attn:
            x = self.project(normal)
        x = (x if self.pool_skip is None else self.pool_skip(x, thw)[0]) + self.stochastic_depth(change)
        normal = self._normal(self.norm2, x)
        if self.project is not None and not self.proj_after_attn:
            x = self.project(normal)
        return x + self.stochastic_depth(self.mlp(normal)), after
