"""What jtorch.signal.windows holds. Written by `python -m tests.stubs`."""

import builtins
from collections.abc import Iterable
from typing import Any, TypeAlias

from jtorch import devices as _devices
from jtorch._tensor import Tensor
from jtorch.dtypes import dtype as _dtype

_device: TypeAlias = _devices.Device
_int: TypeAlias = builtins.int
_bool: TypeAlias = builtins.bool
_float: TypeAlias = builtins.float

def bartlett(
    M: _int,
    *,
    sym: _bool = ...,
    dtype: _dtype | None = ...,
    layout: Any = ...,
    device: _device | None = ...,
    requires_grad: _bool = ...,
) -> Tensor: ...
def blackman(
    M: _int,
    *,
    sym: _bool = ...,
    dtype: _dtype | None = ...,
    layout: Any = ...,
    device: _device | None = ...,
    requires_grad: _bool = ...,
) -> Tensor: ...
def cosine(
    M: _int,
    *,
    sym: _bool = ...,
    dtype: _dtype | None = ...,
    layout: Any = ...,
    device: _device | None = ...,
    requires_grad: _bool = ...,
) -> Tensor: ...
def exponential(
    M: _int,
    *,
    center: _float | None = ...,
    tau: _float = ...,
    sym: _bool = ...,
    dtype: _dtype | None = ...,
    layout: Any = ...,
    device: _device | None = ...,
    requires_grad: _bool = ...,
) -> Tensor: ...
def gaussian(
    M: _int,
    *,
    std: _float = ...,
    sym: _bool = ...,
    dtype: _dtype | None = ...,
    layout: Any = ...,
    device: _device | None = ...,
    requires_grad: _bool = ...,
) -> Tensor: ...
def general_cosine(
    M: Any,
    *,
    a: Iterable = ...,
    sym: _bool = ...,
    dtype: _dtype | None = ...,
    layout: Any = ...,
    device: _device | None = ...,
    requires_grad: _bool = ...,
) -> Tensor: ...
def general_hamming(
    M: Any,
    *,
    alpha: _float = ...,
    sym: _bool = ...,
    dtype: _dtype | None = ...,
    layout: Any = ...,
    device: _device | None = ...,
    requires_grad: _bool = ...,
) -> Tensor: ...
def hamming(
    M: _int,
    *,
    sym: _bool = ...,
    dtype: _dtype | None = ...,
    layout: Any = ...,
    device: _device | None = ...,
    requires_grad: _bool = ...,
) -> Tensor: ...
def hann(
    M: _int,
    *,
    sym: _bool = ...,
    dtype: _dtype | None = ...,
    layout: Any = ...,
    device: _device | None = ...,
    requires_grad: _bool = ...,
) -> Tensor: ...
def kaiser(
    M: _int,
    *,
    beta: _float = ...,
    sym: _bool = ...,
    dtype: _dtype | None = ...,
    layout: Any = ...,
    device: _device | None = ...,
    requires_grad: _bool = ...,
) -> Tensor: ...
def nuttall(
    M: _int,
    *,
    sym: _bool = ...,
    dtype: _dtype | None = ...,
    layout: Any = ...,
    device: _device | None = ...,
    requires_grad: _bool = ...,
) -> Tensor: ...
