"""Vision Transformer (Dosovitskiy et al. 2020, arXiv:2010.11929)."""

import math
from collections import OrderedDict
from functools import partial
from typing import Any, NamedTuple

from jtorch import nn
from jtorch.api.creation import empty, zeros
from jtorch.nn import functional as F
from jtorch.vision.models._utils import builder, cat, named
from jtorch.vision.models._weights import published
from jtorch.vision.ops.misc import MLP, Conv2dNormActivation

__all__ = [
    "VisionTransformer", "ViT_B_16_Weights", "ViT_B_32_Weights", "ViT_L_16_Weights", "ViT_L_32_Weights",
    "ViT_H_14_Weights", "vit_b_16", "vit_b_32", "vit_l_16", "vit_l_32", "vit_h_14",
]  # fmt: skip


class ConvStemConfig(NamedTuple):
    """One convolution in the place of the cutting into patches."""

    out_channels: int
    kernel_size: int
    stride: int
    norm_layer: Any = nn.BatchNorm2d
    activation_layer: Any = nn.ReLU


class MLPBlock(MLP):
    """The two linear layers of a block. Shape: (*, in_dim) -> the same."""

    _version = 2

    def __init__(self, in_dim: int, mlp_dim: int, dropout: float) -> None:
        super().__init__(in_dim, [mlp_dim, in_dim], activation_layer=nn.GELU, inplace=None, dropout=dropout)
        for m in self.modules():
            if isinstance(m, nn.Linear):
                nn.init.xavier_uniform_(m.weight)
                nn.init.normal_(m.bias, std=1e-6)

    def _load_from_state_dict(self, state_dict, prefix, local_metadata, *args):
        if (local_metadata.get("version") or 1) < 2:
            for old, new in (("linear_1", "0"), ("linear_2", "3")):
                for kind in ("weight", "bias"):
                    if f"{prefix}{old}.{kind}" in state_dict:
                        state_dict[f"{prefix}{new}.{kind}"] = state_dict.pop(f"{prefix}{old}.{kind}")
        super()._load_from_state_dict(state_dict, prefix, local_metadata, *args)


def _check_dims(input):
    if input.dim() != 3:
        raise AssertionError(f"Expected (batch_size, seq_length, hidden_dim) got {input.shape}")


_NORM = partial(nn.LayerNorm, eps=1e-6)


class EncoderBlock(nn.Module):
    """Attention and MLP, each after a norm and beside a shortcut. Shape: (N, L, hidden_dim) -> the same."""

    def __init__(
        self,
        num_heads: int,
        hidden_dim: int,
        mlp_dim: int,
        dropout: float,
        attention_dropout: float,
        norm_layer=_NORM,
    ) -> None:
        super().__init__()
        self.num_heads = num_heads
        self.ln_1 = norm_layer(hidden_dim)
        self.self_attention = nn.MultiheadAttention(hidden_dim, num_heads, attention_dropout, batch_first=True)
        self.dropout = nn.Dropout(dropout)
        self.ln_2 = norm_layer(hidden_dim)
        self.mlp = MLPBlock(hidden_dim, mlp_dim, dropout)

    def forward(self, input):
        _check_dims(input)
        x = self.ln_1(input)
        x, _ = self.self_attention(x, x, x, need_weights=False)
        x = self.dropout(x) + input
        return x + self.mlp(self.ln_2(x))


class Encoder(nn.Module):
    """Places added, then blocks and a norm. Shape: (N, L, hidden_dim) -> the same."""

    def __init__(
        self,
        seq_length: int,
        num_layers: int,
        num_heads: int,
        hidden_dim: int,
        mlp_dim: int,
        dropout: float,
        attention_dropout: float,
        norm_layer=_NORM,
    ) -> None:
        super().__init__()
        self.pos_embedding = nn.Parameter(empty(1, seq_length, hidden_dim).normal_(std=0.02))
        self.dropout = nn.Dropout(dropout)
        self.layers = nn.Sequential(
            OrderedDict(
                (
                    f"encoder_layer_{i}",
                    EncoderBlock(num_heads, hidden_dim, mlp_dim, dropout, attention_dropout, norm_layer),
                )
                for i in range(num_layers)
            )
        )
        self.ln = norm_layer(hidden_dim)

    def forward(self, input):
        _check_dims(input)
        return self.ln(self.layers(self.dropout(input + self.pos_embedding)))


