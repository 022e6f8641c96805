"""Swin Transformer (Liu et al. 2021, arXiv:2103.14030) and V2 (2022, arXiv:2111.09883)."""

import math
from functools import partial

import numpy as np

from jtorch import nn
from jtorch._tensor import aval, from_host
from jtorch.api.construct import as_tensor
from jtorch.api.creation import full, zeros
from jtorch.nn import functional as F
from jtorch.vision.models._utils import builder, cat
from jtorch.vision.models._weights import published
from jtorch.vision.ops.misc import MLP, Permute
from jtorch.vision.ops.stochastic_depth import StochasticDepth

__all__ = [
    "SwinTransformer", "Swin_T_Weights", "Swin_S_Weights", "Swin_B_Weights", "Swin_V2_T_Weights", "Swin_V2_S_Weights",
    "Swin_V2_B_Weights", "swin_t", "swin_s", "swin_b", "swin_v2_t", "swin_v2_s", "swin_v2_b",
]  # fmt: skip


def _quarters(x):
    """Each 2 × 2 pixels as one with four times the channels. Shape: (N, H, W, C) -> (N, H / 2, W / 2, 4C)."""
    height, width = aval(x).shape[-3:-1]
    x = F.pad(x, (0, 0, 0, width % 2, 0, height % 2))
    return cat([x[..., row::2, column::2, :] for column in (0, 1) for row in (0, 1)], -1)


class PatchMerging(nn.Module):
    """Half the size, twice the channels. Shape: (N, H, W, dim) -> (N, H / 2, W / 2, 2 · dim)."""

    _normed = 4  # how many times `dim` channels the norm sees

    def __init__(self, dim: int, norm_layer=nn.LayerNorm) -> None:
        super().__init__()
        self.dim = dim
        self.reduction = nn.Linear(4 * dim, 2 * dim, bias=False)
        self.norm = norm_layer(self._normed * dim)

    def forward(self, x):
        return self.reduction(self.norm(_quarters(x)))


class PatchMergingV2(PatchMerging):
    """As PatchMerging, with the norm behind."""

    _normed = 2

    def forward(self, x):
        return self.norm(self.reduction(_quarters(x)))


def _windows(x, size):
    """Windows of an image as rows. Shape: (N, H, W, C) -> (N · windows, h · w, C)."""
    n, height, width, channels = x.shape
    down, across = height // size[0], width // size[1]
    x = x.view(n, down, size[0], across, size[1], channels).permute(0, 1, 3, 2, 4, 5)
    return x.reshape(n * down * across, size[0] * size[1], channels)


def _joined(x, n, height, width, size):
    """The windows as an image again."""
    down, across = height // size[0], width // size[1]
    x = x.view(n, down, across, size[0], size[1], -1).permute(0, 1, 3, 2, 4, 5)
    return x.reshape(n, height, width, -1)


