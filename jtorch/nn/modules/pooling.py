"""Pooling layers: maximum, average and power means over windows, and over windows fitted to an output size."""

from jtorch.nn import functional as F
from jtorch.nn.modules.module import Module
from jtorch.nn.modules.utils import Ints, _ntuple, _single

__all__ = [
    "MaxPool1d", "MaxPool2d", "MaxPool3d", "MaxUnpool1d", "MaxUnpool2d", "MaxUnpool3d", "AvgPool1d", "AvgPool2d",
    "AvgPool3d", "LPPool1d", "LPPool2d", "LPPool3d", "AdaptiveMaxPool1d", "AdaptiveMaxPool2d", "AdaptiveMaxPool3d",
    "AdaptiveAvgPool1d", "AdaptiveAvgPool2d", "AdaptiveAvgPool3d", "FractionalMaxPool2d", "FractionalMaxPool3d",
]  # fmt: skip


class _MaxPoolNd(Module):
    __constants__ = ["kernel_size", "stride", "padding", "dilation", "return_indices", "ceil_mode"]
    return_indices: bool
    ceil_mode: bool
    _function = None

    def __init__(
        self,
        kernel_size,
        stride=None,
        padding: Ints = 0,
        dilation: Ints = 1,
        return_indices: bool = False,
        ceil_mode: bool = False,
    ) -> None:
        super().__init__()
        self.kernel_size = kernel_size
        self.stride = stride if stride is not None else kernel_size
        self.padding = padding
        self.dilation = dilation
        self.return_indices = return_indices
        self.ceil_mode = ceil_mode

    def forward(self, input):
        return self._function(
            input,
            self.kernel_size,
            self.stride,
            self.padding,
            self.dilation,
            ceil_mode=self.ceil_mode,
            return_indices=self.return_indices,
        )

    def extra_repr(self) -> str:
        return (
            f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}, "
            f"dilation={self.dilation}, ceil_mode={self.ceil_mode}"
        )


class MaxPool1d(_MaxPoolNd):
    """The maximum of each window; padding counts as -inf.

    Shape: x (N, C, L) or (C, L) -> y (N, C, M) or (C, M),
    M = ⌊(L + 2·padding - dilation·(kernel_size - 1) - 1) / stride⌋ + 1 (⌈ ⌉ with ceil_mode).
    With return_indices also the positions of the maxima, as MaxUnpool1d wants them.
    """

    _function = staticmethod(F.max_pool1d)


class MaxPool2d(_MaxPoolNd):
    """The maximum of each window; padding counts as -inf.

    Shape: x (N, C, H, W) or (C, H, W) -> y (N, C, H', W') or (C, H', W'), sizes as in MaxPool1d.
    With return_indices also the positions of the maxima, as MaxUnpool2d wants them.
    """

    _function = staticmethod(F.max_pool2d)


class MaxPool3d(_MaxPoolNd):
    """The maximum of each window; padding counts as -inf.

    Shape: x (N, C, D, H, W) or without N -> y (N, C, D', H', W') or without N, sizes as in MaxPool1d.
    With return_indices also the positions of the maxima, as MaxUnpool3d wants them.
    """

    _function = staticmethod(F.max_pool3d)


class _MaxUnpoolNd(Module):
    _spatial = 0
    _function = None

    def __init__(self, kernel_size, stride=None, padding: Ints = 0) -> None:
        super().__init__()
        each = _ntuple(self._spatial)
        self.kernel_size = each(kernel_size)
        self.stride = each(stride if stride is not None else kernel_size)
        self.padding = each(padding)

    def forward(self, input, indices, output_size=None):
        return self._function(input, indices, self.kernel_size, self.stride, self.padding, output_size)

    def extra_repr(self) -> str:
        return f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}"


class MaxUnpool1d(_MaxUnpoolNd):
    """Puts maxima back to where MaxPool1d found them, zeros elsewhere. Shape: (N, C, M) -> (N, C, L)."""

    _spatial = 1
    _function = staticmethod(F.max_unpool1d)


class MaxUnpool2d(_MaxUnpoolNd):
    """Puts maxima back to where MaxPool2d found them, zeros elsewhere. Shape: (N, C, H', W') -> (N, C, H, W)."""

    _spatial = 2
    _function = staticmethod(F.max_unpool2d)


class MaxUnpool3d(_MaxUnpoolNd):
    """Puts maxima back to where MaxPool3d found them, zeros elsewhere. Shape: (N, C, D', H', W') -> (N, C, D, H, W)."""

    _spatial = 3
    _function = staticmethod(F.max_unpool3d)


