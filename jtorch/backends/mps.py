"""torch.backends.mps: Apple's devices are not presented as mps."""


def is_available():
    """False."""
    return False


def is_built():
    """False."""
    return False
