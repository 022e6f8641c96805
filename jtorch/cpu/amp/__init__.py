"""torch.cpu.amp: the older names of torch.amp."""

from jtorch.cpu.amp.autocast_mode import autocast
from jtorch.cpu.amp.grad_scaler import GradScaler

__all__ = ["GradScaler", "autocast"]