class _AvgPoolNd(Module):
    __constants__ = ["kernel_size", "stride", "padding", "ceil_mode", "count_include_pad"]

    def extra_repr(self) -> str:
        return f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}"


class AvgPool1d(_AvgPoolNd):
    """The mean of each window; padding counts as zeros, and as elements too if count_include_pad.

    Shape: x (N, C, L) or (C, L) -> y (N, C, M) or (C, M),
    M = ⌊(L + 2·padding - kernel_size) / stride⌋ + 1 (⌈ ⌉ with ceil_mode).
    """

    def __init__(
        self, kernel_size, stride=None, padding: Ints = 0, ceil_mode: bool = False, count_include_pad: bool = True
    ) -> None:
        super().__init__()
        self.kernel_size = _single(kernel_size)
        self.stride = _single(stride if stride is not None else kernel_size)
        self.padding = _single(padding)
        self.ceil_mode = ceil_mode
        self.count_include_pad = count_include_pad

    def forward(self, input):
        return F.avg_pool1d(input, self.kernel_size, self.stride, self.padding, self.ceil_mode, self.count_include_pad)


class _AvgPoolDivided(_AvgPoolNd):
    __constants__ = [*_AvgPoolNd.__constants__, "divisor_override"]
    _function = None

    def __init__(
        self,
        kernel_size,
        stride=None,
        padding: Ints = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
        divisor_override: int | None = None,
    ) -> None:
        super().__init__()
        self.kernel_size = kernel_size
        self.stride = stride if stride is not None else kernel_size
        self.padding = padding
        self.ceil_mode = ceil_mode
        self.count_include_pad = count_include_pad
        self.divisor_override = divisor_override

    def forward(self, input):
        return self._function(
            input,
            self.kernel_size,
            self.stride,
            self.padding,
            self.ceil_mode,
            self.count_include_pad,
            self.divisor_override,
        )


class AvgPool2d(_AvgPoolDivided):
    """The mean of each window (its sum over divisor_override where given); padding as in AvgPool1d.

    Shape: x (N, C, H, W) or (C, H, W) -> y (N, C, H', W') or (C, H', W'), sizes as in AvgPool1d.
    """

    _function = staticmethod(F.avg_pool2d)


class AvgPool3d(_AvgPoolDivided):
    """The mean of each window (its sum over divisor_override where given); padding as in AvgPool1d.

    Shape: x (N, C, D, H, W) or without N -> y (N, C, D', H', W') or without N, sizes as in AvgPool1d.
    """

    _function = staticmethod(F.avg_pool3d)


class _LPPoolNd(Module):
    __constants__ = ["norm_type", "kernel_size", "stride", "ceil_mode"]
    _function = None

    def __init__(self, norm_type: float, kernel_size, stride=None, ceil_mode: bool = False) -> None:
        super().__init__()
        self.norm_type = norm_type
        self.kernel_size = kernel_size
        self.stride = stride
        self.ceil_mode = ceil_mode

    def forward(self, input):
        return self._function(input, float(self.norm_type), self.kernel_size, self.stride, self.ceil_mode)

    def extra_repr(self) -> str:
        return (
            f"norm_type={self.norm_type}, kernel_size={self.kernel_size}, "
            f"stride={self.stride}, ceil_mode={self.ceil_mode}"
        )


class LPPool1d(_LPPoolNd):
    """(∑ xᵖ)^(1/p) of each window, p = norm_type. Shape: x (N, C, L) or (C, L) -> y (N, C, M) or (C, M)."""

    _function = staticmethod(F.lp_pool1d)


class LPPool2d(_LPPoolNd):
    """(∑ xᵖ)^(1/p) of each window, p = norm_type. Shape: (N, C, H, W) or (C, H, W) -> (N, C, H', W') or (C, H', W')."""

    _function = staticmethod(F.lp_pool2d)


class LPPool3d(_LPPoolNd):
    """(∑ xᵖ)^(1/p) of each window, p = norm_type. Shape: x (N, C, D, H, W) or without N -> y (N, C, D', H', W')."""

    _function = staticmethod(F.lp_pool3d)


class _AdaptiveMaxPoolNd(Module):
    __constants__ = ["output_size", "return_indices"]
    return_indices: bool
    _function = None

    def __init__(self, output_size, return_indices: bool = False) -> None:
        super().__init__()
        self.output_size = output_size
        self.return_indices = return_indices

    def forward(self, input):
        return self._function(input, self.output_size, self.return_indices)

    def extra_repr(self) -> str:
        return f"output_size={self.output_size}"


