"""Padding layers: constant, mirrored, repeated and circular borders over one, two and three dimensions."""

from jtorch.nn import functional as F
from jtorch.nn.modules.module import Module
from jtorch.nn.modules.utils import _ntuple

__all__ = [
    "CircularPad1d", "CircularPad2d", "CircularPad3d", "ConstantPad1d", "ConstantPad2d", "ConstantPad3d",
    "ReflectionPad1d", "ReflectionPad2d", "ReflectionPad3d", "ReplicationPad1d", "ReplicationPad2d",
    "ReplicationPad3d", "ZeroPad1d", "ZeroPad2d", "ZeroPad3d",
]  # fmt: skip


class _Pad(Module):
    """padding: one number for all sides, or (left, right[, top, bottom[, front, back]])."""

    __constants__ = ["padding"]
    _spatial = 0  # how many dims are padded
    _mode = "constant"

    def __init__(self, padding) -> None:
        super().__init__()
        self.padding = _ntuple(2 * self._spatial)(padding)

    def forward(self, input):
        return F.pad(input, self.padding, self._mode)

    def extra_repr(self) -> str:
        return f"{self.padding}"


class _CircularPadNd(_Pad):
    _mode = "circular"

    def forward(self, input):
        n = self._spatial
        if input.dim() not in (n + 1, n + 2):
            raise ValueError(f"expected {n + 1}D or {n + 2}D input (got {input.dim()}D input)")
        return super().forward(input)


class CircularPad1d(_CircularPadNd):
    """Pads with the other end, as if the row went round. Shape: (N, C, W) or (C, W) -> (N, C, left + W + right)."""

    _spatial = 1


class CircularPad2d(_CircularPadNd):
    """CircularPad1d's rule over two dims. Shape: (N, C, H, W) or (C, H, W) -> the same with larger H and W."""

    _spatial = 2


class CircularPad3d(_CircularPadNd):
    """CircularPad1d's rule over three dims. Shape: (N, C, D, H, W) or (C, D, H, W) -> the same with larger D, H, W."""

    _spatial = 3


class _ConstantPadNd(_Pad):
    __constants__ = ["padding", "value"]

    def __init__(self, padding, value: float) -> None:
        super().__init__(padding)
        self.value = value

    def forward(self, input):
        return F.pad(input, self.padding, "constant", self.value)

    def extra_repr(self) -> str:
        return f"padding={self.padding}, value={self.value}"


class ConstantPad1d(_ConstantPadNd):
    """Pads with a value. Shape: (N, C, W) or (C, W) -> (N, C, left + W + right)."""

    _spatial = 1


class ConstantPad2d(_ConstantPadNd):
    """Pads with a value. Shape: (N, C, H, W) or (C, H, W) -> the same with larger H and W."""

    _spatial = 2


class ConstantPad3d(_ConstantPadNd):
    """Pads with a value. Shape: (N, C, D, H, W) or (C, D, H, W) -> the same with larger D, H and W."""

    _spatial = 3


class _ZeroPadNd(_ConstantPadNd):
    def __init__(self, padding) -> None:
        super().__init__(padding, 0.0)

    def extra_repr(self) -> str:
        return f"{self.padding}"


class ZeroPad1d(_ZeroPadNd, ConstantPad1d):
    """Pads with zeros. Shape: (N, C, W) or (C, W) -> (N, C, left + W + right)."""


class ZeroPad2d(_ZeroPadNd, ConstantPad2d):
    """Pads with zeros. Shape: (N, C, H, W) or (C, H, W) -> the same with larger H and W."""


class ZeroPad3d(_ZeroPadNd, ConstantPad3d):
    """Pads with zeros. Shape: (N, C, D, H, W) or (C, D, H, W) -> the same with larger D, H and W."""


class _ReflectionPadNd(_Pad):
    _mode = "reflect"


class ReflectionPad1d(_ReflectionPadNd):
    """Pads with the mirror image, without the edge. Shape: (N, C, W) or (C, W) -> (N, C, left + W + right)."""

    _spatial = 1


class ReflectionPad2d(_ReflectionPadNd):
    """Pads with the mirror image, without the edge. Shape: (N, C, H, W) or (C, H, W) -> the same, larger."""

    _spatial = 2


class ReflectionPad3d(_ReflectionPadNd):
    """Pads with the mirror image, without the edge. Shape: (N, C, D, H, W) or (C, D, H, W) -> the same, larger."""

    _spatial = 3


class _ReplicationPadNd(_Pad):
    _mode = "replicate"


class ReplicationPad1d(_ReplicationPadNd):
    """Pads with the edge. Shape: (N, C, W) or (C, W) -> (N, C, left + W + right)."""

    _spatial = 1


class ReplicationPad2d(_ReplicationPadNd):
    """Pads with the edge. Shape: (N, C, H, W) or (C, H, W) -> the same with larger H and W."""

    _spatial = 2


class ReplicationPad3d(_ReplicationPadNd):
    """Pads with the edge. Shape: (N, C, D, H, W) or (C, D, H, W) -> the same with larger D, H and W."""

    _spatial = 3
