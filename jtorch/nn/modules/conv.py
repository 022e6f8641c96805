"""Convolutions and transposed convolutions over one, two and three dimensions."""

import math

from jtorch.api.creation import empty
from jtorch.nn import functional as F
from jtorch.nn import init
from jtorch.nn.modules.lazy import LazyModuleMixin
from jtorch.nn.modules.module import Module
from jtorch.nn.modules.utils import Ints, _ntuple, _reverse_repeat_tuple
from jtorch.nn.parameter import Parameter

__all__ = [
    "Conv1d", "Conv2d", "Conv3d", "ConvTranspose1d", "ConvTranspose2d", "ConvTranspose3d", "LazyConv1d", "LazyConv2d",
    "LazyConv3d", "LazyConvTranspose1d", "LazyConvTranspose2d", "LazyConvTranspose3d",
]  # fmt: skip

_PADDING_MODES = ("zeros", "circular", "reflect", "replicate")


class _ConvNd(Module):
    """What all convolutions share: arguments, parameters and printed form."""

    __constants__ = [
        "stride", "padding", "dilation", "groups", "padding_mode", "output_padding", "in_channels", "out_channels",
        "kernel_size",
    ]  # fmt: skip
    _spatial = 0  # how many spatial dims
    _function = None

    def __init__(
        self, in_channels, out_channels, kernel_size, stride, padding, dilation, transposed, output_padding, groups,
        bias, padding_mode, device=None, dtype=None,
    ):  # fmt: skip
        super().__init__()
        _check_arguments(in_channels, out_channels, stride, padding, groups, padding_mode)
        self.in_channels = in_channels
        self.out_channels = out_channels
        self.kernel_size = kernel_size
        self.stride = stride
        self.padding = padding
        self.dilation = dilation
        self.transposed = transposed
        self.output_padding = output_padding
        self.groups = groups
        self.padding_mode = padding_mode
        self._reversed_padding_repeated_twice = self._sides()
        channels = (in_channels, out_channels // groups) if transposed else (out_channels, in_channels // groups)
        self.weight = Parameter(empty((*channels, *kernel_size), device=device, dtype=dtype))
        if bias:
            self.bias = Parameter(empty(out_channels, device=device, dtype=dtype))
        else:
            self.register_parameter("bias", None)
        self.reset_parameters()

    def _sides(self):
        """The padding of every side, last dim first, for the padding modes that go through `F.pad`."""
        if not isinstance(self.padding, str):
            return _reverse_repeat_tuple(self.padding, 2)
        sides = [0, 0] * len(self.kernel_size)
        if self.padding == "same":
            for i, (d, k) in enumerate(zip(reversed(self.dilation), reversed(self.kernel_size), strict=False)):
                total = d * (k - 1)
                sides[2 * i : 2 * i + 2] = total // 2, total - total // 2
        return sides

    def reset_parameters(self) -> None:
        """Draw weight and bias again, both from U(-k, k), k = 1/√(in_channels/groups · ∏ kernel_size)."""
        # torch: a=√5 makes kaiming's bound that k.
        init.kaiming_uniform_(self.weight, a=math.sqrt(5))
        if self.bias is not None:
            fan_in, _ = init._calculate_fan_in_and_fan_out(self.weight)
            if fan_in != 0:
                bound = 1 / math.sqrt(fan_in)
                init.uniform_(self.bias, -bound, bound)

    def extra_repr(self) -> str:
        text = f"{self.in_channels}, {self.out_channels}, kernel_size={self.kernel_size}, stride={self.stride}"
        for name, usual in (("padding", 0), ("dilation", 1), ("output_padding", 0)):
            value = getattr(self, name)
            if value != (usual,) * len(value):
                text += f", {name}={value}"
        if self.groups != 1:
            text += f", groups={self.groups}"
        if self.bias is None:
            text += ", bias=False"
        if self.padding_mode != "zeros":
            text += f", padding_mode={self.padding_mode}"
        return text


def _check_arguments(in_channels, out_channels, stride, padding, groups, padding_mode):
    if groups <= 0:
        raise ValueError("groups must be a positive integer")
    if in_channels % groups != 0:
        raise ValueError("in_channels must be divisible by groups")
    if out_channels % groups != 0:
        raise ValueError("out_channels must be divisible by groups")
    if isinstance(padding, str):
        if padding not in ("same", "valid"):
            raise ValueError(f"Invalid padding string {padding!r}, should be one of {{'same', 'valid'}}")
        if padding == "same" and any(s != 1 for s in stride):
            raise ValueError("padding='same' is not supported for strided convolutions")
    if padding_mode not in _PADDING_MODES:
        names = ", ".join(map(repr, _PADDING_MODES))
        raise ValueError(f"padding_mode must be one of {{{names}}}, but got padding_mode='{padding_mode}'")


class _Conv(_ConvNd):
    """A convolution; the subclasses say over how many dims."""

    def __init__(
        self, in_channels: int, out_channels: int, kernel_size, stride: Ints = 1, padding: str | Ints = 0,
        dilation: Ints = 1, groups: int = 1, bias: bool = True, padding_mode: str = "zeros", device=None, dtype=None,
    ) -> None:  # fmt: skip
        each = _ntuple(self._spatial)
        padding = padding if isinstance(padding, str) else each(padding)
        super().__init__(
            in_channels, out_channels, each(kernel_size), each(stride), padding, each(dilation), False, each(0),
            groups, bias, padding_mode, device, dtype,
        )  # fmt: skip

    def _conv_forward(self, input, weight, bias):
        padding = self.padding
        if self.padding_mode != "zeros":
            input = F.pad(input, self._reversed_padding_repeated_twice, mode=self.padding_mode)
            padding = (0,) * self._spatial
        return self._function(input, weight, bias, self.stride, padding, self.dilation, self.groups)

    def forward(self, input):
        return self._conv_forward(input, self.weight, self.bias)


class Conv1d(_Conv):
    """Convolution over one dimension.

    Shape: x (N, in_channels, L) or (in_channels, L) -> y (N, out_channels, M) or (out_channels, M),
    M = ⌊(L + 2·padding - dilation·(kernel_size - 1) - 1) / stride⌋ + 1.
    Attributes: weight (out_channels, in_channels/groups, kernel_size), bias (out_channels,).
    Raises: ValueError for arguments that do not go together.
    """

    _spatial = 1
    _function = staticmethod(F.conv1d)


class Conv2d(_Conv):
    """Convolution over two dimensions.

    Shape: x (N, in_channels, H, W) or (in_channels, H, W) -> y (N, out_channels, H', W') or (out_channels, H', W'),
    H' = ⌊(H + 2·padding[0] - dilation[0]·(kernel_size[0] - 1) - 1) / stride[0]⌋ + 1, and W' likewise.
    Attributes: weight (out_channels, in_channels/groups, *kernel_size), bias (out_channels,).
    Raises: ValueError for arguments that do not go together.
    """

    _spatial = 2
    _function = staticmethod(F.conv2d)


class Conv3d(_Conv):
    """Convolution over three dimensions.

    Shape: x (N, in_channels, D, H, W) or without N -> y (N, out_channels, D', H', W') or without N, sizes as in Conv2d.
    Attributes: weight (out_channels, in_channels/groups, *kernel_size), bias (out_channels,).
    Raises: ValueError for arguments that do not go together.
    """

    _spatial = 3
    _function = staticmethod(F.conv3d)


class _ConvTransposeNd(_ConvNd):
    """A transposed convolution; the subclasses say over how many dims."""

    def __init__(
        self, in_channels: int, out_channels: int, kernel_size, stride: Ints = 1, padding: Ints = 0,
        output_padding: Ints = 0, groups: int = 1, bias: bool = True, dilation: Ints = 1, padding_mode: str = "zeros",
        device=None, dtype=None,
    ) -> None:  # fmt: skip
        if padding_mode != "zeros":
            raise ValueError(f'Only "zeros" padding mode is supported for {type(self).__name__}')
        each = _ntuple(self._spatial)
        super().__init__(
            in_channels, out_channels, each(kernel_size), each(stride), each(padding), each(dilation), True,
            each(output_padding), groups, bias, padding_mode, device, dtype,
        )  # fmt: skip

    def forward(self, input, output_size=None):
        output_padding = self.output_padding if output_size is None else self._output_padding(input, output_size)
        return self._function(
            input, self.weight, self.bias, self.stride, self.padding, output_padding, self.groups, self.dilation
        )

    def _output_padding(self, input, output_size):
        """What must be added on one side so that the output has output_size. Raises ValueError where nothing can."""
        n = self._spatial
        leading = 2 if input.dim() == n + 2 else 1
        wanted = list(output_size)[leading:] if len(output_size) == leading + n else list(output_size)
        if len(wanted) != n:
            raise ValueError(
                f"ConvTranspose{n}D: for {input.dim()}D input, output_size must have {n} or {leading + n} elements "
                f"(got {len(output_size)})"
            )
        least = [
            (size - 1) * s - 2 * p + d * (k - 1) + 1
            for size, s, p, d, k in zip(
                input.shape[leading:], self.stride, self.padding, self.dilation, self.kernel_size, strict=True
            )
        ]
        most = [low + s - 1 for low, s in zip(least, self.stride, strict=True)]
        if any(not low <= size <= high for low, size, high in zip(least, wanted, most, strict=True)):
            raise ValueError(
                f"requested an output size of {output_size}, but valid sizes range from {least} to {most} "
                f"(for an input of {input.size()[2:]})"
            )
        return [size - low for size, low in zip(wanted, least, strict=True)]


class ConvTranspose1d(_ConvTransposeNd):
    """Transposed convolution over one dimension: the gradient of Conv1d with respect to its input.

    Shape: x (N, in_channels, L) or (in_channels, L) -> y (N, out_channels, M) or (out_channels, M),
    M = (L - 1)·stride - 2·padding + dilation·(kernel_size - 1) + output_padding + 1.
    Attributes: weight (in_channels, out_channels/groups, kernel_size), bias (out_channels,).
    Raises: ValueError for a padding mode other than zeros, or an output_size that no output_padding reaches.
    """

    _spatial = 1
    _function = staticmethod(F.conv_transpose1d)


class ConvTranspose2d(_ConvTransposeNd):
    """Transposed convolution over two dimensions: the gradient of Conv2d with respect to its input.

    Shape: x (N, in_channels, H, W) or without N -> y (N, out_channels, H', W'), sizes as in ConvTranspose1d.
    Attributes: weight (in_channels, out_channels/groups, *kernel_size), bias (out_channels,).
    Raises: ValueError for a padding mode other than zeros, or an output_size that no output_padding reaches.
    """

    _spatial = 2
    _function = staticmethod(F.conv_transpose2d)


class ConvTranspose3d(_ConvTransposeNd):
    """Transposed convolution over three dimensions: the gradient of Conv3d with respect to its input.

    Shape: x (N, in_channels, D, H, W) or without N -> y (N, out_channels, D', H', W'), sizes as in ConvTranspose1d.
    Attributes: weight (in_channels, out_channels/groups, *kernel_size), bias (out_channels,).
    Raises: ValueError for a padding mode other than zeros, or an output_size that no output_padding reaches.
    """

    _spatial = 3
    _function = staticmethod(F.conv_transpose3d)


class _LazyConvXdMixin(LazyModuleMixin):
    """What all lazy convolutions share: weight and bias wait for the channels of the first input."""

    def _wait(self, out_channels, bias, device, dtype):
        self._leave_open(*("weight", "bias")[: 1 + bool(bias)], device=device, dtype=dtype)
        self.out_channels = out_channels

    def reset_parameters(self) -> None:
        """Draw weight and bias again, where they have a shape."""
        if not self.has_uninitialized_params() and self.in_channels != 0:
            super().reset_parameters()

    def initialize_parameters(self, input, *args, **kwargs) -> None:
        """Make weight and bias for this input. Raises: ValueError when groups does not divide its channels."""
        if not self.has_uninitialized_params():
            return
        self.in_channels = self._get_in_channels(input)
        if self.in_channels % self.groups != 0:
            raise ValueError("in_channels must be divisible by groups")
        channels = (self.in_channels, self.out_channels) if self.transposed else (self.out_channels, self.in_channels)
        self.weight.materialize((channels[0], channels[1] // self.groups, *self.kernel_size))
        if self.bias is not None:
            self.bias.materialize((self.out_channels,))
        self.reset_parameters()

    def _get_in_channels(self, input):
        unbatched = self._get_num_spatial_dims() + 1
        if input.dim() not in (unbatched, unbatched + 1):
            raise RuntimeError(
                f"Expected {unbatched}D (unbatched) or {unbatched + 1}D (batched) input to {type(self).__name__}, but "
                f"got input of size: {input.shape}"
            )
        return input.shape[-unbatched]

    def _get_num_spatial_dims(self):
        return self._spatial


class _LazyConv(_LazyConvXdMixin):
    def __init__(
        self, out_channels: int, kernel_size, stride: Ints = 1, padding: str | Ints = 0,
        dilation: Ints = 1, groups: int = 1, bias: bool = True, padding_mode: str = "zeros", device=None, dtype=None,
    ) -> None:  # fmt: skip
        super().__init__(
            0, 0, kernel_size, stride, padding, dilation, groups, False, padding_mode, device, dtype
        )  # fmt: skip
        self._wait(out_channels, bias, device, dtype)


class _LazyConvTranspose(_LazyConvXdMixin):
    def __init__(
        self, out_channels: int, kernel_size, stride: Ints = 1, padding: Ints = 0, output_padding: Ints = 0,
        groups: int = 1, bias: bool = True, dilation: Ints = 1, padding_mode: str = "zeros", device=None, dtype=None,
    ) -> None:  # fmt: skip
        super().__init__(
            0, 0, kernel_size, stride, padding, output_padding, groups, False, dilation, padding_mode, device, dtype
        )  # fmt: skip
        self._wait(out_channels, bias, device, dtype)


class LazyConv1d(_LazyConv, Conv1d):
    """A Conv1d whose in_channels is that of the first input. Shape: as Conv1d."""

    cls_to_become = Conv1d


class LazyConv2d(_LazyConv, Conv2d):
    """A Conv2d whose in_channels is that of the first input. Shape: as Conv2d."""

    cls_to_become = Conv2d


class LazyConv3d(_LazyConv, Conv3d):
    """A Conv3d whose in_channels is that of the first input. Shape: as Conv3d."""

    cls_to_become = Conv3d


class LazyConvTranspose1d(_LazyConvTranspose, ConvTranspose1d):
    """A ConvTranspose1d whose in_channels is that of the first input. Shape: as ConvTranspose1d."""

    cls_to_become = ConvTranspose1d


class LazyConvTranspose2d(_LazyConvTranspose, ConvTranspose2d):
    """A ConvTranspose2d whose in_channels is that of the first input. Shape: as ConvTranspose2d."""

    cls_to_become = ConvTranspose2d


class LazyConvTranspose3d(_LazyConvTranspose, ConvTranspose3d):
    """A ConvTranspose3d whose in_channels is that of the first input. Shape: as ConvTranspose3d."""

    cls_to_become = ConvTranspose3d
