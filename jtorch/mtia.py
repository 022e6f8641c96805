"""Meta's accelerators as torch.mtia shows them where there are none."""

__all__ = ["device_count", "is_available"]


def is_available():
    """Whether there is one: no, jtorch runs on the CPU and on NVIDIA's GPUs."""
    return False


def device_count():
    """How many there are: 0."""
    return 0
