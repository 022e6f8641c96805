"""Channels mixed between groups."""

from jtorch.nn import functional as F
from jtorch.nn.modules.module import Module

__all__ = ["ChannelShuffle"]


class ChannelShuffle(Module):
    """Deals the channels of each group out to all groups. Shape: (N, C, *) -> the same, C a multiple of groups.

    Paper: Zhang et al. 2017, https://arxiv.org/abs/1707.01083
    """

    __constants__ = ["groups"]
    groups: int

    def __init__(self, groups: int) -> None:
        super().__init__()
        self.groups = groups

    def forward(self, input):
        return F.channel_shuffle(input, self.groups)

    def extra_repr(self) -> str:
        return f"groups={self.groups}"
