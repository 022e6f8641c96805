"""torch.distributed.algorithms: hooks that change how gradients are brought together."""

from jtorch.distributed.algorithms import ddp_comm_hooks

__all__ = ["ddp_comm_hooks"]
