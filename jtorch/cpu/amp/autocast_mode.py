"""The older names of autocast for cpu, which warn that they are."""

from jtorch.amp import autocast_mode as amp
from jtorch.dtypes import bfloat16
from jtorch.errors import warn

__all__ = ["autocast"]


class autocast(amp.autocast):
    """torch.autocast("cpu", ...), with a warning."""

    def __init__(self, enabled: bool = True, dtype=bfloat16, cache_enabled: bool = True):
        warn(
            "`torch.cpu.amp.autocast(args...)` is deprecated. Please use `torch.amp.autocast('cpu', args...)` instead.",
            FutureWarning,
        )
        super().__init__("cpu", enabled=enabled, dtype=dtype, cache_enabled=cache_enabled)
