"""The older name of GradScaler for cpu, which warns that it is."""

from jtorch.amp.grad_scaler import older_name

__all__ = ["GradScaler"]

GradScaler = older_name("cpu")
