"""torch.backends.opt_einsum: in which order einsum contracts; JAX always lets opt_einsum choose."""

import opt_einsum as _opt_einsum

from jtorch.backends import switches

enabled = True
strategy = "auto"


def is_available():
    """True: JAX brings opt_einsum along."""
    return True


def get_opt_einsum():
    """The package."""
    return _opt_einsum


def set_flags(_enabled=None, _strategy=None):
    """Set what is not None; returns what both were. Raises ValueError for no strategy of opt_einsum."""
    global enabled, strategy
    before = enabled, strategy
    if _enabled is not None:
        enabled = _enabled
    if _strategy is not None:
        if not enabled:
            raise ValueError(
                f"opt_einsum is not enabled, so setting a `strategy` to {_strategy} will not be meaningful. "
                "torch.einsum will bypass path calculation and simply contract from left to right. "
                "Please set `enabled` to `True` as well or unset `strategy`."
            )
        if _strategy not in ("auto", "greedy", "optimal"):
            raise ValueError(f"`strategy` must be one of the following: [auto, greedy, optimal] but is {_strategy}")
        strategy = _strategy
    return before


def flags(enabled=None, strategy=None):
    """Context manager: the flags stand so inside."""
    return switches.restored(set_flags, enabled, strategy)
