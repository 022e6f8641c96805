"""torch.signal: the package around torch.signal.windows."""

from jtorch.signal import windows

__all__ = ["windows"]