class AdaptiveMaxPool1d(_AdaptiveMaxPoolNd):
    """The maximum of output_size windows that together cover the input.

    Shape: (N, C, L) or (C, L) -> (N, C, M) or (C, M).
    """

    _function = staticmethod(F.adaptive_max_pool1d)


class AdaptiveMaxPool2d(_AdaptiveMaxPoolNd):
    """The maximum of output_size windows that together cover the input; None keeps a size.

    Shape: x (N, C, H, W) or (C, H, W) -> y (N, C, *output_size) or (C, *output_size).
    """

    _function = staticmethod(F.adaptive_max_pool2d)


class AdaptiveMaxPool3d(_AdaptiveMaxPoolNd):
    """The maximum of output_size windows that together cover the input; None keeps a size.

    Shape: x (N, C, D, H, W) or without N -> y (N, C, *output_size) or without N.
    """

    _function = staticmethod(F.adaptive_max_pool3d)


class _AdaptiveAvgPoolNd(Module):
    __constants__ = ["output_size"]
    _function = None

    def __init__(self, output_size) -> None:
        super().__init__()
        self.output_size = output_size

    def forward(self, input):
        return self._function(input, self.output_size)

    def extra_repr(self) -> str:
        return f"output_size={self.output_size}"


class AdaptiveAvgPool1d(_AdaptiveAvgPoolNd):
    """The mean of output_size windows that together cover the input.

    Shape: (N, C, L) or (C, L) -> (N, C, M) or (C, M).
    """

    _function = staticmethod(F.adaptive_avg_pool1d)


class AdaptiveAvgPool2d(_AdaptiveAvgPoolNd):
    """The mean of output_size windows that together cover the input; None keeps a size.

    Shape: x (N, C, H, W) or (C, H, W) -> y (N, C, *output_size) or (C, *output_size).
    """

    _function = staticmethod(F.adaptive_avg_pool2d)


class AdaptiveAvgPool3d(_AdaptiveAvgPoolNd):
    """The mean of output_size windows that together cover the input; None keeps a size.

    Shape: x (N, C, D, H, W) or without N -> y (N, C, *output_size) or without N.
    """

    _function = staticmethod(F.adaptive_avg_pool3d)


class _FractionalMaxPoolNd(Module):
    __constants__ = ["kernel_size", "return_indices", "output_size", "output_ratio"]
    _spatial = 0
    _function = None

    def __init__(
        self, kernel_size, output_size=None, output_ratio=None, return_indices: bool = False, _random_samples=None
    ) -> None:
        super().__init__()
        each = _ntuple(self._spatial)
        self.kernel_size = each(kernel_size)
        self.return_indices = return_indices
        self.register_buffer("_random_samples", _random_samples)
        self.output_size = None if output_size is None else each(output_size)
        self.output_ratio = None if output_ratio is None else each(output_ratio)
        if output_size is None and output_ratio is None:
            raise ValueError(f"{type(self).__name__} requires specifying either an output size, or a pooling ratio")
        if output_size is not None and output_ratio is not None:
            raise ValueError("only one of output_size and output_ratio may be specified")
        if self.output_ratio is not None and not all(0 < r < 1 for r in self.output_ratio):
            raise ValueError(f"output_ratio must be between 0 and 1 (got {output_ratio})")

    def forward(self, input):
        return self._function(
            input, self.kernel_size, self.output_size, self.output_ratio, self.return_indices,
            _random_samples=self._random_samples,
        )  # fmt: skip


class FractionalMaxPool2d(_FractionalMaxPoolNd):
    """The maximum of windows that are laid at random, so that they fill the output size or ratio.

    Shape: x (N, C, H, W) or (C, H, W) -> y (N, C, *output_size) or (C, *output_size); with return_indices also the
    positions of the maxima.
    Raises: ValueError unless either a size or a ratio in (0, 1) is given.
    Paper: Graham 2014, https://arxiv.org/abs/1412.6071
    """

    _spatial = 2
    _function = staticmethod(F.fractional_max_pool2d)


class FractionalMaxPool3d(_FractionalMaxPoolNd):
    """FractionalMaxPool2d's rule over three dims. Shape: (N, C, D, H, W) or without N -> (N, C, *output_size)."""

    _spatial = 3
    _function = staticmethod(F.fractional_max_pool3d)
