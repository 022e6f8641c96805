"""MViT (Fan et al. 2021, arXiv:2104.11227) and MViTv2 (Li et al. 2021, arXiv:2112.01526)."""

from functools import partial

from jtorch import nn
from jtorch.api.creation import zeros
from jtorch.vision.models._utils import builder, cat, named
from jtorch.vision.models._weights import published
from jtorch.vision.models.video._multiscale import MSBlockConfig, MultiscaleBlock

__all__ = ["MViT", "MViT_V1_B_Weights", "mvit_v1_b", "MViT_V2_S_Weights", "mvit_v2_s"]


class PositionalEncoding(nn.Module):
    """Puts a class token in front of the patches, and adds where each is, unless attention does by distances."""

    def __init__(self, embed_size: int, spatial_size, temporal_size: int, rel_pos_embed: bool) -> None:
        super().__init__()
        self.spatial_size = spatial_size
        self.temporal_size = temporal_size
        self.class_token = nn.Parameter(zeros(embed_size))
        self.spatial_pos = self.temporal_pos = self.class_pos = None
        if not rel_pos_embed:
            self.spatial_pos = nn.Parameter(zeros(spatial_size[0] * spatial_size[1], embed_size))
            self.temporal_pos = nn.Parameter(zeros(temporal_size, embed_size))
            self.class_pos = nn.Parameter(zeros(embed_size))

    def forward(self, x):
        x = cat([self.class_token.expand(x.size(0), -1).unsqueeze(1), x], 1)
        if self.spatial_pos is None:
            return x
        places = (self.temporal_pos[:, None] + self.spatial_pos).flatten(0, 1)
        return x + cat([self.class_pos[None], places], 0)


class MViT(nn.Module):
    """A transformer over the patches of a clip, fewer and wider from block to block.

    Shape: (N, 3, T, H, W) -> (N, num_classes), of the sizes it was made for. residual_pool: pooled queries are added to
    what attention gives, the class token's only with residual_with_cls_embed. rel_pos_embed: places by distances.
    Raises: ValueError for no blocks.
    """

    def __init__(
        self, spatial_size, temporal_size: int, block_setting, residual_pool: bool, residual_with_cls_embed: bool,
        rel_pos_embed: bool, proj_after_attn: bool, dropout: float = 0.5, attention_dropout: float = 0.0,
        stochastic_depth_prob: float = 0.0, num_classes: int = 400, block=None, norm_layer=None,
        patch_embed_kernel=(3, 7, 7), patch_embed_stride=(2, 4, 4), patch_embed_padding=(1, 3, 3),
    ) -> None:  # fmt: skip
        super().__init__()
        if len(block_setting) == 0:
            raise ValueError("The configuration parameter can't be empty.")
        block, norm_layer = block or MultiscaleBlock, norm_layer or partial(nn.LayerNorm, eps=1e-6)
        width = block_setting[0].input_channels
        self.conv_proj = nn.Conv3d(3, width, patch_embed_kernel, patch_embed_stride, patch_embed_padding)
        size = [n // stride for n, stride in zip((temporal_size, *spatial_size), self.conv_proj.stride, strict=True)]
        self.pos_encoding = PositionalEncoding(width, (size[1], size[2]), size[0], rel_pos_embed)
        self.blocks = nn.ModuleList()
        for i, cnf in enumerate(block_setting):
            self.blocks.append(
                block(
                    input_size=size, cnf=cnf, residual_pool=residual_pool,
                    residual_with_cls_embed=residual_with_cls_embed, rel_pos_embed=rel_pos_embed,
                    proj_after_attn=proj_after_attn, dropout=attention_dropout, norm_layer=norm_layer,
                    stochastic_depth_prob=stochastic_depth_prob * i / (len(block_setting) - 1.0),
                )
            )  # fmt: skip
            if len(cnf.stride_q):
                size = [n // stride for n, stride in zip(size, cnf.stride_q, strict=True)]
        last = block_setting[-1].output_channels
        self.norm = norm_layer(last)
        self.head = nn.Sequential(nn.Dropout(dropout, inplace=True), nn.Linear(last, num_classes))
        self._draw()

    def _draw(self):
        for m in self.modules():
            if isinstance(m, nn.Linear):
                nn.init.trunc_normal_(m.weight, std=0.02)
                nn.init.zeros_(m.bias)
            elif isinstance(m, nn.LayerNorm):
                nn.init.ones_(m.weight)
                nn.init.zeros_(m.bias)
            elif isinstance(m, PositionalEncoding):
                for weights in m.parameters():
                    nn.init.trunc_normal_(weights, std=0.02)

    def forward(self, x):
        x = x.unsqueeze(2) if x.dim() == 4 else x
        x = self.pos_encoding(self.conv_proj(x).flatten(2).transpose(1, 2))
        thw = (self.pos_encoding.temporal_size, *self.pos_encoding.spatial_size)
        for block in self.blocks:
            x, thw = block(x, thw)
        return self.head(self.norm(x)[:, 0])


def _blocks(heads, inputs, outputs, kernels_q, strides_q, strides_kv):
    """The configurations of blocks, from a list per attribute."""
    columns = zip(heads, inputs, outputs, kernels_q, strides_q, strides_kv, strict=True)
    return [MSBlockConfig(n, i, o, kq, [3, 3, 3], sq, [1, s, s]) for n, i, o, kq, sq, s in columns]


def _mvit(blocks, **kwargs):
    options = {"residual_pool": False, "residual_with_cls_embed": False, "rel_pos_embed": False,
               "proj_after_attn": False, "stochastic_depth_prob": 0.2, "spatial_size": (224, 224),
               "temporal_size": 16}  # fmt: skip
    return MViT(block_setting=blocks, **options | kwargs)


def _sized(kwargs, weights):
    named(kwargs, "spatial_size", weights.meta["min_size"])
    named(kwargs, "temporal_size", weights.meta["min_temporal_size"])


_HEADS = [1, 2, 2, *[4] * 11, 8, 8]
_STRIDES_KV = [8, 4, 4, *[2] * 11, 1, 1]
_HALVED = [1, 2, 2]

MViT_V1_B_Weights = published("MViT_V1_B_Weights", __name__)
MViT_V2_S_Weights = published("MViT_V2_S_Weights", __name__)


@builder(MViT_V1_B_Weights, old="KINETICS400_V1", prepare=_sized)
def mvit_v1_b(**kwargs):
    """MViTv1, base."""
    halving = [_HALVED if i in (1, 3, 14) else [] for i in range(16)]
    kernels = [[3, 3, 3] if stride else [] for stride in halving]
    inputs, outputs = [96, 192, 192, *[384] * 11, 768, 768], [192, 192, *[384] * 11, 768, 768, 768]
    return _mvit(_blocks(_HEADS, inputs, outputs, kernels, halving, _STRIDES_KV), **kwargs)


@builder(MViT_V2_S_Weights, old="KINETICS400_V1", prepare=_sized)
def mvit_v2_s(**kwargs):
    """MViTv2, small."""
    halving = [_HALVED if i in (1, 3, 14) else [1, 1, 1] for i in range(16)]
    inputs, outputs = [96, 96, 192, 192, *[384] * 11, 768], [96, 192, 192, *[384] * 11, 768, 768]
    blocks = _blocks(_HEADS, inputs, outputs, [[3, 3, 3]] * 16, halving, _STRIDES_KV)
    return _mvit(blocks, **{"residual_pool": True, "rel_pos_embed": True, "proj_after_attn": True} | kwargs)
