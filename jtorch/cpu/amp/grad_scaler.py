"""The older name of GradScaler for cpu, which warns that it is."""

from jtorch.amp import grad_scaler
from jtorch.errors import warn

__all__ = ["GradScaler"]


class GradScaler(grad_scaler.GradScaler):
    """torch.amp.GradScaler("cpu", ...), with a warning."""

    def __init__(
        self,
        init_scale: float = 2.0**16,
        growth_factor: float = 2.0,
        backoff_factor: float = 0.5,
        growth_interval: int = 2000,
        enabled: bool = True,
    ) -> None:
        warn(
            "`torch.cpu.amp.GradScaler(args...)` is deprecated. "
            "Please use `torch.amp.GradScaler('cpu', args...)` instead.",
            FutureWarning,
        )
        super().__init__("cpu", init_scale, growth_factor, backoff_factor, growth_interval, enabled)
