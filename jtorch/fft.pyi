"""What jtorch.fft holds. Written by `python -m tests.stubs`."""

import builtins
from collections.abc import Sequence
from typing import Any, TypeAlias

from jtorch import devices as _devices
from jtorch._tensor import Tensor
from jtorch.dtypes import dtype as _dtype

_device: TypeAlias = _devices.Device
_int: TypeAlias = builtins.int
_bool: TypeAlias = builtins.bool
_float: TypeAlias = builtins.float
_str: TypeAlias = builtins.str

def fft(
    input: Tensor, n: _int | None = ..., dim: _int = ..., norm: _str | None = ..., *, out: Tensor | None = ...
) -> Tensor: ...
def fft2(
    input: Tensor,
    s: _int | Sequence[_int] | None = ...,
    dim: _int | Sequence[_int] = ...,
    norm: _str | None = ...,
    *,
    out: Tensor | None = ...,
) -> Tensor: ...
def fftfreq(
    n: _int,
    d: _float = ...,
    *,
    out: Tensor | None = ...,
    dtype: _dtype | None = ...,
    layout: Any = ...,
    device: _device | _str | _int | None = ...,
    pin_memory: _bool | None = ...,
    requires_grad: _bool | None = ...,
) -> Tensor: ...
def fftn(
    input: Tensor,
    s: _int | Sequence[_int] | None = ...,
    dim: _int | Sequence[_int] | None = ...,
    norm: _str | None = ...,
    *,
    out: Tensor | None = ...,
) -> Tensor: ...
def fftshift(input: Tensor, dim: _int | Sequence[_int] | None = ...) -> Tensor: ...
def hfft(
    input: Tensor, n: _int | None = ..., dim: _int = ..., norm: _str | None = ..., *, out: Tensor | None = ...
) -> Tensor: ...
def hfft2(
    input: Tensor,
    s: _int | Sequence[_int] | None = ...,
    dim: _int | Sequence[_int] = ...,
    norm: _str | None = ...,
    *,
    out: Tensor | None = ...,
) -> Tensor: ...
def hfftn(
    input: Tensor,
    s: _int | Sequence[_int] | None = ...,
    dim: _int | Sequence[_int] | None = ...,
    norm: _str | None = ...,
    *,
    out: Tensor | None = ...,
) -> Tensor: ...
def ifft(
    input: Tensor, n: _int | None = ..., dim: _int = ..., norm: _str | None = ..., *, out: Tensor | None = ...
) -> Tensor: ...
def ifft2(
    input: Tensor,
    s: _int | Sequence[_int] | None = ...,
    dim: _int | Sequence[_int] = ...,
    norm: _str | None = ...,
    *,
    out: Tensor | None = ...,
) -> Tensor: ...
def ifftn(
    input: Tensor,
    s: _int | Sequence[_int] | None = ...,
    dim: _int | Sequence[_int] | None = ...,
    norm: _str | None = ...,
    *,
    out: Tensor | None = ...,
) -> Tensor: ...
def ifftshift(input: Tensor, dim: _int | Sequence[_int] | None = ...) -> Tensor: ...
def ihfft(
    input: Tensor, n: _int | None = ..., dim: _int = ..., norm: _str | None = ..., *, out: Tensor | None = ...
) -> Tensor: ...
def ihfft2(
    input: Tensor,
    s: _int | Sequence[_int] | None = ...,
    dim: _int | Sequence[_int] = ...,
    norm: _str | None = ...,
    *,
    out: Tensor | None = ...,
) -> Tensor: ...
def ihfftn(
    input: Tensor,
    s: _int | Sequence[_int] | None = ...,
    dim: _int | Sequence[_int] | None = ...,
    norm: _str | None = ...,
    *,
    out: Tensor | None = ...,
) -> Tensor: ...
def irfft(
    input: Tensor, n: _int | None = ..., dim: _int = ..., norm: _str | None = ..., *, out: Tensor | None = ...
) -> Tensor: ...
def irfft2(
    input: Tensor,
    s: _int | Sequence[_int] | None = ...,
    dim: _int | Sequence[_int] = ...,
    norm: _str | None = ...,
    *,
    out: Tensor | None = ...,
) -> Tensor: ...
def irfftn(
    input: Tensor,
    s: _int | Sequence[_int] | None = ...,
    dim: _int | Sequence[_int] | None = ...,
    norm: _str | None = ...,
    *,
    out: Tensor | None = ...,
) -> Tensor: ...
def rfft(
    input: Tensor, n: _int | None = ..., dim: _int = ..., norm: _str | None = ..., *, out: Tensor | None = ...
) -> Tensor: ...
def rfft2(
    input: Tensor,
    s: _int | Sequence[_int] | None = ...,
    dim: _int | Sequence[_int] = ...,
    norm: _str | None = ...,
    *,
    out: Tensor | None = ...,
) -> Tensor: ...
def rfftfreq(
    n: _int,
    d: _float = ...,
    *,
    out: Tensor | None = ...,
    dtype: _dtype | None = ...,
    layout: Any = ...,
    device: _device | _str | _int | None = ...,
    pin_memory: _bool | None = ...,
    requires_grad: _bool | None = ...,
) -> Tensor: ...
def rfftn(
    input: Tensor,
    s: _int | Sequence[_int] | None = ...,
    dim: _int | Sequence[_int] | None = ...,
    norm: _str | None = ...,
    *,
    out: Tensor | None = ...,
) -> Tensor: ...
