"""Memory that was freed stays with the process, where the C library is glibc."""

import ctypes
import os

# <malloc.h>: M_MMAP_MAX and M_TRIM_THRESHOLD. Arenas of threads hold no block above 64 MiB even so; one for all does.
_KEEP = ((-4, 0), (-1, (1 << 31) - 1))
_ONE_ARENA = (-8, 1)  # M_ARENA_MAX


def keep_freed():
    """Let the C library keep what is freed, up to 2 GiB, for what is allocated next.

    A program asks for its scratch memory and its results anew at each run. glibc hands large blocks back to the system,
    and each run faults their pages in again. JTORCH_KEEP_FREED=0 leaves glibc as it is; 1 has all threads share an
    arena, so that blocks of any size stay: large steps gain, small ones lose, whose threads wait for each other.
    """
    asked = os.environ.get("JTORCH_KEEP_FREED")
    if asked == "0" or asked is None and _is_tuned():
        return
    try:
        set_option = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):  # another C library, or none that can be opened
        return
    for option, value in (*_KEEP, _ONE_ARENA) if asked else _KEEP:
        set_option(option, value)


def _is_tuned():
    """Whether the user has settings of his own for glibc's allocator."""
    mine = any(name.startswith("MALLOC_") and name.endswith("_") for name in os.environ)
    return mine or "glibc.malloc" in os.environ.get("GLIBC_TUNABLES", "")
