"""torch.distributed.rpc, as in a PyTorch that was built without it."""


def is_available():
    """Whether calls of functions in other processes are there: no."""
    return False


__all__ = ["is_available"]
