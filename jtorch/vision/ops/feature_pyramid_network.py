"""Feature pyramids: maps of all scales that know what the coarser ones saw (arXiv:1612.03144)."""

from collections import OrderedDict

from jtorch import nn
from jtorch.nn import functional as F
from jtorch.vision.ops.misc import Conv2dNormActivation

__all__ = ["ExtraFPNBlock", "FeaturePyramidNetwork", "LastLevelMaxPool", "LastLevelP6P7"]


class ExtraFPNBlock(nn.Module):
    """What adds maps to a pyramid: (its maps, the net's maps, names) -> (maps, names)."""

    def forward(self, results, x, names):
        pass


def _draw(modules):
    for m in modules:
        if isinstance(m, nn.Conv2d):
            nn.init.kaiming_uniform_(m.weight, a=1)
            if m.bias is not None:
                nn.init.zeros_(m.bias)


def rename_old_keys(state_dict, renamed):
    """Give what a state dict has under old keys its new ones. renamed: pairs (old, new), without weight and bias."""
    for old, new in renamed:
        for kind in ("weight", "bias"):
            if f"{old}.{kind}" in state_dict:
                state_dict[f"{new}.{kind}"] = state_dict.pop(f"{old}.{kind}")


class FeaturePyramidNetwork(nn.Module):
    """Each map made as wide as all, plus the coarser one. Shape: {name: (N, C_i, H, W)} -> {name: (N, C, H, W)}.

    in_channels_list: the widths of the maps, from fine to coarse; extra_blocks: an ExtraFPNBlock that adds more.
    Raises: ValueError for a width of 0, TypeError for other extra blocks.
    """

    _version = 2

    def __init__(self, in_channels_list: list[int], out_channels: int, extra_blocks=None, norm_layer=None):
        super().__init__()
        self.inner_blocks = nn.ModuleList()
        self.layer_blocks = nn.ModuleList()
        for width in in_channels_list:
            if width == 0:
                raise ValueError("in_channels=0 is currently not supported")
            plain = {"norm_layer": norm_layer, "activation_layer": None}
            self.inner_blocks.append(Conv2dNormActivation(width, out_channels, 1, padding=0, **plain))
            self.layer_blocks.append(Conv2dNormActivation(out_channels, out_channels, 3, **plain))
        _draw(self.modules())
        if extra_blocks is not None and not isinstance(extra_blocks, ExtraFPNBlock):
            raise TypeError(f"extra_blocks should be of type ExtraFPNBlock not {type(extra_blocks)}")
        self.extra_blocks = extra_blocks

    def _load_from_state_dict(self, state_dict, prefix, local_metadata, *args):
        if (local_metadata.get("version") or 0) < 2:
            old = [
                f"{prefix}{kind}.{i}"
                for kind in ("inner_blocks", "layer_blocks")
                for i in range(len(self.inner_blocks))
            ]
            rename_old_keys(state_dict, [(key, f"{key}.0") for key in old])
        super()._load_from_state_dict(state_dict, prefix, local_metadata, *args)

    def get_result_from_inner_blocks(self, x, idx: int):
        """What an inner block makes of a map."""
        return self.inner_blocks[idx](x)

    def get_result_from_layer_blocks(self, x, idx: int):
        """What a layer block makes of a map."""
        return self.layer_blocks[idx](x)

    def forward(self, x):
        names, maps = list(x), list(x.values())
        above = self.inner_blocks[-1](maps[-1])
        results = [self.layer_blocks[-1](above)]
        for i in range(len(maps) - 2, -1, -1):
            beside = self.inner_blocks[i](maps[i])
            above = beside + F.interpolate(above, size=beside.shape[-2:], mode="nearest")
            results.insert(0, self.layer_blocks[i](above))
        if self.extra_blocks is not None:
            results, names = self.extra_blocks(results, maps, names)
        return OrderedDict(zip(names, results, strict=False))


class LastLevelMaxPool(ExtraFPNBlock):
    """One more map: every second place of the coarsest."""

    def forward(self, x, y, names):
        names.append("pool")
        x.append(F.max_pool2d(x[-1], kernel_size=1, stride=2, padding=0))
        return x, names


class LastLevelP6P7(ExtraFPNBlock):
    """Two more maps by strided convolutions (arXiv:1708.02002)."""

    def __init__(self, in_channels: int, out_channels: int):
        super().__init__()
        self.p6 = nn.Conv2d(in_channels, out_channels, 3, 2, 1)
        self.p7 = nn.Conv2d(out_channels, out_channels, 3, 2, 1)
        _draw([self.p6, self.p7])
        self.use_P5 = in_channels == out_channels

    def forward(self, p, c, names):
        p6 = self.p6(p[-1] if self.use_P5 else c[-1])
        p.extend([p6, self.p7(F.relu(p6))])
        names.extend(["p6", "p7"])
        return p, names
