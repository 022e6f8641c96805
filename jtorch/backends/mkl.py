"""torch.backends.mkl: not used, XLA compiles for the CPU itself."""

VERBOSE_OFF = 0
VERBOSE_ON = 1


def is_available():
    """False: MKL is not called."""
    return False


class verbose:
    """Context manager in which MKL would tell what it does; there is nothing to tell."""

    def __init__(self, enable):
        self.enable = self.level = enable

    def __enter__(self):
        return None if self.level == VERBOSE_OFF else self

    def __exit__(self, *_):
        return False