def _seams(height, width, window, shift):
    """What is added so that pixels from opposite edges of a rolled image do not see each other.

    Shape: (windows, h · w, h · w), of 0 and -100.
    """
    part = np.zeros((height, width), np.float32)
    count = 0
    for rows in ((0, -window[0]), (-window[0], -shift[0]), (-shift[0], None)):
        for columns in ((0, -window[1]), (-window[1], -shift[1]), (-shift[1], None)):
            part[rows[0] : rows[1], columns[0] : columns[1]] = count
            count += 1
    part = part.reshape(height // window[0], window[0], width // window[1], window[1])
    part = part.transpose(0, 2, 1, 3).reshape(-1, window[0] * window[1])
    return np.where(part[:, None] == part[:, :, None], np.float32(0), np.float32(-100))


def _scores(x, qkv_weight, qkv_bias, num_heads, logit_scale):
    """(scores, values) of the words in each window; cosines where there is a scale."""
    rows, length, channels = x.shape
    if logit_scale is not None and qkv_bias is not None:
        # In V2 keys have no bias.
        third = aval(qkv_bias).shape[0] // 3
        qkv_bias = cat([qkv_bias[:third], qkv_bias[third : 2 * third] * 0, qkv_bias[2 * third :]], 0)
    qkv = F.linear(x, qkv_weight, qkv_bias)
    qkv = qkv.reshape(rows, length, 3, num_heads, channels // num_heads).permute(2, 0, 3, 1, 4)
    q, k, v = qkv[0], qkv[1], qkv[2]
    if logit_scale is None:
        return (q * (channels // num_heads) ** -0.5).matmul(k.transpose(-2, -1)), v
    cosines = F.normalize(q, dim=-1) @ F.normalize(k, dim=-1).transpose(-2, -1)
    return cosines * logit_scale.clamp(max=math.log(100.0)).exp(), v


def shifted_window_attention(
    input,
    qkv_weight,
    proj_weight,
    relative_position_bias,
    window_size: list[int],
    num_heads: int,
    shift_size: list[int],
    attention_dropout: float = 0.0,
    dropout: float = 0.0,
    qkv_bias=None,
    proj_bias=None,
    logit_scale=None,
    training: bool = True,
):
    """Attention within windows of the rolled image. Shape: (N, H, W, C) -> the same."""
    n, height, width, _ = input.shape
    right, below = -width % window_size[1], -height % window_size[0]
    x = F.pad(input, (0, 0, 0, right, 0, below))
    high, wide = height + below, width + right
    # A window as large as the image needs no shift.
    shift = [0 if w >= size else s for s, w, size in zip(shift_size, window_size, (high, wide), strict=True)]
    if sum(shift) > 0:
        x = x.roll(shifts=(-shift[0], -shift[1]), dims=(1, 2))
    x = _windows(x, window_size)
    rows, length, channels = x.shape
    scores, v = _scores(x, qkv_weight, qkv_bias, num_heads, logit_scale)
    scores = scores + relative_position_bias
    if sum(shift) > 0:
        seams = as_tensor(_seams(high, wide, window_size, shift), dtype=input.dtype, device=input.device)
        scores = scores.view(n, rows // n, num_heads, length, length) + seams.unsqueeze(1).unsqueeze(0)
        scores = scores.view(-1, num_heads, length, length)
    scores = F.dropout(F.softmax(scores, dim=-1), p=attention_dropout, training=training)
    x = scores.matmul(v).transpose(1, 2).reshape(rows, length, channels)
    x = F.dropout(F.linear(x, proj_weight, proj_bias), p=dropout, training=training)
    x = _joined(x, n, high, wide, window_size)
    if sum(shift) > 0:
        x = x.roll(shifts=(shift[0], shift[1]), dims=(1, 2))
    return x[:, :height, :width, :].contiguous()


class ShiftedWindowAttention(nn.Module):
    """Attention within windows, with a learned number for each way from pixel to pixel. Shape: (N, H, W, dim)."""

    def __init__(
        self,
        dim: int,
        window_size: list[int],
        shift_size: list[int],
        num_heads: int,
        qkv_bias: bool = True,
        proj_bias: bool = True,
        attention_dropout: float = 0.0,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        if len(window_size) != 2 or len(shift_size) != 2:
            raise ValueError("window_size and shift_size must be of length 2")
        self.window_size = window_size
        self.shift_size = shift_size
        self.num_heads = num_heads
        self.attention_dropout = attention_dropout
        self.dropout = dropout
        self.qkv = nn.Linear(dim, dim * 3, bias=qkv_bias)
        self.proj = nn.Linear(dim, dim, bias=proj_bias)
        self.define_relative_position_bias_table()
        self.define_relative_position_index()

    def define_relative_position_bias_table(self) -> None:
        """Draw the numbers."""
        h, w = self.window_size
        self.relative_position_bias_table = nn.Parameter(zeros((2 * h - 1) * (2 * w - 1), self.num_heads))
        nn.init.trunc_normal_(self.relative_position_bias_table, std=0.02)

    def define_relative_position_index(self) -> None:
        """Which number belongs to each pair of pixels."""
        h, w = self.window_size
        places = np.stack(np.meshgrid(np.arange(h), np.arange(w), indexing="ij")).reshape(2, -1)
        down, across = places[:, :, None] - places[:, None, :]
        index = (down + h - 1) * (2 * w - 1) + across + w - 1
        self.register_buffer("relative_position_index", from_host(index.reshape(-1).astype(np.int64)))

    def _bias_of(self, table):
        """The numbers of all pairs. Shape: (ways, heads) -> (1, heads, h · w, h · w)."""
        length = self.window_size[0] * self.window_size[1]
        return table[self.relative_position_index].view(length, length, -1).permute(2, 0, 1).unsqueeze(0)

    def get_relative_position_bias(self):
        """What is added to the scores. Shape: (1, heads, h · w, h · w)."""
        return self._bias_of(self.relative_position_bias_table)

    def _attend(self, x, logit_scale=None):
        return shifted_window_attention(
            x,
            self.qkv.weight,
            self.proj.weight,
            self.get_relative_position_bias(),
            self.window_size,
            self.num_heads,
            shift_size=self.shift_size,
            attention_dropout=self.attention_dropout,
            dropout=self.dropout,
            qkv_bias=self.qkv.bias,
            proj_bias=self.proj.bias,
            logit_scale=logit_scale,
            training=self.training,
        )

    def forward(self, x):
        return self._attend(x)


class ShiftedWindowAttentionV2(ShiftedWindowAttention):
    """Attention by cosines, with a small net in the place of the table."""

    def __init__(
        self,
        dim: int,
        window_size: list[int],
        shift_size: list[int],
        num_heads: int,
        qkv_bias: bool = True,
        proj_bias: bool = True,
        attention_dropout: float = 0.0,
        dropout: float = 0.0,
    ) -> None:
        super().__init__(dim, window_size, shift_size, num_heads, qkv_bias, proj_bias, attention_dropout, dropout)
        self.logit_scale = nn.Parameter(full((num_heads, 1, 1), math.log(10)))
        self.cpb_mlp = nn.Sequential(
            nn.Linear(2, 512, bias=True), nn.ReLU(inplace=True), nn.Linear(512, num_heads, bias=False)
        )
        if qkv_bias:
            self.qkv.bias.data[dim : 2 * dim].zero_()

    def define_relative_position_bias_table(self) -> None:
        """The ways from pixel to pixel, on a logarithmic scale."""
        axes = [np.arange(-(n - 1), n, dtype=np.float32) / np.float32(n - 1) * np.float32(8) for n in self.window_size]
        ways = np.stack(np.meshgrid(*axes, indexing="ij"), -1)[None]
        table = np.sign(ways) * np.log2(np.abs(ways) + np.float32(1)) / np.float32(3)
        self.register_buffer("relative_coords_table", from_host(table))

    def get_relative_position_bias(self):
        """What is added to the scores. Shape: (1, heads, h · w, h · w)."""
        return 16 * self._bias_of(self.cpb_mlp(self.relative_coords_table).view(-1, self.num_heads)).sigmoid()

    def forward(self, x):
        return self._attend(x, self.logit_scale)


class SwinTransformerBlock(nn.Module):
    """Attention and MLP, each after a norm and beside a shortcut. Shape: (N, H, W, dim) -> the same."""

    def __init__(
        self,
        dim: int,
        num_heads: int,
        window_size: list[int],
        shift_size: list[int],
        mlp_ratio: float = 4.0,
        dropout: float = 0.0,
        attention_dropout: float = 0.0,
        stochastic_depth_prob: float = 0.0,
        norm_layer=nn.LayerNorm,
        attn_layer=ShiftedWindowAttention,
    ) -> None:
        super().__init__()
        self.norm1 = norm_layer(dim)
        self.attn = attn_layer(
            dim, window_size, shift_size, num_heads, attention_dropout=attention_dropout, dropout=dropout
        )
        self.stochastic_depth = StochasticDepth(stochastic_depth_prob, "row")
        self.norm2 = norm_layer(dim)
        self.mlp = MLP(dim, [int(dim * mlp_ratio), dim], activation_layer=nn.GELU, inplace=None, dropout=dropout)
        for m in self.mlp.modules():
            if isinstance(m, nn.Linear):
                nn.init.xavier_uniform_(m.weight)
                nn.init.normal_(m.bias, std=1e-6)

    def forward(self, x):
        x = x + self.stochastic_depth(self.attn(self.norm1(x)))
        return x + self.stochastic_depth(self.mlp(self.norm2(x)))


class SwinTransformerBlockV2(SwinTransformerBlock):
    """As SwinTransformerBlock, with the norms behind attention and MLP."""

    def __init__(self, *args, attn_layer=ShiftedWindowAttentionV2, **kwargs) -> None:
        super().__init__(*args, attn_layer=attn_layer, **kwargs)

    def forward(self, x):
        x = x + self.stochastic_depth(self.norm1(self.attn(x)))
        return x + self.stochastic_depth(self.norm2(self.mlp(x)))


class SwinTransformer(nn.Module):
    """Stages of blocks whose windows shift in turn. Shape: (N, 3, H, W) -> (N, num_classes)."""

    def __init__(
        self,
        patch_size: list[int],
        embed_dim: int,
        depths: list[int],
        num_heads: list[int],
        window_size: list[int],
        mlp_ratio: float = 4.0,
        dropout: float = 0.0,
        attention_dropout: float = 0.0,
        stochastic_depth_prob: float = 0.1,
        num_classes: int = 1000,
        norm_layer=None,
        block=None,
        downsample_layer=PatchMerging,
    ) -> None:
        super().__init__()
        self.num_classes = num_classes
        block, norm_layer = block or SwinTransformerBlock, norm_layer or partial(nn.LayerNorm, eps=1e-5)
        patches = nn.Conv2d(3, embed_dim, kernel_size=tuple(patch_size), stride=tuple(patch_size))
        layers = [nn.Sequential(patches, Permute([0, 2, 3, 1]), norm_layer(embed_dim))]
        total, done = sum(depths), 0
        options = {"mlp_ratio": mlp_ratio, "dropout": dropout, "attention_dropout": attention_dropout}
        for stage, (depth, heads) in enumerate(zip(depths, num_heads, strict=True)):
            dim, blocks = embed_dim * 2**stage, []
            for i in range(depth):
                shift = [0 if i % 2 == 0 else w // 2 for w in window_size]
                chance = stochastic_depth_prob * float(done) / (total - 1)
                sizes = {"window_size": window_size, "shift_size": shift, "stochastic_depth_prob": chance}
                blocks.append(block(dim, heads, norm_layer=norm_layer, **sizes, **options))
                done += 1
            layers.append(nn.Sequential(*blocks))
            if stage < len(depths) - 1:
                layers.append(downsample_layer(dim, norm_layer))
        self.features = nn.Sequential(*layers)
        width = embed_dim * 2 ** (len(depths) - 1)
        self.norm = norm_layer(width)
        self.permute = Permute([0, 3, 1, 2])
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.flatten = nn.Flatten(1)
        self.head = nn.Linear(width, num_classes)
        for m in self.modules():
            if isinstance(m, nn.Linear):
                nn.init.trunc_normal_(m.weight, std=0.02)
                if m.bias is not None:
                    nn.init.zeros_(m.bias)

    def forward(self, x):
        x = self.permute(self.norm(self.features(x)))
        return self.head(self.flatten(self.avgpool(x)))


def _net(width, third, heads, drop, window, kwargs):
    """A net whose stages have width, 2 · width, ... channels, and `third` blocks in the third."""
    heads = [heads, 2 * heads, 4 * heads, 8 * heads]
    sizes = {"patch_size": [4, 4], "embed_dim": width, "depths": [2, 2, third, 2], "num_heads": heads}
    return SwinTransformer(**sizes, window_size=[window, window], stochastic_depth_prob=drop, **kwargs)


def _net_v2(width, third, heads, drop, kwargs):
    second = {"block": SwinTransformerBlockV2, "downsample_layer": PatchMergingV2}
    return _net(width, third, heads, drop, 8, {**second, **kwargs})


Swin_T_Weights = published("Swin_T_Weights", __name__)
Swin_S_Weights = published("Swin_S_Weights", __name__)
Swin_B_Weights = published("Swin_B_Weights", __name__)
Swin_V2_T_Weights = published("Swin_V2_T_Weights", __name__)
Swin_V2_S_Weights = published("Swin_V2_S_Weights", __name__)
Swin_V2_B_Weights = published("Swin_V2_B_Weights", __name__)


@builder(Swin_T_Weights)
def swin_t(**kwargs):
    """Swin, tiny."""
    return _net(96, 6, 3, 0.2, 7, kwargs)


@builder(Swin_S_Weights)
def swin_s(**kwargs):
    """Swin, small."""
    return _net(96, 18, 3, 0.3, 7, kwargs)


@builder(Swin_B_Weights)
def swin_b(**kwargs):
    """Swin, base."""
    return _net(128, 18, 4, 0.5, 7, kwargs)


@builder(Swin_V2_T_Weights)
def swin_v2_t(**kwargs):
    """Swin V2, tiny."""
    return _net_v2(96, 6, 3, 0.2, kwargs)


@builder(Swin_V2_S_Weights)
def swin_v2_s(**kwargs):
    """Swin V2, small."""
    return _net_v2(96, 18, 3, 0.3, kwargs)


@builder(Swin_V2_B_Weights)
def swin_v2_b(**kwargs):
    """Swin V2, base."""
    return _net_v2(128, 18, 4, 0.5, kwargs)
