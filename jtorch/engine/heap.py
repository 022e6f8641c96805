"""Memory that was freed stays with the process, where the C library is glibc."""

import ctypes
import os

# <malloc.h>: M_ARENA_MAX, M_MMAP_MAX, M_TRIM_THRESHOLD. Other arenas hold no block above 64 MiB, whatever is asked.
_OPTIONS = ((-8, 1), (-4, 0), (-1, (1 << 31) - 1))
_CORES = 4  # with more of them, too many threads would wait for the one arena


def keep_freed():
    """Let the C library keep what is freed, up to 2 GiB, for what is allocated next; JTORCH_KEEP_FREED=0 forbids it.

    A program asks for its scratch memory and its results anew at each run. glibc hands large blocks back to the system,
    and each run faults their pages in again: a tenth to a quarter of a training step's processor time.
    """
    asked = os.environ.get("JTORCH_KEEP_FREED")
    if asked == "0" or asked is None and (_is_tuned() or (os.cpu_count() or 1) > _CORES):
        return
    try:
        set_option = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):  # another C library, or none that can be opened
        return
    for option, value in _OPTIONS:
        set_option(option, value)


def _is_tuned():
    """Whether the user has settings of his own for glibc's allocator."""
    mine = any(name.startswith("MALLOC_") and name.endswith("_") for name in os.environ)
    return mine or "glibc.malloc" in os.environ.get("GLIBC_TUNABLES", "")
