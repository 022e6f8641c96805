"""torch.types: names for annotations."""

import builtins
from collections.abc import Sequence
from typing import Any

from jtorch._tensor import Tensor
from jtorch.api.size import Size
from jtorch.api.symbols import SymBool, SymFloat, SymInt
from jtorch.devices import Device as _device

__all__ = ["BoolLikeType", "Device", "FileLike", "FloatLikeType", "IntLikeType", "Number"]

_bool, _int, _float, _complex = builtins.bool, builtins.int, builtins.float, builtins.complex
_size = Size | list[int] | tuple[int, ...]
_symsize = Size | Sequence[int | SymInt]
_dispatchkey = str
_TensorOrTensors = Tensor | Sequence[Tensor]
_TensorOrOptionalTensors = Tensor | Sequence[Tensor | None]
Device = _device | str | int | None
FileLike = Any
IntLikeType = int | SymInt
FloatLikeType = float | SymFloat
BoolLikeType = bool | SymBool
Number = int | float | bool
