"""torch.distributed as in a build without it: it says that it is not available."""

__all__ = ["is_available", "is_initialized"]


def is_available():
    """Whether processes can work together: not yet."""
    return False


def is_initialized():
    """Whether a process group has been made: never."""
    return False
