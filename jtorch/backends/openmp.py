"""torch.backends.openmp: not used, XLA has threads of its own."""


def is_available():
    """False: OpenMP is not called."""
    return False