class VisionTransformer(nn.Module):
    """Patches as words, with one more for the class. Shape: (N, 3, image_size, image_size) -> (N, num_classes).

    Raises: AssertionError where patches do not fill the image, and at call for images of another size.
    """

    def __init__(
        self,
        image_size: int,
        patch_size: int,
        num_layers: int,
        num_heads: int,
        hidden_dim: int,
        mlp_dim: int,
        dropout: float = 0.0,
        attention_dropout: float = 0.0,
        num_classes: int = 1000,
        representation_size: int | None = None,
        norm_layer=_NORM,
        conv_stem_configs: list[ConvStemConfig] | None = None,
    ) -> None:
        super().__init__()
        if image_size % patch_size:
            raise AssertionError("Input shape indivisible by patch size!")
        self.image_size = image_size
        self.patch_size = patch_size
        self.hidden_dim = hidden_dim
        self.mlp_dim = mlp_dim
        self.attention_dropout = attention_dropout
        self.dropout = dropout
        self.num_classes = num_classes
        self.representation_size = representation_size
        self.norm_layer = norm_layer
        if conv_stem_configs is None:
            self.conv_proj = nn.Conv2d(3, hidden_dim, kernel_size=patch_size, stride=patch_size)
        else:
            self.conv_proj = _stem(conv_stem_configs, hidden_dim)
        self.class_token = nn.Parameter(zeros(1, 1, hidden_dim))
        self.seq_length = (image_size // patch_size) ** 2 + 1
        self.encoder = Encoder(
            self.seq_length, num_layers, num_heads, hidden_dim, mlp_dim, dropout, attention_dropout, norm_layer
        )
        self.heads = nn.Sequential(_heads(hidden_dim, representation_size, num_classes))
        self._draw()

    def _draw(self):
        proj = self.conv_proj
        if isinstance(proj, nn.Conv2d):
            fan_in = proj.in_channels * proj.kernel_size[0] * proj.kernel_size[1]
            nn.init.trunc_normal_(proj.weight, std=math.sqrt(1 / fan_in))
            nn.init.zeros_(proj.bias)
        else:
            last = proj.conv_last
            nn.init.normal_(last.weight, mean=0.0, std=math.sqrt(2.0 / last.out_channels))
            nn.init.zeros_(last.bias)
        if self.representation_size is not None:
            before = self.heads.pre_logits
            nn.init.trunc_normal_(before.weight, std=math.sqrt(1 / before.in_features))
            nn.init.zeros_(before.bias)
        nn.init.zeros_(self.heads.head.weight)
        nn.init.zeros_(self.heads.head.bias)

    def _process_input(self, x):
        """The patches as words. Shape: (N, 3, H, W) -> (N, L, hidden_dim)."""
        n, _, height, width = x.shape
        for name, have in (("height", height), ("width", width)):
            if have != self.image_size:
                raise AssertionError(f"Wrong image {name}! Expected {self.image_size} but got {have}!")
        return self.conv_proj(x).reshape(n, self.hidden_dim, -1).permute(0, 2, 1)

    def forward(self, x):
        x = self._process_input(x)
        x = cat([self.class_token.expand(x.shape[0], -1, -1), x])
        return self.heads(self.encoder(x)[:, 0])


def _stem(configs, hidden_dim):
    stem, width = nn.Sequential(), 3
    for i, cnf in enumerate(configs):
        layer = Conv2dNormActivation(
            width,
            cnf.out_channels,
            cnf.kernel_size,
            cnf.stride,
            norm_layer=cnf.norm_layer,
            activation_layer=cnf.activation_layer,
        )
        stem.add_module(f"conv_bn_relu_{i}", layer)
        width = cnf.out_channels
    stem.add_module("conv_last", nn.Conv2d(width, hidden_dim, kernel_size=1))
    return stem


def _heads(hidden_dim, representation_size, num_classes):
    if representation_size is None:
        return OrderedDict(head=nn.Linear(hidden_dim, num_classes))
    return OrderedDict(
        pre_logits=nn.Linear(hidden_dim, representation_size),
        act=nn.Tanh(),
        head=nn.Linear(representation_size, num_classes),
    )


def _prepare(kwargs, weights):
    named(kwargs, "image_size", weights.meta["min_size"][0])


def _net(patch_size, num_layers, num_heads, hidden_dim, mlp_dim, image_size=224, **kwargs):
    return VisionTransformer(image_size, patch_size, num_layers, num_heads, hidden_dim, mlp_dim, **kwargs)


ViT_B_16_Weights = published("ViT_B_16_Weights", __name__)
ViT_B_32_Weights = published("ViT_B_32_Weights", __name__)
ViT_L_16_Weights = published("ViT_L_16_Weights", __name__)
ViT_L_32_Weights = published("ViT_L_32_Weights", __name__)
ViT_H_14_Weights = published("ViT_H_14_Weights", __name__)


@builder(ViT_B_16_Weights, prepare=_prepare)
def vit_b_16(**kwargs):
    """ViT-B/16."""
    return _net(16, 12, 12, 768, 3072, **kwargs)


@builder(ViT_B_32_Weights, prepare=_prepare)
def vit_b_32(**kwargs):
    """ViT-B/32."""
    return _net(32, 12, 12, 768, 3072, **kwargs)


@builder(ViT_L_16_Weights, prepare=_prepare)
def vit_l_16(**kwargs):
    """ViT-L/16."""
    return _net(16, 24, 16, 1024, 4096, **kwargs)


@builder(ViT_L_32_Weights, prepare=_prepare)
def vit_l_32(**kwargs):
    """ViT-L/32."""
    return _net(32, 24, 16, 1024, 4096, **kwargs)


@builder(ViT_H_14_Weights, prepare=_prepare, old=None)
def vit_h_14(**kwargs):
    """ViT-H/14."""
    return _net(14, 32, 16, 1280, 5120, **kwargs)


def interpolate_embeddings(
    image_size: int, patch_size: int, model_state, interpolation_mode: str = "bicubic", reset_heads: bool = False
):
    """A state dict whose places are those of another image size. reset_heads: without the heads, where they change.

    Raises ValueError for places that are no square.
    """
    places = model_state["encoder.pos_embedding"]
    n, length, width = places.shape
    if n != 1:
        raise ValueError(f"Unexpected position embedding shape: {places.shape}")
    side = image_size // patch_size
    if side**2 + 1 == length:
        return model_state
    old = math.isqrt(length - 1)
    if old * old != length - 1:
        raise ValueError(
            f"seq_length is not a perfect square! Instead got seq_length_1d * seq_length_1d = {old * old} and "
            f"seq_length = {length - 1}"
        )
    grid = places[:, 1:].permute(0, 2, 1).reshape(1, width, old, old)
    grid = F.interpolate(grid, size=side, mode=interpolation_mode, align_corners=True)
    grid = grid.reshape(1, width, side * side).permute(0, 2, 1)
    model_state["encoder.pos_embedding"] = cat([places[:, :1], grid])
    if reset_heads:
        return OrderedDict((key, value) for key, value in model_state.items() if not key.startswith("heads"))
    return model_state
