"""Whether a script asked for determinism. Nothing changes here: XLA's programs on the CPU are deterministic anyway."""

from jtorch.api.put import function

_MODES = ("default", "warn", "error")


class _Asked:
    mode = 0  # a place in _MODES


@function
def use_deterministic_algorithms(mode, *, warn_only=False):
    """Ask for deterministic algorithms, or only for warnings. Raises TypeError for what is no bool."""
    for name, value, where in (("mode", mode, " (position 1)"), ("warn_only", warn_only, "")):
        if not isinstance(value, bool):
            raise TypeError(
                f"_set_deterministic_algorithms(): argument '{name}'{where} must be bool, not {type(value).__name__}"
            )
    _Asked.mode = (1 if warn_only else 2) if mode else 0


@function
def are_deterministic_algorithms_enabled():
    """Whether determinism was asked for."""
    return _Asked.mode > 0


@function
def is_deterministic_algorithms_warn_only_enabled():
    """Whether only warnings were asked for."""
    return _Asked.mode == 1


@function
def get_deterministic_debug_mode():
    """0: nothing was asked for; 1: warnings; 2: determinism."""
    return _Asked.mode


@function
def set_deterministic_debug_mode(debug_mode):
    """Ask by number or by "default", "warn" and "error". Raises TypeError and RuntimeError for others."""
    if not isinstance(debug_mode, (int, str)):
        raise TypeError(f"debug_mode must be str or int, but got {type(debug_mode)}")
    if isinstance(debug_mode, str):
        if debug_mode not in _MODES:
            raise RuntimeError(
                f"invalid value of debug_mode, expected one of `default`, `warn`, `error`, but got {debug_mode}"
            )
        debug_mode = _MODES.index(debug_mode)
    if debug_mode not in (0, 1, 2):
        raise RuntimeError(f"invalid value of debug_mode, expected 0, 1, or 2, but got {debug_mode}")
    _Asked.mode = debug_mode
