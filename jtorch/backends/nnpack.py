"""torch.backends.nnpack: not used; its switch is kept."""

from jtorch.backends import switches

__all__ = ["flags", "is_available", "set_flags"]

_flag = switches.Flag(True, "set_enabled_NNPACK")


def is_available():
    """False: NNPACK is not called."""
    return False


def set_flags(_enabled):
    """Set whether NNPACK is asked for; returns, in a tuple, whether it was."""
    before = (_flag.value,)
    _flag.put(_enabled)
    return before


def flags(enabled=False):
    """Context manager: whether NNPACK is asked for inside."""
    return switches.restored(set_flags, enabled)
