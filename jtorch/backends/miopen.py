"""torch.backends.miopen: not used; its switch is kept."""

from jtorch.backends import switches

_flag = switches.Flag(False, "set_immediate_miopen")


def set_flags(_immediate=None):
    """Set the flag where it is not None; returns, in a tuple, what it was."""
    before = (_flag.value,)
    if _immediate is not None:
        _flag.put(_immediate)
    return before


def flags(immediate=False):
    """Context manager: the flag stands so inside."""
    return switches.restored(set_flags, immediate)


switches.become(__name__, immediate=_flag.switch())
